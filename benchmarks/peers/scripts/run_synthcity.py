"""synthcity's plug-in for adversarial random forests, as it comes."""

from stages import Job
from synthcity.plugins import Plugins
from synthcity.plugins.core.dataloader import GenericDataLoader

job = Job()
job.versions("synthcity", "arfpy", "torch")
learned = job.read()
with job.stage("fit"):
    model = Plugins().get("arf", random_state=0)
    model.fit(GenericDataLoader(learned))
with job.stage("sample"):
    drawn = model.generate(count=len(learned)).dataframe()
job.write(drawn)
