"""Find the image that a drawing belongs to, by their names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_GENERIC = {
    *("mask", "masks", "seg", "segm", "segmentation", "segmentations", "label", "labels", "labelmap", "gt", "truth"),
    *("groundtruth", "annotation", "annotations", "annot", "roi", "rois", "contour", "contours", "outline", "drawing"),
    *("final", "corrected", "manual", "binary", "maske", "masque", "segmentierung"),
}
_ANATOMY = {
    *(
        "lesion",
        "lesions",
        "tumor",
        "tumors",
        "tumour",
        "tumours",
        "nodule",
        "nodules",
        "lung",
        "lungs",
        "heart",
        "liver",
    ),
    *("kidney", "kidneys", "spleen", "pancreas", "prostate", "bladder", "brain", "breast", "bone", "spine", "vertebra"),
    *(
        "left",
        "right",
        "opacity",
        "infection",
        "pneumonia",
        "pneumothorax",
        "effusion",
        "consolidation",
        "polyp",
        "cyst",
    ),
    *(
        "hemorrhage",
        "haemorrhage",
        "infarct",
        "stroke",
        "fracture",
        "mass",
        "calcification",
        "aorta",
        "vessel",
        "vessels",
    ),
}
_SUFFIX = re.compile(
    r"\.(seg\.nrrd|nii\.gz|nii|nrrd|mha|mhd|png|tiff?|bmp|gif|jpe?g?|dcm|dicom|ima|json)$", re.IGNORECASE
)
_CHANNEL = re.compile(r"_\d{4}$")
"""What nnU-Net adds to the name of an image, and not to that of its mask."""


@dataclass(frozen=True)
class Match:
    """The images that one drawing belongs to; none, or one, unless several are views of one grid (`case_0000`, `case_0001`)."""

    sources: tuple[str, ...] = ()
    structure: str = ""
    """What the drawing shows, where its name or folder says so."""


class ImageNames:
    """The names of all images of a study, those that were refused among them, so that no drawing goes to a neighbour."""

    def __init__(self, sources: Iterable[str], series: Iterable[str] = (), structures: Sequence[str] = ()) -> None:
        """Take the paths of images, those among them that are series of files, and the names of structures that count.

        A series also goes by the name of its folder.
        """
        self._known = _GENERIC | _ANATOMY | {token for name in structures for token in _tokens(name)}
        self._by_path: defaultdict[str, set[str]] = defaultdict(set)
        self._by_stem: defaultdict[str, set[str]] = defaultdict(set)
        self._by_case: defaultdict[str, set[str]] = defaultdict(set)
        for source in sources:
            path = stem_of(source.split("#")[0])
            name = path.rpartition("/")[2]
            self._by_path[path].add(source)
            self._by_stem[name].add(source)
        for source in series:
            folder = source.rpartition("/")[0]
            self._by_path[folder].add(source)
            self._by_stem[folder.rpartition("/")[2]].add(source)
        for stem, of_stem in list(self._by_stem.items()):
            if _CHANNEL.search(stem):
                self._by_case[_CHANNEL.sub("", stem)] |= of_stem
        for case in self._by_case.keys() - self._by_stem.keys():
            self._by_stem[case] = self._by_case[case]

    def match(self, name: str) -> Match:
        """Find the images of a drawing, given its path below the folder of drawings; nothing where it is not sure."""
        path = stem_of(name)
        folder, _, stem = path.rpartition("/")
        if path in self._by_path:
            return self._of(self._by_path[path], folder, "", path)
        if stem in self._by_stem:
            return self._of(self._by_stem[stem], folder, "", path)
        for start, rest in self._splits(stem):
            return self._of(self._by_stem[start], folder, self._structure(rest), path)
        own_folder = folder.rpartition("/")[2]
        if own_folder in self._by_stem:  # all masks of an image in a folder of its name
            tokens = _tokens(stem)
            structure = "" if all(token in _GENERIC or token.isdigit() for token in tokens) else " ".join(tokens)
            return self._of(self._by_stem[own_folder], folder.rpartition("/")[0], structure, path)
        return Match()

    def match_file_name(self, name: str) -> Match:
        """Find the image that a file of annotations names, by its path or file name."""
        path = stem_of(name.removeprefix("./"))
        found = self._by_path.get(path) or self._by_stem.get(path.rpartition("/")[2]) or set()
        return self._of(found, "", "", path)

    def _splits(self, stem: str) -> Iterable[tuple[str, str]]:
        """Yield an image's stem and what a drawing's name adds to it, the longest stem first."""
        for place in range(len(stem) - 1, 0, -1):
            if stem[place].isalnum():
                continue
            start, end = stem[:place].rstrip("_-. ("), stem[place + 1 :].lstrip("_-. ")
            if start in self._by_stem and self._is_usual(stem[place:]):
                yield start, stem[place:]
            elif end in self._by_stem and self._is_usual(stem[:place]):
                yield end, stem[:place]

    def _is_usual(self, rest: str) -> bool:
        """Tell a usual addition from a part of another image's name; a bare number may be either, and so is not."""
        tokens = _tokens(rest)
        return bool(tokens) and tokens[0] in self._known and all(t in self._known or t.isdigit() for t in tokens)

    def _structure(self, rest: str) -> str:
        return " ".join(token for token in _tokens(rest) if token not in _GENERIC and not token.isdigit())

    def _of(self, sources: set[str], folder: str, structure: str, path: str) -> Match:
        """Name the structure, and refuse to choose between images that only their folders tell apart."""
        folders = {str(PurePosixPath(source).parent) for source in sources}
        if len(folders) > 1:
            sources = {source for source in sources if path.startswith(stem_of(source.split("#")[0]))}
            if len({str(PurePosixPath(source).parent) for source in sources}) != 1:
                return Match()
        last = folder.rpartition("/")[2]
        if not structure and last and self._is_usual(f"_{last}"):
            structure = self._structure(last)
        return Match(tuple(sorted(sources)), structure)


def stem_of(name: str) -> str:
    """Return a path without the suffix of its format, which a name with dots (a UID) must not lose."""
    return _SUFFIX.sub("", name)


def _tokens(text: str) -> list[str]:
    return [token for token in re.split(r"[^0-9a-zà-ÿ]+", text.lower()) if token]
