"""The tasks that a study can have, by the names of the plan."""

CLASSIFICATION = "classification"
REGRESSION = "regression"
SEGMENTATION = "segmentation"
DETECTION = "detection"
SYNTHESIS = "synthesis"
REPORT_LABELLING = "report_labelling"
TASKS = (CLASSIFICATION, REGRESSION, SEGMENTATION, DETECTION, SYNTHESIS, REPORT_LABELLING)

JUDGING_IMAGES = (CLASSIFICATION, REGRESSION, SYNTHESIS)
"""Tasks whose networks look at whole images, and are those of the catalogue."""
