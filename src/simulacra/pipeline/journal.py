"""What a run has done so far, kept on disk: a run that was stopped goes on from it.

::

    .DEST.simulacra-run/
        journal.json                    says that this is one
        lock                            held by the process at work
        learning.json, learned.sim      what was learned, and from what
        drawing.json                    what is drawn
        tables/0/000002.DIGEST.arrow    blocks 32 to 47 of a table, as they were made
        tables/0/whole.json             how many parts it has, once all are there
        staged/, spool/                 of the process at work; emptied when one begins

Everything takes its place by renaming, and a part's name holds the digest of its content: what is
torn or changed is made again. As blocks are pure functions of what was learned, the seed and the
rows wanted, a run that goes on ends with the same bytes as one that was never stopped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from simulacra.core.errors import OutputError
from simulacra.core.storage import atomic_file
from simulacra.pipeline.journal_lock import locked
from simulacra.pipeline.journal_parts import TableRecord, keeping

FORMAT = 1
_MARK = "journal.json"
_LOCK = "lock"
_LEARNED = "learned.sim"
_READY = "ready.json"
_PUBLISHING = "publishing.json"
_NAMES = (_LEARNED, "learning.json", "drawing.json", _PUBLISHING, _READY, _LOCK, _MARK)


class Journal:
    """The folder in which a run keeps what it has done.

    Args:
        folder: Where; made when it is opened.
        overwrite: Whether what another run left there may be thrown away.
    """

    def __init__(self, folder: Path, *, overwrite: bool = False) -> None:
        self.folder = folder
        self._overwrite = overwrite
        self._is_finished = False

    @property
    def staged(self) -> Path:
        """Where the target may be made ready: beside it, if the journal is."""
        return self.folder / "staged"

    @property
    def learned(self) -> Path:
        """The bundle of what was learned, if that is done."""
        return self.folder / _LEARNED

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder; it goes away if the run is finished, or nothing was done at all.

        Raises:
            OutputError: It can't be made, is something else, or another process holds it.
        """
        with keeping(self.folder):
            made = [parent for parent in self.folder.parents if not parent.exists()]
            self._begin()
        is_held = self._is_finished = False
        try:
            with locked(self.folder / _LOCK):
                is_held = True
                for name in ("staged", "spool"):
                    shutil.rmtree(self.folder / name, ignore_errors=True)
                yield
        finally:
            if is_held and (self._is_finished or not self.holds_work()):
                self._remove()
            for parent in made:
                with suppress(OSError):  # not empty: it holds the journal, or the result
                    parent.rmdir()

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / _MARK
        if not mark.exists():
            strangers = sorted(path.name for path in self.folder.iterdir())
            if strangers:
                raise OutputError(
                    "this folder is no journal of a run",
                    where=str(self.folder),
                    why=f"it holds {', '.join(strangers[:5])}",
                    mend="Choose another folder",
                )
            mark.write_text(f"{json.dumps({'written_by': 'simulacra'})}\n", encoding="utf-8")

    def holds_work(self) -> bool:
        """Say whether there is anything that need not be done again."""
        return self.learned.exists() or any(self.folder.glob("tables/*/*.arrow"))

    def finish(self) -> None:
        """Say that the run is done, and the journal no longer needed."""
        self._is_finished = True

    def _remove(self) -> None:
        """Remove the journal; parts first, so that what is left still tells what it was of."""
        for name in ("tables", "staged", "spool"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in _NAMES:
            (self.folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # other things are in it, or it is gone
            self.folder.rmdir()

    # --- which run it is -------------------------------------------------------------------

    def agree_on_learning(self, facts: Mapping[str, Any]) -> None:
        """Refuse to go on learning where other data or options were learned from.

        Args:
            facts: What decides the result, by name; JSON values.

        Raises:
            OutputError: The journal says otherwise; names what differs.
        """
        self._agree("learning.json", facts, (_LEARNED, "drawing.json", _READY, _PUBLISHING))

    def agree_on_drawing(self, facts: Mapping[str, Any]) -> None:
        """Refuse to go on drawing where other rows were drawn; see :meth:`agree_on_learning`."""
        self._agree("drawing.json", facts, (_READY, _PUBLISHING))

    def _agree(self, name: str, facts: Mapping[str, Any], follow: tuple[str, ...]) -> None:
        path = self.folder / name
        wanted = json.loads(json.dumps({"format": FORMAT, **facts}, default=str))
        known = _read(path)
        if known == wanted:
            return
        if known is not None and not self._overwrite:
            raise OutputError(
                "there is the journal of another run",
                where=str(self.folder),
                why=_differences(known, wanted),
                mend="Add --overwrite to begin anew, or delete the folder",
            )
        for other in follow:
            (self.folder / other).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "tables", ignore_errors=True)
        _write(path, wanted)

    # --- what is drawn ---------------------------------------------------------------------

    def table(self, place: int) -> TableRecord:
        """Return the record of one table's blocks.

        Args:
            place: The table's place in the order of drawing.
        """
        return TableRecord(self.folder / "tables" / str(place))

    def spool(self) -> Path:
        """Return a folder for what is needed only until the process ends."""
        folder = self.folder / "spool"
        folder.mkdir(exist_ok=True)
        return folder

    # --- what is published -----------------------------------------------------------------

    def note_publishing(self) -> None:
        """Remember that all rows are written, and become visible next."""
        _write(self.folder / _PUBLISHING, {})

    @property
    def was_publishing(self) -> bool:
        """Whether the process before this one may have made the rows visible."""
        return _read(self.folder / _PUBLISHING) is not None

    def note_ready(self, result: Path) -> None:
        """Remember the finished target just before it is renamed into its place."""
        _write(self.folder / _READY, _identity(result))

    def is_published(self, target: Path) -> bool:
        """Say whether what is at the target is what this run was about to put there."""
        noted = _read(self.folder / _READY)
        drawn = _read(self.folder / "drawing.json")
        return drawn is not None and noted is not None and noted == _identity(target)


def _identity(path: Path) -> dict[str, Any] | None:
    """Return what a file or folder keeps when it is renamed."""
    try:
        found = path.stat()
    except OSError:
        return None
    changed = 0 if path.is_dir() else found.st_mtime_ns
    inside = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
    return {"device": found.st_dev, "inode": found.st_ino, "changed": changed, "holds": inside}


def _differences(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    def said(value: Any) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _SHORT else "another"

    names = [name for name in {**known, **wanted} if known.get(name) != wanted.get(name)]
    return "; ".join(f"{n}: {said(known.get(n))}, now {said(wanted.get(n))}" for n in names)


_SHORT = 40


def _read(path: Path) -> Any:
    """Return a JSON value, None if there is none or it is torn."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path, value: Any) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(f"{json.dumps(value, ensure_ascii=False)}\n", encoding="utf-8")
