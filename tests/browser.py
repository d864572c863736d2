"""A headless browser to look at pages with.

It is the Chromium or Chrome of ``SIMULACRA_TEST_CHROMIUM``, else one that is on the path. Where
there is none tests are skipped; in CI they fail.
"""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = ("--disable-gpu", "--disable-quic", "--disable-component-update", "--disable-sync")


@dataclass
class Watched:
    """A page, and what it said and asked for while it was open."""

    page: object
    said: list = field(default_factory=list)
    requests: list = field(default_factory=list)


@contextmanager
def browser():
    """Give a browser."""
    from playwright.sync_api import sync_playwright

    named = os.environ.get("SIMULACRA_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        why = "there is no Chromium or Chrome on the path"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    arguments = [*_QUIET, *(["--no-sandbox"] if os.getuid() == 0 else [])]
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=arguments)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def opened(chromium, path, **options):
    """Give a page with a file opened in it, watched; keywords are those of a browser context."""
    context = chromium.new_context(**options)
    try:
        watched = Watched(context.new_page())
        watched.page.on("console", lambda message: watched.said.append(message.text))
        watched.page.on("pageerror", lambda error: watched.said.append(str(error)))
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.goto(path.as_uri())
        yield watched
    finally:
        context.close()
