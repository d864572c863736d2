"""Reading and writing in one call each."""

import pyarrow as pa
import pytest

from simulacra.connectors.locate import open_source, open_target
from simulacra.core.batches import read_all
from simulacra.core.context import RunContext
from simulacra.core.limits import Limits


@pytest.fixture
def ctx():
    return RunContext(limits=Limits(memory=256 * 2**20, threads=2))


@pytest.fixture
def read(ctx):
    def read_one(uri, **options):
        (source,) = open_source(str(uri), options=options, ctx=ctx).values()
        table = read_all(source).replace_schema_metadata(source.schema.metadata)
        assert source.rows() in {None, table.num_rows}
        assert table.schema.equals(source.schema)
        return table

    return read_one


@pytest.fixture
def write(ctx):
    def write_one(uri, table, *, batch_rows=65_536, **how):
        how.setdefault("overwrite", True)
        target = open_target(str(uri), tables={"t": table.schema}, ctx=ctx, **how)
        with target as writers, writers["t"] as writer:
            for batch in table.to_batches(max_chunksize=batch_rows):
                writer.write(batch)

    return write_one


@pytest.fixture
def mixed():
    """A column of each plain kind, with nulls."""
    return pa.table(
        {
            "whole": pa.array([1, None, -3], pa.int64()),
            "broken": [0.5, 2.0, None],
            "text": ['a "quoted", text\nof two lines', "", None],
            "flag": [True, None, False],
            "ünï": ["é", "漢", "🙂"],
        }
    )
