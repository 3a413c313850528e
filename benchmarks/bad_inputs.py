"""What readers make of 120 odd, damaged and hostile DICOM folders: `python -m benchmarks.bad_inputs`.

A reader is right where it returns the true values at their places in the patient, or where refusing is right and it stops
with an error or returns nothing. Of the peers no codes and no notes are asked, except where an input is so doubtful that
refusing would be right too: there the user must be told. SimpleITK looks into one folder at a time and MONAI makes one
volume of it; they are called so. A folder may take ten seconds of processor time and two gigabytes of memory.
"""

import importlib.util
import tempfile
from collections import Counter
from pathlib import Path

from tests.reliability.bad_inputs.case import Expected, first_fault, first_fault_of_peer, write_alone
from tests.reliability.bad_inputs.cases import CASES
from tests.reliability.bad_inputs.readers import Reading, read_folders

PACKAGES = {"lucency": "lucency", "SimpleITK": "SimpleITK", "MONAI": "monai"}
"""Readers, and the packages they need."""


def verdict(reader: str, expected: list[Expected], reading: Reading) -> str:
    """Return "right", "silently wrong" or "error"."""
    if reader == "lucency":
        fault = reading.end or first_fault(expected, reading.found)
    else:
        fault = first_fault_of_peer(expected, reading.found, bool(reading.end))
    return "right" if not fault else ("silently wrong" if fault.startswith("silent") else "error")


def verdicts(folder: Path) -> dict[str, dict[str, str]]:
    """Write all cases below a folder, and return the verdict on each reader that is installed by the case's name."""
    folders = {case.name: folder / "cases" / case.name for case in CASES}
    expected = {}
    for case in CASES:
        folders[case.name].mkdir(parents=True)
        expected[case.name] = write_alone(case, folders[case.name])
    told = {}
    for reader, package in PACKAGES.items():
        if importlib.util.find_spec(package):
            readings = read_folders(reader, folders, folder / reader)
            told[reader] = {name: verdict(reader, expected[name], readings[name]) for name in folders}
    return told


def main() -> None:
    """Print how many cases each reader gets right, and what each makes of each case."""
    with tempfile.TemporaryDirectory() as folder:
        told = verdicts(Path(folder))
    print(f"\n### Bad inputs\n\n| of {len(CASES)} folders | right | silently wrong | error |\n|:--|--:|--:|--:|")
    for reader, by_case in told.items():
        counts = Counter(by_case.values())
        print(f"| {reader} | {counts['right']} | {counts['silently wrong']} | {counts['error']} |")
    print(f"\n| | {' | '.join(told)} |\n|:--|{':--|' * len(told)}")
    for case in CASES:
        print(f"| {case.wrong} | {' | '.join(told[reader][case.name] for reader in told)} |")


if __name__ == "__main__":
    main()
