"""The Python code on the pages of the documentation."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def python_of(page: Path) -> str:
    """Return the page's Python blocks as one module; each line stays on the line it had.

    Blocks with a title are files of their own, and left out.
    """
    lines, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = line.startswith("```")
        lines.append(line if inside and not fence else "")
        if fence:
            inside = not inside and line == "```python"
    assert not inside
    assert any(lines)
    return "\n".join(lines) + "\n"
