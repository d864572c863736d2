"""What a target may replace: earlier results, never the source, never what others wrote."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from simulacra.connectors.files import Place
from simulacra.connectors.publish import MARKER, writing
from simulacra.core.errors import OutputError, UsageError


class IfExists(StrEnum):
    """What is done with tables of a database that are there already."""

    FAIL = "fail"
    APPEND = "append"
    REPLACE = "replace"


def merged(if_exists: str, *, overwrite: bool) -> IfExists:
    """Return what is done with what is there: ``overwrite`` is another word for ``replace``.

    Raises:
        UsageError: The arguments make no sense.
    """
    if if_exists not in set(IfExists):
        known = ", ".join(IfExists)
        raise UsageError(f"if_exists is {if_exists!r}", mend=f"Choose one of {known}")
    if overwrite and if_exists == IfExists.APPEND:
        raise UsageError("what is there can't be both overwritten and appended to")
    return IfExists.REPLACE if overwrite else IfExists(if_exists)


def check_no_append(if_exists: IfExists, where: str) -> None:
    """Refuse to append to what is no database.

    Raises:
        UsageError: That is asked for.
    """
    if if_exists == IfExists.APPEND:
        raise UsageError(
            "rows can't be appended to files", where=where, mend="Use --overwrite, or a database"
        )


def check_apart(target: Place, source: Place) -> None:
    """Refuse a target that is the source, in it or around it.

    Raises:
        UsageError: It is.
    """
    if target.is_local != source.is_local:
        return
    mend = "Choose a target outside of the source"
    to, of = _resolved(target), _resolved(source)
    if to == of:
        raise UsageError("the target is the source itself", where=target.uri, mend=mend)
    if to.startswith(f"{of}/"):
        raise UsageError("the target lies in the source", where=target.uri, mend=mend)
    if of.startswith(f"{to}/") and target.filesystem.get_file_info(target.path).is_file is False:
        mend = "Writing there would replace the source; choose a folder inside, or another place"
        raise UsageError("the source lies in the target", where=target.uri, mend=mend)


def _resolved(place: Place) -> str:
    if place.is_local:
        return str(Path(place.path).resolve())
    return place.uri.partition("://")[0] + "://" + place.path.strip("/")


def check_replaceable(target: Place, *, overwrite: bool) -> None:
    """Refuse a target that holds something which may not be replaced.

    Raises:
        OutputError: It does.
    """
    with writing(target.uri):
        if target.is_folder():
            _check_folder(target, overwrite=overwrite)
        elif target.is_file() and not overwrite:
            raise OutputError("the file exists", where=target.uri, mend="Add --overwrite")


def _check_folder(target: Place, *, overwrite: bool) -> None:
    from pyarrow import fs

    infos = target.filesystem.get_file_info(fs.FileSelector(target.path.rstrip("/")))
    names = {info.path.rstrip("/").rpartition("/")[2] for info in infos}
    if not names:
        return
    strangers = sorted(names - {MARKER} - _own_entries(target))
    if strangers:
        raise OutputError(
            "the folder holds what Simulacra did not write",
            where=target.uri,
            why=", ".join(strangers[:5]),
            mend="Choose a new folder, or empty this one",
        )
    if not overwrite:
        raise OutputError(
            "the folder holds an earlier result", where=target.uri, mend="Add --overwrite"
        )


def _own_entries(folder: Place) -> set[str]:
    marker = Place(
        folder.uri, f"{folder.path.rstrip('/')}/{MARKER}", folder.filesystem, is_local=True
    )
    if not marker.is_file():
        return set()
    with marker.open() as file:
        try:
            return set(map(str, json.loads(file.read())["entries"]))
        except (ValueError, KeyError, TypeError):
            return set()
