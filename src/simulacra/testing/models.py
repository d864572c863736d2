"""What every model must do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.features import Features, TrainingData, code_dtype
from simulacra.core.limits import Limits
from simulacra.core.protocols import BLOCK_ROWS, Config, FittedModel, Model
from simulacra.core.random import RngKey
from simulacra.testing.check import Check, checks_of, require
from simulacra.testing.coded import (
    ROWS,
    constants,
    context_of,
    many_codes,
    ordinary,
    targets_of,
    with_context,
)
from simulacra.testing.fresh import BUNDLE, run_fresh
from simulacra.testing.guards import (
    StoppingProgress,
    globally_seeded,
    load_bundle,
    memory_of,
    no_global_randomness,
    no_threads_left,
    quiet,
    save_bundle,
)

_KEY = RngKey(7, ("fit",))
_SEED = 11
_SIGMAS = 5.0
"""A bound that chance breaks once in two million."""
_MODEL_ERROR = 0.02
_PRIVATE_ERROR = 0.1
"""How far a share may be off beyond chance: a model smooths, a private one adds noise."""
_ARRAYS_A_FEATURE = 24
"""Double-precision arrays of a block's length that drawing may need for each feature."""
_MEBI = 2**20


@dataclass(frozen=True, slots=True)
class ModelSubject:
    """A model and the options it is checked with."""

    model: Model
    config: Config

    def fit(self, data: TrainingData, *, threads: int = 1) -> FittedModel:
        """Learn, always from the same key."""
        return self.model.fit(data, self.config, rng=_KEY, ctx=quiet(threads))


def checks(model: Model, *, config: Config | None = None) -> list[Check]:
    """Return a model's checks, which depend on its traits.

    Args:
        model: The model.
        config: The options to check it with; its defaults unless given.
    """
    chosen = [*_ALWAYS]
    traits = model.traits
    chosen += _DETERMINISTIC if traits.deterministic else []
    chosen += _WITH_CONTEXT if traits.context else [refuses_context]
    chosen += _CONDITIONAL if traits.conditional else [refuses_fixed_features]
    return checks_of(ModelSubject(model, config or model.config()), chosen)


def _draw(fitted: FittedModel, data: TrainingData, rows: int = 500, seed: int = _SEED) -> Features:
    context = context_of(data, rows)
    return fitted.sample(rows, context=context, fixed=None, rng=RngKey(seed))


def _require_sound(drawn: Features, data: TrainingData, rows: int) -> None:
    """Refuse a block that is not ``rows`` rows of the target features."""
    require(isinstance(drawn, Features), f"sample gave {type(drawn).__name__}, not Features")
    require(drawn.rows == rows, f"{drawn.rows} rows for the {rows} asked for")
    names = [spec.name for spec in drawn.specs]
    require(drawn.specs == targets_of(data), f"the features drawn, {names}, aren't the targets")
    for spec, codes in zip(drawn.specs, drawn.codes, strict=True):
        require(codes.shape == (rows,), f"{spec.name}: shape {codes.shape} for {rows} rows")
        dtype = code_dtype(spec.cardinality)
        require(codes.dtype == dtype, f"{spec.name}: codes are {codes.dtype}, not {dtype}")
        most = int(codes.max()) if rows else 0
        require(most < spec.cardinality, f"{spec.name}: code {most} of {spec.cardinality}")


def _same(one: Features, other: Features) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.codes, other.codes, strict=True))


# --- for every model -------------------------------------------------------------------------


def returns_the_rows_asked_for(subject: ModelSubject, folder: Path) -> None:
    """Any number of rows, none and one included, of the target features in order."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    for rows in (0, 1, 2, 777, BLOCK_ROWS):
        _require_sound(_draw(fitted, data, rows), data, rows)


def learns_from_one_row(subject: ModelSubject, folder: Path) -> None:
    """A table of one row is a table."""
    del folder
    data = ordinary(1)
    _require_sound(_draw(subject.fit(data), data), data, 500)


def learns_from_no_rows_or_refuses(subject: ModelSubject, folder: Path) -> None:
    """An empty table gives an empty one, or is refused with a clear error."""
    del folder
    data = ordinary(0)
    try:
        fitted = subject.fit(data)
    except UsageError:
        return
    _require_sound(_draw(fitted, data, 0), data, 0)


def learns_without_features(subject: ModelSubject, folder: Path) -> None:
    """A table whose columns need no codes still has rows."""
    del folder
    data = TrainingData(Features((), (), ROWS), (), ROWS)
    _require_sound(_draw(subject.fit(data), data), data, 500)


def keeps_constants_constant(subject: ModelSubject, folder: Path) -> None:
    """A feature that only ever had one code gets no other."""
    del folder
    data = constants()
    drawn = _draw(subject.fit(data), data)
    _require_sound(drawn, data, 500)
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
    drawn = _draw(fitted, data, ROWS)
    _require_sound(drawn, data, ROWS)
    if not subject.model.traits.private:
        distinct = len(np.unique(drawn.codes[0]))
        require(distinct > ROWS / 4, f"only {distinct} of {ROWS} rare codes came out")


def keeps_marginals(subject: ModelSubject, folder: Path) -> None:
    """Each code is about as frequent as it was."""
    del folder
    data, rows = ordinary(), 20_000
    drawn = _draw(subject.fit(data), data, rows)
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
    fitted.sample(500, context=context, fixed=None, rng=RngKey(_SEED))
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
            found.append(_draw(subject.fit(data), data))
    if subject.model.traits.deterministic:
        require(_same(*found), "the result depends on the seed of np.random or random")


def gives_other_rows_for_another_key(subject: ModelSubject, folder: Path) -> None:
    """Blocks have their own keys; were these ignored, all blocks would be the same."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    one, other = (_draw(fitted, data, seed=seed) for seed in (1, 2))
    require(not _same(one, other), "two keys gave the same rows: is the key ignored?")


def stops_when_told(subject: ModelSubject, folder: Path) -> None:
    """Ctrl-C, which comes while progress is reported, ends learning and all its threads."""
    del folder
    progress = StoppingProgress()
    ctx = RunContext(Limits(memory=2**30, threads=2), progress)
    interrupted = False
    with no_threads_left():
        try:
            subject.model.fit(ordinary(), subject.config, rng=_KEY, ctx=ctx)
        except KeyboardInterrupt:
            interrupted = True
    require(progress.stopped, "it never reported progress, so nobody can tell how far it is")
    require(interrupted, "it went on after KeyboardInterrupt")


def draws_in_bounded_memory(subject: ModelSubject, folder: Path) -> None:
    """A block needs memory for itself; drawing many keeps nothing."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    _draw(fitted, data, 10)
    block = BLOCK_ROWS * len(data.features.specs) * np.dtype(np.float64).itemsize
    drawn, peak, _ = memory_of(lambda: _draw(fitted, data, BLOCK_ROWS))
    bound = _ARRAYS_A_FEATURE * block + 16 * _MEBI
    require(peak <= bound, f"a block took {peak / _MEBI:.0f} MiB, more than {bound / _MEBI:.0f}")
    del drawn
    _, _, kept = memory_of(lambda: [_draw(fitted, data, 9_000, seed).rows for seed in range(8)])
    require(kept < _MEBI, f"drawing 8 blocks kept {kept / _MEBI:.1f} MiB")


def saves_plain_data(subject: ModelSubject, folder: Path) -> None:
    """A bundle holds JSON, arrays and tables; what is read from it works."""
    data = ordinary()
    save_bundle(folder / BUNDLE, subject.fit(data).save)
    loaded = load_bundle(folder / BUNDLE, subject.model.load)
    _require_sound(_draw(loaded, data), data, 500)


_ALWAYS: list[Callable[[ModelSubject, Path], None]] = [
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


# --- for models whose key settles the result -------------------------------------------------


def gives_the_same_rows_for_the_same_key(subject: ModelSubject, folder: Path) -> None:
    """A block can be made again alone, whatever was drawn before."""
    del folder
    data = ordinary()
    fitted = subject.fit(data)
    forwards = [_draw(fitted, data, seed=seed) for seed in range(4)]
    backwards = [_draw(fitted, data, seed=seed) for seed in reversed(range(4))][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        require(_same(one, other), "a block depends on what was drawn before it")


def gives_the_same_rows_on_any_number_of_threads(subject: ModelSubject, folder: Path) -> None:
    """Neither learning nor drawing on two threads changes the result."""
    del folder
    data = ordinary()
    alone = subject.fit(data, threads=1)
    together = subject.fit(data, threads=2)
    one = [_draw(alone, data, 5_000, seed) for seed in range(6)]
    with ThreadPoolExecutor(2) as pool:
        other = list(pool.map(lambda seed: _draw(together, data, 5_000, seed), range(6)))
    for block, (a, b) in enumerate(zip(one, other, strict=True)):
        require(_same(a, b), f"block {block} depends on the number of threads")


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
        seed=_SEED,
    )
    drawn = _draw(fitted, data)
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


_DETERMINISTIC = [
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
        _require_sound(_draw(fitted, data, rows), data, rows)


def refuses_context(subject: ModelSubject, folder: Path) -> None:
    """A model that knows no context says so."""
    del folder
    try:
        subject.fit(with_context())
    except UsageError:
        return
    require(holds=False, problem="it has no trait 'context' but took context without UsageError")


_WITH_CONTEXT = [draws_given_context]


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
        drawn = fitted.sample(rows, context=None, fixed=fixed, rng=RngKey(_SEED))
        _require_sound(drawn, data, rows)
        for spec, codes in zip(fixed.specs, fixed.codes, strict=True):
            require(np.array_equal(drawn[spec.name], codes), f"{spec.name} was not kept as given")


def refuses_fixed_features(subject: ModelSubject, folder: Path) -> None:
    """A model that can't hold features fixed says so, instead of drawing them."""
    del folder
    data = ordinary()
    given = data.features.take(np.arange(10))
    fixed = Features(given.specs[:1], given.codes[:1], 10)
    try:
        subject.fit(data).sample(10, context=None, fixed=fixed, rng=RngKey(_SEED))
    except UsageError:
        return
    require(
        holds=False,
        problem="it has no trait 'conditional' but took fixed features without UsageError",
    )


_CONDITIONAL = [keeps_fixed_features]
