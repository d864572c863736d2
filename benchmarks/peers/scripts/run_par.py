"""SDV's PAR, with the sequences that ``about.json`` names."""

from sdv.metadata import Metadata
from sdv.sequential import PARSynthesizer
from stages import Job

job = Job()
job.versions("sdv", "deepecho", "torch")
learned = job.read()
key, index = job.about["sequence_key"], job.about["sequence_index"]
with job.stage("detect"):
    metadata = Metadata.detect_from_dataframes({"table": learned}, infer_keys=None)
    metadata.update_column(key, table_name="table", sdtype="id")
    metadata.set_sequence_key(key, table_name="table")
    metadata.set_sequence_index(index, table_name="table")
with job.stage("fit"):
    synthesizer = PARSynthesizer(metadata)
    synthesizer.fit({"table": learned})
with job.stage("sample"):
    drawn = synthesizer.sample_sequences(learned[key].nunique())
job.write(drawn["table"])
