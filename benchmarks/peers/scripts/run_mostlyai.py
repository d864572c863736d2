"""MOSTLY AI's TabularARGN, as it comes, on processors."""

from mostlyai.engine import TabularARGN
from stages import Job

if __name__ == "__main__":  # it starts processes that import this file
    job = Job()
    job.versions("mostlyai-engine", "torch")
    learned = job.read()
    with job.stage("fit"):
        model = TabularARGN(device="cpu", random_state=0)
        model.fit(learned)
    with job.stage("sample"):
        drawn = model.sample(n_samples=len(learned))
    job.write(drawn)
