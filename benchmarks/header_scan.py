"""The headers of 100,000 CT slices, lucency beside pydicom, GDCM and SimpleITK: `python -m benchmarks.header_scan`.

The files are made on the spot: CT headers of about a hundred elements, every one different, in series of 250 slices;
512 × 512 pixels of 16 bits follow as a hole in the file, so that a file of 527 kB takes 4 kB of the disk. Every reader
runs in a process of its own and returns the same elements as texts. Its time is counted from the first file to the last,
the start of its child processes included; memory is the largest sum over its whole tree of processes (Linux only).
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.ct_slices import write_headers
from lucency.data.dicom.scan import SCANNED, scan

Texts = Mapping[str, str]
"""Keyword → text, as `lucency.data.dicom.scan.ScannedFile.elements`."""

N_FILES, N_BESIDE_PEERS = 100_000, 10_000
"""Files of the large scan, and of those beside the peers."""

N_ROUNDS = 5


# The readers, each in a process of its own ---------------------------------------------------------------------------


def read_with_lucency(paths: list[Path]) -> Iterator[Texts]:
    """Scan on all cores."""
    return (file.elements for file in scan(paths))


def read_with_lucency_in_one(paths: list[Path]) -> Iterator[Texts]:
    """Scan in this process."""
    from lucency.data.dicom.scanned_file import scan_file, wanted_elements

    wanted = wanted_elements()
    return (scan_file(path, wanted).elements for path in paths)


def read_with_lucency_and_keep(paths: list[Path]) -> Iterator[Texts]:
    """Scan on all cores and hold all headers in memory, as sorting them into series does."""
    return iter([file.elements for file in scan(paths)])


def read_with_lucency_and_journal(paths: list[Path]) -> Iterator[Texts]:
    """Scan on all cores with a journal beside the files."""
    return (file.elements for file in scan(paths, paths[0].parent.parent / "scan.jsonl"))


def read_with_pydicom(paths: Iterable[Path]) -> Iterator[Texts]:
    """Loop as pydicom's documentation would, asking for these elements only, which is its fastest way."""
    return map(_texts_of_pydicom, paths)


def read_with_pydicom_in_two(paths: list[Path]) -> Iterator[Texts]:
    """Loop in two processes."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        yield from pool.imap(_texts_of_pydicom, paths, chunksize=64)


def _texts_of_pydicom(path: Path) -> Texts:
    import pydicom

    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(SCANNED))
    texts = {}
    for keyword in SCANNED:
        value = (header.file_meta if keyword == "TransferSyntaxUID" else header).get(keyword)
        if value is not None:
            many = isinstance(value, (list, pydicom.multival.MultiValue))
            texts[keyword] = "\\".join(map(str, value)) if many else str(value)
    return {keyword: text for keyword, text in texts.items() if text}


def read_with_gdcm(paths: list[Path]) -> Iterator[Texts]:
    """Ask GDCM's scanner, a thousand files at a time so that its memory stays small."""
    import gdcm

    tags = {keyword: gdcm.Tag(number >> 16, number & 0xFFFF) for keyword, number in _tags().items()}
    for at in range(0, len(paths), 1000):
        names = [str(path) for path in paths[at : at + 1000]]
        scanner = gdcm.Scanner()
        for tag in tags.values():
            scanner.AddTag(tag)
        scanner.Scan(names)
        for name in names:
            values = {keyword: scanner.GetValue(name, tag) for keyword, tag in tags.items()}
            yield {keyword: _latin(value) for keyword, value in values.items() if value}


def read_with_simpleitk(paths: list[Path]) -> Iterator[Texts]:
    """Read the meta-data of one file after another, and no pixels."""
    import SimpleITK as sitk  # noqa: N813 - its own habit

    keys = {keyword: f"{number >> 16:04x}|{number & 0xFFFF:04x}" for keyword, number in _tags().items()}
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    for path in paths:
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        yield {
            keyword: _latin(value)
            for keyword, key in keys.items()
            if reader.HasMetaDataKey(key) and (value := reader.GetMetaData(key))
        }


def _tags() -> dict[str, int]:
    from pydicom.datadict import tag_for_keyword

    return {keyword: number for keyword in SCANNED if (number := tag_for_keyword(keyword)) is not None}


def _latin(value: str) -> str:
    """Undo the wrapper's guess that texts are UTF-8, and take the padding off."""
    return value.encode("utf-8", "surrogateescape").decode("latin-1").strip(" \0")


READERS: dict[str, Callable[[list[Path]], Iterator[Texts]]] = {
    "**lucency**": read_with_lucency,
    "**lucency**, one process": read_with_lucency_in_one,
    "pydicom": read_with_pydicom,
    "pydicom, two processes": read_with_pydicom_in_two,
    "GDCM's Scanner": read_with_gdcm,
    "SimpleITK": read_with_simpleitk,
}
WITH_MEMORY, WITH_JOURNAL = "with all headers kept in memory", "with a journal"
OTHER_READERS = {WITH_MEMORY: read_with_lucency_and_keep, WITH_JOURNAL: read_with_lucency_and_journal}


def work(reader: str, folder: Path, n_files: int, texts_into: Path | None) -> None:
    """Read in this process, and print the seconds; or write what was read."""
    paths = sorted(folder.glob("*/*.dcm"))[:n_files]
    started = time.perf_counter()
    headers = (READERS | OTHER_READERS)[reader](paths)
    if texts_into is None:
        n_read = sum(1 for _ in headers)
    else:
        with texts_into.open("w") as file:
            n_read = sum(bool(file.write(json.dumps(dict(texts)) + "\n")) for texts in headers)
    assert n_read == n_files
    print(time.perf_counter() - started)


# Watching them -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """What was seen of one process and its children."""

    files_per_second: float
    microseconds: float
    """Processor time for each file, all processes together, start and imports included."""
    peak_mb: float


def watch(reader: str, folder: Path, n_files: int, texts_into: Path | None = None) -> Run:
    """Run a reader in a process of its own."""
    before = os.times()
    process = start(reader, folder, n_files, texts_into)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, memory_mb(process.pid))
        time.sleep(0.05)
    assert process.stdout is not None
    seconds = float(process.stdout.read())
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(n_files / seconds, 1e6 * spent / n_files, peak)


def start(reader: str, folder: Path, n_files: int, texts_into: Path | None = None) -> "subprocess.Popen[str]":
    """Start a reader."""
    words = ["--reader", reader, "--folder", str(folder), "--files", str(n_files)]
    words += ["--texts-into", str(texts_into)] if texts_into else []
    command = [sys.executable, "-m", "benchmarks.header_scan", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process and all below it."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        tasks = [path.name for path in Path(f"/proc/{pid}/task").iterdir() if path.name != str(pid)]
        for task in tasks:
            below += Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    except OSError:  # it has just ended
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6 + sum(memory_mb(int(child)) for child in below)


# The tables ----------------------------------------------------------------------------------------------------------


def compare_speed(folder: Path, n_files: int) -> None:
    """Print a table of all readers, taking turns."""
    runs: dict[str, list[Run]] = {name: [] for name in READERS}
    for _ in range(N_ROUNDS):
        for name, seen in runs.items():
            seen.append(watch(name, folder, n_files))
    ours = [run.files_per_second for run in next(iter(runs.values()))]
    print(f"\n### Headers of {n_files:,} files, {N_ROUNDS} rounds\n")
    print("| | files/s: lowest, median, highest | lucency is faster by | processor µs/file | peak memory, MB |")
    print("|:--|--:|--:|--:|--:|")
    for name, seen in runs.items():
        rates = sorted(run.files_per_second for run in seen)
        ratio = statistics.median(our / run.files_per_second for our, run in zip(ours, seen, strict=True))
        print(
            f"| {name} | {rates[0]:,.0f}, **{statistics.median(rates):,.0f}**, {rates[-1]:,.0f} | {ratio:.1f} × "
            f"| {statistics.median(run.microseconds for run in seen):,.0f} | {max(run.peak_mb for run in seen):,.0f} |"
        )


def compare_values(folder: Path, n_files: int, names: list[str]) -> None:
    """Print how many elements agree with pydicom's."""
    said = {name: folder / f"texts-{number}.jsonl" for number, name in zip(count(), ["pydicom", *names])}
    for name, path in said.items():
        watch(name, folder, n_files, path)
    print(f"\nElements equal to pydicom's, {n_files:,} files:")
    for name in names:
        n_equal = n_all = 0
        with said["pydicom"].open() as theirs, said[name].open() as ours:
            for line, other in zip(theirs, ours, strict=True):
                expected, found = json.loads(line), json.loads(other)
                n_all += len(expected.keys() | found.keys())
                n_equal += len(expected.items() & found.items())
        print(f"- {name}: {n_equal:,} of {n_all:,}")


def show_growth(folder: Path, n_files: int) -> None:
    """Print time and memory of our scan for a tenth, a third and all of the files."""
    print("\n### lucency alone\n\n| files | | seconds | µs/file | peak memory, MB |\n|--:|:--|--:|--:|--:|")
    for n in (n_files // 10, 3 * n_files // 10, n_files):
        for name in ("**lucency**", WITH_MEMORY):
            run = watch(name, folder, n)
            seconds = n / run.files_per_second
            print(f"| {n:,} | {name} | {seconds:.1f} | {1e6 * seconds / n:.0f} | {run.peak_mb:,.0f} |")


def show_resuming(folder: Path, n_files: int) -> None:
    """Kill a scan with a journal in the middle, and time what is left and a scan with nothing left to do."""
    journal = folder / "scan.jsonl"
    whole = n_files / watch(WITH_JOURNAL, folder, n_files).files_per_second
    n_bytes = journal.stat().st_size
    journal.unlink()
    process = start(WITH_JOURNAL, folder, n_files)
    while not journal.exists() or journal.stat().st_size < n_bytes / 2:
        time.sleep(0.01)
    process.kill()
    process.wait()
    n_kept = journal.read_bytes().count(b"\n") - 1
    rest = n_files / watch(WITH_JOURNAL, folder, n_files).files_per_second
    again = n_files / watch(WITH_JOURNAL, folder, n_files).files_per_second
    print(
        f"\nWith a journal, {n_files:,} files took {whole:.1f} s. Killed after {n_kept:,} files, the scan went on and took"
    )
    print(f"{rest:.1f} s for all; with every file in the journal it takes {again:.1f} s.")


def main() -> None:
    """Make the files, measure, and remove them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=N_FILES)
    parser.add_argument("--folder", type=Path, help="only with --reader: the files to read")
    parser.add_argument("--reader", help="read in this process")
    parser.add_argument("--texts-into", type=Path)
    asked = parser.parse_args()
    if asked.reader:
        work(asked.reader, asked.folder, asked.files, asked.texts_into)
        return
    n_beside_peers = min(asked.files, N_BESIDE_PEERS)
    with tempfile.TemporaryDirectory() as folder:
        write_headers(Path(folder), asked.files)
        compare_speed(Path(folder), n_beside_peers)
        compare_values(Path(folder), n_beside_peers, ["**lucency**", "GDCM's Scanner", "SimpleITK"])
        compare_values(Path(folder), asked.files, ["**lucency**"])
        show_growth(Path(folder), asked.files)
        show_resuming(Path(folder), asked.files)


if __name__ == "__main__":
    main()
