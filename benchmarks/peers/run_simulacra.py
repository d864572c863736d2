"""Learn and draw with Simulacra as it comes; the counterpart of the other scripts here.

    python run_simulacra.py LEARNED.parquet DRAWN.parquet

Prints ``{"fit": seconds, "sample": seconds, "cpu": seconds}``. Reading and writing don't count;
finding out what the columns are does.
"""

import json
import sys
import time

import pandas as pd

import simulacra

learned = pd.read_parquet(sys.argv[1])
synthesizer = simulacra.Synthesizer(seed=0)
begun, at_work = time.perf_counter(), time.process_time()
synthesizer.fit(learned)
fitted = time.perf_counter()
drawn = synthesizer.sample(len(learned))
ended, at_work = time.perf_counter(), time.process_time() - at_work
drawn.to_parquet(sys.argv[2], index=False)
print(json.dumps({"fit": fitted - begun, "sample": ended - fitted, "cpu": at_work}))
