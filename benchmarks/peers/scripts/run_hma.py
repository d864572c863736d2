"""SDV's HMA, with the keys that ``about.json`` lists, all of one column: it knows no others."""

from sdv.metadata import Metadata
from sdv.multi_table import HMASynthesizer
from stages import Job

job = Job()
job.versions("sdv", "copulas", "rdt")
learned = job.read_all()
with job.stage("detect"):
    metadata = Metadata.detect_from_dataframes(learned, infer_keys=None)
    for table, column in job.about["primary"].items():
        metadata.update_column(column, table_name=table, sdtype="id")
        metadata.set_primary_key(column, table_name=table)
    for child, column, parent, parent_column in job.about["foreign"]:
        metadata.update_column(column, table_name=child, sdtype="id")
        metadata.add_relationship(parent, child, parent_column, column)
with job.stage("fit"):
    synthesizer = HMASynthesizer(metadata, verbose=False)
    synthesizer.fit(learned)
with job.stage("sample"):
    main = job.about["main"]
    drawn = synthesizer.sample(len(learned[main]), main_table_name=main)
job.write_all(drawn)
