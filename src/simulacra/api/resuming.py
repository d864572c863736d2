"""Runs that may be stopped and go on: what they are of, and where their journal lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.api.inputs import Inputs, Source
from simulacra.connectors.files import Place, place_of, reading
from simulacra.connectors.known import Connectors
from simulacra.connectors.locate import open_source
from simulacra.connectors.publish import Room
from simulacra.connectors.replacing import IfExists
from simulacra.connectors.secret import shown
from simulacra.core.context import RunContext
from simulacra.core.errors import BundleError, InputError, OutputError, UsageError
from simulacra.core.protocols import BatchSource
from simulacra.core.schema import DatasetSpec
from simulacra.pipeline.journal import Journal
from simulacra.pipeline.options import FitOptions

if TYPE_CHECKING:
    from simulacra.api.drawing import Draws
    from simulacra.pipeline.dataset import FittedDataset

_PACKAGES = ("simulacra", "numpy", "numba", "pyarrow")
"""Whose versions may change what the same seed gives."""


# --- where -----------------------------------------------------------------------------------


def local_path(dest: str) -> Path | None:
    """Return the path of a target that is a file or folder here, else None."""
    if Connectors().of_scheme(dest) is not None:
        return None
    place = place_of(dest)
    return Path(place.path) if place.is_local else None


def journal_of(
    dest: str, *, resume: bool | str | Path | Journal | None, overwrite: bool
) -> Journal | None:
    """Return the journal of a run that writes to a target.

    Args:
        dest: The target.
        resume: A folder to keep it in; True for a hidden one beside the target; no journal when
            False or None.
        overwrite: Whether the journal of another run may be thrown away.

    Raises:
        UsageError: There is no "beside": the target is no file or folder here.
    """
    if resume is None or resume is False:
        return None
    if isinstance(resume, Journal):
        return resume
    if resume is not True:
        return Journal(Path(resume), overwrite=overwrite)
    path = local_path(dest)
    if path is None:
        raise UsageError(
            "there is no place beside the target to keep the journal of this run",
            where=shown(dest),
            mend="Name a folder with --journal DIR (resume=DIR)",
        )
    return Journal(path.with_name(f".{path.name}.simulacra-run"), overwrite=overwrite)


def room_of(dest: str, journal: Journal | None) -> Room | None:
    """Return where the target is made ready, so that nothing of a killed run is left elsewhere."""
    path = local_path(dest)
    if path is None or journal is None:
        return None
    is_beside = journal.folder.absolute().parent == path.parent
    folder = journal.staged if is_beside else path.with_name(f".{path.name}.simulacra-staged")
    return Room(folder, journal.note_ready)


def is_published(dest: str, journal: Journal) -> bool:
    """Say whether a target is the result of the journal's run, which was killed right after."""
    path = local_path(dest)
    return path is not None and journal.is_published(path)


# --- learning --------------------------------------------------------------------------------


def learned_once(
    journal: Journal | None,
    facts: Callable[[], Mapping[str, Any]],
    learn: Callable[[], FittedDataset],
    *,
    ctx: RunContext,
) -> FittedDataset:
    """Take what was learned from the journal, or learn it and keep it there.

    Args:
        journal: The journal; nothing is kept when None.
        facts: Tells what decides what is learned; see :func:`learning_facts`.
        learn: Learns.
        ctx: Where to tell what is not done again.

    Raises:
        OutputError: The journal is of another run, or can't be written.
    """
    from simulacra.pipeline.dataset import load_dataset

    if journal is None:
        return learn()
    with journal.opened():
        journal.agree_on_learning(facts())
        if journal.learned.exists():
            try:
                known = load_dataset(journal.learned)
            except BundleError as error:
                ctx.progress.note(f"What was learned is damaged and is learned again: {error}")
            else:
                ctx.progress.note(f"Learned before: taken from {journal.folder}")
                return known
        fitted = learn()
        fitted.save(journal.learned)
        return fitted


def learning_facts(
    data: Any, inputs: Inputs, spec: DatasetSpec | None, options: FitOptions, seed: int
) -> dict[str, Any]:
    """Return what decides what is learned.

    Args:
        data: What the user gave.
        inputs: The same, opened.
        spec: The specification, None if it is detected.
        options: What to learn with.
        seed: The seed.

    Raises:
        InputError: The data can't be looked at.
    """
    known = _declared(inputs) if spec is None else spec.model_dump(mode="json")
    return {
        "versions": _versions(),
        "seed": seed,
        "source": _digest(_source_facts(data, inputs)),
        "specification": _digest(known),
        **asdict(options),
    }


def _declared(inputs: Inputs) -> Any:
    """Return what the store declares of the tables, in an order that stays."""
    return {
        name: {**asdict(table), "not_null": sorted(table.not_null)}
        for name, table in inputs.declared.items()
    }


def _source_facts(data: Any, inputs: Inputs) -> Any:
    """Return what changes when the data does: dates of files, numbers of rows, or all values."""
    uri = data.uri if isinstance(data, Source) else data
    if not isinstance(uri, str | Path):
        return {name: _content(source) for name, source in inputs.sources.items()}
    options = asdict(data) if isinstance(data, Source) else {}
    named = {**options, "uri": shown(str(uri))}
    if Connectors().filled_by(str(uri)) is not None:
        return [named, {name: _shape(source) for name, source in inputs.sources.items()}]
    with reading(str(uri)):
        return [named, [[place.path, *place.version()] for place in _files(place_of(str(uri)))]]


def _files(place: Place) -> list[Place]:
    if place.is_file():
        return [place]
    if place.is_folder():
        return [entry for entry in place.children(recursive=True) if entry.is_file()]
    root, _, pattern = place.path.rpartition("/")
    folder = Place(place.uri.rpartition("/")[0] or ".", root, place.filesystem, place.is_local)
    matching = [entry for entry in folder.children() if fnmatchcase(entry.name, pattern)]
    return [file for entry in matching for file in _files(entry)]


def _shape(source: BatchSource) -> Any:
    schema = source.schema
    return [[[f.name, str(f.type)] for f in schema], source.rows()]


def _content(source: BatchSource) -> Any:
    state = hashlib.blake2b(digest_size=16)
    for batch in source.batches():
        state.update(batch.serialize())
    return [_shape(source), state.hexdigest()]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _versions() -> dict[str, str]:
    return {name: version(name) for name in _PACKAGES}


# --- drawing ---------------------------------------------------------------------------------


@contextmanager
def drawing_once(
    journal: Journal | None,
    fitted: FittedDataset,
    draws: Draws,
    dest: str,
    if_exists: str,
    *,
    ctx: RunContext,
) -> Iterator[bool]:
    """Hold the journal of a run that draws, if there is one, and remove it at the end.

    Gives whether the result is at the target already: the run was killed right after.

    Args:
        journal: The journal.
        fitted: What was learned.
        draws: What is drawn of it.
        dest: The target.
        if_exists: What is done with tables of a database that are there.
        ctx: Limits and progress.

    Raises:
        OutputError: The journal is of another run, or can't be written.
    """
    if journal is None:
        yield False
        return
    with journal.opened():
        journal.agree_on_drawing(
            {
                "versions": _versions(),
                "learned": _bundle_digest(fitted, journal),
                "seed": draws.seed,
                "rows": draws.rows,
                **asdict(draws.tempering),
            }
        )
        is_database = Connectors().filled_by(dest) is not None
        yield is_published(dest, journal) or (
            is_database
            and journal.was_publishing
            and _is_filled(dest, draws.rows, if_exists, journal, ctx)
        )
        journal.finish()


def _bundle_digest(fitted: FittedDataset, journal: Journal) -> str:
    from simulacra.pipeline.journal_parts import digest_of

    bundle = journal.spool() / "learned.sim"
    fitted.save(bundle)
    digest = digest_of(bundle)
    bundle.unlink()
    return digest


def _is_filled(
    dest: str, rows: Mapping[str, int], if_exists: str, journal: Journal, ctx: RunContext
) -> bool:
    """Say whether a database got its rows before the run was killed while publishing them.

    Raises:
        OutputError: It can't be told.
    """
    if if_exists == IfExists.REPLACE:
        return False
    try:
        sources = open_source(dest, ctx=ctx)
    except InputError:
        return False  # nothing is there
    if {name: sources[name].rows() for name in rows if name in sources} == dict(rows):
        return True
    if if_exists == IfExists.APPEND:
        raise OutputError(
            "the run was killed while its rows were added: it can't be told whether they were",
            where=shown(dest),
            mend=f"Look there; then delete {journal.folder} to begin anew",
        )
    return False
