"""sdgx's GaussianCopula and CTGAN, as they come."""

from sdgx.data_connectors.dataframe_connector import DataFrameConnector
from sdgx.models.ml.single_table.ctgan import CTGANSynthesizerModel
from sdgx.models.statistics.single_table.copula import GaussianCopulaSynthesizerModel
from sdgx.synthesizer import Synthesizer
from stages import Job

MODELS = {"GaussianCopula": GaussianCopulaSynthesizerModel, "CTGAN": CTGANSynthesizerModel}

job = Job()
job.versions("sdgx", "torch")
learned = job.read()
with job.stage("fit"):
    synthesizer = Synthesizer(MODELS[job.model](), data_connector=DataFrameConnector(learned))
    synthesizer.fit()
with job.stage("sample"):
    drawn = synthesizer.sample(len(learned))
job.write(drawn)
