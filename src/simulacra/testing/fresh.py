"""Work in a fresh process, where nothing is in memory but what a bundle says."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.artifacts import ArtifactReader, open_bundle
from simulacra.core.features import Features, FeatureSpec
from simulacra.core.random import RngKey
from simulacra.testing.fresh_process import start

BUNDLE = "plugin.sim"
_REQUEST = "request.json"
_INPUT = "input{}.arrow"
_OUTPUT = "output{}.arrow"

Arrays = Sequence[NDArray[Any]]
"""Codes, one array a feature."""


def run_fresh(
    folder: Path, plugin: object, job: str, inputs: Sequence[Arrays | pa.Table], **request: Any
) -> list[pa.Array | pa.Table]:
    """Load a bundle in a fresh process and return what comes out of it.

    Args:
        folder: Holds the bundle, called :data:`BUNDLE`.
        plugin: What wrote it; its class must be importable.
        job: ``sample`` (context codes to codes), ``decode`` (codes to values, for each of several
            columns saved under their numbers), or ``rule`` (rows to rows).
        inputs: What goes in.
        request: JSON values that the job needs.

    Raises:
        NotConformant: The process failed; says how.
    """
    cls = type(plugin)
    head = {
        "job": job,
        "module": cls.__module__,
        "class": cls.__qualname__,
        "path": sys.path,
        "inputs": len(inputs),
    }
    (folder / _REQUEST).write_text(json.dumps(head | request))
    for number, item in enumerate(inputs):
        _write(folder / _INPUT.format(number), _as_table(item))
    start(folder)
    outputs = len(list(folder.glob(_OUTPUT.format("*"))))
    return [_read(folder / _OUTPUT.format(number)) for number in range(outputs)]


def _as_table(item: Arrays | pa.Table) -> pa.Table:
    if isinstance(item, pa.Table):
        return item
    return pa.table([pa.array(codes) for codes in item], [str(n) for n in range(len(item))])


def _as_arrays(table: pa.Table) -> list[NDArray[Any]]:
    return [column.to_numpy() for column in table.columns]


def _write(path: Path, table: pa.Table) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def _read(path: Path) -> pa.Table:
    with pa.ipc.open_file(path) as reader:
        return reader.read_all()


def _sample(
    plugin: Any, src: ArtifactReader, inputs: list[pa.Table], request: Mapping[str, Any]
) -> list[pa.Table]:
    specs = [FeatureSpec.from_json(entry) for entry in request["context"]]
    context = Features.of(specs, _as_arrays(inputs[0]), rows=request["rows"]) if specs else None
    model, rng = plugin.load(src), RngKey(request["seed"])
    drawn = model.sample(request["rows"], context=context, fixed=None, rng=rng)
    return [_as_table(drawn.codes)]


def _decode(
    plugin: Any, src: ArtifactReader, inputs: list[pa.Table], request: Mapping[str, Any]
) -> list[pa.Table]:
    found = []
    for number, table in enumerate(inputs):
        codec, rng = plugin.load(src.child(number)), RngKey(request["seed"])
        values = codec.decode(_as_arrays(table), rng=rng, start=table.num_rows)
        found.append(pa.table({"values": values}))
    return found


def _rule(
    plugin: Any, src: ArtifactReader, inputs: list[pa.Table], request: Mapping[str, Any]
) -> list[pa.Table]:
    del request
    rule = plugin.load(src)
    batches = inputs[0].to_batches()
    return [pa.Table.from_batches([rule.decode(batch) for batch in batches])]


_JOBS = {"sample": _sample, "decode": _decode, "rule": _rule}


def work(folder: Path) -> None:
    """Do what a folder requests: the other side of :func:`run_fresh`."""
    request = json.loads((folder / _REQUEST).read_text())
    sys.path[:] = request["path"]
    plugin: Any = importlib.import_module(request["module"])
    for part in request["class"].split("."):
        plugin = getattr(plugin, part)
    inputs = [_read(folder / _INPUT.format(number)) for number in range(request["inputs"])]
    with open_bundle(folder / BUNDLE) as (_, src):
        results = _JOBS[request["job"]](plugin(), src, inputs, request)
    for number, result in enumerate(results):
        _write(folder / _OUTPUT.format(number), result)
