"""Fresh processes: copies of one that has imported the library and done nothing else.

Importing takes most of the time of a fresh process. So one is started for all requests and is
copied, by a fork, for each: only the copy learns of a plug-in and what it saved. Where there is no
fork, each request has its own process.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import traceback
import warnings
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NoReturn

from simulacra.testing.check import NotConformant

_MESSAGES = "messages.txt"
_SERVE = f"from {__name__} import serve; serve()"
_ANSWER = f"import sys; from {__name__} import answer; answer(sys.argv[1])"
_ONE_BY_ONE = Lock()


def start(folder: Path) -> None:
    """Have a fresh process do what a folder requests, and wait for it.

    Raises:
        NotConformant: It failed; says how.
    """
    if hasattr(os, "fork"):
        code = _code_of(folder)
    else:
        with _launch(_ANSWER, str(folder)) as process:
            code = process.wait()
    if code:
        messages = (folder / _MESSAGES).read_text(errors="replace")
        msg = f"a fresh process can't load what was saved, it ended with {code}:\n{messages}"
        raise NotConformant(msg)


def _launch(*script: str) -> subprocess.Popen[str]:
    # Our own interpreter on our own module; -P keeps the working folder off its path. In a session
    # of its own it isn't stopped by Ctrl-C, but ends when nobody can request anything any more.
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-c", *script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@cache
def _server(owner: int) -> subprocess.Popen[str]:
    """Start what all fresh processes are copies of; a process has its own."""
    del owner
    server = _launch(_SERVE)
    atexit.register(server.communicate)
    return server


def _code_of(folder: Path) -> int:
    with _ONE_BY_ONE:
        server = _server(os.getpid())
        assert server.stdin is not None  # noqa: S101 - for the type checker
        assert server.stdout is not None  # noqa: S101 - for the type checker
        server.stdin.write(json.dumps(str(folder)) + "\n")
        server.stdin.flush()
        for line in server.stdout:
            done, code = json.loads(line)
            # Another folder's answer came too late for whoever asked, who was interrupted.
            if done == str(folder):
                return int(code)
    msg = "no fresh process could be started; the error output says why"
    raise NotConformant(msg)


# --- the other side --------------------------------------------------------------------------


def serve() -> None:
    """Start a fresh process for each request that is read, until there are no more."""
    # The threads of OpenBLAS, which it ends and starts again around a fork.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    for line in sys.stdin:
        folder = json.loads(line)
        child = os.fork()
        if not child:
            answer(folder)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([folder, code]), flush=True)  # noqa: T201 - to the one who asked


def answer(folder: str) -> NoReturn:
    """Do what a folder requests and end; what is printed goes into a file of the folder."""
    from simulacra.testing.fresh import work

    messages = os.open(Path(folder) / _MESSAGES, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, ours in ((nothing, 0), (messages, 1), (messages, 2)):
        os.dup2(given, ours)
    code = 0
    try:
        work(Path(folder))
    except BaseException:  # noqa: BLE001 - whatever it was, the one who asked shall read it
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
