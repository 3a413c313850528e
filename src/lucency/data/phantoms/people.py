"""Invented people: names no one bears, numbers in each hospital's own style, and dates."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np

from lucency import randomness

_FAMILY = (
    (
        "Vel",
        "Tor",
        "Quin",
        "Bram",
        "Ost",
        "Mir",
        "Zan",
        "Fen",
        "Gal",
        "Hux",
        "Jor",
        "Kel",
        "Lum",
        "Nar",
        "Pel",
        "Ruv",
        "Sark",
        "Thel",
        "Und",
        "Wex",
    ),
    ("ma", "ni", "so", "de", "lu", "va", "ri", "ko", "the", "za"),
    ("r", "n", "l", "st", "v", "nd", "rg", "x", "sk", "m"),
    ("ovane", "uskar", "eltho", "imbry", "axley", "orwyn", "edrin", "umbel", "atzky", "ivaro", "enquist", "ogast"),
)
_GIVEN = {
    "F": (
        "Mirelda",
        "Tavinne",
        "Osanthe",
        "Brielka",
        "Quenive",
        "Luzette",
        "Hadrine",
        "Wenolia",
        "Ysmare",
        "Corvina",
        "Elidane",
        "Junara",
    ),
    "M": (
        "Torvald-Ulo",
        "Bramwin",
        "Ostrek",
        "Caldeon",
        "Yorvin",
        "Fendrik",
        "Lazmir",
        "Hulbern",
        "Quillon",
        "Dravic",
        "Ermond",
        "Sandrel",
    ),
}
PHYSICIANS = (
    "Hartvelde^Ilsabeth^^Dr",
    "Mondrake^Piotrus^^Dr",
    "Okwaru-Lind^Sefia^^Dr",
    "Brachtwell^Aurel^^Dr",
    "Tsevane^Koru^^Dr",
)
INSTITUTIONS = {"site-a": "Aurelwick Infirmary", "site-b": "Port Sallowmere Hospital"}
ISSUERS = {"site-a": "AURELWICK", "site-b": "PORTSALLOW"}
STATIONS = {"site-a": "AWCR01", "site-b": "PSDX07"}

Site = Literal["site-a", "site-b"]


@dataclass(frozen=True)
class Person:
    """One invented patient, as two hospitals would write them down."""

    key: str
    """The pseudonym in the tables and file names, for example a0012."""
    site: Site
    name: str
    """In DICOM's form: family^given."""
    patient_id: str
    sex: Literal["F", "M"]
    birth_date: date
    first_exam: date
    physician: str


def invent_people(seed: int, n_patients: int) -> list[Person]:
    """Invent patients with unlike family names and numbers, three in five of them at the first site.

    One patient of the second site bears the same number as one of the first, as happens where two hospitals count for
    themselves: only the issuer of the number tells them apart.
    """
    draw = randomness.generator(seed, "phantom people")
    parts = [len(part) for part in _FAMILY]
    names = draw.choice(int(np.prod(parts)), n_patients, replace=False)
    numbers = draw.choice(90_000_000, n_patients, replace=False)
    people = []
    for i in range(n_patients):
        family = "".join(part[k] for part, k in zip(_FAMILY, np.unravel_index(names[i], parts), strict=True))
        sex: Literal["F", "M"] = "F" if draw.random() < 0.48 else "M"
        site: Site = "site-a" if i % 5 < 3 else "site-b"
        first_exam = date(2018, 1, 2) + timedelta(days=int(draw.integers(1500)))
        age_days = int(365.25 * np.clip(draw.normal(58, 18), 18, 94)) + int(draw.integers(365))
        people.append(
            Person(
                key=f"{site[-1]}{i:04d}",
                site=site,
                name=f"{family}^{_GIVEN[sex][draw.integers(len(_GIVEN[sex]))]}",
                patient_id=f"AW-{numbers[i]:08d}" if site == "site-a" else f"{numbers[i] % 10_000_000:08d}K{i % 10}",
                sex=sex,
                birth_date=first_exam - timedelta(days=age_days),
                first_exam=first_exam,
                physician=PHYSICIANS[draw.integers(len(PHYSICIANS))],
            )
        )
    people[3] = replace(people[3], patient_id=people[0].patient_id)
    return people


def in_words(dicom_name: str) -> str:
    """Turn family^given^^prefix into the order of a letter."""
    family, given, _, prefix = [*dicom_name.split("^"), "", "", ""][:4]
    return " ".join(part for part in (prefix, given, family) if part)
