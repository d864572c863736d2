"""Commands that tell about bundles and this installation: inspect, plugins, doctor, version."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

import simulacra
from simulacra.cli.settings import AsJson
from simulacra.core.errors import CheckFailed, UsageError

_PARTS = (
    "duckdb",
    "lightgbm",
    "narwhals",
    "numba",
    "numpy",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "scipy",
)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(inspect)
    app.command()(plugins)
    app.command()(doctor)
    app.command(name="version")(show_version)


def inspect(
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="What fit wrote (.sim).")],
    *,
    values: Annotated[
        bool, typer.Option("--values", help="List every real value that the bundle keeps.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a bundle holds: tables, types, model, real values kept, personal ones made anew."""
    from pathlib import Path

    from simulacra.api.provenance import made_by
    from simulacra.pipeline.dataset import load_dataset

    dataset = load_dataset(Path(bundle))
    tables: dict[str, Any] = {}
    for name, table in dataset.tables.items():
        kept = table.kept_values()
        tables[name] = {
            "rows": table.rows,
            "primary_key": table.spec.primary_key,
            "columns": {c: spec.type for c, spec in table.spec.columns.items()},
            "rules": [rule for rule, _ in table.model.rules] if table.model else [],
            "kept_values": {c: len(v) for c, v in kept.items() if v},
            "replaced": dict(table.model.replaced()) if table.model else {},
        }
        if values:
            tables[name]["values"] = {c: v for c, v in kept.items() if v}
    if as_json:
        typer.echo(
            json.dumps(
                {"about": dict(dataset.about), "seed": dataset.seed, "tables": tables},
                ensure_ascii=False,
            )
        )
        return
    typer.echo(made_by(dataset))
    for name, told in tables.items():
        typer.echo(f"\n{name}: {told['rows']:,} rows learned")
        for column, kind in told["columns"].items():
            count = told["kept_values"].get(column, 0)
            key = " (primary key)" if column in told["primary_key"] else ""
            kept_text = f", {count:,} real values kept" if count else ""
            made = told["replaced"].get(column, {})
            made_text = ", ".join(f"{times:,} {what}" for what, times in made.items())
            made_text = f", replaced: {made_text}" if made else ""
            typer.echo(f"  {column}: {kind}{key}{kept_text}{made_text}")
            for value in told.get("values", {}).get(column, []):
                typer.echo(f"      {value}")
        if told["rules"]:
            typer.echo(f"  rules: {', '.join(told['rules'])}")
    if not values:
        typer.echo("\n--values lists the real values kept.")


def plugins(
    name: Annotated[
        str | None, typer.Argument(help="A plug-in, to list its options (default: all).")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the plug-ins of every kind, or the options of one."""
    from simulacra.core import registry

    if name is not None:
        _show_options(name, as_json=as_json)
        return
    infos = [info for kind in registry.Kind for info in registry.describe(kind)]
    if as_json:
        typer.echo(json.dumps([_info_dict(info) for info in infos]))
        return
    for kind in registry.Kind:
        typer.echo(f"{kind.value}:")
        for info in infos:
            if info.kind is not kind:
                continue
            origin = "" if info.distribution == "simulacra" else f"  ({info.distribution})"
            problem = f"  BROKEN: {info.problem}. Mend: {info.mend}" if info.problem else ""
            typer.echo(f"  {info.name}{origin}{problem}")


def _info_dict(info: Any) -> dict[str, Any]:
    return {field: getattr(info, field) for field in info.__slots__}


def _show_options(name: str, *, as_json: bool) -> None:
    from simulacra.core import registry

    kinds = [kind for kind in registry.Kind if name in registry.names(kind)]
    if not kinds:
        raise UsageError(f"there is no plug-in called {name!r}", mend="See simulacra plugins")
    for kind in kinds:
        config = getattr(registry.load(kind, name), "config", None)
        if as_json:
            typer.echo(json.dumps(config.model_json_schema() if config else {}))
            continue
        typer.echo(f"{kind.value[:-1]} {name}")
        fields = config.model_fields if config else {}
        for option, field in fields.items():
            default = "(required)" if field.is_required() else f"= {field.default!r}"
            typer.echo(f"  {option} {default}  {field.description or ''}")
        if not fields:
            typer.echo("  no options")


def doctor(*, as_json: AsJson = False) -> None:
    """Check this installation: versions, memory, cores, and every plug-in."""
    from simulacra.core import registry
    from simulacra.core.limits import machine_memory, usable_cores

    parts = {part: _version_of(part) for part in _PARTS}
    infos = [info for kind in registry.Kind for info in registry.describe(kind)]
    broken = [info for info in infos if info.problem]
    missing = [part for part, found in parts.items() if found is None]
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "simulacra": simulacra.__version__,
                    "python": platform.python_version(),
                    "platform": platform.platform(),
                    "cores": usable_cores(),
                    "memory_bytes": machine_memory(),
                    "packages": parts,
                    "plugins": len(infos),
                    "broken": [_info_dict(info) for info in broken],
                }
            )
        )
    else:
        typer.echo(f"simulacra {simulacra.__version__}, Python {platform.python_version()}")
        typer.echo(f"{usable_cores()} cores, {machine_memory() / 2**30:.1f} GiB memory")
        typer.echo(", ".join(f"{part} {found or 'MISSING'}" for part, found in parts.items()))
        typer.echo(f"{len(infos)} plug-ins, {len(broken)} broken")
        for info in broken:
            typer.echo(f"  {info.kind.value[:-1]} {info.name}: {info.problem}. Mend: {info.mend}")
    if broken or missing:
        raise CheckFailed("this installation has problems", mend="See the list above")


def _version_of(part: str) -> str | None:
    try:
        return version(part)
    except PackageNotFoundError:
        return None


def show_version() -> None:
    """Print the version."""
    typer.echo(simulacra.__version__)
