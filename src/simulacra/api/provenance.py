"""What drew a copy, in a sentence: model, options, seed, versions and protections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.core.protection import FEWEST_ROWS, MIN_COUNT
from simulacra.core.schema import DatasetSpec

if TYPE_CHECKING:
    from simulacra.api.synthesizer import Synthesizer
    from simulacra.pipeline.dataset import FittedDataset

PERSONAL = "personal"


def model_line(model: Synthesizer | str | Path) -> str:
    """Return what drew a copy, for a report's data sheet.

    Args:
        model: What it was drawn from, or the bundle of that.

    Raises:
        BundleError: The bundle is damaged, hostile, or of an unknown version.
        UsageError: Nothing was learned yet.
    """
    if isinstance(model, str | Path):
        from simulacra.pipeline.dataset import load_dataset

        fitted = load_dataset(Path(model))
    else:
        fitted = model.fitted
    return "; ".join([made_by(fitted), protections(fitted.spec), *_replaced(fitted)])


def _replaced(fitted: FittedDataset) -> list[str]:
    """Return in how many rows values were replaced, column by column; empty if in none."""
    told = [
        f"{count:,} {what} in {name}.{column}"
        for name, table in fitted.tables.items()
        if table.model is not None
        for column, counts in table.model.replaced()
        for what, count in counts.items()
    ]
    return [f"replaced: {', '.join(told)}"] if told else []


def made_by(fitted: FittedDataset) -> str:
    """Return model, options, seed and versions."""
    about = fitted.about
    parts = [
        f"model {about.get('model', '?')}",
        *(f"{option} {value}" for option, value in about.get("options", {}).items()),
        f"seed {fitted.seed}",
        f"made by simulacra {about.get('simulacra', '?')}",
    ]
    if python := about.get("python"):
        parts.append(f"Python {python}")
    return ", ".join(parts)


def protections(spec: DatasetSpec) -> str:
    """Return what of real rows was kept out of what was learned.

    Args:
        spec: The tables.
    """
    columns = {
        f"{name}.{column}": said
        for name, table in spec.tables.items()
        for column, said in table.columns.items()
    }
    asked = [
        f"of fewer than {said.options['min_count']} in {place}"
        for place, said in columns.items()
        if said.options.get("min_count") is not None
    ]
    usual = f"of fewer than {MIN_COUNT} rows in columns of {FEWEST_ROWS:,} rows or more"
    parts = [f"values left out: {', '.join([usual, *asked])}"]
    if people := sum(said.type == PERSONAL for said in columns.values()):
        parts.append(f"personal data made anew in {people} column{'' if people == 1 else 's'}")
    if kept := [name for name, table in spec.tables.items() if table.keep]:
        parts.append(f"written as they are: {', '.join(kept)}")
    return "; ".join(parts)
