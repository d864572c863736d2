"""Specification files: read, checked, and found beside the data that they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulacra.connectors.files import Place, reading
from simulacra.core.errors import InputError, SpecError
from simulacra.core.schema import DatasetSpec

SPEC_NAMES = ("spec.yaml", "spec.yml", "spec.json")
"""Files of a folder of tables that tell what the tables are."""


def read_values(path: Path) -> Any:
    """Read a YAML or JSON file.

    Raises:
        InputError: It can't be read.
        SpecError: It is neither.
    """
    try:
        return _parsed(path.read_bytes(), str(path))
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError("can't read the file", where=str(path), why=why) from error


def _parsed(data: bytes, where: str) -> Any:
    import yaml

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("the file is not UTF-8", where=where, why=str(error)) from error
    try:
        return json.loads(text) if where.endswith(".json") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise SpecError(
            "the file is neither YAML nor JSON", where=where, why=" ".join(str(error).split())
        ) from error


def specification(value: Any, where: str) -> DatasetSpec:
    """Return the specification that plain values are.

    Raises:
        SpecError: They are none; names the field.
    """
    try:
        return DatasetSpec.model_validate(value)
    except ValidationError as error:
        if not isinstance(value, dict):
            raise SpecError(
                "this is no specification",
                where=where,
                mend="Write one with simulacra detect SRC -o FILE",
            ) from error
        raise spec_error(error, where) from error


def specification_beside(folder: Place) -> tuple[str, DatasetSpec] | None:
    """Return the name and content of the specification that a folder of tables holds, if any.

    A ``spec.json`` that is no specification may be a table.

    Raises:
        InputError: There are several, or one can't be read.
        SpecError: It is none; names the field.
    """
    files = [place for place in folder.children() if place.name in SPEC_NAMES and place.is_file()]
    found = [(file, value) for file in files if (value := _stated(file)) is not None]
    if not found:
        return None
    if len(found) > 1:
        raise InputError(
            "there is more than one specification",
            where=folder.uri,
            why=", ".join(file.name for file, _ in found),
            mend="Keep one of them, or name the one you mean",
        )
    file, value = found[0]
    return file.name, specification(value, file.uri)


def _stated(file: Place) -> Any:
    with reading(file.uri), file.open() as stream:
        data = stream.read()
    if not file.name.endswith(".json"):
        return _parsed(data, file.uri)
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "tables" in value else None


def spec_error(error: ValidationError, where: str) -> SpecError:
    """Return what is wrong with a specification, field by field."""
    return SpecError(
        "the specification is wrong",
        where=where,
        why="; ".join(map(_field_error, error.errors())),
        mend="simulacra detect --json-schema tells all fields",
    )


def _field_error(entry: Mapping[str, Any]) -> str:
    place = ".".join(map(str, entry["loc"]))
    said = {"extra_forbidden": "there is no such field", "missing": "the field is missing"}
    text = said.get(entry["type"]) or str(entry["msg"]).removeprefix("Value error, ")
    return f"{place}: {text}" if place else text
