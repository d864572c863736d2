"""What a failure looks like on the command line: one line, an exit code, no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from simulacra.core.errors import SimulacraError

OK = 0
INPUT_OUTPUT = 3
INTERNAL = 70
CANCELLED = 130
DEBUG_VARIABLE = "SIMULACRA_DEBUG"


def exit_code_of(command: Callable[[], None]) -> int:
    """Run a command and return its exit code, having said on standard error what went wrong."""
    try:
        command()
    except BrokenPipeError:
        # The reader has gone; what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        code, text = _verdict(error)
        print(f"simulacra: {text}", file=sys.stderr, flush=True)  # noqa: T201 - for the user
        return code
    return OK


def _verdict(error: BaseException) -> tuple[int, str]:
    match error:
        case SimulacraError():
            return error.exit_code, str(error)
        case KeyboardInterrupt():
            return CANCELLED, "stopped; nothing was left behind"
        case MemoryError():
            return INPUT_OUTPUT, "out of memory. Lower --memory or --structure-rows"
        case OSError():
            return INPUT_OUTPUT, f"{error.filename or ''}: {error.strerror or error}"
    return INTERNAL, (
        f"internal error: {type(error).__name__}: {error}. "
        f"Please report it, with what {DEBUG_VARIABLE}=1 prints"
    )
