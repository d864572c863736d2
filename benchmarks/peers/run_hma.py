"""Learn and draw related tables with SDV's HMA; runs in the environment of ``requirements.txt``.

    python run_hma.py LEARNED DRAWN

``LEARNED`` is a folder with a Parquet file a table and ``keys.json``: primary keys by table, and
foreign keys of one column (HMA knows no others) as ``[child, column, parent, column]``. Prints
``{"fit": seconds, "sample": seconds, "cpu": seconds}``.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from sdv.metadata import Metadata
from sdv.multi_table import HMASynthesizer

warnings.simplefilter("ignore")
source, target = Path(sys.argv[1]), Path(sys.argv[2])
keys = json.loads((source / "keys.json").read_text())
learned = {path.stem: pd.read_parquet(path) for path in sorted(source.glob("*.parquet"))}
metadata = Metadata.detect_from_dataframes(learned, infer_keys=None)
for table, column in keys["primary"].items():
    metadata.update_column(column, table_name=table, sdtype="id")
    metadata.set_primary_key(column, table_name=table)
for child, column, parent, parent_column in keys["foreign"]:
    metadata.update_column(column, table_name=child, sdtype="id")
    metadata.add_relationship(parent, child, parent_column, column)
synthesizer = HMASynthesizer(metadata, verbose=False)
begun, at_work = time.perf_counter(), time.process_time()
synthesizer.fit(learned)
fitted = time.perf_counter()
drawn = synthesizer.sample(len(learned["flights"]), main_table_name="flights")
ended, at_work = time.perf_counter(), time.process_time() - at_work
target.mkdir()
for name, table in drawn.items():
    table.to_parquet(target / f"{name}.parquet", index=False)
print(json.dumps({"fit": fitted - begun, "sample": ended - fitted, "cpu": at_work}))
