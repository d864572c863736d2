"""Mask a table or a database: the same rows, with pseudonyms for whatever leads to people."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from simulacra.api.inputs import inputs_of
from simulacra.api.metadata import Metadata
from simulacra.api.real_rows import RealRows
from simulacra.connectors.frames import FrameKind
from simulacra.connectors.secret import ENV
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.secret_key import SecretKey
from simulacra.pipeline.masking.columns import shown
from simulacra.pipeline.masking.dataset import MaskedDataset, mask_dataset


class Anonymized(RealRows):
    """Masked tables; they are read and masked when they are asked for."""

    def __init__(
        self,
        masked: MaskedDataset,
        kinds: Mapping[str, FrameKind],
        *,
        is_single: bool,
        ctx: RunContext,
    ) -> None:
        super().__init__(masked, kinds, is_single=is_single, ctx=ctx)
        self._masked = masked

    @property
    def columns(self) -> dict[str, str]:
        """What each masked column was taken for, by ``table.column``; others stay as they are."""
        return {shown(place): mask.kind for place, mask in self._masked.masks.items()}

    @property
    def reasons(self) -> dict[str, str]:
        """Why each of those columns is masked, by ``table.column``."""
        return {shown(place): mask.why for place, mask in self._masked.masks.items()}

    def __repr__(self) -> str:
        return f"Anonymized({len(self._masked.tables)} tables, {len(self.columns)} columns masked)"


def anonymize(
    data: Any,
    *,
    key: str | bytes | None = None,
    mask: Sequence[str] = (),
    keep: Sequence[str] = (),
    keep_keys: bool = False,
    infer_keys: bool = True,
    metadata: Metadata | None = None,
    ctx: RunContext | None = None,
) -> Anonymized:
    """Mask a table or a database: the same rows, without names, addresses and numbers of people.

    Personal columns become others of the same kind and form, and keys that are identifiers other
    keys, wherever they stand: the same value becomes the same in every table. All other columns
    stay, so **rows are still those of real people**, whom what else is known of them may betray.
    Synthesise where you can.

    Args:
        data: A frame, frames by table name, or a path or URL.
        key: A secret of 16 characters at least, or ``env:NAME`` for one in an environment variable.
            With the same secret the same value becomes the same in every run and every file; who
            has it can find out which. When None, a random one that is forgotten.
        mask: Further columns to mask, as ``table.column``, or ``table.column=kind`` with a kind of
            personal data or ``code``; the column alone, if there is one table.
        keep: Columns, or whole tables, that stay as they are; with a key, all that refer to it.
        keep_keys: Whether keys stay that are not personal data.
        infer_keys: Whether to look for foreign keys where the data declares none.
        metadata: What the tables are, and so what is masked: columns of the type ``personal``; when
            None, it is detected.
        ctx: Limits and progress.

    Raises:
        InputError: The data can't be read.
        SpecError: The metadata doesn't fit the data.
        UsageError: The arguments make no sense.

    Example:
        >>> simulacra.anonymize("postgresql://localhost/shop", key="env:KEY").write("shop.duckdb")
    """
    ctx = ctx or RunContext()
    secret = _secret(key)
    inputs = inputs_of(data, ctx)
    if metadata is not None and inputs.is_single:
        metadata = metadata.renamed(next(iter(inputs.sources)))
    beside = inputs.spec if metadata is None else None
    masked = mask_dataset(
        inputs.sources,
        None if metadata is None else inputs.narrowed(metadata.spec, ctx),
        declared=inputs.declared if metadata is None else None,
        beside=None if beside is None else inputs.narrowed(beside, ctx),
        mask=_listed(mask),
        keep=_listed(keep),
        keep_keys=keep_keys,
        infer_keys=infer_keys,
        secret=secret,
        ctx=ctx,
    )
    return Anonymized(masked, inputs.kinds, is_single=inputs.is_single, ctx=ctx)


def _listed(columns: Sequence[str]) -> Sequence[str]:
    return (columns,) if isinstance(columns, str) else columns


def _secret(key: str | bytes | None) -> SecretKey:
    """Return the secret that is meant.

    Raises:
        UsageError: It is too short, or the variable is not set.
    """
    if key is None:
        return SecretKey.random()
    if not isinstance(key, str) or not key.startswith(ENV):
        return SecretKey(key)
    name = key.removeprefix(ENV)
    value = os.environ.get(name)
    if value is None:
        raise UsageError(
            f"the environment variable {name} is not set",
            why="the key is said to be in it",
            mend=f"Set it, as export {name}=$(openssl rand -hex 32)",
        )
    return SecretKey(value)
