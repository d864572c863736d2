"""Learn and draw with SDV's GaussianCopula; runs in the environment of ``requirements.txt``.

    python run_sdv.py LEARNED.parquet DRAWN.parquet

Prints ``{"fit": seconds, "sample": seconds}``. Reading, writing and finding out what the columns
are don't count.
"""

import json
import sys
import time
import warnings

import pandas as pd
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer

warnings.simplefilter("ignore")
learned = pd.read_parquet(sys.argv[1])
metadata = Metadata.detect_from_dataframe(learned, table_name="table")
synthesizer = GaussianCopulaSynthesizer(metadata)
begun = time.perf_counter()
synthesizer.fit(learned)
fitted = time.perf_counter()
drawn = synthesizer.sample(len(learned))
ended = time.perf_counter()
drawn.to_parquet(sys.argv[2], index=False)
print(json.dumps({"fit": fitted - begun, "sample": ended - fitted}))
