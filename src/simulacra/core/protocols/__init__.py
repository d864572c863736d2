"""The contracts of every plug-in kind. Small on purpose: implement one and you are in.

A plug-in is a class named by an entry point (``simulacra.models`` and so on). It is built without
arguments; whatever it learns lives in what its ``fit`` returns, so "not fitted yet" cannot exist.
"""

from simulacra.core.protocols.columns import (
    Agreeing,
    Codec,
    ColumnProfile,
    DataType,
    Detection,
    FittedColumn,
    Fitter,
    FollowingCodec,
    Lacking,
    Masking,
    ReplacingCodec,
    TellingApart,
)
from simulacra.core.protocols.config import Config
from simulacra.core.protocols.data import BLOCK_ROWS, BatchSource, Connector, TableWriter
from simulacra.core.protocols.engines import Engine
from simulacra.core.protocols.metrics import DatasetMetric, Metric
from simulacra.core.protocols.models import FittedModel, Model, ModelTraits
from simulacra.core.protocols.rules import FittedRule, Rule

__all__ = [
    "BLOCK_ROWS",
    "Agreeing",
    "BatchSource",
    "Codec",
    "ColumnProfile",
    "Config",
    "Connector",
    "DataType",
    "DatasetMetric",
    "Detection",
    "Engine",
    "FittedColumn",
    "FittedModel",
    "FittedRule",
    "Fitter",
    "FollowingCodec",
    "Lacking",
    "Masking",
    "Metric",
    "Model",
    "ModelTraits",
    "ReplacingCodec",
    "Rule",
    "TableWriter",
    "TellingApart",
]
