"""The store of arrays of different shapes."""

from pathlib import Path

import numpy as np

from lucency.data.ragged_store import RaggedWriter, open_ragged

ARRAYS = (
    np.arange(7, dtype=np.int16).reshape(7, 1),
    np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4),
    np.zeros((0, 5), np.uint8),
    np.full((1, 2), 255, np.uint8),
)


def write(folder: Path, arrays: tuple[np.ndarray, ...]) -> None:
    writer = RaggedWriter(folder, "things")
    for number, array in enumerate(arrays):
        assert writer.append(array, {"name": f"n{number}"}) == number
    writer.finish()


def test_every_array_comes_back_with_its_type_and_what_belongs_to_it(tmp_path: Path) -> None:
    """A volume of floats may follow a label map of an odd number of bytes."""
    write(tmp_path, ARRAYS)
    store = open_ragged(tmp_path, "things")
    assert len(store) == len(ARRAYS)
    for number, array in enumerate(ARRAYS):
        assert store[number].dtype == array.dtype
        np.testing.assert_array_equal(store[number], array)
        assert store.facts(number) == {"name": f"n{number}"}


def test_a_store_that_was_cut_anywhere_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """Curation counts what it has finished; whatever a crash left behind that is written anew."""
    write(tmp_path / "whole", ARRAYS)
    for n_done in range(len(ARRAYS)):
        folder = tmp_path / str(n_done)
        write(folder, ARRAYS[: n_done + 1])
        with (folder / "things.bin").open("ab") as values:
            values.write(b"half of an array")
        writer = RaggedWriter(folder, "things", n_done)
        for number, array in enumerate(ARRAYS[n_done:], start=n_done):
            writer.append(array, {"name": f"n{number}"})
        writer.finish()
        for file in ("things.bin", "things.jsonl"):
            assert (folder / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_nothing_reaches_the_file_through_an_array(tmp_path: Path) -> None:
    """Torch wraps arrays that can be written to; the store must not change."""
    write(tmp_path, ARRAYS)
    before = (tmp_path / "things.bin").read_bytes()
    open_ragged(tmp_path, "things")[0][:] = 9
    assert (tmp_path / "things.bin").read_bytes() == before
