"""Reading a plan."""

from pathlib import Path

import pytest
import yaml

from lucency.domain.augmentation_plan import NO_AUGMENTATION
from lucency.domain.plan import Plan
from lucency.errors import PlanError
from lucency.study.plan import every_setting, read_plan, section_of, write_plan


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return path


def refusal(tmp_path: Path, text: str, *overrides: str) -> str:
    with pytest.raises(PlanError) as caught:
        read_plan(write(tmp_path, text), overrides)
    return str(caught.value)


SMALLEST = "task: classification\ndata:\n  images: cohort\n"


def test_the_smallest_plan_names_images_and_task(tmp_path: Path) -> None:
    """Everything else has a default."""
    plan = read_plan(write(tmp_path, SMALLEST))
    assert plan.training.epochs == 30
    assert plan.network.architecture == "resnet18"


def test_paths_are_relative_to_the_folder_of_the_plan(tmp_path: Path) -> None:
    """A study must not depend on where the command is typed."""
    plan = read_plan(write(tmp_path, SMALLEST + "  labels: {from: table, table: ../labels.csv}\n"))
    assert plan.data.images == str(tmp_path / "cohort")
    assert plan.data.labels.table == str(tmp_path.parent / "labels.csv")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("training: {epohs: 3}", "study.yaml, line 4: “epohs” is not a setting of training. Did you mean “epochs”?"),
        ("learning_rate: 0.1", "It belongs at “training.learning_rate”"),
        ("training: {batch_size: -3}", "“training.batch_size” is -3, but it should be greater than or equal to 1"),
        ("training: {optimizer: adamm}", "'sgd', 'momentum' or 'adam'"),
        ("split: {training: 0.9}", "must add up to 1"),
        ("network: {kernel_size: 4}", "must be odd"),
        ("augmentation: {zoom: [1.1, 0.9]}", "smallest factor first"),
        ("evaluation: {threshold: {rule: sensitivity}}", "the other rules need one"),
        ("lucency: 99", "written for a newer lucency"),
        ("title: a\ntitle: b", "line 5: “title” stands here and in line 4"),
        ("title: [", "this is not YAML"),
        ("title: &a x\nreport: {authors: *a}", "aliases"),
    ],
)
def test_a_wrong_line_is_refused_with_its_place_and_the_way_out(tmp_path: Path, line: str, said: str) -> None:
    """A misspelt hyperparameter that is silently ignored would falsify a study."""
    assert said in refusal(tmp_path, SMALLEST + line + "\n")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Nobody likes to mend a plan one error at a time."""
    message = refusal(tmp_path, SMALLEST + "training: {epohs: 3}\nnetwork: {arch: x}\n")
    assert "epohs" in message
    assert "arch" in message


def test_missing_task_is_named(tmp_path: Path) -> None:
    """The two settings without a default are asked for with their meaning."""
    assert "“task” is missing" in refusal(tmp_path, "data: {images: x}\n")


def test_set_changes_one_setting(tmp_path: Path) -> None:
    """`--set` goes deep, and into sections that the file leaves out or shortens to one word."""
    path = write(tmp_path, SMALLEST + "  patient: each_image\n")
    plan = read_plan(path, ["training.epochs=5", "data.patient.column=x", "augmentation=null"])
    assert plan.training.epochs == 5
    assert plan.data.patient is not None
    assert (plan.data.patient.from_, plan.data.patient.column) == ("each_image", "x")
    assert plan.augmentation is None


@pytest.mark.parametrize(
    "override", ["training.epohs=5", "epochs", "training.=3", "training.epochs=[", "training.epochs=x"]
)
def test_a_wrong_set_is_refused(tmp_path: Path, override: str) -> None:
    """The command line is checked like the file."""
    assert "--set" in refusal(tmp_path, SMALLEST, override)


def test_a_written_plan_reads_back_the_same(tmp_path: Path) -> None:
    """The study folder's own plan, with every default spelt out, must be the plan that was carried out."""
    plan = read_plan(write(tmp_path, SMALLEST + "  patient: each_image\n"))
    assert read_plan(write(tmp_path, write_plan(plan))) == plan


def test_every_setting_has_a_description_and_all_but_the_necessary_a_default() -> None:
    """The schema is the manual."""
    settings = dict(every_setting())
    assert all(field.description for field in settings.values())

    def is_needed(place: tuple[str, ...]) -> bool:
        return not place or (settings[place].is_required() and is_needed(place[:-1]))

    assert [".".join(place) for place in settings if is_needed(place)] == ["task", "data", "data.images"]


@pytest.mark.parametrize(
    ("population", "words"),
    [
        ({"age": {"mean": 50}}, "`mean` and `sd` together"),
        ({"age": {}}, "or `bands`"),
        ({"age": {"bands": {"young": 0.5}}}, "no band of ages"),
        ({"sex": {"F": 0.7, "M": 0.7}}, "more than 1"),
        ({"clinical": {"smoker": {"yes": 0.7, "no": 0.7}}}, "more than 1"),
    ],
)
def test_a_population_that_cannot_be_is_refused(population: dict, words: str) -> None:
    """A comparison with numbers that contradict each other would mislead."""
    with pytest.raises(ValueError, match=words):
        Plan.model_validate({"task": "classification", "data": {"images": "x", "population": population}})


def test_every_written_out_key_is_a_setting() -> None:
    """The walk over the schema, which finds the nearest right key, must know every key of the file."""
    plan = Plan.model_validate({"task": "classification", "data": {"images": "x", "patient": "each_image"}})
    known = {place for place, _ in every_setting()}

    def places(settings: dict, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        found = {(*above, name) for name in settings}
        for name, value in settings.items():
            if isinstance(value, dict):
                found |= places(value, (*above, name))
        return found

    assert places(yaml.safe_load(write_plan(plan))) <= known
    assert section_of(Plan.model_fields["task"]) is None


def test_no_augmentation_is_recognised() -> None:
    """An augmentation that changes nothing costs nothing."""
    assert NO_AUGMENTATION.is_off


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"- a\n- b\n", b"just text"])
def test_what_is_no_plan_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever file is given, the answer is a sentence."""
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(PlanError):
        read_plan(path)
    with pytest.raises(PlanError, match="There is no plan"):
        read_plan(tmp_path / "absent.yaml")
    with pytest.raises(PlanError):
        read_plan(tmp_path)


def test_a_word_where_a_list_belongs_is_said_in_plain_words(tmp_path: Path) -> None:
    """Nobody outside of Python knows a tuple."""
    with pytest.raises(PlanError, match=r"a list in brackets"):
        read_plan(write(tmp_path, SMALLEST + "  patient: each_image\n  quality: {refuse: noisy}\n"))


def test_a_plan_for_reports_begins_with_what_suits_words() -> None:
    """A network that reads, one thread, the best epoch by the cost; what the plan says itself stays as it is."""
    data = {"reports": "reports.csv", "labels": {"from": "table", "table": "t.csv"}, "patient": "each_report"}
    plan = Plan.model_validate({"task": "report_labelling", "data": data})
    assert (plan.network.architecture, plan.training.n_threads, plan.training.select_by) == ("lstm", 1, "cost")
    assert plan.augmentation is None
    assert plan.unit == "report"
    own = {"network": {"architecture": "gru"}, "training": {"n_threads": 2, "select_by": "measure"}}
    said = Plan.model_validate({"task": "report_labelling", "data": data, **own})
    assert (said.network.architecture, said.training.n_threads, said.training.select_by) == ("gru", 2, "measure")
    images = Plan.model_validate({"task": "classification", "data": {"images": "images"}})
    assert (images.network.architecture, images.training.n_threads, images.training.select_by) == (
        "resnet18",
        None,
        "measure",
    )
