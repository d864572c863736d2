"""What every connector must do."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from simulacra.core.errors import InputError, OutputError, SimulacraError
from simulacra.core.protocols import BatchSource, Connector
from simulacra.testing import corpus
from simulacra.testing.check import Check, NotConformant, checks_of, for_each, require
from simulacra.testing.guards import no_global_randomness, no_threads_left, quiet
from simulacra.testing.tables import orders

_TABLE = "orders"
_AT_ONCE = 9


@dataclass(frozen=True, slots=True)
class ConnectorSubject:
    """A connector, and where it may write."""

    connector: Connector
    place: Callable[[Path], str]
    options: Mapping[str, Any]
    unkept: Mapping[str, str]

    def write(self, uri: str, table: pa.Table, *, rows: int = 400) -> None:
        """Write a table in batches, an empty one among them."""
        batches = table.to_batches(max_chunksize=rows)
        empty = pa.RecordBatch.from_pylist([], schema=table.schema)
        writer = self.connector.writer(uri, _TABLE, table.schema, self.options, quiet())
        with writer:
            for batch in [*batches[:1], empty, *batches[1:]]:
                writer.write(batch)

    def source(self, uri: str) -> BatchSource:
        """Open the only table of a place."""
        found = self.connector.read(uri, self.options, quiet())
        require(len(found) == 1, f"{len(found)} tables where one was written")
        return next(iter(found.values()))

    def written(self, folder: Path) -> tuple[BatchSource, pa.Table]:
        """Write the orders and open them; returns what was written, too."""
        table, uri = orders(), self.place(folder)
        self.write(uri, table)
        return self.source(uri), table


def checks(
    connector: Connector,
    *,
    place: Callable[[Path], str] | None = None,
    options: Mapping[str, Any] | None = None,
    unkept: Mapping[str, str] | None = None,
) -> list[Check]:
    """Return a connector's checks.

    Args:
        connector: The connector.
        place: Gives the URI of a new place, from an empty folder for each check; unless given, a
            file with the connector's first suffix.
        options: Options to read and write with.
        unkept: Columns of :mod:`simulacra.testing.corpus` that don't come back as they went in,
            though writing them is not refused, each with its reason. One that does come back
            fails: the list stays true.
    """

    def file(folder: Path) -> str:
        return str(folder / f"{_TABLE}{connector.suffixes[0]}")

    subject = ConnectorSubject(connector, place or file, options or {}, unkept or {})
    return checks_of(subject, _CHECKS)


def _read(source: BatchSource, columns: list[str] | None = None, **options: int) -> pa.Table:
    batches = list(source.batches(columns, **options))
    schema = source.schema
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns])
    for batch in batches:
        require(batch.schema.names == schema.names, f"a batch has columns {batch.schema.names}")
    return pa.Table.from_batches(batches, schema)


def _require_same(found: pa.Table, wanted: pa.Table) -> None:
    require(found.column_names == wanted.column_names, f"columns {found.column_names}")
    require(found.num_rows == wanted.num_rows, f"{found.num_rows} rows of {wanted.num_rows}")
    for name in wanted.column_names:
        old, new = (_plain(table.column(name)) for table in (wanted, found))
        if new.type != old.type:
            old, new = _alike(old, new)
        for row, (a, b) in enumerate(zip(old.to_pylist(), new.to_pylist(), strict=True)):
            same = a == b or (a != a and b != b)  # noqa: PLR0124 - NaN is the value unlike itself
            require(same, f"{name}, row {row}: {a!r} came back as {b!r}")


def _alike(old: pa.ChunkedArray, new: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Bring values to one type: text formats have fewer, but must hold the values all the same."""
    if pa.types.is_time(old.type) and pa.types.is_string(new.type):
        return old.cast(pa.string()), new  # Arrow reads no times of day from text
    return old, new.cast(old.type)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _require_absent(subject: ConnectorSubject, uri: str, folder: Path) -> None:
    left = [path.name for path in folder.rglob("*") if path.is_file()]
    if subject.connector.suffixes:
        require(not left, f"files were left: {left}")
    try:
        found = subject.connector.read(uri, subject.options, quiet())
    except InputError:
        return
    require(not found, f"tables can be seen: {list(found)}")


# --- what it is ------------------------------------------------------------------------------


def says_what_it_claims(subject: ConnectorSubject, folder: Path) -> None:
    """File endings or URL schemes."""
    del folder
    connector = subject.connector
    require(connector.name, "it has no name")
    require(connector.suffixes or connector.schemes, "it claims neither suffixes nor schemes")
    require(all(s.startswith(".") for s in connector.suffixes), f"suffixes {connector.suffixes}")
    require(not any(":" in s for s in connector.schemes), f"schemes {connector.schemes}")


def refuses_what_is_not_there(subject: ConnectorSubject, folder: Path) -> None:
    """Reading from nowhere is an InputError."""
    try:
        found = subject.connector.read(subject.place(folder), subject.options, quiet())
        for source in found.values():
            list(source.batches())
    except InputError:
        return
    require(not found, "it read a table from where there is none")


# --- there and back --------------------------------------------------------------------------


def gives_back_what_was_written(subject: ConnectorSubject, folder: Path) -> None:
    """Rows, their order, columns and values."""
    with no_global_randomness(), no_threads_left():
        source, table = subject.written(folder)
        _require_same(_read(source), table)
    require(source.schema.names == table.column_names, f"its schema names {source.schema.names}")
    require(source.rows() in {None, table.num_rows}, f"it says it has {source.rows()} rows")


def keeps_columns_of_every_type(subject: ConnectorSubject, folder: Path) -> None:
    """Each column of the corpus comes back, or is refused with an OutputError leaving nothing."""
    columns = corpus.columns()
    unknown = set(subject.unkept) - set(columns)
    require(not unknown, f"unkept names columns that the corpus lacks: {sorted(unknown)}")

    def check(name: str) -> None:
        _check_columns(subject, _place(folder, name), {name: columns[name]})

    def check_several(names: list[str]) -> None:
        chosen = {name: columns[name] for name in names}
        try:
            taken = _check_columns(subject, _place(folder, f"{names[0]} and others"), chosen)
        except (NotConformant, SimulacraError, pa.ArrowException):
            for_each(chosen, check)  # which of them it was
            raise
        if not taken:
            for_each(chosen, check)

    def check_unkept(name: str) -> None:
        try:
            check(name)
        except (NotConformant, SimulacraError, pa.ArrowException):
            return
        require(holds=False, problem="it is listed as unkept, but comes back well")

    for_each(_several(columns, subject.unkept), check_several)
    for_each(subject.unkept, check_unkept)


def _several(columns: Mapping[str, pa.Array], but: Container[str]) -> Iterator[list[str]]:
    """Yield names of columns of as many rows: to make a table takes databases most of the time."""
    by_rows: dict[int, list[str]] = {}
    for name in columns:
        if name not in but:
            by_rows.setdefault(len(columns[name]), []).append(name)
    for names in by_rows.values():
        yield from (names[place : place + _AT_ONCE] for place in range(0, len(names), _AT_ONCE))


def _place(folder: Path, name: str) -> Path:
    return folder / name.replace("/", "-")


def _check_columns(subject: ConnectorSubject, place: Path, columns: Mapping[str, pa.Array]) -> bool:
    """Return whether columns are taken; those that are not must leave nothing."""
    place.mkdir()
    uri, rows = subject.place(place), len(next(iter(columns.values())))
    table = pa.table({"row": pa.array(range(rows), pa.int64()), **columns})
    try:
        subject.write(uri, table)
    except OutputError:
        _require_absent(subject, uri, place)
        return False
    _require_same(_read(subject.source(uri)), table)
    return True


def keeps_a_single_column_with_nulls(subject: ConnectorSubject, folder: Path) -> None:
    """A row that holds nothing but a null is a row."""
    uri, table = subject.place(folder), pa.table({"a": pa.array([None, 1, None, 2, None])})
    subject.write(uri, table)
    _require_same(_read(subject.source(uri)), table)


def keeps_any_column_names(subject: ConnectorSubject, folder: Path) -> None:
    """Names with spaces, quotes, commas, dots and any script."""
    names = ["a b", "c,d", 'e"f', "g.h", "größe", "価格", "🙂", "SELECT", "1st"]
    uri = subject.place(folder)
    table = pa.table([pa.array([1, 2])] * len(names), names)
    subject.write(uri, table)
    _require_same(_read(subject.source(uri)), table)


def keeps_empty_tables(subject: ConnectorSubject, folder: Path) -> None:
    """A table without rows still has its columns."""
    uri, table = subject.place(folder), orders(0)
    subject.write(uri, table)
    found = _read(subject.source(uri))
    require(found.column_names == table.column_names, f"columns {found.column_names}")
    require(found.num_rows == 0, f"{found.num_rows} rows of none")


# --- reading ---------------------------------------------------------------------------------


def reads_again_and_again(subject: ConnectorSubject, folder: Path) -> None:
    """Each pass starts over, two at a time too, and one left early does no harm."""
    source, table = subject.written(folder)
    one, other = source.batches(batch_rows=100), source.batches(batch_rows=100)
    next(one)
    first = [batch.num_rows for batch in other]
    require(sum(first) == table.num_rows, "a pass beside another lost rows")
    del one
    again = _read(source), _read(source)
    require(again[0].equals(again[1]), "two passes gave different rows")
    require(again[0].num_rows == table.num_rows, "a second pass lost rows")


def reads_the_columns_wanted(subject: ConnectorSubject, folder: Path) -> None:
    """The columns asked for, in that order."""
    source, table = subject.written(folder)
    names = ["paid", "shop"]
    _require_same(_read(source, names), table.select(names))


def keeps_to_the_batch_size(subject: ConnectorSubject, folder: Path) -> None:
    """No batch has more rows than asked for."""
    source, table = subject.written(folder)
    for rows in (1, 64, 10_000):
        sizes = [batch.num_rows for batch in source.batches(["items"], batch_rows=rows)]
        require(max(sizes) <= rows, f"a batch of {max(sizes)} rows for {rows}")
        require(sum(sizes) == table.num_rows, f"batches of {rows} lost rows")


# --- failing ---------------------------------------------------------------------------------


class _WriteFailure(Exception):  # noqa: N818 - only the checks see it
    """What comes between the batches."""


def _write_half(subject: ConnectorSubject, uri: str, failure: BaseException) -> None:
    table = orders()
    writer = subject.connector.writer(uri, _TABLE, table.schema, subject.options, quiet())
    try:
        with writer:
            writer.write(table.combine_chunks().to_batches()[0])
            raise failure
    except type(failure):
        return


def _failures() -> Iterable[BaseException]:
    return (_WriteFailure(), KeyboardInterrupt())


def leaves_nothing_of_a_failed_write(subject: ConnectorSubject, folder: Path) -> None:
    """After an exception or Ctrl-C there is nothing to see."""
    for number, failure in enumerate(_failures()):
        place = folder / str(number)
        place.mkdir()
        uri = subject.place(place)
        with no_threads_left():
            _write_half(subject, uri, failure)
        _require_absent(subject, uri, place)


def keeps_what_was_there_when_a_write_fails(subject: ConnectorSubject, folder: Path) -> None:
    """A failed write over a table leaves the old one whole."""
    uri = subject.place(folder)
    before = orders(50, seed=5)
    subject.write(uri, before)
    for failure in _failures():
        _write_half(subject, uri, failure)
    _require_same(_read(subject.source(uri)), before)


def shows_nothing_before_it_is_whole(subject: ConnectorSubject, folder: Path) -> None:
    """While a table is being written nobody sees a part of it under its name."""
    uri, table = subject.place(folder), orders()
    writer = subject.connector.writer(uri, _TABLE, table.schema, subject.options, quiet())
    with writer:
        writer.write(table.combine_chunks().to_batches()[0])
        try:
            seen = list(subject.connector.read(uri, subject.options, quiet()))
        except InputError:
            seen = []
    require(not seen, f"a table can be read before it is whole: {seen}")


_CHECKS: list[Callable[[ConnectorSubject, Path], None]] = [
    says_what_it_claims,
    refuses_what_is_not_there,
    gives_back_what_was_written,
    keeps_columns_of_every_type,
    keeps_a_single_column_with_nulls,
    keeps_any_column_names,
    keeps_empty_tables,
    reads_again_and_again,
    reads_the_columns_wanted,
    keeps_to_the_batch_size,
    leaves_nothing_of_a_failed_write,
    keeps_what_was_there_when_a_write_fails,
    shows_nothing_before_it_is_whole,
]
