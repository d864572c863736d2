"""The forest's options."""

from __future__ import annotations

from pydantic import Field

from simulacra.core.protocols import Config


class ForestConfig(Config):
    """Options of the ``forest`` model."""

    rows: int = Field(
        default=500_000,
        ge=1,
        description="Rows that structure is learned from, at most; marginals use every row",
    )
    cells: int = Field(
        default=100_000_000,
        ge=1,
        description="Rows times features that structure is learned from, at most, for wide tables",
    )
    trees: int = Field(default=4, ge=1, le=256, description="Trees per feature")
    min_leaf: int = Field(
        default=8, ge=1, description="Rows a leaf holds, at least; more copies less, and blurs"
    )
    max_depth: int = Field(default=40, ge=1, le=250, description="Splits on a path, at most")
    penalty: float = Field(
        default=1.2,
        ge=0.0,
        description=(
            "What a split must gain, in nats per parameter it adds: 1 is Akaike's criterion; "
            "less fits closer and is nearer to copying, more blurs. Features that others tell much "
            "about are spared up to 70 % of it"
        ),
    )
    shrinkage: float = Field(
        default=6.0,
        ge=0.0,
        description=(
            "Rows' worth of trust in the surroundings of a leaf: a leaf of m rows is left for its "
            "parent with probability s / (m + s), s being this or its distinct codes less one"
        ),
    )
    feature_share: float = Field(
        default=0.7, gt=0.0, le=1.0, description="Features a node may choose its split from"
    )
    partners: int = Field(
        default=64,
        ge=1,
        description="Earlier features that a feature may depend on, at most; the strongest first",
    )
    split_rows: int = Field(
        default=20_000,
        ge=100,
        description="Rows of a node that are looked at to choose its split, at most",
    )
