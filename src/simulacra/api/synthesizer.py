"""Learn data, draw a synthetic copy of it, keep what was learned."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import simulacra
from simulacra.api.checks import Checks, checks_of
from simulacra.api.conditions import Given, known_in_part
from simulacra.api.drawing import Wishes
from simulacra.api.inputs import Inputs, inputs_of
from simulacra.api.likelihood import log_prob
from simulacra.api.metadata import Metadata
from simulacra.api.resuming import (
    drawing_once,
    journal_of,
    learned_once,
    learning_facts,
    room_of,
)
from simulacra.connectors.frames import FrameKind, to_frame
from simulacra.connectors.locate import open_target
from simulacra.connectors.replacing import merged
from simulacra.core.context import RunContext
from simulacra.core.errors import BundleError, UsageError
from simulacra.core.schema import DatasetSpec
from simulacra.core.tempering import Tempering
from simulacra.pipeline.options import STRUCTURE_ROWS, FitOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulacra.pipeline.dataset import FittedDataset
    from simulacra.pipeline.journal import Journal
    from simulacra.pipeline.plan import Plan


class Synthesizer:
    """Learns tables and draws synthetic ones.

    Args:
        model: Registry name of the model; ``simulacra plugins`` lists them.
        seed: Decides everything random: the same seed and data give the same result.
        find_rules: Whether to look for arithmetic between columns (differences and the like).
        infer_keys: Whether to look for foreign keys where the data declares none.
        keep: Tables that are written as they are (airlines, countries).
        keep_orphans: Whether rows whose foreign key names no row are drawn too.
        checks: Functions that say which rows are as they must be, by table (of a single table,
            one function): each is given rows as an Arrow record batch and returns a boolean for
            each. Rows of which one says false are drawn again; the data must have none. What was
            learned with such functions can't be saved: see the rule ``custom`` for what can.
        ctx: Limits and progress.
        options: Options of the model.

    Raises:
        UsageError: An option is unknown or out of range.
        PluginError: There is no such model.

    Example:
        >>> new = Synthesizer("forest", seed=7).fit(df).sample(10_000)
    """

    def __init__(
        self,
        model: str = "forest",
        *,
        seed: int = 0,
        find_rules: bool = True,
        infer_keys: bool = True,
        keep: Sequence[str] = (),
        keep_orphans: bool = False,
        checks: Checks = None,
        ctx: RunContext | None = None,
        **options: Any,
    ) -> None:
        self._options = FitOptions(
            model,
            options,
            find_rules=find_rules,
            infer_keys=infer_keys,
            keep=tuple(keep),
            keep_orphans=keep_orphans,
        )
        self._options.model_config()
        self._seed = seed
        self._checks = checks
        self._ctx = ctx or RunContext()
        self._fitted: FittedDataset | None = None
        self._kinds: Mapping[str, FrameKind] = {}
        self._is_single = True

    def fit(
        self,
        data: Any,
        metadata: Metadata | None = None,
        *,
        rows: int = STRUCTURE_ROWS,
        resume: str | Path | Journal | None = None,
    ) -> Synthesizer:
        """Learn data.

        Args:
            data: A data frame (pandas, polars, Arrow, DuckDB, …), a dict of them by table name,
                or a path or URL.
            metadata: What its tables are; when None, what lies beside them in a folder as
                ``spec.yaml`` says, else what a database declares and what is detected.
            rows: The most rows that structure is learned from; marginals always see every row.
            resume: A folder to keep what was learned in, and to take it from if it is there.

        Returns:
            This synthesizer.

        Raises:
            InputError: The data can't be read, or has no rows.
            OutputError: What is kept was learned from other data, or otherwise.
            SpecError: The metadata doesn't fit the data.
        """
        from simulacra.pipeline.dataset import fit_dataset

        inputs = inputs_of(data, self._ctx)
        checks = checks_of(self._checks, list(inputs.sources), resume=resume is not None)
        self._options = replace(self._options, structure_rows=rows, checks=checks)
        spec = _specification(inputs, metadata, self._ctx)
        about = {
            "model": self._options.model,
            "options": dict(self._options.model_options),
            "structure_rows": self._options.structure_rows,
            "simulacra": simulacra.__version__,
            "python": platform.python_version(),
            "frames": {name: kind.value for name, kind in inputs.kinds.items()},
            "single": inputs.is_single,
        }

        def learn() -> FittedDataset:
            return fit_dataset(
                inputs.sources,
                spec,
                self._options,
                declared=inputs.declared if spec is None else None,
                seed=self._seed,
                about=about,
                ctx=self._ctx,
            )

        self._fitted = learned_once(
            journal_of("", resume=resume, overwrite=False),
            lambda: learning_facts(data, inputs, spec, self._options, self._seed),
            learn,
            ctx=self._ctx,
        )
        self._kinds, self._is_single = inputs.kinds, inputs.is_single
        return self

    @property
    def fitted(self) -> FittedDataset:
        """What was learned.

        Raises:
            UsageError: Nothing was learned yet.
        """
        if self._fitted is None:
            raise UsageError("nothing was learned yet", mend="Call fit first, or load a bundle")
        return self._fitted

    @property
    def metadata(self) -> Metadata:
        """What the tables are."""
        return Metadata(self.fitted.spec)

    def sample(
        self,
        rows: int | Mapping[str, int] | None = None,
        *,
        scale: float | None = None,
        given: Given = None,
        balance: Mapping[str, Mapping[Any, float]] | None = None,
        fair: Mapping[str, Any] | None = None,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int | None = None,
    ) -> Any:
        """Draw synthetic rows.

        Args:
            rows: How many of each table, or by table (the others follow); as many as were learned
                when None.
            scale: How many, as a multiple of those learned.
            given: What is wanted of the rows: columns with a value each, a list of values or a
                :func:`between`; or a frame of rows known in part, null where a value is to be
                drawn. Of several tables, such by table. The rest is drawn given this.
            balance: Shares that values of a column should have, as ``{"income": {">50K": 0.5}}``;
                other values keep their proportions. Of one table only.
            fair: What is to be independent of what, as ``{"target": "income", "sensitive": "sex"}``
                (or a list of sensitive columns): demographic parity. Of one table only.
            temperature: What log-probabilities are divided by in each draw: below 1 what is
                frequent comes up more often, above 1 what is rare.
            top_p: Of each draw only the smallest set of codes with this share of the probability
                is kept.
            seed: Another seed than the synthesizer's. The same seed and number give the same rows;
                of another number, whole blocks of 65,536 rows are the same.

        Returns:
            A frame of the type that was learned from; a dict of them if a dict was.

        Raises:
            SpecError: A given column is not there, or a value is not of its type.
            UsageError: Nothing was learned yet, the arguments make no sense, what is given is
                too rare, or the model knows no temperature.
        """
        fitted = self.fitted
        wishes = Wishes(rows, scale, given, balance, fair, Tempering(temperature, top_p))
        draws = wishes.of(fitted, seed=self._drawn_with(seed), ctx=self._ctx)
        frames = {}
        for name, batches in draws.all(self._ctx):
            made = pa.Table.from_batches(batches, fitted.tables[name].schema)
            frames[name] = to_frame(made, self._kinds.get(name, FrameKind.ARROW))
        if self._is_single:
            return next(iter(frames.values()))
        return {name: frames[name] for name in fitted.tables}

    def impute(self, data: Any, *, seed: int | None = None) -> Any:
        """Fill the nulls of rows by what was learned, drawing each row's given the rest of it.

        Values that are there stay as they are. Where what was learned says that a value is null,
        as the arrival of a flight that was cancelled, it stays null.

        Args:
            data: A frame of the rows of the only table that was learned.
            seed: Another seed than the synthesizer's.

        Returns:
            A frame of the same type.

        Raises:
            SpecError: A column is not one that was learned, or of another type.
            UsageError: Nothing was learned yet, or several tables were.
        """
        fitted = self.fitted
        (name, condition), kind = known_in_part(data, fitted)
        drawn = fitted.draw_all(
            {name: condition.count}, seed=seed, ctx=self._ctx, given={name: condition}
        )
        schema = fitted.tables[name].schema
        filled = next(pa.Table.from_batches(batches, schema) for _, batches in drawn)
        return to_frame(filled.select(condition.known), kind)

    def log_prob(self, data: Any) -> NDArray[np.float64]:
        """Tell how likely rows are by what was learned.

        Rows that are unlike all others have low values. The probability is that of the codes that
        columns are learned as, so values of columns of other types or bins can't be compared.

        Args:
            data: A frame of rows of the only table that was learned, with all of its columns.

        Returns:
            Natural logarithms, shape ``(rows,)``; minus infinity where it can't be.

        Raises:
            SpecError: A column is missing, or of another type.
            UsageError: Several tables were learned, or the model doesn't tell.
        """
        return log_prob(data, self.fitted)

    def batches(
        self, table: str | None = None, rows: int | None = None, *, seed: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one table (the only one when None) in blocks, never holding them all.

        Raises:
            UsageError: Nothing was learned yet, or there is no such table.
        """
        known = self.fitted.tables
        if table is None and len(known) == 1:
            table = next(iter(known))
        if table is None or table not in known:
            raise UsageError(f"there is no table {table!r}", mend=f"There are: {', '.join(known)}")
        wanted = self.fitted.plan(None if rows is None else {table: rows})
        return self.fitted.draw(table, wanted, seed=seed, ctx=self._ctx)

    def write(  # noqa: PLR0913 - all but the target and the rows are keyword-only options
        self,
        dest: str | Path,
        rows: int | Mapping[str, int] | None = None,
        *,
        scale: float | None = None,
        given: Given = None,
        balance: Mapping[str, Mapping[Any, float]] | None = None,
        fair: Mapping[str, Any] | None = None,
        temperature: float = 1.0,
        top_p: float = 1.0,
        seed: int | None = None,
        file_format: str | None = None,
        partitioned: bool = False,
        overwrite: bool = False,
        if_exists: str = "fail",
        resume: bool | str | Path | Journal = False,
    ) -> dict[str, int]:
        """Draw synthetic rows straight into files, never holding them all.

        Args:
            dest: A file for one table, a folder for one or more, or a URL.
            rows: How many of each table, or by table (the others follow); as many as were learned
                when None.
            scale: How many, as a multiple of those learned.
            given: What is wanted of the rows; see :meth:`sample`.
            balance: Shares that values should have; see :meth:`sample`.
            fair: What is to be independent of what; see :meth:`sample`.
            temperature: What log-probabilities are divided by; see :meth:`sample`.
            top_p: The share of the probability that is kept; see :meth:`sample`.
            seed: Another seed than the synthesizer's.
            file_format: The format in a folder; that of the file's ending, or Parquet.
            partitioned: Whether each table becomes a folder of Parquet parts.
            overwrite: Whether what is at ``dest`` may be replaced.
            if_exists: What is done with tables of a database that are there and hold rows:
                ``fail``, ``append`` or ``replace``.
            resume: Whether to keep a journal of what is done, and to go on from it after the
                process was stopped. It lies beside ``dest`` in a hidden folder; name one if
                ``dest`` is a database. ``overwrite`` throws that of another run away.

        Returns:
            The number of rows written, by table. All tables appear together, or none does.

        Raises:
            OutputError: ``dest`` can't be written, or the journal is of another run.
            UsageError: The arguments make no sense.
        """
        fitted = self.fitted
        wishes = Wishes(rows, scale, given, balance, fair, Tempering(temperature, top_p))
        if resume and wishes.has_conditions:
            raise UsageError(
                "a run with given values can't be resumed", mend="Leave resume= or given= out"
            )
        draws = wishes.of(fitted, seed=self._drawn_with(seed), ctx=self._ctx)
        journal = journal_of(str(dest), resume=resume, overwrite=overwrite)
        how = merged(if_exists, overwrite=overwrite)
        with drawing_once(journal, fitted, draws, str(dest), how, ctx=self._ctx) as is_done:
            if is_done:
                return draws.rows
            target = open_target(
                str(dest),
                tables={name: table.schema for name, table in fitted.tables.items()},
                spec=fitted.spec,
                file_format=file_format,
                partitioned=partitioned,
                overwrite=overwrite,
                if_exists=if_exists,
                room=room_of(str(dest), journal),
                ctx=self._ctx,
            )
            with target as writers:
                for name, batches in draws.all(self._ctx, journal):
                    with writers[name] as writer:
                        for batch in batches:
                            writer.write(batch)
                if journal is not None:
                    journal.note_publishing()
        return draws.rows

    def plan(
        self,
        data: Any,
        metadata: Metadata | None = None,
        *,
        rows: int | Mapping[str, int] | None = None,
        scale: float | None = None,
        structure_rows: int = STRUCTURE_ROWS,
    ) -> Plan:
        """Say what learning data and drawing from it would take, without doing it.

        Args:
            data: What would be learned.
            metadata: What its tables are; see :meth:`fit`.
            rows: How many rows of each table would be drawn, or by table (the others follow, as
                far as keys are known); as many as learned when None.
            scale: How many, as a multiple of those learned.
            structure_rows: The most rows that structure would be learned from.

        Raises:
            InputError: The data can't be read.
            SpecError: The metadata doesn't fit the data.
            UsageError: The rows asked for make no sense.
        """
        from simulacra.pipeline.plan import plan_run

        inputs = inputs_of(data, self._ctx)
        spec = _specification(inputs, metadata, self._ctx)
        return plan_run(
            inputs.sources,
            replace(self._options, structure_rows=structure_rows),
            spec=spec,
            declared=inputs.declared if spec is None else {},
            rows=rows,
            scale=scale,
            ctx=self._ctx,
        )

    def _drawn_with(self, seed: int | None) -> int:
        """Return the seed of a draw: one given, or that of what was learned."""
        return self.fitted.seed if seed is None else seed

    def save(self, path: str | Path) -> None:
        """Write what was learned to a bundle (``.sim``).

        Raises:
            OutputError: The file can't be written.
        """
        self.fitted.save(Path(path))

    @classmethod
    def load(cls, path: str | Path, *, ctx: RunContext | None = None) -> Synthesizer:
        """Read a bundle that :meth:`save` wrote; opening one never runs code.

        Raises:
            BundleError: It is damaged, hostile, or of an unknown version.
            PluginError: It needs a plug-in that is not installed.
        """
        from simulacra.pipeline.dataset import load_dataset

        fitted = load_dataset(Path(path))
        about = fitted.about
        synthesizer = cls(str(about.get("model", "forest")), seed=fitted.seed, ctx=ctx)
        synthesizer._fitted = fitted
        try:
            synthesizer._kinds = {
                name: FrameKind(kind) for name, kind in about.get("frames", {}).items()
            }
        except ValueError as error:
            raise BundleError(
                "it names an unknown frame type", where=str(path), why=str(error)
            ) from error
        synthesizer._is_single = bool(about.get("single", len(fitted.tables) == 1))
        return synthesizer

    def __repr__(self) -> str:
        learned = "" if self._fitted is None else f", learned {', '.join(self._fitted.tables)}"
        return f"Synthesizer({self._options.model!r}, seed={self._seed}{learned})"


def _specification(
    inputs: Inputs, metadata: Metadata | None, ctx: RunContext
) -> DatasetSpec | None:
    """Return what the user says of the tables, here or beside them; None if nothing."""
    if metadata is not None and inputs.is_single:
        # One table needs no name: whatever the metadata calls it, it is this one.
        metadata = metadata.renamed(next(iter(inputs.sources)))
    spec = metadata.spec if metadata is not None else inputs.spec
    return None if spec is None else inputs.narrowed(spec, ctx)


def load(path: str | Path, *, ctx: RunContext | None = None) -> Synthesizer:
    """Read a bundle; see :meth:`Synthesizer.load`."""
    return Synthesizer.load(path, ctx=ctx)
