"""Usual names of structures and findings, as codes of SNOMED CT (PS3.16, CID 7150 and 7151)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One concept of SNOMED CT."""

    value: str
    meaning: str


@dataclass(frozen=True)
class CodedName:
    """What kind of thing a segment is, and which."""

    category: Code
    kind: Code


ANATOMY = Code("91723000", "Anatomical Structure")
ABNORMAL = Code("49755003", "Morphologically Abnormal Structure")
TISSUE = Code("85756007", "Tissue")

_ANATOMY: dict[str, str] = {
    "aorta": "15825003",
    "artery": "51114001",
    "bone": "272673000",
    "brain": "12738006",
    "breast": "76752008",
    "cerebellum": "113305005",
    "clavicle": "51299004",
    "colon": "71854001",
    "esophagus": "32849002",
    "eye": "81745001",
    "femur": "71341001",
    "gallbladder": "28231008",
    "heart": "80891009",
    "hippocampus": "5366008",
    "kidney": "64033007",
    "liver": "10200004",
    "lung": "39607008",
    "lymph node": "59441001",
    "mandible": "91609006",
    "mediastinum": "72410000",
    "muscle": "71616004",
    "pancreas": "15776009",
    "pleura": "3120008",
    "prostate": "41216001",
    "rectum": "34402009",
    "rib": "113197003",
    "skin": "39937001",
    "spinal cord": "2748008",
    "spine": "421060004",
    "spleen": "78961009",
    "stomach": "69695003",
    "thyroid": "69748006",
    "trachea": "44567001",
    "uterus": "35039007",
    "vertebra": "51282000",
}

_ABNORMAL: dict[str, str] = {
    "cyst": "367643001",
    "edema": "79654002",
    "hemorrhage": "50960005",
    "lesion": "52988006",
    "mass": "4147007",
    "necrosis": "6574001",
    "neoplasm": "108369006",
    "nodule": "27925004",
    "tumor": "108369006",
}

_SPELLINGS = {"oesophagus": "esophagus", "oedema": "edema", "haemorrhage": "hemorrhage", "tumour": "tumor"}
_SIDES = ("left ", "right ")


def coded_name(name: str) -> CodedName:
    """Return the codes of a name, whatever its side, number or capitals; those of a tissue where it is not known."""
    word = name.lower().replace("_", " ").replace("-", " ").strip()
    for side in _SIDES:
        word = word.removeprefix(side)
    word = word if word in _ANATOMY or word in _ABNORMAL else word.removesuffix("s")
    word = _SPELLINGS.get(word, word)
    if word in _ANATOMY:
        return CodedName(ANATOMY, Code(_ANATOMY[word], word.capitalize()))
    if word in _ABNORMAL:
        return CodedName(ABNORMAL, Code(_ABNORMAL[word], word.capitalize()))
    return CodedName(TISSUE, TISSUE)
