"""What a model must do, or refuse to do, according to its traits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from simulacra.core.errors import UsageError
from simulacra.core.features import Features
from simulacra.core.random import RngKey
from simulacra.core.tempering import Temperable, Tempering
from simulacra.testing.check import require
from simulacra.testing.coded import (
    context_of,
    ordinary,
    with_context,
)
from simulacra.testing.fresh import BUNDLE, run_fresh
from simulacra.testing.guards import (
    save_bundle,
)
from simulacra.testing.model_subject import (
    SEED,
    Checks,
    ModelSubject,
    draw,
    require_sound,
    same,
)

# --- for models whose key settles the result -------------------------------------------------


def gives_the_same_rows_for_the_same_key(subject: ModelSubject, folder: Path) -> None:
    """A block can be made again alone, whatever was drawn before."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    forwards = [draw(fitted, data, seed=seed) for seed in range(4)]
    backwards = [draw(fitted, data, seed=seed) for seed in reversed(range(4))][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        require(same(one, other), "a block depends on what was drawn before it")


def gives_the_same_rows_on_any_number_of_threads(subject: ModelSubject, folder: Path) -> None:
    """Neither learning nor drawing on two threads changes the result."""
    del folder
    data = ordinary()
    alone = subject.fit(data, threads=1)
    together = subject.fit(data, threads=2)
    one = [draw(alone, data, 5_000, seed) for seed in range(6)]
    with ThreadPoolExecutor(2) as pool:
        other = list(pool.map(lambda seed: draw(together, data, 5_000, seed), range(6)))
    for block, (a, b) in enumerate(zip(one, other, strict=True)):
        require(same(a, b), f"block {block} depends on the number of threads")


def gives_the_same_rows_when_loaded_afresh(subject: ModelSubject, folder: Path) -> None:
    """A saved model, loaded in another process, draws the same."""
    data = with_context() if subject.model.traits.context else ordinary()
    fitted = subject.fit(data)
    save_bundle(folder / BUNDLE, fitted.save)
    context = context_of(data, 500)
    (again,) = run_fresh(
        folder,
        subject.model,
        "sample",
        [context.codes if context else ()],
        context=[spec.to_json() for spec in context.specs] if context else [],
        rows=500,
        seed=SEED,
    )
    drawn = draw(fitted, data)
    for spec, codes, column in zip(drawn.specs, drawn.codes, again.columns, strict=True):
        require(
            np.array_equal(codes, column.to_numpy()),
            f"{spec.name}: loaded in a fresh process it draws other rows",
        )


def saves_the_same_bytes_for_the_same_key(subject: ModelSubject, folder: Path) -> None:
    """Learning twice gives the same bundle."""
    data = ordinary()
    for name in ("one.sim", "other.sim"):
        save_bundle(folder / name, subject.fit(data).save)
    one, other = ((folder / name).read_bytes() for name in ("one.sim", "other.sim"))
    require(one == other, "learning twice from the same key gave different bundles")


DETERMINISTIC: Checks = [
    gives_the_same_rows_for_the_same_key,
    gives_the_same_rows_on_any_number_of_threads,
    gives_the_same_rows_when_loaded_afresh,
    saves_the_same_bytes_for_the_same_key,
]


# --- context and fixed features --------------------------------------------------------------


def draws_given_context(subject: ModelSubject, folder: Path) -> None:
    """Context features are given, and only the targets come back."""
    del folder
    data = with_context()
    fitted = subject.fit(data)
    for rows in (0, 1, 5_000):
        require_sound(draw(fitted, data, rows), data, rows)


def refuses_context(subject: ModelSubject, folder: Path) -> None:
    """A model that knows no context says so."""
    del folder
    try:
        subject.fit(with_context())
    except UsageError:
        return
    require(holds=False, problem="it has no trait 'context' but took context without UsageError")


WITH_CONTEXT: Checks = [draws_given_context]


def keeps_fixed_features(subject: ModelSubject, folder: Path) -> None:
    """Target features that are given come back as given."""
    del folder
    data, rows = ordinary(), 2_000
    fitted = subject.fit(data)
    for names in (["paid"], ["region", "amount"], [s.name for s in data.features.specs]):
        numbers = [n for n, spec in enumerate(data.features.specs) if spec.name in names]
        given = data.features.take(np.arange(rows))
        fixed = Features(
            tuple(given.specs[n] for n in numbers), tuple(given.codes[n] for n in numbers), rows
        )
        drawn = fitted.sample(rows, context=None, fixed=fixed, rng=RngKey(SEED))
        require_sound(drawn, data, rows)
        for spec, codes in zip(fixed.specs, fixed.codes, strict=True):
            require(np.array_equal(drawn[spec.name], codes), f"{spec.name} was not kept as given")


def refuses_fixed_features(subject: ModelSubject, folder: Path) -> None:
    """A model that can't hold features fixed says so, instead of drawing them."""
    del folder
    data = ordinary()
    given = data.features.take(np.arange(10))
    fixed = Features(given.specs[:1], given.codes[:1], 10)
    try:
        subject.fit(data).sample(10, context=None, fixed=fixed, rng=RngKey(SEED))
    except UsageError:
        return
    require(
        holds=False,
        problem="it has no trait 'conditional' but took fixed features without UsageError",
    )


CONDITIONAL: Checks = [keeps_fixed_features]

WITHOUT_CONTEXT: Checks = [refuses_context]
UNCONDITIONAL: Checks = [refuses_fixed_features]


def draws_as_boldly_as_told(subject: ModelSubject, folder: Path) -> None:
    """A low temperature and a small top-p make frequent codes more frequent, a high one less."""
    del folder
    data, rows = ordinary(), 5_000
    fitted = subject.fit(data)
    require(
        isinstance(fitted, Temperable), "it has the trait 'tempered' but no method of that name"
    )
    assert isinstance(fitted, Temperable)  # noqa: S101 - for the type checker
    plain = draw(fitted, data, rows)
    for how, sign in ((Tempering(0.2), 1), (Tempering(top_p=0.6), 1), (Tempering(5.0), -1)):
        drawn = draw(fitted.tempered(how), data, rows)
        require_sound(drawn, data, rows)
        require(same(drawn, draw(fitted.tempered(how), data, rows)), "the key doesn't settle it")
        most = [np.bincount(some["region"]).max() / rows for some in (plain, drawn)]
        require(
            sign * (most[1] - most[0]) > 0,
            f"{how}: the most frequent code has share {most[1]:.3f}, had {most[0]:.3f}",
        )
    require(same(plain, draw(fitted, data, rows)), "drawing boldly changed the model itself")


TEMPERED: Checks = [draws_as_boldly_as_told]
