"""What was grown: drawing from it, and keeping it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import UsageError
from simulacra.core.features import Codes, Features, FeatureSpec, Role, code_dtype
from simulacra.core.tempering import PLAIN, Tempering
from simulacra.models.forest.conditional import Conditional
from simulacra.models.forest.rows import Rows
from simulacra.models.forest.view import View

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.random import RngKey
    from simulacra.models.forest.likelihood import Occurrences

_ROWS_AT_ONCE = 4_096
"""Rows whose candidates are drawn together where features are fixed."""


class FittedForest:
    """A learned joint distribution.

    Args:
        specs: The features: context, then targets.
        view: How trees see them.
        conditionals: The targets' distributions, in the order of drawing.
        tempering: How boldly codes are drawn.
    """

    def __init__(
        self,
        specs: Sequence[FeatureSpec],
        view: View,
        conditionals: Sequence[Conditional],
        tempering: Tempering = PLAIN,
    ) -> None:
        self._specs = tuple(specs)
        self._view = view
        self._conditionals = tuple(conditionals)
        self._tempering = tempering
        self._occurrences: dict[int, Occurrences] = {}

    def sample(
        self, rows: int, *, context: Features | None, fixed: Features | None, rng: RngKey
    ) -> Features:
        """Draw rows, one feature after the other.

        Where target features are fixed, the others are drawn given them: each row from several
        candidates, weighed by how likely they make what is fixed.

        Raises:
            UsageError: The context is not the one learned, or a fixed feature is no target or not
                as learned.
        """
        given = dict(self._context(rows, context))
        held = self._fixed(rows, fixed)
        if not held:
            return self._targets(
                self._draw(Rows.of(self._view, rows, given), self._conditionals, rng)
            )
        parts = []
        for start in range(0, max(rows, 1), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            some = Rows.of(
                self._view,
                min(_ROWS_AT_ONCE, rows - start),
                {number: codes[part] for number, codes in given.items()},
            )
            wanted = {number: codes[part] for number, codes in held.items()}
            parts.append(self._targets(self._draw_given(some, wanted, rng.child("given", start))))
        specs, columns = parts[0].specs, zip(*(made.codes for made in parts), strict=True)
        return Features.of(specs, [np.concatenate(column) for column in columns], rows=rows)

    def log_prob(self, features: Features, *, context: Features | None) -> NDArray[np.float64]:
        """Return the logarithm of the probability with which each row would be drawn.

        The probability is that of all codes together; what fine detail a datatype draws within a
        code is not part of it. Strata and codes that the learned sample lacked are left out of
        account: a row with such a code has minus infinity.

        Args:
            features: The target features, in any order.
            context: The context features, if there were any.

        Returns:
            Natural logarithms, shape ``(rows,)``.

        Raises:
            UsageError: A feature is missing or not as learned.
        """
        rows = features.rows
        held = self._fixed(rows, features)
        if missing := [c.feature for c in self._conditionals if c.feature not in held]:
            raise UsageError(f"the feature {self._specs[missing[0]].name!r} is missing")
        done = Rows.of(self._view, rows, dict(self._context(rows, context)))
        total = np.zeros(rows)
        for conditional in self._conditionals:
            codes = held[conditional.feature]
            with np.errstate(divide="ignore"):
                total += np.log(self._likelihoods(conditional, done, codes))
            done.put(conditional.feature, codes)
        return total

    def _draw(self, done: Rows, conditionals: Iterable[Conditional], rng: RngKey) -> Rows:
        """Draw some features of rows whose earlier ones are known."""
        for conditional in conditionals:
            spec = self._specs[conditional.feature]
            words = rng.child(spec.name).words(done.rows)
            new = conditional.draw(
                done.seen, self._view.nominal, done.drawn, words, self._tempering
            )
            done.put(conditional.feature, new.astype(code_dtype(spec.cardinality)))
        return done

    def _draw_given(self, done: Rows, held: Mapping[int, Codes], rng: RngKey) -> Rows:
        """Draw a few rows with features held fixed."""
        from simulacra.models.forest.particles import CANDIDATES, Particles

        order = [conditional.feature for conditional in self._conditionals]
        first = next(
            (place for place, number in enumerate(order) if number not in held), len(order)
        )
        end = 1 + max(place for place, number in enumerate(order) if number in held)
        for number in order[:first]:
            done.put(number, held[number])
        if first < end:
            particles = Particles(done.rows)
            done = done.repeated(CANDIDATES)
            for conditional in self._conditionals[first:end]:
                number = conditional.feature
                if number not in held:
                    self._draw(done, [conditional], rng)
                    continue
                codes = np.repeat(held[number], CANDIDATES)
                particles.weigh(self._likelihoods(conditional, done, codes))
                done.put(number, codes)
                taken = particles.resampled(rng.child("resample", number).generator())
                if taken is not None:
                    done = done.taken(taken)
            done = done.taken(particles.choose(rng.child("choose").generator()))
        return self._draw(done, self._conditionals[max(first, end) :], rng)

    def _likelihoods(
        self, conditional: Conditional, done: Rows, codes: Codes
    ) -> NDArray[np.float64]:
        from simulacra.models.forest.likelihood import occurrences

        number = conditional.feature
        if number not in self._occurrences:
            cardinality = self._specs[number].cardinality
            self._occurrences[number] = occurrences(conditional.bag, cardinality)
        return conditional.likelihoods(
            done.seen, self._view.nominal, done.drawn, codes, self._occurrences[number]
        )

    def _targets(self, done: Rows) -> Features:
        targets = [n for n, spec in enumerate(self._specs) if spec.role is Role.TARGET]
        made = [codes for n in targets if (codes := done.drawn[n]) is not None]
        return Features.of([self._specs[n] for n in targets], made, rows=done.rows)

    def _fixed(self, rows: int, fixed: Features | None) -> dict[int, Codes]:
        """Return the codes of the features held fixed, by number."""
        if fixed is None:
            return {}
        known = {s.name: (n, s) for n, s in enumerate(self._specs) if s.role is Role.TARGET}
        held = {}
        for spec, codes in zip(fixed.specs, fixed.codes, strict=True):
            number, learned = known.get(spec.name, (-1, None))
            if learned is None or learned.cardinality != spec.cardinality:
                raise UsageError(
                    f"there is no feature {spec.name!r} of {spec.cardinality} codes to hold fixed",
                    why=f"learned were {list(known)}",
                )
            held[number] = codes
        if held and fixed.rows != rows:
            raise UsageError(f"{fixed.rows} rows of fixed features for {rows} rows to draw")
        return held

    def _context(self, rows: int, context: Features | None) -> list[tuple[int, Codes]]:
        wanted = {spec.name: n for n, spec in enumerate(self._specs) if spec.role is Role.CONTEXT}
        given = context.specs if context is not None else ()
        learned = {spec.name: spec.cardinality for spec in self._specs}
        if wanted.keys() != {spec.name for spec in given} or any(
            learned[spec.name] != spec.cardinality for spec in given
        ):
            raise UsageError(
                f"context features {[spec.name for spec in given]} given",
                why=f"learned were {list(wanted)}",
            )
        if context is None:
            return []
        if context.rows != rows:
            raise UsageError(f"context of {context.rows} rows for {rows} rows to draw")
        return [(wanted[s.name], c) for s, c in zip(context.specs, context.codes, strict=True)]

    def tempered(self, how: Tempering) -> FittedForest:
        """Return the forest that draws so; ``log_prob`` tells of it as learned."""
        return FittedForest(self._specs, self._view, self._conditionals, how)

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        out.json(
            "forest",
            {
                "specs": [spec.to_json() for spec in self._specs],
                "conditionals": len(self._conditionals),
            },
        )
        out.arrays("groups", {str(n): groups for n, groups in enumerate(self._view.groups)})
        for place, conditional in enumerate(self._conditionals):
            conditional.save(out.child(place))

    @classmethod
    def load(cls, src: ArtifactReader) -> FittedForest:
        """Read what ``save`` wrote.

        Raises:
            ValueError: Indices lead outside of what they index.
        """
        from simulacra.models.forest.checks import check

        facts: dict[str, Any] = src.json("forest")
        specs = [FeatureSpec.from_json(entry) for entry in facts["specs"]]
        groups = src.arrays("groups")
        view = View.of(specs, [groups[str(n)] for n in range(len(specs))])
        conditionals = [Conditional.load(src.child(n)) for n in range(facts["conditionals"])]
        for conditional in conditionals:
            check(conditional, specs, view.nominal)
        return cls(specs, view, conditionals)
