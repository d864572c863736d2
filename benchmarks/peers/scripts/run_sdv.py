"""SDV's GaussianCopula, CTGAN and TVAE, as they come.

Its metadata are those it detects. Strings that it takes for personal data or for something unknown
would be replaced by made-up ones: where values repeat they are declared categories instead, as its
documentation advises.
"""

from sdv import single_table
from sdv.metadata import Metadata
from stages import Job

job = Job()
job.versions("sdv", "ctgan", "copulas", "rdt", "torch")
learned = job.read()
with job.stage("detect"):
    metadata = Metadata.detect_from_dataframes({"table": learned}, infer_keys=None)
    for name, column in metadata.tables["table"].columns.items():
        if column["sdtype"] in {"categorical", "numerical", "datetime", "boolean"}:
            continue
        if learned[name].dtype.kind in "iuf":
            metadata.update_column(name, table_name="table", sdtype="numerical")
        elif learned[name].nunique() < len(learned) / 2:
            metadata.update_column(name, table_name="table", sdtype="categorical")
with job.stage("fit"):
    synthesizer = getattr(single_table, f"{job.model}Synthesizer")(metadata)
    synthesizer.fit({"table": learned})
with job.stage("sample"):
    drawn = synthesizer.sample(len(learned))
job.write(drawn["table"])
