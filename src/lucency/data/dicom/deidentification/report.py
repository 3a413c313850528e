"""The page that says what was done and what may remain, and the private sheet of pictures to look at."""

import os
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lucency import __version__
from lucency.data.codes import EXPLANATIONS
from lucency.data.dicom.deidentification.account import Entry, Fate, Summary
from lucency.provenance import storage_errors, write_atomically

PAGE = "deidentification.html"

MOST_LISTED = 500
"""Files that were not written, on the page; all of them stand in the account."""

MOST_SHOWN = 2000
"""Pictures on the review sheet, which a browser can still show."""


def write_report(summary: Summary, out: Path) -> None:
    """Write the page of a folder of results; it holds no identifier, no path of an original and no time.

    Raises:
        StorageError: the folder cannot be written.
    """
    unwritten = [row for row in summary.files if row.fate != Fate.WRITTEN]
    counts: Counter[str] = Counter()
    for row in summary.files:
        counts.update(row.counts)
    reasons = Counter(row.code for row in unwritten)
    page = _template("report.html.j2").render(
        title="De-identification",
        style=_style(),
        version=__version__,
        summary=summary,
        fates=[(fate.value, summary.n_files(fate)) for fate in Fate],
        reasons=[(code, n, EXPLANATIONS.get(code, "")) for code, n in sorted(reasons.items())],
        counts=sorted(counts.items()),
        risks=risks_of(summary.settings),
        rule_of_three=rule_of_three(summary),
        unwritten=unwritten[:MOST_LISTED],
        n_more=max(0, len(unwritten) - MOST_LISTED),
    )
    write_atomically(out / PAGE, page)


def write_review_sheet(path: Path, entries: list[Entry]) -> Path | None:
    """Write the pictures that were held back, for the owner's eyes only; return where, or None where there are none.

    Raises:
        StorageError: the folder cannot be written.
    """
    held_back = [entry for entry in entries if entry.row.fate == Fate.QUARANTINED]
    if not held_back:
        path.unlink(missing_ok=True)
        return None
    page = _template("review.html.j2").render(title="To review", style=_style(), entries=held_back[:MOST_SHOWN])
    with storage_errors(path):
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(page)
    return path


def risks_of(settings: dict[str, str]) -> list[str]:
    """Say in plain words what may still lead to a patient under some settings."""
    risks = [
        "A face can be computed from thin slices of a head (CT, MR, PET). Remove it with a defacing tool before sharing.",
        "Rare findings, implants with a visible serial number, jewellery and unusual anatomy can be recognised by whoever "
        "knows the patient.",
        "Technical texts (manufacturer, model, kernel, sequence) and codes are kept where they look like it; somebody may "
        "have typed a name into one of them.",
        "The scanner's settings and the times of day together may tell the hospital, and the day to whoever has its archive.",
        "Reports in plain text are scrubbed of what the headers know and of what looks like a date, number or titled name. "
        "A name that no header holds stays.",
        "Whoever has the key, the private list or the review sheet can undo the pseudonyms. Keep them apart from the results.",
    ]
    if settings["burned_in"] == "ignore":
        risks.insert(0, "The pictures were not searched for text, as was asked for. They may show names.")
    if settings["burned_in"] == "mask":
        risks.insert(
            0, "Text was searched and covered by a program. Small, faint, turned or handwritten text can be missed."
        )
    if settings["burned_in"] == "quarantine":
        risks.insert(
            0,
            "Pictures of risky kinds were held back. Others were searched for text only at a glance, or not at all where "
            "their header says that they hold none.",
        )
    if settings["dates"] == "keep":
        risks.insert(0, "True dates were kept, as was asked for.")
    if settings["uids"] == "keep":
        risks.insert(0, "True UIDs were kept, as was asked for: whoever has access to the archive finds the patient.")
    if settings["descriptors"] == "clean":
        risks.insert(
            0, "Descriptions were cleaned of what the header knows; other names that were typed into them stay."
        )
    if settings["institution"] == "keep" or settings["device"] == "keep":
        risks.insert(0, "The institution or the device was kept, as was asked for; a small hospital has few patients.")
    return risks


def rule_of_three(summary: Summary) -> str:
    """Say what looking at a sample without finding anything would show (Hanley & Lippman-Hand, JAMA 1983)."""
    n_files = summary.n_files(Fate.WRITTEN)
    n_sample = min(300, n_files)
    share = f"{3 / n_sample:.1%}" if n_sample >= 30 else "a tenth or more"
    return (
        "No program can prove that nothing remains. Let a person look at a random sample of the results, header and picture. "
        f"If nothing is found in {n_sample} of the {n_files} files, the share of files with a leak may still be up to "
        f"{share} (rule of three, 95 % confidence)."
    )


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_own_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _style() -> Any:
    return Markup(_own_file("report.css"))


def _own_file(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")
