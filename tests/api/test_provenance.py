"""What a report's data sheet says of what drew a copy."""

import numpy as np
import pyarrow as pa
import pytest

import simulacra
from simulacra import Metadata, Synthesizer, evaluate
from simulacra.core.errors import BundleError, UsageError

REAL = pa.table({"kind": np.array(["a", "b"])[np.arange(200) % 2], "n": np.arange(200) % 7})


def sheet(model):
    synthetic = REAL.slice(0, 150)
    return evaluate(REAL, synthetic, model=model, metrics=["missing_values"]).about["model"]


def test_model_seed_version_and_protections_are_told(tmp_path):
    metadata = Metadata.detect(REAL)
    (table,) = metadata.spec.tables.values()
    table.columns["kind"].options["min_count"] = 3
    synthesizer = Synthesizer("copula", seed=5, structure_rows=150).fit(REAL, metadata)
    told = sheet(synthesizer)
    assert told.startswith("model copula, structure_rows 150, seed 5, made by simulacra")
    assert simulacra.__version__ in told
    assert "of fewer than 10 rows in columns of 1,000 rows or more" in told
    assert "of fewer than 3 in table.kind" in told
    synthesizer.save(tmp_path / "copy.sim")
    assert sheet(tmp_path / "copy.sim") == told


def test_it_is_told_only_of_what_is_given():
    report = evaluate(REAL, REAL, metrics=["missing_values"])
    assert "model" not in report.about


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(UsageError, match="nothing was learned"):
        sheet(Synthesizer())
    (tmp_path / "copy.sim").write_bytes(b"no bundle")
    with pytest.raises(BundleError):
        sheet(tmp_path / "copy.sim")
