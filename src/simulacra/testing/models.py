"""What every model must do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.features import Features, TrainingData
from simulacra.core.limits import Limits
from simulacra.core.protocols import BLOCK_ROWS, Config, Model
from simulacra.core.random import RngKey
from simulacra.testing import model_promises as promises
from simulacra.testing.check import Check, checks_of, require
from simulacra.testing.coded import (
    ROWS,
    constants,
    context_of,
    many_codes,
    ordinary,
    with_context,
)
from simulacra.testing.fresh import BUNDLE
from simulacra.testing.guards import (
    StoppingProgress,
    globally_seeded,
    load_bundle,
    memory_of,
    no_global_randomness,
    no_threads_left,
    save_bundle,
)
from simulacra.testing.model_subject import (
    KEY,
    SEED,
    Checks,
    ModelSubject,
    draw,
    require_sound,
    same,
)

_SIGMAS = 5.0
"""A bound that chance breaks once in two million."""
_MODEL_ERROR = 0.02
_PRIVATE_ERROR = 0.1
"""How far a share may be off beyond chance: a model smooths, a private one adds noise."""
_ARRAYS_A_FEATURE = 24
"""Double-precision arrays of a block's length that drawing may need for each feature."""
_MEBI = 2**20


def checks(model: Model, *, config: Config | None = None) -> list[Check]:
    """Return a model's checks, which depend on its traits.

    Args:
        model: The model.
        config: The options to check it with; its defaults unless given.
    """
    traits = model.traits
    chosen = [
        *_ALWAYS,
        *(promises.DETERMINISTIC if traits.deterministic else []),
        *(promises.WITH_CONTEXT if traits.context else promises.WITHOUT_CONTEXT),
        *(promises.CONDITIONAL if traits.conditional else promises.UNCONDITIONAL),
        *(promises.TEMPERED if traits.tempered else []),
    ]
    return checks_of(ModelSubject(model, config or model.config()), chosen)


# --- for every model -------------------------------------------------------------------------


def returns_the_rows_asked_for(subject: ModelSubject, folder: Path) -> None:
    """Any number of rows, none and one included, of the target features in order."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    for rows in (0, 1, 2, 777, BLOCK_ROWS):
        require_sound(draw(fitted, data, rows), data, rows)


def learns_from_one_row(subject: ModelSubject, folder: Path) -> None:
    """A table of one row is a table."""
    del folder
    data = ordinary(1)
    require_sound(draw(subject.fit(data), data), data, 500)


def learns_from_no_rows_or_refuses(subject: ModelSubject, folder: Path) -> None:
    """An empty table gives an empty one, or is refused with a clear error."""
    del folder
    data = ordinary(0)
    try:
        fitted = subject.fit(data)
    except UsageError:
        return
    require_sound(draw(fitted, data, 0), data, 0)


def learns_without_features(subject: ModelSubject, folder: Path) -> None:
    """A table whose columns need no codes still has rows."""
    del folder
    data = TrainingData(Features((), (), ROWS), (), ROWS)
    require_sound(draw(subject.fit(data), data), data, 500)


def keeps_constants_constant(subject: ModelSubject, folder: Path) -> None:
    """A feature that only ever had one code gets no other."""
    del folder
    data = constants()
    drawn = draw(subject.fit(data), data)
    require_sound(drawn, data, 500)
    if subject.model.traits.private:
        return
    for spec, real, codes in zip(drawn.specs, data.features.codes, drawn.codes, strict=True):
        require((codes == real[0]).all(), f"{spec.name}: a constant became several codes")


def takes_seventy_thousand_codes(subject: ModelSubject, folder: Path) -> None:
    """Many codes are neither refused nor cut off, nor does their square fit the memory."""
    del folder
    data = many_codes()
    fitted, peak, _ = memory_of(lambda: subject.fit(data))
    require(peak < 512 * _MEBI, f"70,000 codes took {peak / _MEBI:.0f} MiB to learn")
    drawn = draw(fitted, data, ROWS)
    require_sound(drawn, data, ROWS)
    if not subject.model.traits.private:
        distinct = len(np.unique(drawn.codes[0]))
        require(distinct > ROWS / 4, f"only {distinct} of {ROWS} rare codes came out")


def keeps_marginals(subject: ModelSubject, folder: Path) -> None:
    """Each code is about as frequent as it was."""
    del folder
    data, rows = ordinary(), 20_000
    drawn = draw(subject.fit(data), data, rows)
    slack = _PRIVATE_ERROR if subject.model.traits.private else _MODEL_ERROR
    for spec, counts, codes in zip(drawn.specs, data.counts, drawn.codes, strict=True):
        wanted = counts / data.total_rows
        found = np.bincount(codes, minlength=spec.cardinality) / rows
        # Binomial noise of both the learned rows and the drawn ones.
        noise = np.sqrt(wanted * (1 - wanted) * (1 / data.total_rows + 1 / rows))
        excess = np.abs(found - wanted) - _SIGMAS * noise
        worst = int(excess.argmax())
        require(
            excess[worst] <= slack,
            f"{spec.name}: code {worst} has share {found[worst]:.3f}, had {wanted[worst]:.3f}",
        )


def leaves_its_inputs_alone(subject: ModelSubject, folder: Path) -> None:
    """Neither the arrays nor the options given are changed."""
    del folder
    data = with_context() if subject.model.traits.context else ordinary()
    context = context_of(data, 500)
    arrays = [*data.features.codes, *data.counts, *(context.codes if context else ())]
    before = [array.copy() for array in arrays]
    options = subject.config.model_dump_json()
    fitted = subject.fit(data)
    fitted.sample(500, context=context, fixed=None, rng=RngKey(SEED))
    for old, new in zip(before, arrays, strict=True):
        require(np.array_equal(old, new), "an array that was given has been changed")
    require(subject.config.model_dump_json() == options, "the options given have been changed")


def touches_no_global_randomness(subject: ModelSubject, folder: Path) -> None:
    """np.random and random are neither used nor listened to."""
    del folder
    data = ordinary()
    found = []
    for seed in (1, 2):
        with globally_seeded(seed), no_global_randomness():
            found.append(draw(subject.fit(data), data))
    if subject.model.traits.deterministic:
        require(same(*found), "the result depends on the seed of np.random or random")


def gives_other_rows_for_another_key(subject: ModelSubject, folder: Path) -> None:
    """Blocks have their own keys; were these ignored, all blocks would be the same."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    one, other = (draw(fitted, data, seed=seed) for seed in (1, 2))
    require(not same(one, other), "two keys gave the same rows: is the key ignored?")


def stops_when_told(subject: ModelSubject, folder: Path) -> None:
    """Ctrl-C, which comes while progress is reported, ends learning and all its threads."""
    del folder
    progress = StoppingProgress()
    ctx = RunContext(Limits(memory=2**30, threads=2), progress)
    interrupted = False
    with no_threads_left():
        try:
            subject.model.fit(ordinary(), subject.config, rng=KEY, ctx=ctx)
        except KeyboardInterrupt:
            interrupted = True
    require(progress.stopped, "it never reported progress, so nobody can tell how far it is")
    require(interrupted, "it went on after KeyboardInterrupt")


def draws_in_bounded_memory(subject: ModelSubject, folder: Path) -> None:
    """A block needs memory for itself; drawing many keeps nothing."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    draw(fitted, data, 10)
    block = BLOCK_ROWS * len(data.features.specs) * np.dtype(np.float64).itemsize
    drawn, peak, _ = memory_of(lambda: draw(fitted, data, BLOCK_ROWS))
    bound = _ARRAYS_A_FEATURE * block + 16 * _MEBI
    require(peak <= bound, f"a block took {peak / _MEBI:.0f} MiB, more than {bound / _MEBI:.0f}")
    del drawn
    _, _, kept = memory_of(lambda: [draw(fitted, data, 9_000, seed).rows for seed in range(8)])
    require(kept < _MEBI, f"drawing 8 blocks kept {kept / _MEBI:.1f} MiB")


def saves_plain_data(subject: ModelSubject, folder: Path) -> None:
    """A bundle holds JSON, arrays and tables; what is read from it works."""
    data = ordinary()
    save_bundle(folder / BUNDLE, subject.fit(data).save)
    loaded = load_bundle(folder / BUNDLE, subject.model.load)
    require_sound(draw(loaded, data), data, 500)


_ALWAYS: Checks = [
    returns_the_rows_asked_for,
    learns_from_one_row,
    learns_from_no_rows_or_refuses,
    learns_without_features,
    keeps_constants_constant,
    takes_seventy_thousand_codes,
    keeps_marginals,
    leaves_its_inputs_alone,
    touches_no_global_randomness,
    gives_other_rows_for_another_key,
    stops_when_told,
    draws_in_bounded_memory,
    saves_plain_data,
]
