"""Commands that learn and draw: synth, fit, sample."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from simulacra.cli.conditions import (
    Balance,
    FairTo,
    Given,
    Temperature,
    TopP,
    balance_shares,
    fairness,
    given_values,
)
from simulacra.cli.destination import Destination
from simulacra.cli.resuming import going_on, journal_wanted, may_replace
from simulacra.cli.settings import (
    AsJson,
    Exclude,
    Format,
    Include,
    JournalFolder,
    Keep,
    KeepOrphans,
    Memory,
    Model,
    NoInferKeys,
    NoRules,
    Overwrite,
    Partitioned,
    Quiet,
    Read,
    Resume,
    Rows,
    Scale,
    Seed,
    Settings,
    Source,
    Spec,
    StructureRows,
    Target,
    Threads,
    WhatIfExists,
    metadata_of,
    model_options,
    reading,
    rows_wanted,
    run_context,
)
from simulacra.connectors.replacing import IfExists
from simulacra.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(synth)
    app.command()(fit)
    app.command()(sample)


def synth(
    src: Source,
    dest: Target,
    *,
    read: Read = None,
    include: Include = None,
    exclude: Exclude = None,
    model: Model = "forest",
    rows: Rows = None,
    scale: Scale = None,
    temperature: Temperature = 1.0,
    top_p: TopP = 1.0,
    seed: Seed = 0,
    spec: Spec = None,
    settings: Settings = None,
    structure_rows: StructureRows = 1_000_000,
    no_rules: NoRules = False,
    no_infer_keys: NoInferKeys = False,
    keep: Keep = None,
    keep_orphans: KeepOrphans = False,
    file_format: Format = None,
    partitioned: Partitioned = False,
    overwrite: Overwrite = False,
    if_exists: WhatIfExists = IfExists.FAIL,
    resume: Resume = False,
    journal: JournalFolder = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Learn SRC and write a synthetic copy of it to DEST."""
    from simulacra.api.synthesizer import Synthesizer

    ctx = run_context(quiet=quiet or as_json, threads=threads, memory=memory)
    wanted = rows_wanted(rows)
    synthesizer = Synthesizer(
        model,
        seed=seed,
        find_rules=not no_rules,
        infer_keys=not no_infer_keys,
        keep=keep or (),
        keep_orphans=keep_orphans,
        ctx=ctx,
        **model_options(model, settings),
    )
    if rows is not None and scale is not None:
        raise UsageError("--rows and --scale are both given", mend="Give one of them")
    kept = journal_wanted(dest, resume=resume, folder=journal, overwrite=overwrite)
    to = Destination(dest, file_format, partitioned, overwrite, if_exists)
    to.check(src, may_replace=may_replace(dest, kept, overwrite=overwrite))
    data = reading(src, read, include, exclude)
    if dry_run:
        plan = synthesizer.plan(
            data, metadata_of(spec), rows=wanted, scale=scale, structure_rows=structure_rows
        )
        typer.echo(json.dumps(plan.to_dict()) if as_json else f"{plan}\n  to {dest}")
        return
    with going_on(kept):
        synthesizer.fit(data, metadata_of(spec), rows=structure_rows, resume=kept)
        written = synthesizer.write(
            dest,
            wanted,
            scale=scale,
            temperature=temperature,
            top_p=top_p,
            resume=kept or False,
            **to.options,
        )
    to.say_written(written, as_json=as_json)


def fit(
    src: Source,
    *,
    output: Annotated[str, typer.Option("--output", "-o", help="The bundle to write (.sim).")],
    read: Read = None,
    include: Include = None,
    exclude: Exclude = None,
    model: Model = "forest",
    seed: Seed = 0,
    spec: Spec = None,
    settings: Settings = None,
    structure_rows: StructureRows = 1_000_000,
    no_rules: NoRules = False,
    no_infer_keys: NoInferKeys = False,
    keep: Keep = None,
    keep_orphans: KeepOrphans = False,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
) -> None:
    """Learn SRC and keep what was learned in a bundle."""
    from simulacra.api.synthesizer import Synthesizer
    from simulacra.connectors.targets import check_product

    check_product(output, src)
    ctx = run_context(quiet=quiet, threads=threads, memory=memory)
    synthesizer = Synthesizer(
        model,
        seed=seed,
        find_rules=not no_rules,
        infer_keys=not no_infer_keys,
        keep=keep or (),
        keep_orphans=keep_orphans,
        ctx=ctx,
        **model_options(model, settings),
    )
    data = reading(src, read, include, exclude)
    synthesizer.fit(data, metadata_of(spec), rows=structure_rows)
    synthesizer.save(output)


def sample(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="What fit wrote (.sim).")],
    dest: Target,
    *,
    rows: Rows = None,
    scale: Scale = None,
    given: Given = None,
    balance: Balance = None,
    fair: FairTo = None,
    temperature: Temperature = 1.0,
    top_p: TopP = 1.0,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Another seed than the bundle's.")
    ] = None,
    file_format: Format = None,
    partitioned: Partitioned = False,
    overwrite: Overwrite = False,
    if_exists: WhatIfExists = IfExists.FAIL,
    resume: Resume = False,
    journal: JournalFolder = None,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw synthetic rows from a bundle and write them to DEST."""
    from simulacra.api.synthesizer import Synthesizer

    ctx = run_context(quiet=quiet or as_json, threads=threads, memory=memory)
    kept = journal_wanted(dest, resume=resume, folder=journal, overwrite=overwrite)
    to = Destination(dest, file_format, partitioned, overwrite, if_exists)
    to.check(bundle, may_replace=may_replace(dest, kept, overwrite=overwrite))
    synthesizer = Synthesizer.load(bundle, ctx=ctx)
    with going_on(kept):
        written = synthesizer.write(
            dest,
            rows_wanted(rows),
            scale=scale,
            given=given_values(given, list(synthesizer.fitted.tables)),
            balance=balance_shares(balance),
            fair=fairness(fair),
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            resume=kept or False,
            **to.options,
        )
    to.say_written(written, as_json=as_json)
