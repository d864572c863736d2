"""What is known of a dataset's tables, for people to look at, edit, keep and check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulacra.api.inputs import inputs_of
from simulacra.api.spec_files import read_values, spec_error, specification
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.core.spec_text import plain_values, yaml_text
from simulacra.core.storage import atomic_file
from simulacra.pipeline.detect_dataset import detect_dataset
from simulacra.pipeline.diagram import mermaid
from simulacra.pipeline.profile import DETECTION_ROWS
from simulacra.pipeline.sdv_metadata import spec_from_sdv
from simulacra.pipeline.validate import Mismatch, mismatches


class Metadata:
    """The specification of a dataset.

    Attributes:
        spec: The tables, columns and keys; every field can be edited.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self.spec = spec

    @classmethod
    def detect(
        cls,
        data: Any,
        *,
        infer_keys: bool = True,
        find_rules: bool = True,
        seed: int = 0,
        ctx: RunContext | None = None,
    ) -> Metadata:
        """Read all rows and find out types and keys; what a database declares is taken over.

        Rules between the columns of a table, and those of its rows' parents, are those that no row
        breaks of up to 20,000 drawn uniformly, with that as their evidence; such as 99 % keep are
        written as inactive.

        Args:
            data: A data frame, a dict of them by table name, or a path or URL.
            infer_keys: Whether to look for foreign keys where none is declared. Those that hold
                for every row and whose names agree are taken; what else may be one is noted.
            find_rules: Whether to look for rules between columns.
            seed: Decides which rows are looked at closely.
            ctx: Limits and progress.

        Raises:
            InputError: The data can't be read.
        """
        ctx = ctx or RunContext()
        inputs = inputs_of(data, ctx)
        found = detect_dataset(
            inputs.sources,
            declared=inputs.declared,
            sample_rows=DETECTION_ROWS,
            rng=lambda table: RngKey(seed, ("detect", table)),
            infer_keys=infer_keys,
            keep_samples=find_rules,
            ctx=ctx,
        )
        if not find_rules:
            return cls(found.spec)
        from simulacra.pipeline.detect_rules import with_rules  # which brings numba

        return cls(with_rules(found.spec, inputs.sources, found.samples, seed=seed))

    @classmethod
    def load(cls, path: str | Path) -> Metadata:
        """Read a specification from a YAML or JSON file.

        Raises:
            InputError: The file can't be read.
            SpecError: It is no specification; names the field.
        """
        return cls(specification(read_values(Path(path)), str(path)))

    @classmethod
    def from_sdv(cls, path: str | Path, data: Any, *, ctx: RunContext | None = None) -> Metadata:
        """Take over what an SDV metadata JSON file (V1) says about data.

        Args:
            path: The JSON file.
            data: The data it describes; types it doesn't tell are detected.
            ctx: Limits and progress.

        Raises:
            InputError: The file or the data can't be read.
            SpecError: The file is no SDV metadata, or doesn't fit the data.
        """
        detected = cls.detect(data, infer_keys=False, find_rules=False, ctx=ctx)
        return cls(spec_from_sdv(read_values(Path(path)), detected.spec, where=str(path)))

    @property
    def tables(self) -> dict[str, TableSpec]:
        """The tables by name."""
        return self.spec.tables

    def renamed(self, table: str) -> Metadata:
        """Return the metadata of one table under another name; that of several stays."""
        if len(self.tables) != 1:
            return self
        return Metadata(DatasetSpec(tables={table: next(iter(self.tables.values()))}))

    def update(self, table: str, column: str | None = None, **changes: Any) -> Metadata:
        """Change fields of a table, or of one of its columns.

        Args:
            table: The table's name.
            column: The column's name; the table itself is changed when None.
            changes: New values by field name, as ``type="category"``.

        Returns:
            This metadata, changed.

        Raises:
            SpecError: There is no such table or column, or a value makes no sense.
        """
        where = table if column is None else f"{table}.{column}"
        if table not in self.tables:
            raise SpecError("there is no such table", where=table, mend=_choices(self.tables))
        old = self.tables[table]
        if column is not None and column not in old.columns:
            raise SpecError("there is no such column", where=where, mend=_choices(old.columns))
        try:
            if column is None:
                new = TableSpec.model_validate({**_fields(old), **changes})
            else:
                changed = ColumnSpec.model_validate({**_fields(old.columns[column]), **changes})
                new = TableSpec.model_validate(
                    {**_fields(old), "columns": {**old.columns, column: changed}}
                )
            self.spec = DatasetSpec(tables={**self.tables, table: new})
        except ValidationError as error:
            raise spec_error(error, where) from error
        return self

    def validate(self, data: Any, *, ctx: RunContext | None = None) -> list[Mismatch]:
        """Compare data with this specification, every row; names each mismatch.

        Returns:
            What doesn't fit, each as ``table.column`` and what; empty if all does.
        """
        ctx = ctx or RunContext()
        inputs = inputs_of(data, ctx)
        return mismatches(inputs.narrowed(self.spec, ctx), inputs.sources, ctx)

    def save(self, path: str | Path) -> None:
        """Write the specification as YAML, or as JSON if the file is called so.

        Raises:
            OutputError: The file can't be written.
        """
        target = Path(path)
        text = self.to_json() if target.suffix == ".json" else self.to_yaml()
        with atomic_file(target) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, leaving out what says nothing."""
        return plain_values(self.spec)

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2) + "\n"

    def to_yaml(self) -> str:
        """Return it as YAML."""
        return yaml_text(self.spec)

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """Return the JSON Schema of specification files."""
        return DatasetSpec.model_json_schema()

    def diagram(self) -> str:
        """Return the tables and their keys as a Mermaid entity-relationship diagram."""
        return mermaid(self.spec)

    def __repr__(self) -> str:
        tables = ", ".join(f"{name} ({len(t.columns)})" for name, t in self.tables.items())
        return f"Metadata({tables})"


def _fields(spec: TableSpec | ColumnSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in type(spec).model_fields}


def _choices(known: Mapping[str, object]) -> str:
    return f"There are: {', '.join(known)}"
