"""Fresh processes: each knows nothing, and none can end the others."""

import pyarrow as pa
import pytest

import faulty_plugins as faulty
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.testing import NotConformant
from simulacra.testing.fresh import BUNDLE, run_fresh
from simulacra.testing.guards import save_bundle

TABLE = pa.table({"first": [1, 2, 3], "last": [4, 6, 9]})
SPEC = TableSpec(
    columns={name: ColumnSpec(type="integer", arrow="int64") for name in TABLE.column_names}
)


def rows_again(rule, folder):
    config = rule.config(column="last", minus="first", order=">")
    fitted = rule.fit(TABLE, config, table=SPEC)
    folder.mkdir()
    save_bundle(folder / BUNDLE, fitted.save)
    encoded = [pa.Table.from_batches([fitted.encode(batch)]) for batch in TABLE.to_batches()]
    return run_fresh(folder, rule, "rule", encoded)


def test_a_process_knows_nothing_of_those_before_it(tmp_path):
    for number in range(2):
        assert rows_again(faulty.KnowsEarlierLoads(), tmp_path / str(number)) == [TABLE]


def test_one_that_dies_says_what_it_printed_and_the_next_works(tmp_path, capfd):
    with pytest.raises(NotConformant, match="it ended with 7:\nwas here before"):
        rows_again(faulty.DiesWhenLoaded(), tmp_path / "dies")
    assert rows_again(faulty.KnowsEarlierLoads(), tmp_path / "works") == [TABLE]
    assert capfd.readouterr() == ("", "")
