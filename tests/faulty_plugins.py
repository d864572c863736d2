"""Plug-ins that each break one promise, to show that the conformance kit sees it.

They are a module of their own since the kit loads plug-ins by import in a fresh process.
"""

import base64
import os
import pickle
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from simulacra.core.batches import TableSource
from simulacra.core.errors import InputError
from simulacra.core.features import Features
from simulacra.core.protocols import Detection, FittedColumn, ModelTraits
from simulacra.core.random import RngKey
from simulacra.core.scores import Group, Measure, Score
from simulacra.datatypes.category import Category
from simulacra.models.independent import FittedIndependent, Independent
from simulacra.rules.difference import Difference


class Wrapped:
    """Passes everything on to what it wraps, except what a subclass does otherwise."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


# --- models ----------------------------------------------------------------------------------


class _Model(Independent):
    """The independent model, whose fitted form is ``wrapper``."""

    wrapper = Wrapped

    def fit(self, data, config, *, rng, ctx):
        return self.wrapper(super().fit(data, config, rng=rng, ctx=ctx))

    def load(self, src):
        return self.wrapper(super().load(src))


class _GlobalDraw(Wrapped):
    def sample(self, rows, *, context, fixed, rng):
        del rng
        seed = int(np.random.randint(1 << 30))  # noqa: NPY002 - the fault
        return self.inner.sample(rows, context=context, fixed=fixed, rng=RngKey(seed))


class UsesGlobalRandomness(_Model):
    wrapper = _GlobalDraw


class SeedsGlobally(_Model):
    def fit(self, data, config, *, rng, ctx):
        random.seed(rng.integer())
        return super().fit(data, config, rng=rng, ctx=ctx)


class _SameDraw(Wrapped):
    def sample(self, rows, *, context, fixed, rng):
        del rng
        return self.inner.sample(rows, context=context, fixed=fixed, rng=RngKey(0))


class IgnoresTheKey(_Model):
    wrapper = _SameDraw


class _ShortDraw(Wrapped):
    def sample(self, rows, **given):
        return self.inner.sample(max(rows - 1, 0), **given)


class DrawsTooFewRows(_Model):
    wrapper = _ShortDraw


class _ReversedDraw(Wrapped):
    def sample(self, rows, **given):
        drawn = self.inner.sample(rows, **given)
        return Features(drawn.specs[::-1], drawn.codes[::-1], rows)


class ReordersFeatures(_Model):
    wrapper = _ReversedDraw


class _CountingDraw(Wrapped):
    calls = 0

    def sample(self, rows, *, context, fixed, rng):
        self.calls += 1
        return self.inner.sample(rows, context=context, fixed=fixed, rng=rng.child(self.calls))


class RemembersEarlierBlocks(_Model):
    wrapper = _CountingDraw


class DependsOnThreads(_Model):
    def fit(self, data, config, *, rng, ctx):
        threads = ctx.limits.threads

        class Shifted(Wrapped):
            def sample(self, rows, *, context, fixed, rng):
                return self.inner.sample(rows, context=context, fixed=fixed, rng=rng.child(threads))

        return Shifted(Independent.fit(self, data, config, rng=rng, ctx=ctx))


class ForgetsWhenSaved(_Model):
    """What it draws depends on something that only this process knows."""

    learned = False

    def fit(self, data, config, *, rng, ctx):
        type(self).learned = True
        return super().fit(data, config, rng=rng, ctx=ctx)

    def load(self, src):
        fitted = Independent.load(self, src)
        return fitted if self.learned else _SameDraw(fitted)


class _PickledFit(Wrapped):
    def save(self, out):
        self.inner.save(out)
        out.json("more", base64.b64encode(pickle.dumps([1, 2])).decode())


class Pickles(_Model):
    wrapper = _PickledFit


class _StampedFit(Wrapped):
    def save(self, out):
        self.inner.save(out)
        out.json("stamp", random.SystemRandom().random())


class SavesAStamp(_Model):
    wrapper = _StampedFit


class ChangesItsInput(_Model):
    def fit(self, data, config, *, rng, ctx):
        data.counts[0][:] += 1
        return super().fit(data, config, rng=rng, ctx=ctx)


class GoesOnAfterCtrlC(_Model):
    def fit(self, data, config, *, rng, ctx):
        try:
            return super().fit(data, config, rng=rng, ctx=ctx)
        except KeyboardInterrupt:
            return FittedIndependent((), ())


class LeavesAThread(_Model):
    def fit(self, data, config, *, rng, ctx):
        threading.Thread(target=threading.Event().wait, args=(2.0,), daemon=True).start()
        return super().fit(data, config, rng=rng, ctx=ctx)


class _HoardingDraw(Wrapped):
    def __init__(self, inner):
        super().__init__(inner)
        self.blocks = []

    def sample(self, rows, **given):
        drawn = self.inner.sample(rows, **given)
        self.blocks.append([codes.astype(np.float64) for codes in drawn.codes])
        return drawn


class KeepsEveryBlock(_Model):
    wrapper = _HoardingDraw


class _ZeroDraw(Wrapped):
    def sample(self, rows, **given):
        drawn = self.inner.sample(rows, **given)
        codes = [np.minimum(array, 1) for array in drawn.codes]
        return Features.of(drawn.specs, codes, rows=rows)


class CutsCodesOff(_Model):
    wrapper = _ZeroDraw


class _AnyDraw(Wrapped):
    def sample(self, rows, *, rng, **given):
        drawn = self.inner.sample(rows, rng=rng, **given)
        generator = rng.generator()
        codes = [generator.integers(0, spec.cardinality, rows) for spec in drawn.specs]
        return Features.of(drawn.specs, codes, rows=rows)


class DrawsConstantsAnew(_Model):
    wrapper = _AnyDraw


class _UnfixedDraw(Wrapped):
    def sample(self, rows, *, context, fixed, rng):
        del fixed
        return self.inner.sample(rows, context=context, fixed=None, rng=rng)


class IgnoresFixed(_Model):
    wrapper = _UnfixedDraw


class TakesFixedUnpromised(_Model):
    traits = ModelTraits(conditional=False)


class TakesContextUnpromised(_Model):
    traits = ModelTraits(context=False)


class _LukewarmDraw(Wrapped):
    def tempered(self, how):
        del how
        return self


class IgnoresTemperature(_Model):
    wrapper = _LukewarmDraw


# --- datatypes -------------------------------------------------------------------------------


class _Fitter(Wrapped):
    def __init__(self, inner, wrapper):
        super().__init__(inner)
        self.wrapper = wrapper

    def finish(self):
        fitted = self.inner.finish()
        return FittedColumn(self.wrapper(fitted.codec), fitted.counts)


class _Datatype(Category):
    """The category, whose codec is ``wrapper``."""

    wrapper = Wrapped

    def start(self, name, column, *, rng, ctx):
        return _Fitter(super().start(name, column, rng=rng, ctx=ctx), self.wrapper)

    def load(self, src):
        return self.wrapper(super().load(src))


class RepeatsWhatTellsApart(_Datatype):
    def tells_apart(self, options):
        del options
        return True


class _WholeCodec(Wrapped):
    """Has all that a codec has: a protocol may count only what a class itself defines."""

    @property
    def features(self):
        return self.inner.features

    def encode(self, values):
        return self.inner.encode(values)

    def decode(self, codes, *, rng, start):
        return self.inner.decode(codes, rng=rng, start=start)

    def kept_values(self):
        return self.inner.kept_values()

    def save(self, out):
        self.inner.save(out)


class _Following(_WholeCodec):
    follows = ("bool",)

    def decode_beside(self, codes, *, rng, start, beside):
        del beside
        return self.inner.decode(codes, rng=rng, start=start)


class _FollowingAbove(_Following):
    def decode_beside(self, codes, *, rng, start, beside):
        values = self.inner.decode(codes, rng=rng, start=start)
        nobody = "bool" in beside and beside["bool"].null_count > len(values) // 3
        return values if not nobody else values.take(pa.array(range(len(values)))[::-1])


class FollowsOtherRows(_Datatype):
    wrapper = _FollowingAbove


class _FollowingNothing(_Following):
    def decode_beside(self, codes, *, rng, start, beside):
        values = super().decode_beside(codes, rng=rng, start=start, beside=beside)
        return values if beside else values.slice(0, 0)


class NeedsWhatItFollows(_Datatype):
    wrapper = _FollowingNothing


class _FollowingIntoNull(_Following):
    def decode_beside(self, codes, *, rng, start, beside):
        values = super().decode_beside(codes, rng=rng, start=start, beside=beside)
        return pc.if_else(beside["bool"], values, None) if beside else values


class FollowsIntoNull(_Datatype):
    wrapper = _FollowingIntoNull


class _CountingBelow(_WholeCodec):
    def replaced(self):
        return {"rare": -1}


class CountsBelowNothing(_Datatype):
    wrapper = _CountingBelow


class _CountingOnce(_WholeCodec):
    def replaced(self):
        return {"rare": 3}


class _CountingNoMore(_WholeCodec):
    def replaced(self):
        return {}


class ForgetsWhatItReplaced(_Datatype):
    wrapper = _CountingOnce

    def load(self, src):
        return _CountingNoMore(Category.load(self, src))


class IsTooSure(_Datatype):
    def detect(self, profile):
        return Detection(2.0 * super().detect(profile).confidence)


class DetectsUnknownOptions(_Datatype):
    def detect(self, profile):
        return Detection(super().detect(profile).confidence, {"colour": "red"})


class ClaimsNothing(_Datatype):
    def detect(self, profile):
        del profile
        return Detection(0.0)


class AcceptsLessThanItClaims(_Datatype):
    def accepts(self, values, options):
        del options
        return values.is_valid()


class _NullFilling(Wrapped):
    def decode(self, codes, *, rng, start):
        values = self.inner.decode(codes, rng=rng, start=start)
        present = values.drop_null()
        if not len(present):
            return values
        # The last value before it, or the first of all.
        last = np.cumsum(values.is_valid().to_numpy(zero_copy_only=False)) - 1
        return present.take(pa.array(np.maximum(last, 0)))


class LosesNulls(_Datatype):
    wrapper = _NullFilling


class _Retyping(Wrapped):
    def decode(self, codes, *, rng, start):
        values = self.inner.decode(codes, rng=rng, start=start)
        return values.cast(pa.large_string()) if values.type == pa.string() else values


class ChangesTheType(_Datatype):
    wrapper = _Retyping


class _BatchWise(Wrapped):
    def encode(self, values):
        return [np.roll(codes, 1) for codes in self.inner.encode(values)]


class EncodesByBatch(_Datatype):
    wrapper = _BatchWise


class _Overflowing(Wrapped):
    def encode(self, values):
        return [np.full(len(values), spec.cardinality, np.uint32) for spec in self.features]


class EncodesBeyondCardinality(_Datatype):
    wrapper = _Overflowing


class _HalfCounting(_Fitter):
    def finish(self):
        fitted = self.inner.finish()
        return FittedColumn(fitted.codec, tuple(counts // 2 for counts in fitted.counts))


class CountsHalf(_Datatype):
    def start(self, name, column, *, rng, ctx):
        return _HalfCounting(Category.start(self, name, column, rng=rng, ctx=ctx), None)


class _Moody(Wrapped):
    def decode(self, codes, *, rng, start):
        values = self.inner.decode(codes, rng=rng, start=start)
        return values.take(pa.array(np.random.permutation(len(values))))  # noqa: NPY002


class DecodesByGlobalRandomness(_Datatype):
    wrapper = _Moody


class MasksByPlace(_Datatype):
    leads_to_people = False

    def mask(self, name, values, options, secret):
        del name, options, secret
        return values.take(pa.array(np.roll(np.arange(len(values)), 1)))


class MasksWithoutSecret(_Datatype):
    leads_to_people = False

    def mask(self, name, values, options, secret):
        del name, options, secret
        return values


class _Bookless(Wrapped):
    def kept_values(self):
        return [1, 2]


class ListsNumbers(_Datatype):
    wrapper = _Bookless


# --- rules -----------------------------------------------------------------------------------


class _Rule(Difference):
    wrapper = Wrapped

    def fit(self, sample, config, *, table):
        return self.wrapper(super().fit(sample, config, table=table))

    def load(self, src):
        return self.wrapper(super().load(src))


class _Idle(Wrapped):
    def encode(self, batch):
        return batch

    def decode(self, batch):
        return batch


class DoesNothing(_Rule):
    wrapper = _Idle


class _OneWay(Wrapped):
    def decode(self, batch):
        return self.inner.encode(self.inner.decode(batch))


class DoesNotUndo(_Rule):
    wrapper = _OneWay


class _Accusing(Wrapped):
    def violations(self, batch):
        return pa.array([True] * batch.num_rows)


class AccusesEverybody(_Rule):
    wrapper = _Accusing


class KnowsEarlierLoads(_Rule):
    """Loaded where one of its like was loaded before, it says so and dies."""

    loads = 0

    def load(self, src):
        type(self).loads += 1
        if self.loads > 1:
            sys.stderr.write("was here before\n")
            os._exit(7)
        return super().load(src)


class DiesWhenLoaded(KnowsEarlierLoads):
    loads = 1


# --- connectors ------------------------------------------------------------------------------


class _DirectWriter:
    """Writes to the target itself: a failure leaves a part."""

    def __init__(self, path, schema):
        self._writer = pq.ParquetWriter(path, schema)

    def write(self, batch):
        self._writer.write_batch(batch)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._writer.close()


class LeavesPartialFiles:
    """Reads and writes Parquet, carelessly."""

    name = "careless"
    suffixes = (".parquet",)
    schemes = ()

    def read(self, uri, options, ctx):
        del options, ctx
        if not Path(uri).exists():
            raise InputError("there is no such file", where=uri)
        return {Path(uri).stem: self.source(pq.read_table(uri))}

    def source(self, table):
        return TableSource(table)

    def writer(self, uri, table, schema, options, ctx):
        del table, options, ctx
        return _DirectWriter(uri, schema)


class _OneShot(TableSource):
    def __init__(self, table):
        super().__init__(table)
        self._once = super().batches()

    def batches(self, columns=None, *, batch_rows=0):
        del columns, batch_rows
        return self._once


class ReadsOnce(LeavesPartialFiles):
    def source(self, table):
        return _OneShot(table)


class _WholeOnly(TableSource):
    def batches(self, columns=None, *, batch_rows=0):
        del batch_rows
        yield from super().batches(columns, batch_rows=1 << 20)


class IgnoresBatchRows(LeavesPartialFiles):
    def source(self, table):
        return _WholeOnly(table)


class _AllColumns(TableSource):
    def batches(self, columns=None, *, batch_rows=1 << 16):
        del columns
        yield from super().batches(None, batch_rows=batch_rows)


class IgnoresColumns(LeavesPartialFiles):
    def source(self, table):
        return _AllColumns(table)


class RoundsNumbers(LeavesPartialFiles):
    def source(self, table):
        kept = [
            pc.round(column, 0) if pa.types.is_floating(column.type) else column
            for column in table.columns
        ]
        return TableSource(pa.table(kept, table.column_names))


# --- metrics ---------------------------------------------------------------------------------


class _Metric:
    name = "faulty"
    scope = "table"
    measures = (Measure("faulty", "Faulty", Group.FIDELITY),)
    optional = False

    def compute(self, real, synthetic, *, holdout, table, options, rng):
        del real, synthetic, holdout, table, options, rng
        return [Score(self.name, self.value())]

    def value(self):
        return 1.0


class GivesNan(_Metric):
    def value(self):
        return float("nan")


class GivesNoReason(_Metric):
    def value(self):
        return None


class NeverIdeal(_Metric):
    def value(self):
        return 0.5


class MeasuresByChance(_Metric):
    def value(self):
        return float(np.random.random() / 1e3 + 1.0)  # noqa: NPY002


class SpeaksOfColumns(_Metric):
    scope = "column"


# --- engines ---------------------------------------------------------------------------------


class Reverses:
    name = "reverses"

    def map(self, fn, tasks, *, ctx) -> Iterator:
        del ctx
        return iter([fn(task) for task in tasks][::-1])


class Swallows:
    name = "swallows"

    def map(self, fn, tasks, *, ctx) -> Iterator:
        del ctx
        for task in tasks:
            try:
                yield fn(task)
            except Exception:  # noqa: BLE001 - the fault
                return


class Hurries:
    name = "hurries"

    def map(self, fn, tasks, *, ctx) -> Iterator:
        del ctx
        taken = [task for task, _ in zip(tasks, range(10_000), strict=False)]
        return map(fn, taken)
