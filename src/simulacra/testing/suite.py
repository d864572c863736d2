"""All checks of a plug-in, and the pytest tests made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.core.registry import Kind, load
from simulacra.testing import connectors, datatypes, engines, metrics, models, rules
from simulacra.testing.check import Check

_CHECKS: Mapping[Kind, Callable[..., list[Check]]] = {
    Kind.MODEL: models.checks,
    Kind.DATATYPE: datatypes.checks,
    Kind.RULE: rules.checks,
    Kind.CONNECTOR: connectors.checks,
    Kind.METRIC: metrics.checks,
    Kind.ENGINE: engines.checks,
}


def checks_for(kind: Kind | str, plugin: str | object, **case: Any) -> list[Check]:
    """Return the checks of one plug-in.

    Args:
        kind: ``models``, ``datatypes``, ``rules``, ``connectors``, ``metrics`` or ``engines``.
        plugin: Its registered name; or the plug-in itself, which need not be registered.
        case: What its kind of plug-in needs, or takes, to be checked: see ``checks`` in
            :mod:`simulacra.testing.models` and its neighbours.

    Raises:
        PluginError: There is no such plug-in, or it can't be imported.
        UsageError: Its kind of plug-in can't be checked without more of a case.
    """
    kind = Kind(kind)
    subject = load(kind, plugin) if isinstance(plugin, str) else plugin
    return _CHECKS[kind](subject, **case)


def conformance_tests(
    kind: Kind | str,
    plugin: str | object,
    *,
    gaps: Mapping[str, str] | None = None,
    **case: Any,
) -> Callable[..., None]:
    """Return a pytest test of a plug-in, one case a check; give it a name that begins with test_.

    Args:
        kind: See :func:`checks_for`.
        plugin: See :func:`checks_for`. One that can't be loaded, or lacks what its kind
            needs, fails when the test runs.
        gaps: Checks known to fail, each with its reason: strict expected failures.
        case: See :func:`checks_for`.

    Raises:
        UsageError: A gap names no check of this plug-in.
    """
    try:
        checks = checks_for(kind, plugin, **case)
    except UsageError as error:
        return as_test([_failing("can_be_checked", error)])
    return as_test(checks, gaps=gaps)


def as_test(
    checks: Sequence[Check], *, gaps: Mapping[str, str] | None = None
) -> Callable[..., None]:
    """Return a pytest test, one case a check; give it a name that begins with test_.

    Args:
        checks: The checks.
        gaps: Checks known to fail, each with its reason: strict expected failures.

    Raises:
        UsageError: A gap names no check.
    """
    import pytest

    gaps = gaps or {}
    names = {check.name for check in checks}
    for gap in gaps:
        if gap not in names:
            raise UsageError(
                f"there is no check {gap!r} to have a gap in", mend=f"Name one of {sorted(names)}"
            )

    def parameter(check: Check) -> Any:
        reason = gaps.get(check.name)
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason is not None else []
        return pytest.param(check, id=check.name, marks=marks)

    @pytest.mark.parametrize("check", [parameter(check) for check in checks])
    def test_conformance(check: Check, tmp_path: Path) -> None:
        check.run(tmp_path)

    return test_conformance


def _failing(name: str, error: Exception) -> Check:
    def run(folder: Path) -> None:
        del folder
        raise error

    return Check(name, run)
