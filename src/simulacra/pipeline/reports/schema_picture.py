"""A dataset's tables and keys as a picture: inline SVG that follows the page's colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from simulacra.core.references import Reference
from simulacra.core.schema import DatasetSpec, TableSpec

_WIDTH, _LINE, _HEAD = 190, 17, 40
_GAP_X, _GAP_Y = 90, 22
_LONGEST = 24
_SHOWN_KEYS = 8


@dataclass(frozen=True, slots=True)
class _Box:
    """A table as a box: where it stands, and its lines of key columns."""

    name: str
    rows: str
    lines: tuple[str, ...]
    x: int
    y: int

    @property
    def height(self) -> int:
        return _HEAD + _LINE * len(self.lines) + (8 if self.lines else 0)


def schema_svg(
    spec: DatasetSpec, references: Sequence[Reference], rows: Mapping[str, Mapping[str, int]]
) -> str:
    """Return the SVG of all tables, parents to the left of their children.

    Args:
        spec: The tables.
        references: The foreign keys between them; each is drawn as a line.
        rows: For each table the rows of each side.
    """
    levels = _levels(list(spec.tables), references)
    boxes = _placed(spec, references, levels, rows)
    width = max(box.x + _WIDTH for box in boxes.values()) + 30
    height = max(box.y + box.height for box in boxes.values()) + 10
    title = f"{len(boxes)} tables and {len(references)} foreign keys"
    lines = [_line(reference, boxes) for reference in references]
    return (
        f'<svg class="schema" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}; the list below names each">'
        f"{''.join(lines)}{''.join(_drawn(box) for box in boxes.values())}</svg>"
    )


def _levels(names: Sequence[str], references: Sequence[Reference]) -> dict[str, int]:
    """Return how many keys in a row lead to a table's farthest ancestor; cycles are cut."""
    parents = {
        name: {r.parent for r in references if r.table == name and r.parent != name}
        for name in names
    }
    levels: dict[str, int] = {}

    def level(name: str, above: frozenset[str]) -> int:
        if name not in levels:
            further = [
                level(parent, above | {name}) + 1 for parent in parents[name] if parent not in above
            ]
            levels[name] = max(further, default=0)
        return levels[name]

    for name in names:
        level(name, frozenset({name}))
    return levels


def _placed(
    spec: DatasetSpec,
    references: Sequence[Reference],
    levels: Mapping[str, int],
    rows: Mapping[str, Mapping[str, int]],
) -> dict[str, _Box]:
    """Return the boxes, those of a level one below the other, near their parents."""
    boxes: dict[str, _Box] = {}
    for level in range(max(levels.values()) + 1):
        names = [name for name in spec.tables if levels[name] == level]
        middles = {name: _middle(name, references, boxes) for name in names}
        y = 10
        for name in sorted(names, key=lambda each: middles[each]):
            counts = rows.get(name, {})
            box = _Box(
                name,
                f"{counts['real']:,} rows" if "real" in counts else "",
                tuple(_key_lines(spec.tables[name])),
                10 + level * (_WIDTH + _GAP_X),
                y,
            )
            boxes[name] = box
            y += box.height + _GAP_Y
    return boxes


def _middle(name: str, references: Sequence[Reference], boxes: Mapping[str, _Box]) -> float:
    heights = [
        boxes[r.parent].y + boxes[r.parent].height / 2
        for r in references
        if r.table == name and r.parent in boxes
    ]
    return sum(heights) / len(heights) if heights else 0.0


def _key_lines(table: TableSpec) -> list[str]:
    """Return the columns of a table that belong to keys, each with what it is."""
    referring = dict.fromkeys(column for key in table.foreign_keys for column in key.columns)
    lines = []
    for column in dict.fromkeys([*table.primary_key, *referring]):
        marks = [
            *(["PK"] if column in table.primary_key else []),
            *(["FK"] if column in referring else []),
        ]
        lines.append(f"{_cut(column)} · {' '.join(marks)}")
    if len(lines) > _SHOWN_KEYS:
        lines = [*lines[: _SHOWN_KEYS - 1], f"and {len(lines) - _SHOWN_KEYS + 1} more"]
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _drawn(box: _Box) -> str:
    lines = "".join(
        f'<text class="key" x="{box.x + 12}" y="{box.y + _HEAD + 10 + _LINE * i}">'
        f"{escape(line)}</text>"
        for i, line in enumerate(box.lines)
    )
    return (
        f'<g><rect class="box" x="{box.x}" y="{box.y}" width="{_WIDTH}" height="{box.height}" '
        f'rx="6"/><text class="name" x="{box.x + 12}" y="{box.y + 18}">{escape(_cut(box.name))}'
        f'</text><text class="rows" x="{box.x + 12}" y="{box.y + 33}">{box.rows}</text>{lines}</g>'
    )


def _line(reference: Reference, boxes: Mapping[str, _Box]) -> str:
    parent, child = boxes[reference.parent], boxes[reference.table]
    x1, y1 = parent.x + _WIDTH, parent.y + 20
    x2, y2 = child.x, child.y + 20
    if parent.name == child.name:
        way = f"M{x1} {y1 - 8} c24 -6 24 26 0 20"
    elif parent.x < child.x:
        middle = (x1 + x2) / 2
        way = f"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"
    else:  # along a cycle, or within a level: out and back in on the right
        x2 = child.x + _WIDTH
        out = max(x1, x2) + 40
        way = f"M{x1} {y1} C{out} {y1} {out} {y2} {x2} {y2}"
    return (
        f'<path class="reference" d="{way}"><title>{escape(reference.label)}</title></path>'
        f'<circle class="end" cx="{x2}" cy="{y2}" r="3"/>'
    )
