"""Watching a piece of work: what it changes, leaves behind, and needs."""

from __future__ import annotations

import gc
import pickle
import random
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from zipfile import ZipFile

import numpy as np

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter, open_bundle, write_bundle
from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.core.progress import Task
from simulacra.testing.check import NotConformant, require

R = TypeVar("R")

_DATA_ONLY = (".json", ".safetensors", ".arrow")


def quiet(threads: int = 1) -> RunContext:
    """Return a context without progress, of so many threads and 1 GiB."""
    return RunContext(Limits(memory=2**30, threads=threads))


# --- randomness ------------------------------------------------------------------------------


def _global_state() -> tuple[object, ...]:
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - watching it
    return (kind, np.asarray(keys).tobytes(), *rest, random.getstate())


def _seed_globally(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002 - to show that nothing depends on it
    random.seed(seed)


@contextmanager
def no_global_randomness() -> Iterator[None]:
    """Refuse work that moves the global random states of numpy or Python."""
    before = _global_state()
    yield
    require(
        _global_state() == before,
        "it used np.random or random, which all of a process shares; use the RngKey it is given",
    )


@contextmanager
def globally_seeded(seed: int) -> Iterator[None]:
    """Seed the global random states, and put them back afterwards."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    _seed_globally(seed)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


# --- threads ---------------------------------------------------------------------------------


@contextmanager
def no_threads_left() -> Iterator[None]:
    """Refuse work that leaves threads running, however it ends."""
    before = set(threading.enumerate())
    try:
        yield
    finally:
        left = [thread.name for thread in threading.enumerate() if thread not in before]
        if left:
            msg = f"threads are still there: {', '.join(left)}"
            raise NotConformant(msg)


class StoppingProgress:
    """Progress that is stopped, as by Ctrl-C, the first time something is done.

    Attributes:
        stopped: Whether that came to pass.
    """

    def __init__(self) -> None:
        self.stopped = False

    @contextmanager
    def task(self, title: str, total: int | None = None, unit: str = "rows") -> Iterator[Task]:
        """Give a task whose first advance stops the run."""
        del title, total, unit
        yield self

    def advance(self, amount: int = 1) -> None:
        """Stop the run."""
        del amount
        self.stopped = True
        raise KeyboardInterrupt

    def note(self, message: str) -> None:
        """Ignore."""


# --- memory ----------------------------------------------------------------------------------


def memory_of(work: Callable[[], R]) -> tuple[R, int, int]:
    """Return the result of some work, its peak and what it keeps, in bytes.

    Counts what Python and numpy allocate.
    """
    gc.collect()
    tracemalloc.start()
    try:
        result = work()
        _, peak = tracemalloc.get_traced_memory()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result, peak, kept


# --- bundles ---------------------------------------------------------------------------------


def save_bundle(path: Path, save: Callable[[ArtifactWriter], None]) -> None:
    """Write a bundle, refusing pickle and members that are not plain data."""
    dump, dumps = pickle.dump, pickle.dumps
    pickle.dump = pickle.dumps = _refuse_pickle
    try:
        with write_bundle(path) as out:
            save(out)
    finally:
        pickle.dump, pickle.dumps = dump, dumps
    with ZipFile(path) as archive:
        for name in archive.namelist():
            require(name.endswith(_DATA_ONLY), f"bundle member {name!r} is not plain data")


def _refuse_pickle(*args: Any, **kwargs: Any) -> NoReturn:
    del args, kwargs
    msg = "it pickles; write JSON, arrays or tables"
    raise NotConformant(msg)


def load_bundle(path: Path, load: Callable[[ArtifactReader], R]) -> R:
    """Read a bundle."""
    with open_bundle(path) as (_, src):
        return load(src)
