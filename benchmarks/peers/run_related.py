"""Learn and draw related tables with Simulacra; the counterpart of ``run_hma.py``.

    python run_related.py LEARNED DRAWN

Reads ``spec.yaml`` in the folder. Prints ``{"fit": seconds, "sample": seconds, "cpu": seconds}``.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd

import simulacra

source, target = Path(sys.argv[1]), Path(sys.argv[2])
learned = {path.stem: pd.read_parquet(path) for path in sorted(source.glob("*.parquet"))}
metadata = simulacra.Metadata.load(source / "spec.yaml")
synthesizer = simulacra.Synthesizer(seed=0)
begun, at_work = time.perf_counter(), time.process_time()
synthesizer.fit(learned, metadata)
fitted = time.perf_counter()
drawn = synthesizer.sample()
ended, at_work = time.perf_counter(), time.process_time() - at_work
target.mkdir()
for name, table in drawn.items():
    table.to_parquet(target / f"{name}.parquet", index=False)
print(json.dumps({"fit": fitted - begun, "sample": ended - fitted, "cpu": at_work}))
