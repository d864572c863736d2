"""Who is measured: scripts of ``scripts/``, each run by the Python of an environment of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contender:
    """A synthesizer.

    Attributes:
        name: In results and on the command line.
        title: For readers.
        environment: That of ``requirements-ENVIRONMENT.txt``; empty for the one that runs this.
        script: In ``scripts/``.
        kinds: The kinds of data that it is made for.
        model: What the script is told.
    """

    name: str
    title: str
    environment: str
    script: str
    kinds: frozenset[str]
    model: str = ""


TABLE = frozenset({"table"})

CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender(
            "simulacra",
            "Simulacra",
            "",
            "run_simulacra.py",
            frozenset({"table", "database", "sequence"}),
        ),
        Contender(
            "sdv-gaussian", "SDV GaussianCopula", "sdv", "run_sdv.py", TABLE, "GaussianCopula"
        ),
        Contender("sdv-ctgan", "SDV CTGAN", "sdv", "run_sdv.py", TABLE, "CTGAN"),
        Contender("sdv-tvae", "SDV TVAE", "sdv", "run_sdv.py", TABLE, "TVAE"),
        Contender("sdv-hma", "SDV HMA", "sdv", "run_hma.py", frozenset({"database"})),
        Contender("sdv-par", "SDV PAR", "sdv", "run_par.py", frozenset({"sequence"})),
        Contender(
            "sdgx-gaussian", "sdgx GaussianCopula", "sdgx", "run_sdgx.py", TABLE, "GaussianCopula"
        ),
        Contender("sdgx-ctgan", "sdgx CTGAN", "sdgx", "run_sdgx.py", TABLE, "CTGAN"),
        Contender("mostlyai", "MOSTLY AI engine", "mostlyai", "run_mostlyai.py", TABLE),
        Contender("arf", "ARF (arfpy)", "arfpy", "run_arfpy.py", TABLE),
        Contender("synthcity-arf", "synthcity ARF", "synthcity", "run_synthcity.py", TABLE),
    )
}
