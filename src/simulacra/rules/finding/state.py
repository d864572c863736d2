"""Columns to look for rules in, as the rules found so far leave them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, Rule
from simulacra.core.registry import Kind
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import column_of
from simulacra.rules.copied import NEARLY, Copy, share_equal
from simulacra.rules.equal import Equal, comparable, is_text
from simulacra.rules.quotes import names_of_persons

_MEASURES = frozenset({"integer", "float", "decimal", "date", "datetime", "time", "duration"})
_CODES = frozenset({"category", "constant"})
_WHOLE = frozenset({"boolean", "integer"})
_NAMES = frozenset({"boolean", "category"})
_OF_CHILDREN = ("#count ", "#kind ")
"""What the names of columns begin with that say how many children a row has, and of what kind."""
_TEXT = "text"
_ORDER = "order"
EXPRESSION = "expression"
"""The option that is no column but names several."""
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')


class State:
    """The columns of a table and those given with them, changed by every rule that is found.

    Args:
        sample: Rows, own and given columns.
        table: The specification: keys that aren't given are left alone.
        given: The given columns. No rule changes them.

    Attributes:
        columns: The columns, as the rules found so far leave them; own ones first.
        given: The given columns.
        keys: The primary key, if it is made of row numbers: rules may read it, and change it never.
        found: Those rules, in the order in which they encode.
        taken: Names that no new column may have.
    """

    def __init__(
        self, sample: pa.Table, table: TableSpec, given: AbstractSet[str] = frozenset()
    ) -> None:
        self._table = table
        self.taken = frozenset(table.columns) | frozenset(sample.column_names)
        self.given = given
        self.columns: dict[str, pa.Array] = {
            name: column_of(sample, name) for name in usable(sample.schema, table, given)
        }
        key = [n for n in table.primary_key if table.columns[n].type == "identifier"]
        self.keys: dict[str, pa.Array] = {
            name: column_of(sample, name)
            for name in key
            if len(table.primary_key) == 1
            and name in sample.column_names
            and name not in self.columns
            and all(name not in foreign.columns for foreign in table.foreign_keys)
        }
        self.found: list[RuleSpec] = []

    def own(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the columns that aren't given."""
        return ((name, values) for name, values in self.columns.items() if name not in self.given)

    def tables(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the own columns that the table itself has: none that counts or sorts children."""
        return ((n, values) for n, values in self.own() if not n.startswith(_OF_CHILDREN))

    def numbers(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the own columns of numbers, those that stand for categories included."""
        for name, values in self.own():
            unit = ticks.unit_of(values.type)
            if unit is not None and unit.family == "number" and self._is(name, _MEASURES | _CODES):
                yield name, values

    def coded(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the own columns of categories and whole numbers."""
        for name, values in self.tables():
            if self._is(name, _CODES | _WHOLE):
                yield name, values

    def texts(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the own columns of strings that say what they like: free texts and categories."""
        for name, values in self.own():
            of_table = name in self._table.columns
            if of_table and is_text(values.type) and self._is(name, {_TEXT, "category"}):
                yield name, values

    def is_free_text(self, name: str) -> bool:
        """Say whether a column is free text."""
        return name in self._table.columns and self._is(name, {_TEXT})

    def is_personal(self, name: str) -> bool:
        """Say whether a column of the table itself leads to a person."""
        return name in self._table.columns and self._is(name, {"personal"})

    def is_name(self, name: str) -> bool:
        """Say whether a column is the name of a person."""
        return bool(names_of_persons(self._table, [name]))

    def is_category(self, name: str) -> bool:
        """Say whether a column's values are names."""
        return name in self._table.columns and self._is(name, _NAMES)

    def measures(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the own columns that measure something: numbers and times, no categories."""
        for name, values in self.own():
            if ticks.unit_of(values.type) is not None and self._is(name, _MEASURES):
                yield name, values

    def anchors(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the given columns of numbers and times."""
        for name, values in self.columns.items():
            if name in self.given and ticks.unit_of(values.type) is not None:
                yield name, values

    def _is(self, name: str, datatypes: AbstractSet[str]) -> bool:
        column = self._table.columns.get(name)
        return column is None or column.type in datatypes

    def apply(self, name: str, config: Config) -> None:
        """Note a rule and encode the rows by it.

        Raises:
            SpecError: The rule doesn't hold in these rows.
        """
        options = config.model_dump(mode="json", exclude_defaults=True)
        # Only the columns that the options name: a table may have thousands of others.
        every = self.columns | self.keys
        named = [name for name in named_in(options) if name in every]
        rows = pa.RecordBatch.from_pydict({name: every[name] for name in named})
        rule: Rule = registry.load(Kind.RULE, name)
        encoded = rule.fit(pa.Table.from_batches([rows]), config, table=self._table).encode(rows)
        for gone in set(named) - set(encoded.schema.names):
            del self.columns[gone]
        made = zip(encoded.schema.names, encoded.columns, strict=True)
        self.columns.update((name, values) for name, values in made if name not in self.keys)
        self.found.append(RuleSpec(rule=name, options=options))

    def apply_before_gone(self, name: str, config: Config, gone: str, values: pa.Array) -> None:
        """Apply a rule that needs a column which another one has left out, which then comes last.

        Args:
            name: The rule's name.
            config: Its options.
            gone: The column.
            values: Its values.
        """
        places = [rule.options.get("column") for rule in self.found]
        last = self.found.pop(places.index(gone))
        self.columns[gone] = values
        self.apply(name, config)
        del self.columns[gone]
        self.found.append(last)

    def keep(self, specs: Iterable[RuleSpec], known: Collection[RuleSpec] = ()) -> list[RuleSpec]:
        """Apply rules found in fewer rows; return those that hold in these rows too.

        Where the order of a difference doesn't hold, the difference stays; what is not quite always
        equal becomes a copy.

        Args:
            specs: The rules.
            known: Rules that are declared; see :func:`is_known`.
        """
        for spec in specs:
            if is_known(spec, known) or self.holds(spec.rule, spec.options):
                continue
            if spec.rule == Equal.name:
                column, of = (self.columns.get(spec.options[name]) for name in ("column", "of"))
                if column is not None and of is not None and share_equal(column, of) >= NEARLY:
                    self.holds(Copy.name, {**spec.options, "frequent": True})
            elif "order" in spec.options:
                options = {name: v for name, v in spec.options.items() if name != "order"}
                self.holds(spec.rule, options)
        return self.found

    def holds(self, name: str, options: dict[str, Any]) -> bool:
        """Apply a rule if it holds in these rows; say whether it does."""
        rule: Rule = registry.load(Kind.RULE, name)
        try:
            self.apply(name, rule.config(**options))
        except SpecError:
            return False
        return True


def is_known(rule: RuleSpec, known: Iterable[RuleSpec]) -> bool:
    """Say whether a rule was declared, or one that isn't kept says the same in other words.

    As another order of the same two columns, or a formula of the same ones that rounds.
    """
    return any(
        rule.says_the_same(other) or (not other.active and _is_variant(rule, other))
        for other in known
    )


def _is_variant(rule: RuleSpec, other: RuleSpec) -> bool:
    """Say whether two rules have the same options, but for the order or words of an expression."""

    def meant(option: str, value: Any) -> Any:
        if option == EXPRESSION:
            return {*named_in({option: value})} or value
        return None if option == _ORDER else value

    one, two = ({n: meant(n, v) for n, v in r.options.items()} for r in (rule, other))
    return rule.rule == other.rule and one == two


def named_in(options: Mapping[str, Any]) -> list[str]:
    """Return the texts among a rule's options: the columns that it names, and more.

    Of an expression, the names in double quotes.
    """
    found: list[str] = []
    for option, value in options.items():
        if option == EXPRESSION:
            found += [text.replace('""', '"') for text in _QUOTED.findall(value)]
        else:
            texts = value if isinstance(value, list | tuple) else (value,)
            found += [text for text in texts if isinstance(text, str)]
    return list(dict.fromkeys(found))


def usable(schema: pa.Schema, table: TableSpec, given: AbstractSet[str]) -> list[str]:
    """Return the columns that rules may name: own ones that are no keys, and given ones."""
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
    own = [name for name in table.columns if name not in given and name not in keys]
    named = set(own)
    wanted = own + [name for name in schema.names if name in given and name not in named]
    kinds = dict(zip(schema.names, schema.types, strict=True))
    return [name for name in wanted if name in kinds and comparable(kinds[name], kinds[name])]
