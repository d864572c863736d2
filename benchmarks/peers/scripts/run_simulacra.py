"""Simulacra as it comes: from files to files, so that its times include reading and writing."""

from stages import Job

import simulacra

job = Job()
job.versions("simulacra")
is_table = (job.folder / "learned.parquet").exists()
learned = job.folder / ("learned.parquet" if is_table else "learned")
spec = job.folder / "spec.yaml"
metadata = simulacra.Metadata.load(spec) if spec.exists() else None
with job.stage("fit"):
    synthesizer = simulacra.Synthesizer(seed=0).fit(str(learned), metadata)
with job.stage("sample"):
    synthesizer.write(job.made)
