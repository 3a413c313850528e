"""The words of the made-up reports, in two vocabularies that share no phrase: "training" and "test".

In a frame, `{a}` is the finding with its article, `{x}` the finding without, `{X}` the same with a capital letter.
"""

from typing import Literal

Vocabulary = Literal["training", "test", "all"]
Words = dict[Literal["training", "test"], tuple[str, ...]]

NOUNS: dict[str, Words] = {
    "Enlarged Cardiomediastinum": {
        "training": ("mediastinal widening", "a widened mediastinum"),
        "test": ("an enlarged mediastinum", "widening of the mediastinum"),
    },
    "Cardiomegaly": {
        "training": ("cardiomegaly", "an enlarged heart", "enlargement of the cardiac silhouette"),
        "test": ("cardiac enlargement", "an enlarged cardiac silhouette", "enlargement of the heart"),
    },
    "Lung Lesion": {
        "training": ("a nodule", "a pulmonary nodule", "a mass"),
        "test": ("a nodular opacity", "a coin lesion", "a nodular density", "a lung mass"),
    },
    "Lung Opacity": {
        "training": ("an airspace opacity", "an infiltrate", "a patchy opacity", "airspace disease"),
        "test": ("air-space opacification", "a hazy opacity", "an ill-defined infiltrate", "a ground-glass opacity"),
    },
    "Edema": {
        "training": ("pulmonary edema", "congestive heart failure", "interstitial edema"),
        "test": ("pulmonary oedema", "CHF", "interstitial oedema", "alveolar edema"),
    },
    "Consolidation": {
        "training": ("consolidation", "a focal consolidation", "lobar consolidation"),
        "test": ("an area of consolidation", "consolidative change", "airspace consolidation"),
    },
    "Pneumonia": {
        "training": ("pneumonia", "an infectious process", "lobar pneumonia"),
        "test": ("bronchopneumonia", "infection", "a pneumonic process", "PNA"),
    },
    "Atelectasis": {
        "training": ("atelectasis", "linear atelectasis", "subsegmental atelectasis"),
        "test": ("plate-like atelectasis", "discoid atelectasis", "atelectatic change"),
    },
    "Pneumothorax": {
        "training": ("a pneumothorax", "an apical pneumothorax"),
        "test": ("a PTX", "a visible pneumothorax", "a loculated pneumothorax"),
    },
    "Pleural Effusion": {
        "training": ("a pleural effusion", "an effusion"),
        "test": ("pleural fluid", "a layering effusion", "a pleural fluid collection"),
    },
    "Pleural Other": {
        "training": ("pleural thickening", "a pleural plaque"),
        "test": ("thickening of the pleura", "a calcified pleural plaque", "pleural scarring"),
    },
    "Fracture": {
        "training": ("a rib fracture", "a broken rib"),
        "test": ("a fractured rib", "a displaced rib fracture", "a healing rib fracture"),
    },
    "Support Devices": {
        "training": ("an endotracheal tube", "a central venous catheter", "a pacemaker"),
        "test": ("an ETT", "a PICC line", "a chest tube", "an NG tube", "an ICD"),
    },
}
"""What each finding is called; "No Finding" follows from the others."""

PRESENT: Words = {
    "training": ("There is {a}.", "{X}.", "{X} is seen.", "Evidence of {x}.", "{X} is noted."),
    "test": ("{X} is present.", "One sees {a}.", "{X} is identified.", "Findings include {x}.", "The film shows {a}."),
}
PRESENT_AS_BEFORE: Words = {
    "training": ("Unchanged {x}.", "{X} persists.", "Persistent {x}.", "Slight decrease in {x}, which remains."),
    "test": ("Stable {x}.", "{X} has not resolved.", "No change in {x}.", "{X} is again seen, not improved."),
}
ABSENT: Words = {
    "training": ("No {x}.", "There is no {x}.", "No evidence of {x}.", "There is no definite {x}."),
    "test": ("{X} is not seen.", "No sign of {x}.", "Negative for {x}.", "No convincing {x}.", "{X}: none."),
}
ABSENT_ALL: Words = {
    "training": ("No {or}.", "There is no evidence of {or}.", "There is no {or} seen.", "The chest is without {or}."),
    "test": ("Neither {nor} is seen.", "The chest is free of {and}.", "Negative for {or}.", "No sign of {or}."),
}
"""For several findings at once: `{or}`, `{nor}`, `{and}` are lists."""
ABSENT_NOW: Words = {
    "training": ("The previously seen {x} has resolved.", "Interval resolution of {x}.", "Complete clearing of {x}."),
    "test": ("{X} is no longer seen.", "The earlier {x} has cleared.", "{X} of the prior exam has disappeared."),
}
DOUBTED: Words = {
    "training": ("Possible {x}.", "{X} cannot be excluded.", "There may be {a}.", "Questionable {x}."),
    "test": ("{X} is not ruled out.", "Suspected {x}.", "It is difficult to exclude {a}.", "?{x}.", "Equivocal {x}."),
}
DOUBTED_ONE_OF_TWO: Words = {
    "training": ("{X} versus {y}.", "This may represent {x} or {y}."),
    "test": ("Either {x} or {y}.", "{X} vs. {y}.", "The differential includes {x} and {y}."),
}
NORMAL: dict[str, Words] = {
    "Cardiomegaly": {
        "training": ("The heart is normal in size.", "Heart size is within normal limits."),
        "test": ("The heart is not enlarged.", "Normal heart size.", "Heart: Normal size."),
    },
    "Enlarged Cardiomediastinum": {
        "training": ("The mediastinal contours are normal.",),
        "test": ("The mediastinum is unremarkable.", "Normal mediastinal contour."),
    },
    "Pleural Effusion": {
        "training": ("The costophrenic angles are sharp.",),
        "test": ("The costophrenic sulci are clear.", "CP angles are clear."),
    },
}
"""Statements that deny a finding without naming it."""
NOTHING_NEW: Words = {
    "training": ("No acute cardiopulmonary disease.", "Normal chest radiograph."),
    "test": ("No acute cardiopulmonary process.", "Normal study.", "No active disease."),
}
INDICATIONS: Words = {
    "training": (
        "Cough and fever for three days, ?pneumonia.",
        "Shortness of breath. Rule out pneumonia.",
        "Pre-operative assessment.",
        "Known COPD, increasing dyspnoea.",
        "Status post fall. Evaluate for pneumothorax.",
        "Follow-up of effusion.",
        "Weight loss, smoker of 30 pack-years.",
    ),
    "test": (
        "Fever of unknown origin.",
        "Productive cough, crackles on auscultation; pneumonia?",
        "Leukocytosis. Query infiltrate.",
        "Chest pain, r/o pneumothorax, effusion or rib fracture.",
        "Hypoxia. Edema vs PNA?",
        "Line placement, evaluate for complications.",
    ),
}
HISTORIES: Words = {
    "training": (
        "History of pneumonia in childhood.",
        "History of CHF.",
        "No history of tuberculosis.",
        "Mother died of lung cancer.",
    ),
    "test": (
        "Previous pneumonia years ago, treated.",
        "Known rib fractures in the past.",
        "Brother with spontaneous pneumothorax.",
        "Hypertension.",
    ),
}
ASIDES: Words = {
    "training": (
        "Degenerative changes of the spine.",
        "The aorta is calcified.",
        "The trachea is midline.",
        "Skin fold over the left chest.",
    ),
    "test": (
        "Eventration of the right hemidiaphragm.",
        "Soft tissue edema of the chest wall.",
        "Unremarkable gastric bubble.",
        "Scoliosis.",
    ),
}
"""Sentences that settle none of the findings."""
ADVICE: Words = {
    "training": ("Correlate clinically.", "Follow-up after treatment is advised.", "CT if symptoms persist."),
    "test": ("Repeat radiograph in six weeks is recommended.", "Clinical correlation is suggested."),
}

SIZES: Words = {"training": ("small", "moderate", ""), "test": ("minimal", "large", "mild", "")}
LOBES: dict[tuple[str, str], Words] = {
    ("right", "upper lobe"): {"training": ("right upper lobe", "RUL"), "test": ("right upper zone",)},
    ("right", "middle lobe"): {"training": ("right middle lobe", "RML"), "test": ("right mid zone",)},
    ("right", "lower lobe"): {"training": ("right lower lobe", "right lung base"), "test": ("right lower zone", "RLL")},
    ("left", "upper lobe"): {"training": ("left upper lobe", "LUL"), "test": ("left upper zone",)},
    ("left", "lingula"): {"training": ("lingula",), "test": ("left mid zone",)},
    ("left", "lower lobe"): {"training": ("left lower lobe", "left lung base"), "test": ("left lower zone", "LLL")},
}


def choices(words: Words, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the phrases of one vocabulary, or of both."""
    return words["training"] + words["test"] if vocabulary == "all" else words[vocabulary]
