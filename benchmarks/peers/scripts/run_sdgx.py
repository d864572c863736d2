"""sdgx's GaussianCopula and CTGAN, as they come.

Its metadata are those it detects. It reads times from text, by a format that it must be told.
"""

import pandas as pd
from sdgx.data_connectors.dataframe_connector import DataFrameConnector
from sdgx.data_models.metadata import Metadata
from sdgx.models.ml.single_table.ctgan import CTGANSynthesizerModel
from sdgx.models.statistics.single_table.copula import GaussianCopulaSynthesizerModel
from sdgx.synthesizer import Synthesizer
from stages import Job

MODELS = {"GaussianCopula": GaussianCopulaSynthesizerModel, "CTGAN": CTGANSynthesizerModel}
FORMAT = "%Y-%m-%d %H:%M:%S"

job = Job()
job.versions("sdgx", "torch")
learned = job.read()
times = list(learned.select_dtypes("datetime"))
with job.stage("fit"):
    given = learned.copy()
    for name in times:
        given[name] = given[name].dt.strftime(FORMAT)
    metadata = Metadata.from_dataframe(given)
    metadata.datetime_columns = set(times)
    metadata.datetime_format = dict.fromkeys(times, FORMAT)
    synthesizer = Synthesizer(
        MODELS[job.model](), metadata=metadata, data_connector=DataFrameConnector(given)
    )
    synthesizer.fit()
with job.stage("sample"):
    drawn = synthesizer.sample(len(learned))
    for name in times:
        drawn[name] = pd.to_datetime(drawn[name], format=FORMAT, errors="coerce")
job.write(drawn)
