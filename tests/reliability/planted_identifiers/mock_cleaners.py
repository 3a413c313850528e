"""Cleaners that are wrong on purpose, to prove that the checker sees what it should."""

import base64
import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from .folder import Folder


def copy_everything(folder: Folder, out: Path) -> None:
    """Clean nothing."""
    shutil.copytree(folder.path, out)


def copy_class(folder: Folder, out: Path, group: str) -> None:
    """Hold back everything but the files of one class."""
    name = group.replace(" ", "_")
    shutil.copytree(folder.path / name, out / name)


def _database(word: str, path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table cache (value text)")
        database.execute("insert into cache values (?)", (word,))
    database.close()


DISGUISES: dict[str, Callable[[str, Path], object]] = {
    "log": lambda word, path: path.write_text(f"cannot read the file of {word}, skipped"),
    "capitals": lambda word, path: path.write_text(word.upper()),
    "JSON": lambda word, path: path.write_text(json.dumps({"name": word})),
    "UTF-16": lambda word, path: path.write_bytes(word.encode("utf-16")),
    "base64": lambda word, path: path.write_bytes(base64.b64encode(b"name " + word.encode() + b" end")),
    "hexadecimal": lambda word, path: path.write_text(word.encode().hex()),
    "gzip": lambda word, path: path.write_bytes(gzip.compress(word.encode())),
    "backwards": lambda word, path: path.write_text(word[::-1]),
    "swapped bytes": lambda word, path: path.write_bytes(bytes(b for pair in _pairs(word) for b in reversed(pair))),
    "SQLite": _database,
    "file name": lambda word, path: path.with_name(f"{word}.txt").write_text(""),
}
"""Ways in which a cleaner could write a word without meaning to."""


def _pairs(word: str) -> list[bytes]:
    content = word.encode()
    return [content[i : i + 2] for i in range(0, len(content), 2)]
