"""Adversarial random forests, as they come.

They know numbers and categories: times are given as seconds, and come back as times.
"""

import numpy as np
import pandas as pd
from arfpy import arf
from stages import Job

job = Job()
job.versions("arfpy", "scikit-learn")
learned = job.read()
np.random.seed(0)  # noqa: NPY002 - the generator that it draws from
times = list(learned.select_dtypes("datetime"))
with job.stage("fit"):
    given = learned.copy()
    for name in times:
        given[name] = given[name].astype("datetime64[s]").astype("int64")
    for name in given.columns[given.dtypes.map(pd.api.types.is_string_dtype)]:
        given[name] = given[name].astype(object)
    model = arf.arf(x=given, verbose=False)
    model.forde()
with job.stage("sample"):
    drawn = model.forge(n=len(learned))
    for name in times:
        drawn[name] = drawn[name].astype("float64").astype("int64").astype("datetime64[s]")
job.write(drawn)
