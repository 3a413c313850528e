"""The demonstration: a made-up cohort and the plan of a study on it."""

import json
import shutil
from pathlib import Path

from lucency import __version__
from lucency.domain.progress import Desk
from lucency.errors import PlanError
from lucency.provenance import write_atomically

PLAN = """\
# The demonstration of lucency: who is ill on a chest radiograph? Every person, date and finding is invented.
# The network learns from labels that rules take from radiology reports, and is judged by two readers.
# Change a setting and run `lucency run study.yaml --out study`: only what depends on it is done again.
title: Pneumonia on made-up chest radiographs
task: classification
data:
  images: cohort/images
  labels:                                  # cheap labels to learn from
    from: reports
    reports:
      folder: cohort/reports
      table: cohort/report_of_image.csv
      finding: Pneumonia
      uncertain: soft                      # “possible pneumonia” teaches with a probability of one half
      reread: cohort/reread.csv
  reference:                               # better labels to be judged by
    from: readers
    readers: {tables: [cohort/readers.csv], date_column: date}
    consensus: {rule: majority, adjudicated: cohort/adjudication.csv}
  patient: dicom
  image: {size: 64}
network: {architecture: small_cnn}
training:
  {epochs: 24, batch_size: 32, learning_rate: 3.0e-3, warmup_epochs: 1, weight_decay: 0.05, early_stopping: null, n_members: 2}
"""


def prepare_demo(folder: Path, desk: Desk) -> Path:
    """Write the cohort, unless it is there already, and the plan; return the plan's path.

    Raises:
        PlanError: the folder holds something else.
    """
    from lucency.data.phantoms import write_cohort

    cohort, mark = folder / "cohort", folder / "cohort" / "complete.json"
    known = {"lucency": __version__}
    if not mark.exists() or json.loads(mark.read_text()) != known:
        if folder.exists() and any(folder.iterdir()) and not cohort.exists():
            raise PlanError(f"{folder} is not empty. Choose another folder with --out.")
        shutil.rmtree(cohort, ignore_errors=True)
        desk.say("Making up a cohort of chest radiographs with labels, two readers and reports …")
        write_cohort(cohort)
        write_atomically(mark, json.dumps(known))
    write_atomically(folder / "study.yaml", PLAN)
    return folder / "study.yaml"
