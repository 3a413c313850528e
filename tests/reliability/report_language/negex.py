"""The plain baseline: a finding is denied or doubted where a trigger stands within five words of it (Chapman 2001)."""

import re

WORDS = {
    "Enlarged Cardiomediastinum": r"mediastin\w+",
    "Cardiomegaly": r"cardiomegaly|enlarged heart|heart|cardiac silhouette",
    "Lung Lesion": r"nodul\w+|mass(es)?|lesion",
    "Lung Opacity": r"opaci\w+|infiltrates?|airspace disease",
    "Edema": r"o?edema|congestion|heart failure|chf",
    "Consolidation": r"consolidat\w+",
    "Pneumonia": r"pneumonia|infection|pna",
    "Atelectasis": r"atelecta\w+|collapse",
    "Pneumothorax": r"pneumothora\w+|ptx",
    "Pleural Effusion": r"effusions?|pleural fluid",
    "Pleural Other": r"pleural thickening|plaques?",
    "Fracture": r"fractures?",
    "Support Devices": r"tubes?|catheter|lines?|pacemaker|picc|ett|ngt",
}
BEFORE_NO = r"no|not|without|absence of|negative for|free of|resolution of|resolved|denies|nor|neither"
AFTER_NO = r"not seen|absent|none|resolved|excluded|ruled out|normal|unremarkable|clear"
DOUBT = r"possible|possibly|may|might|could|cannot|questionable|suspicious|concern|versus|vs|not excluded|query"


def label_by_negex(text: str) -> dict[str, str]:
    """Label each finding by the triggers around its words; the surest mention counts."""
    labels: dict[str, str] = {}
    for sentence in re.split(r"(?<=[.;])\s+|\n\s*\n", re.sub(r"(?<=\S)\n(?=\S)", " ", text.lower())):
        for finding, words in WORDS.items():
            for found in re.finditer(rf"\b({words})\b", sentence):
                before = " ".join(sentence[: found.start()].split()[-5:])
                after = " ".join(sentence[found.end() :].split()[:5])
                said = "positive"
                if re.search(rf"\b({BEFORE_NO})\b", before) or re.search(rf"\b({AFTER_NO})\b", after):
                    said = "negative"
                if re.search(rf"\b({DOUBT})\b", f"{before} | {after}"):
                    said = "uncertain"
                labels[finding] = min(labels.get(finding, said), said, key=["positive", "uncertain", "negative"].index)
    return labels
