"""Free text: how fast it is learned and drawn, how like the source it is, and what is copied."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _common import Row, median, tpch, write_result
from scipy.stats import ks_2samp

from simulacra.core.context import RunContext
from simulacra.core.protocols import BLOCK_ROWS, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.text import Text

KEY = RngKey(2024)
COMPARED = 600_000
RUN_WORDS = 6


def main() -> None:
    """Measure the comments of TPC-H ``lineitem`` and write ``results/text.json``."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    table = pq.read_table(tpch(scale) / "lineitem.parquet", columns=["l_comment"])
    source = table["l_comment"].combine_chunks()
    _fit(source[:BLOCK_ROWS])  # compiles
    fitted, update, finish = _fit(source)
    block = _codes(fitted, BLOCK_ROWS, seed=0)

    def once() -> float:
        begun = time.perf_counter()
        fitted.codec.decode([block], rng=KEY.child("speed"), start=0)
        return BLOCK_ROWS / (time.perf_counter() - begun)

    speed = median(once, runs=9, warm=2)
    made = _draw(fitted, COMPARED)
    texts, sample = made.to_pylist(), source[:COMPARED].to_pylist()
    long_texts, copies = _copies(source, texts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = f"{len(source):,} comments"
    write_result(
        "text",
        f"Free text: `l_comment` of TPC-H lineitem, scale {scale:g}",
        [
            Row("pass over all rows", round(update, 2), "s", "≤ 4", f"{rows}, one thread"),
            Row("learning word order", round(finish, 2), "s", "", "from 300,000 of them"),
            Row("drawing, one thread", round(speed), "texts/s", "≥ 300,000", "median of 9 blocks"),
            Row(
                "copied whole", copies / long_texts, "", "0", f"of {long_texts:,} over three words"
            ),
            Row(
                f"with {RUN_WORDS} words in a row that a single source text has",
                round(_run_share(sample, texts), 4),
                "",
                "",
                f"of texts of {RUN_WORDS} words or more",
            ),
            Row("lengths in characters", _distance(map(len, sample), map(len, texts)), "KS"),
            Row("lengths in words", _distance(map(_words, sample), map(_words, texts)), "KS"),
            Row("word frequencies", round(_variation(sample, texts), 4), "TV distance"),
            Row("peak memory", round(peak, 2), "GB", "", "with the source and its texts in it"),
        ],
    )


def _fit(values: pa.Array) -> tuple[FittedColumn, float, float]:
    column = ColumnSpec(type="text", arrow=str(values.type))
    fitter = Text().start("l_comment", column, rng=KEY.child("fit"), ctx=RunContext())
    begun = time.perf_counter()
    for start in range(0, len(values), BLOCK_ROWS):
        fitter.update(values[start : start + BLOCK_ROWS])
    passed = time.perf_counter()
    fitted = fitter.finish()
    return fitted, passed - begun, time.perf_counter() - passed


def _codes(fitted: FittedColumn, rows: int, *, seed: int) -> np.ndarray:
    counts = fitted.counts[0]
    generator = KEY.child("codes", seed).generator()
    return generator.choice(len(counts), rows, p=counts / counts.sum()).astype(np.uint8)


def _draw(fitted: FittedColumn, rows: int) -> pa.Array:
    blocks = [
        fitted.codec.decode(
            [_codes(fitted, min(BLOCK_ROWS, rows - start), seed=start)],
            rng=KEY.child(start),
            start=start,
        )
        for start in range(0, rows, BLOCK_ROWS)
    ]
    return pa.chunked_array(blocks).combine_chunks()


def _words(text: str) -> int:
    return len(text.split())


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


def _copies(source: pa.Array, texts: list[str]) -> tuple[int, int]:
    """Return how many texts have more than three words, and how many of these are copies."""
    long_texts = Counter(_normal(text) for text in texts if _words(text) > 3)
    found = set()
    for start in range(0, len(source), BLOCK_ROWS):
        known = source[start : start + BLOCK_ROWS].to_pylist()
        found |= long_texts.keys() & {_normal(text) for text in known}
    return long_texts.total(), sum(long_texts[text] for text in found)


def _run_share(source: list[str], texts: list[str]) -> float:
    """Return the share of long enough texts with a run of words that one source text has."""
    owners: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, text in enumerate(source):
        for run in _runs(text):
            owners[run].add(number)
    long_texts = [text for text in texts if _words(text) >= RUN_WORDS]
    single = {run for run, rows in owners.items() if len(rows) == 1}
    return float(np.mean([any(run in single for run in _runs(text)) for text in long_texts]))


def _runs(text: str) -> list[tuple[str, ...]]:
    words = _normal(text).split()
    return [tuple(words[i : i + RUN_WORDS]) for i in range(len(words) - RUN_WORDS + 1)]


def _distance(real: object, made: object) -> float:
    return round(float(ks_2samp(list(real), list(made)).statistic), 4)


def _variation(real: list[str], made: list[str]) -> float:
    shares = []
    for texts in (real, made):
        counts = Counter(word for text in texts for word in text.split())
        shares.append({word: count / counts.total() for word, count in counts.items()})
    first, second = shares
    return sum(abs(first.get(w, 0) - second.get(w, 0)) for w in first | second) / 2


if __name__ == "__main__":
    main()
