"""Learn and draw with SDV's GaussianCopula; runs in the environment of ``requirements.txt``.

    python run_sdv.py LEARNED.parquet DRAWN.parquet

Prints ``{"fit": seconds, "sample": seconds, "cpu": seconds}``. Reading, writing and finding out
what the columns are don't count.
"""

import json
import sys
import time
import warnings

import pandas as pd
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer

warnings.simplefilter("ignore")
learned = {"table": pd.read_parquet(sys.argv[1])}
metadata = Metadata.detect_from_dataframes(learned, infer_keys=None)
synthesizer = GaussianCopulaSynthesizer(metadata)
begun, at_work = time.perf_counter(), time.process_time()
synthesizer.fit(learned)
fitted = time.perf_counter()
drawn = synthesizer.sample(len(learned["table"]))
ended, at_work = time.perf_counter(), time.process_time() - at_work
drawn["table"].to_parquet(sys.argv[2], index=False)
print(json.dumps({"fit": fitted - begun, "sample": ended - fitted, "cpu": at_work}))
