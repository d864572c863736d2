"""Draw ``docs/assets/flights.svg``: the shipped flights beside a synthetic copy, as it comes out.

Learns with the default model and options; neither rows nor panels are picked for their looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import as_file, files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from _common import HERE

import simulacra

PICTURE = HERE.parent / "docs" / "assets" / "flights.svg"
SEED = 7
POINTS = 2_000
WIDTH, HEIGHT = 250, 190
LEFT, TOP, GAP_X, GAP_Y = 64, 46, 56, 64
COLOURS = {"real": "#3b6ea8", "synthetic": "#c8642f"}
SCATTERS = (
    ("distance", "air_time", "miles", "minutes in the air", (0, 2_800), (0, 450)),
    ("sched_dep_time", "dep_delay", "hour of departure", "minutes late", (4, 24), (-30, 330)),
)
CARRIERS = 12


def main() -> None:
    """Learn, draw rows, draw the picture."""
    with as_file(files("simulacra") / "demo" / "nycflights" / "flights.parquet") as path:
        real = pq.read_table(path)
    synthetic = simulacra.Synthesizer(seed=SEED).fit(real).sample()
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text("\n".join(picture(real, synthetic)) + "\n", encoding="utf-8")
    print(f"{PICTURE.relative_to(HERE.parent)}: {PICTURE.stat().st_size / 1e3:.0f} kB")


def picture(real: pa.Table, synthetic: pa.Table) -> Iterator[str]:
    """Yield the lines of the SVG: a row of panels for each table."""
    width = LEFT + 3 * WIDTH + 2 * GAP_X + 16
    height = TOP + 2 * HEIGHT + GAP_Y + 44
    counts = {
        entry["values"]: entry["counts"] for entry in real["carrier"].value_counts().to_pylist()
    }
    carriers = sorted(counts, key=lambda name: -counts[name])[:CARRIERS]
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="11" fill="#333">'
    )
    yield f'<rect width="{width}" height="{height}" fill="#fff"/>'
    for row, (name, table) in enumerate((("real", real), ("synthetic", synthetic))):
        y = TOP + row * (HEIGHT + GAP_Y)
        title = f"{name}: {table.num_rows:,} flights"
        yield f'<text x="{LEFT}" y="{y - 14}" font-size="15" font-weight="600">{title}</text>'
        for column, scatter in enumerate(SCATTERS):
            x = LEFT + column * (WIDTH + GAP_X)
            yield f'<g transform="translate({x},{y})">'
            yield from scatter_panel(table, *scatter, COLOURS[name])
            yield "</g>"
        yield f'<g transform="translate({LEFT + 2 * (WIDTH + GAP_X)},{y})">'
        yield from share_panel(table, carriers, COLOURS[name])
        yield "</g>"
    yield "</svg>"


def scatter_panel(
    table: pa.Table,
    across: str,
    up: str,
    across_title: str,
    up_title: str,
    across_range: tuple[int, int],
    up_range: tuple[int, int],
    colour: str,
) -> Iterator[str]:
    """Yield a panel of evenly spaced rows as points; those outside the ranges are left out."""
    rows = np.linspace(0, table.num_rows - 1, POINTS).astype(int)
    some = table.select([across, up]).take(rows)
    xs, ys = (some[name].cast(pa.float64()).to_numpy() for name in (across, up))
    if across == "sched_dep_time":
        xs = xs // 100 + xs % 100 / 60  # 1730 is half past five
    (x0, x1), (y0, y1) = across_range, up_range
    inside = (xs >= x0) & (xs <= x1) & (ys >= y0) & (ys <= y1)
    px = (xs[inside] - x0) / (x1 - x0) * WIDTH
    py = HEIGHT - (ys[inside] - y0) / (y1 - y0) * HEIGHT
    # One path of dots: a circle each would be several times the size.
    dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in zip(px, py, strict=True))
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#ccc"/>'
    yield (
        f'<path d="{dots}" stroke="{colour}" stroke-width="2" stroke-linecap="round" '
        'stroke-opacity="0.65"/>'
    )
    yield from axis_labels(across_title, up_title)
    for value in (x0, x1):
        at = (value - x0) / (x1 - x0) * WIDTH
        yield f'<text x="{at:.0f}" y="{HEIGHT + 14}" text-anchor="middle">{value:,}</text>'
    for value in (y0, y1):
        at = HEIGHT - (value - y0) / (y1 - y0) * HEIGHT
        yield f'<text x="-5" y="{at + 4:.0f}" text-anchor="end">{value:,}</text>'


def axis_labels(across: str, up: str) -> Iterator[str]:
    """Yield the titles of both axes."""
    middle = HEIGHT // 2
    yield f'<text x="{WIDTH // 2}" y="{HEIGHT + 14}" text-anchor="middle">{escape(across)}</text>'
    yield (
        f'<text transform="translate(-12,{middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(up)}</text>"
    )


def share_panel(table: pa.Table, carriers: list[str], colour: str) -> Iterator[str]:
    """Yield a panel of the flights of each carrier from each airport, darker where more."""
    origins = ["EWR", "JFK", "LGA"]
    wide, high = WIDTH / len(carriers), HEIGHT / len(origins)
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#ccc"/>'
    for row, origin in enumerate(origins):
        y = row * high
        yield f'<text x="-5" y="{y + high / 2 + 4:.0f}" text-anchor="end">{origin}</text>'
        for column, carrier in enumerate(carriers):
            both = pc.and_(pc.equal(table["origin"], origin), pc.equal(table["carrier"], carrier))
            share = (pc.sum(both).as_py() or 0) / table.num_rows
            # The square root, so that rare combinations show; none at all stays white.
            yield (
                f'<rect x="{column * wide:.1f}" y="{y:.1f}" width="{wide:.1f}" '
                f'height="{high:.1f}" fill="{colour}" fill-opacity="{min(1, 2.6 * share**0.5):.2f}"'
                f"><title>{carrier} from {origin}: {share:.2%}</title></rect>"
            )
    for column, carrier in enumerate(carriers):
        x = (column + 0.5) * wide
        yield f'<text x="{x:.0f}" y="{HEIGHT + 14}" text-anchor="middle">{escape(carrier)}</text>'


if __name__ == "__main__":
    main()
