"""Compiled loops over counts: merging and pooling them, cutting them into codes and cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Ints, kernel


@kernel
def merge_sorted(
    values: NDArray[Any], counts: Ints, more_values: NDArray[Any], more_counts: Ints
) -> tuple[NDArray[Any], Ints]:
    """Merge two ascending lists of distinct values, adding the counts of equal ones."""
    out = np.empty(len(values) + len(more_values), values.dtype)
    out_counts = np.empty(len(out), np.int64)
    i = j = n = 0
    while i < len(values) or j < len(more_values):
        if j == len(more_values) or (i < len(values) and values[i] < more_values[j]):
            out[n] = values[i]
            out_counts[n] = counts[i]
            i += 1
        elif i == len(values) or more_values[j] < values[i]:
            out[n] = more_values[j]
            out_counts[n] = more_counts[j]
            j += 1
        else:
            out[n] = values[i]
            out_counts[n] = counts[i] + more_counts[j]
            i += 1
            j += 1
        n += 1
    return out[:n].copy(), out_counts[:n].copy()


@kernel
def pool_rare(counts: Ints, most: int) -> tuple[Ints, Ints]:
    """Pool neighbouring entries into pools of at most ``most`` rows.

    Returns:
        The position of each pool's middle row, and the rows of each pool. The first and the last
        entry stand alone, so the extremes stay.
    """
    middles = np.empty(len(counts), np.int64)
    pooled = np.empty(len(counts), np.int64)
    n = 0
    first = 0
    while first < len(counts):
        rows = counts[first]
        end = first + 1
        if first > 0:
            while end < len(counts) - 1 and rows + counts[end] <= most:
                rows += counts[end]
                end += 1
        before = 0
        middle = first
        while 2 * (before + counts[middle]) < rows:
            before += counts[middle]
            middle += 1
        middles[n] = middle
        pooled[n] = rows
        n += 1
        first = end
    return middles[:n].copy(), pooled[:n].copy()


@kernel
def cut_codes(counts: Ints, most_codes: int, fewest_rows: int) -> Ints:
    """Cut ascending entries into codes: frequent ones alone, the others in equal masses.

    Args:
        counts: The rows of each entry.
        most_codes: At most so many codes.
        fewest_rows: A code of several entries gets at least so many rows where it can.

    Returns:
        Where each code begins, and the number of entries at the end.
    """
    total = 0
    for rows in counts:
        total += rows
    # At most a third of the codes are spikes; each may leave a code half filled before it.
    spike = max(3 * total // most_codes + 1, fewest_rows)
    spikes = 0
    rest = 0
    for rows in counts:
        if rows >= spike:
            spikes += 1
        else:
            rest += rows
    target = max(rest // max(1, most_codes - 2 * spikes - 1) + 1, fewest_rows)
    begins = np.empty(len(counts) + 1, np.int64)
    n = 0
    mass = 0
    for i in range(len(counts)):
        if mass == 0 or counts[i] >= spike:
            begins[n] = i
            n += 1
            mass = 0
        mass += counts[i]
        if mass >= target or counts[i] >= spike:
            mass = 0
    begins[n] = len(counts)
    return begins[: n + 1].copy()


@kernel
def cut_cells(
    counts: Ints, begins: Ints, atom_rows: int, range_rows: int, most_ranges: int
) -> tuple[Ints, Ints, Ints, Ints]:
    """Cut each code into cells: single values seen often, and ranges of the rarer ones.

    Args:
        counts: The rows of each entry.
        begins: As :func:`cut_codes` gives.
        atom_rows: An entry of at least so many rows is a cell of its own.
        range_rows: A range has at least so many rows, if its code has.
        most_ranges: The most ranges in one code.

    Returns:
        Of each cell its first and last entry and its rows, and where each code's cells begin.
    """
    first = np.empty(len(counts), np.int64)
    last = np.empty(len(counts), np.int64)
    mass = np.zeros(len(counts), np.int64)
    starts = np.zeros(len(begins), np.int64)
    n = 0
    for code in range(len(begins) - 1):
        rare = 0
        for i in range(begins[code], begins[code + 1]):
            if counts[i] < atom_rows:
                rare += counts[i]
        ranges = min(most_ranges, max(1, rare // range_rows))
        done = 0
        filled = 0
        current = -1
        for i in range(begins[code], begins[code + 1]):
            if counts[i] >= atom_rows:
                first[n] = i
                last[n] = i
                mass[n] = counts[i]
                n += 1
                continue
            if current < 0:
                current = n
                first[n] = i
                n += 1
            last[current] = i
            mass[current] += counts[i]
            filled += counts[i]
            if filled * ranges >= rare * (done + 1):
                done = filled * ranges // rare
                current = -1
        starts[code + 1] = n
    return first[:n].copy(), last[:n].copy(), mass[:n].copy(), starts


@kernel
def alias_tables(mass: Ints, starts: Ints) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Make a table per code to pick a cell by mass at one look (Walker 1977, Vose 1991).

    Returns:
        For each cell, the share of its slot that is its own, in 2**-32, and the cell that owns
        the rest.
    """
    own = np.full(len(mass), np.uint32(0xFFFFFFFF), np.uint32)
    other = np.arange(len(mass)).astype(np.int32)
    scaled = np.empty(len(mass), np.float64)
    small = np.empty(len(mass), np.int64)
    large = np.empty(len(mass), np.int64)
    for code in range(len(starts) - 1):
        total = 0
        for cell in range(starts[code], starts[code + 1]):
            total += mass[cell]
        smalls = larges = 0
        for cell in range(starts[code], starts[code + 1]):
            scaled[cell] = mass[cell] * (starts[code + 1] - starts[code]) / total
            if scaled[cell] < 1.0:
                small[smalls] = cell
                smalls += 1
            else:
                large[larges] = cell
                larges += 1
        while smalls > 0 and larges > 0:
            smalls -= 1
            less = small[smalls]
            more = large[larges - 1]
            own[less] = np.uint32(scaled[less] * 4294967295.0)
            other[less] = more
            scaled[more] -= 1.0 - scaled[less]
            if scaled[more] < 1.0:
                larges -= 1
                small[smalls] = more
                smalls += 1
    return own, other
