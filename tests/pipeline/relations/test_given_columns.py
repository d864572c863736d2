"""Rules that use columns of parents' parents: found over the keys there are, and kept."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest

from pipeline.relations.business import business, joined
from simulacra import Metadata, Synthesizer
from simulacra.core.errors import SpecError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec
from simulacra.pipeline.relations.context import HOPS
from simulacra.pipeline.relations.given_columns import given_columns
from simulacra.pipeline.relations.graph import Graph, Relation, Role

PRICE = "^l_partkey,l_suppkey.^ps_partkey.p_retailprice"


@pytest.fixture(scope="module")
def real():
    return business()


def assert_priced(tables, lines):
    made = joined(tables)
    assert made.num_rows == lines
    wanted = np.round(made["l_quantity"].to_numpy() * made["p_retailprice"].to_numpy(), 2)
    np.testing.assert_allclose(made["l_extendedprice"].to_numpy(), wanted, rtol=1e-12)
    return made


def test_a_price_two_keys_away_is_found_and_kept_at_any_scale_and_from_a_bundle(real, tmp_path):
    learned = Synthesizer("independent", seed=3).fit(real)
    for drawn in (learned.sample(), learned.sample(scale=0.5)):
        made = assert_priced(drawn, drawn["lineitem"].num_rows)
        assert pc.all(pc.less(made["o_orderdate"], made["l_shipdate"])).as_py()
    learned.save(tmp_path / "business.sim")
    again = Synthesizer.load(tmp_path / "business.sim").sample()
    assert again["lineitem"].equals(learned.sample()["lineitem"])


def test_a_column_is_called_by_every_way_of_keys_that_leads_to_it(real):
    found = Metadata.detect(real, find_rules=False)
    lines = found.tables["lineitem"]
    both = [key.columns for key in lines.foreign_keys]
    assert both == [["l_orderkey"], ["l_partkey", "l_suppkey"]]
    # A second key to the part is implied by that to who supplies it.
    direct = ForeignKey(columns=["l_partkey"], parent="part", parent_columns=["p_partkey"])
    lines.foreign_keys.append(direct)
    for name in ("^l_partkey.p_retailprice", PRICE):
        rule = {"column": "l_extendedprice", "expression": f'round(l_quantity * "{name}", 2)'}
        found.update("lineitem", rules=[{"rule": "formula", "options": rule}])
        drawn = Synthesizer("independent", find_rules=False).fit(real, found).sample()
        assert_priced(drawn, drawn["lineitem"].num_rows)


def test_texts_far_away_are_there_for_rules_that_name_them(real):
    found = Metadata.detect(real, find_rules=False)
    found.tables["customer"].columns["c_name"] = ColumnSpec(type="text", arrow="string")
    rule = {"column": "l_customer", "of": "^l_orderkey.^o_custkey.c_name"}
    found.update("lineitem", rules=[{"rule": "equal", "options": rule}])
    made = joined(Synthesizer("independent", find_rules=False).fit(real, found).sample())
    assert made["l_customer"].equals(made["c_name"])
    rule["of"] = "^l_orderkey.^o_custkey.c_nme"
    found.update("lineitem", rules=[{"rule": "equal", "options": rule}])
    with pytest.raises(SpecError, match="there is no such column"):
        Synthesizer("independent", find_rules=False).fit(real, found)


def test_names_lead_as_far_as_three_keys_and_never_up_a_tree_or_to_what_is_drawn_later():
    number = ColumnSpec(type="integer", arrow="int64")
    names = "abcdef"

    def to(parent, column="up"):
        return ForeignKey(columns=[column], parent=parent, parent_columns=["id"])

    tables = {
        name: TableSpec(
            columns={"id": number, "up": number, "same": number, "late": number, "x": number},
            primary_key=["id"],
            foreign_keys=[to(parent), to(name, "same"), to("a", "late")],
        )
        for name, parent in zip(names, names[1:] + "a", strict=True)
    }
    spec = DatasetSpec(tables=tables)
    roles = {"up": Role.LINK, "same": Role.SELF, "late": Role.LATE}
    relations = {
        name: tuple(Relation(name, key, roles[key.columns[0]]) for key in table.foreign_keys)
        for name, table in spec.tables.items()
    }
    found = given_columns("a", Graph(tuple(names), relations, {}), spec.tables)
    assert list(found) == ["^up.x", "^up.^up.x", "^up.^up.^up.x"]
    assert [given.table for given in found.values()] == ["b", "c", "d"]
    assert [len(given.path) for given in found.values()] == [1, 2, HOPS]
