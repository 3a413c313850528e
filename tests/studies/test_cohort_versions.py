"""A cohort grows and shrinks, and the study remembers."""

from pathlib import Path

from commands import done, lucency, refused


def test_what_changed_between_two_versions_is_said(plan_file: Path, tmp_path: Path) -> None:
    """Images that came, went, were replaced or are refused now are each named."""
    folder = tmp_path / "out"
    done("curate", plan_file, "--out", folder)
    images = sorted((tmp_path / "images").rglob("*.png"))
    (tmp_path / "images" / "ill" / "p900-0.png").write_bytes(images[-1].read_bytes())
    images[0].unlink()
    images[1].write_bytes(images[2].read_bytes())
    images[3].write_bytes(b"")
    out = done("curate", plan_file, "--out", folder, "--diff", "previous").out
    assert "Before: 48 of 48 images kept, 24 patients. After: 47 of 48 images kept, 25 patients." in out
    names = [path.relative_to(tmp_path / "images").as_posix() for path in images]
    for kind, detail in (
        ("added", "ill/p900-0.png"),
        ("removed", names[0]),
        ("other content", names[1]),
        ("now refused", f"{names[3]} (E_EMPTY_FILE)"),
    ):
        assert f"{kind}: 1\n  {detail}\n" in out, out
    assert sorted(path.name for path in (folder / "cohorts").iterdir()) == ["0001.csv", "0002.csv"]


def test_an_unchanged_cohort_is_no_new_version(plan_file: Path, tmp_path: Path) -> None:
    """Another run, or another setting of the training, is not another cohort."""
    folder = tmp_path / "out"
    done("curate", plan_file, "--out", folder)
    done("curate", plan_file, "--out", folder, "--set", "data.image.size=20")
    assert [path.name for path in (folder / "cohorts").iterdir()] == ["0001.csv"]
    assert "Nothing changed." in done("curate", plan_file, "--out", folder, "--diff", "1").out


def test_two_studies_are_compared(plan_file: Path, tmp_path: Path) -> None:
    """The same images under other criteria."""
    done("curate", plan_file, "--out", tmp_path / "a")
    rule = "data.include=[{column: source, one_of: [ill/p001-0.png]}]"
    out = done("curate", plan_file, "--out", tmp_path / "b", "--set", rule, "--diff", tmp_path / "a").out
    assert "now refused: 47" in out
    assert "… and 37 more" in out


def test_a_version_that_is_not_there_is_refused(plan_file: Path, tmp_path: Path) -> None:
    """The message names those that are."""
    answer = lucency("curate", plan_file, "--out", tmp_path / "out", "--diff", "7")
    refused(answer, 2, "no version 7", "there are: 1")
