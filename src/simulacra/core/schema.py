"""The specification: what tables, columns and keys there are. People read it and edit it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulacra.core.arrow_types import type_from_text

STRUCT_TYPE = "struct"
LIST_TYPE = "list"


class _SpecModel(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class ColumnSpec(_SpecModel):
    """One column.

    A struct column has ``fields``, a list column ``items``; every other column is a leaf whose
    values the datatype ``type`` handles with its ``options``.
    """

    type: Annotated[str, Field(description="Name of a datatype: integer, category, datetime, …")]
    arrow: Annotated[
        str, Field(description="Arrow type as found, as int32 or timestamp[us, tz=UTC]")
    ]
    nullable: Annotated[bool, Field(description="Whether nulls occur")] = True
    unique: Annotated[bool, Field(description="Whether no value occurs twice")] = False
    options: Annotated[dict[str, Any], Field(description="Options of the datatype")] = Field(
        default_factory=dict
    )
    fields: Annotated[
        dict[str, ColumnSpec] | None, Field(description="Fields of a struct column")
    ] = None
    items: Annotated[ColumnSpec | None, Field(description="Items of a list column")] = None

    @model_validator(mode="after")
    def _nesting_is_whole(self) -> Self:
        if (self.type == STRUCT_TYPE) != (self.fields is not None):
            msg = "a struct column, and no other, has 'fields'"
            raise ValueError(msg)
        if (self.type == LIST_TYPE) != (self.items is not None):
            msg = "a list column, and no other, has 'items'"
            raise ValueError(msg)
        self.arrow_type()
        return self

    def arrow_type(self) -> pa.DataType:
        """Return the Arrow type of the column.

        Raises:
            ValueError: ``arrow`` names no type.
        """
        if self.fields is not None:
            return pa.struct(
                [pa.field(name, f.arrow_type(), f.nullable) for name, f in self.fields.items()]
            )
        if self.items is not None:
            item = pa.field("item", self.items.arrow_type())
            if self.arrow.startswith("fixed_size_list["):
                return pa.list_(item, int(self.arrow[len("fixed_size_list[") : -1]))
            if self.arrow == "map":
                return pa.map_(item.type.field("key").type, item.type.field("value").type)
            return pa.large_list(item) if self.arrow == "large_list" else pa.list_(item)
        return type_from_text(self.arrow)


class Orphans(StrEnum):
    """What becomes of rows whose foreign key names no row of the parent."""

    NULL = "null"
    DROP = "drop"
    KEEP = "keep"


class ForeignKey(_SpecModel):
    """Columns that hold a key of another table (or of the same one)."""

    columns: Annotated[list[str], Field(min_length=1)]
    parent: Annotated[str, Field(description="The table referred to")]
    parent_columns: Annotated[list[str], Field(min_length=1)]
    when: Annotated[
        dict[str, str] | None,
        Field(
            description="Only rows with this value in this column: {commentable_type: Post}",
            min_length=1,
            max_length=1,
        ),
    ] = None
    orphans: Annotated[
        Orphans | None,
        Field(
            description="Rows that name no parent: their key becomes null, they are not learned, "
            "or such rows are drawn too (default: null if all columns take nulls, else drop)"
        ),
    ] = None
    evidence: Annotated[
        str | None, Field(description="Why it is taken for a key, where no one declared it")
    ] = None

    @model_validator(mode="after")
    def _as_many_columns(self) -> Self:
        if len(self.columns) != len(self.parent_columns):
            msg = "a foreign key has as many columns as the key it refers to"
            raise ValueError(msg)
        return self


class RuleSpec(_SpecModel):
    """One rule of a table."""

    rule: Annotated[str, Field(description="Name of a rule plug-in")]
    options: dict[str, Any] = Field(default_factory=dict)
    active: Annotated[
        bool, Field(description="Whether it is kept; if not, it is not looked for, either")
    ] = True
    evidence: Annotated[
        str | None,
        Field(
            description="How many rows keep it, where no one declared it: then it gives way if "
            "rows break it"
        ),
    ] = None

    def says_the_same(self, other: RuleSpec) -> bool:
        """Say whether another rule is the same, whatever is known of it."""
        return self.rule == other.rule and _listed(self.options) == _listed(other.options)


def _listed(options: dict[str, Any]) -> dict[str, Any]:
    return {n: list(v) if isinstance(v, tuple) else v for n, v in options.items()}


class TableSpec(_SpecModel):
    """One table."""

    columns: dict[str, ColumnSpec]
    primary_key: list[str] = Field(default_factory=list)
    unique: Annotated[
        list[list[str]],
        Field(description="Further keys, in which no row occurs twice"),
    ] = Field(default_factory=list)
    foreign_keys: list[ForeignKey] = Field(default_factory=list)
    rules: list[RuleSpec] = Field(default_factory=list)
    rows: Annotated[int | None, Field(ge=0, description="Rows found, for information")] = None
    keep: Annotated[
        bool, Field(description="Whether its rows are written as they are, not made anew")
    ] = False
    origin: Annotated[
        dict[str, Any],
        Field(description="What the store it came from needs to make the table again"),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _keys_are_columns(self) -> Self:
        named = [
            *self.primary_key,
            *(column for key in self.unique for column in key),
            *(column for key in self.foreign_keys for column in (*key.columns, *(key.when or ()))),
        ]
        for column in named:
            if column not in self.columns:
                msg = f"a key names the column {column!r}, which the table doesn't have"
                raise ValueError(msg)
        return self

    def arrow_schema(self) -> pa.Schema:
        """Return the Arrow schema of the table."""
        return pa.schema(
            [pa.field(name, column.arrow_type()) for name, column in self.columns.items()]
        )


class DatasetSpec(_SpecModel):
    """All the tables of a dataset."""

    version: Literal[1] = 1
    tables: dict[str, TableSpec]

    @model_validator(mode="after")
    def _foreign_keys_lead_somewhere(self) -> Self:
        for name, table in self.tables.items():
            for key in table.foreign_keys:
                parent = self.tables.get(key.parent)
                if parent is None or any(c not in parent.columns for c in key.parent_columns):
                    msg = (
                        f"{name}.{','.join(key.columns)} refers to "
                        f"{key.parent}.{','.join(key.parent_columns)}, which is not there"
                    )
                    raise ValueError(msg)
        return self
