"""What users meet: :class:`Synthesizer`, :class:`Metadata`, and a few functions."""

from simulacra.api.anonymizing import anonymize
from simulacra.api.comparing import compare
from simulacra.api.evaluation import evaluate
from simulacra.api.inputs import source
from simulacra.api.metadata import Metadata
from simulacra.api.subsetting import subset
from simulacra.api.synthesizer import Synthesizer, load
from simulacra.pipeline.conditions.wanted import between

__all__ = [
    "Metadata",
    "Synthesizer",
    "anonymize",
    "between",
    "compare",
    "evaluate",
    "load",
    "source",
    "subset",
]
