"""The conformance kit: what every plug-in must do, as named checks.

A plug-in's whole test file is one line::

    from simulacra.testing import conformance_tests

    test_conformance = conformance_tests("models", "chow_liu")

It makes one pytest test a check, as scikit-learn's ``parametrize_with_checks`` does. The checks a
plug-in gets depend on what it promises (the traits of a model, for example). A check that is known
to fail is named with its reason (``gaps={"check": "why"}``): a strict expected failure, so that it
can't stay on the list when it is mended. Without pytest, :func:`checks_for` gives the checks
themselves.

Whether a model keeps whole databases of any shape is a test of its own, as it takes longer::

    from simulacra.testing import database_tests

    test_databases = database_tests("chow_liu")
"""

from simulacra.testing.check import Check, NotConformant
from simulacra.testing.suite import checks_for, conformance_tests
from simulacra.testing.whole_databases import database_checks, database_tests

__all__ = [
    "Check",
    "NotConformant",
    "checks_for",
    "conformance_tests",
    "database_checks",
    "database_tests",
]
