from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.core.errors import InputError
from simulacra.pipeline.nesting import Layout

LEAVES = {
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.string(): st.text(max_size=4),
    pa.bool_(): st.booleans(),
}


@st.composite
def columns(draw, depth=2):
    """Draw a type and a strategy of its values."""
    shape = draw(st.sampled_from(["leaf", "struct", "list", "large", "fixed", "map"]))
    if depth == 0 or shape == "leaf":
        kind = draw(st.sampled_from(list(LEAVES)))
        return kind, st.none() | LEAVES[kind]
    if shape == "struct":
        names = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True))
        fields = {name: draw(columns(depth=depth - 1)) for name in names}
        kind = pa.struct([(name, field[0]) for name, field in fields.items()])
        return kind, st.none() | st.fixed_dictionaries({n: f[1] for n, f in fields.items()})
    item, values = draw(columns(depth=depth - 1))
    if shape == "fixed":
        return pa.list_(item, 2), st.none() | st.lists(values, min_size=2, max_size=2)
    if shape == "map":
        pairs = st.lists(st.tuples(st.text(max_size=2), values), max_size=3)
        return pa.map_(pa.string(), item), st.none() | pairs
    return (pa.large_list if shape == "large" else pa.list_)(item), st.none() | st.lists(
        values, max_size=3
    )


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_flattening_is_undone(data):
    kind, values = data.draw(columns())
    rows = data.draw(st.lists(values, max_size=6))
    batch = pa.RecordBatch.from_arrays([pa.array(rows, kind)], names=["x"])
    layout = Layout.of(batch.schema)
    flat = layout.flatten(batch)
    assert not any(pa.types.is_nested(c.type) for c in flat.batch.columns)
    assert layout.unflatten(flat).to_pylist() == batch.to_pylist()
    assert layout.unflatten(flat).schema == batch.schema


def test_sliced_batches_flatten_too():
    rows = [{"a": i, "b": [i] * (i % 3)} for i in range(10)]
    batch = pa.RecordBatch.from_pylist(
        [{"s": None if i % 4 == 0 else row} for i, row in enumerate(rows)]
    ).slice(3, 5)
    layout = Layout.of(batch.schema)
    assert layout.unflatten(layout.flatten(batch)).to_pylist() == batch.to_pylist()


def test_flat_columns_are_left_alone():
    batch = pa.RecordBatch.from_pydict({"a": [1], "b": ["x"]})
    assert Layout.of(batch.schema).flatten(batch).batch is batch


def test_names_that_meet_are_refused():
    schema = pa.schema([("a", pa.struct([("b", pa.int8())])), ("a.b", pa.int8())])
    with pytest.raises(InputError, match=r"both called 'a\.b'"):
        Layout.of(schema)


def test_types_that_can_not_be_learned_are_refused():
    union = pa.dense_union([pa.field("i", pa.int8())])
    with pytest.raises(InputError, match=r"u: the type .*can't be learned"):
        Layout.of(pa.schema([("u", union)]))
