import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulacra.core.batches import GeneratorSource, TableSource
from simulacra.core.errors import InputError, UsageError
from simulacra.core.random import RngKey
from simulacra.pipeline.subsample import UniformSampler, uniform_sample

KEY = RngKey(7).child("sample")


def numbered(rows):
    return pa.table({"row": np.arange(rows), "name": [f"n{i}" for i in range(rows)]})


class InBatches:
    """A source that cuts a table at the given places and may not know its length."""

    def __init__(self, table, sizes, rows):
        self._table, self._sizes, self._rows = table, sizes, rows

    @property
    def schema(self):
        return self._table.schema

    def rows(self):
        return self._rows

    def batches(self, columns=None, **_options):
        table = self._table if columns is None else self._table.select(columns)
        start = 0
        for size in [*self._sizes, table.num_rows]:
            yield from table.slice(start, size).combine_chunks().to_batches()
            start += size


@given(
    total=st.integers(0, 400),
    wanted=st.integers(1, 120),
    sizes=st.lists(st.integers(0, 60), max_size=12),
    known=st.booleans(),
)
def test_the_sample_depends_on_neither_batches_nor_a_known_length(total, wanted, sizes, known):
    table = numbered(total)
    source = InBatches(table, sizes, total if known else None)
    sample = uniform_sample(source, wanted, KEY)
    priorities = KEY.words(total)
    expected = np.sort(np.argsort(priorities, kind="stable")[:wanted])
    assert sample.schema == table.schema
    assert sample.to_pylist() == table.take(expected).to_pylist()


def test_a_smaller_sample_is_part_of_a_larger_one():
    source = TableSource(numbered(5_000))
    small, large = (uniform_sample(source, n, KEY)["row"].to_pylist() for n in (100, 1_000))
    assert set(small) < set(large)


def test_every_row_is_as_likely():
    source = TableSource(pa.table({"row": np.arange(50)}))
    taken = np.zeros(50, dtype=int)
    for seed in range(400):
        taken[uniform_sample(source, 10, RngKey(seed))["row"].to_numpy()] += 1
    # Each count is Binomial(400, 0.2); the counts sum to 4,000, which leaves 49 degrees of freedom.
    statistic = ((taken - 80) ** 2 / (400 * 0.2 * 0.8) * (49 / 50)).sum()
    assert stats.chi2.sf(statistic, 49) > 1e-4


def test_only_the_columns_asked_for_are_read():
    sample = uniform_sample(TableSource(numbered(100)), 10, KEY, columns=["name"])
    assert sample.column_names == ["name"]
    assert sample.num_rows == 10


def test_equal_priorities_go_to_the_earlier_row():
    sampler = UniformSampler(pa.schema({"row": pa.int64()}), 2, KEY)
    sampler._priorities = type("Constant", (), {"random_raw": staticmethod(np.zeros)})()
    for start in range(0, 9, 3):
        sampler.update(pa.record_batch({"row": np.arange(start, start + 3)}))
    assert sampler.finish()["row"].to_pylist() == [0, 1]


def test_memory_is_bounded_when_the_length_is_unknown():
    def make():
        return (pa.table({"row": np.arange(i * 5_000, (i + 1) * 5_000)}) for i in range(400))

    source = GeneratorSource(make)
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    sample = uniform_sample(source, 1_000, KEY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sample.num_rows == 1_000
    assert peak < 2_000_000  # the stream is 16 MB
    assert pa.total_allocated_bytes() - before < 200_000


def test_a_source_that_promised_more_rows_is_refused():
    source = InBatches(numbered(50), [], 1_000_000)
    with pytest.raises(InputError, match="50 rows, which is fewer than it says"):
        uniform_sample(source, 20, KEY)


def test_a_source_that_promised_fewer_rows_is_sampled_all_the_same():
    table = numbered(1_000)
    wrong = uniform_sample(InBatches(table, [100, 300], 30), 20, KEY)
    assert wrong == uniform_sample(TableSource(table), 20, KEY)


def test_no_rows_asked_for_and_repeated_names_are_refused():
    with pytest.raises(UsageError, match="sample of 0 rows"):
        uniform_sample(TableSource(numbered(3)), 0, KEY)
    twice = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(InputError, match="same name"):
        uniform_sample(TableSource(twice), 1, KEY)
