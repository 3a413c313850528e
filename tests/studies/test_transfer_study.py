"""Transfer learning through the command line: beginning with a file or a study, freezing, features, and the curve."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from bright_and_dark import write_bright_and_dark
from lucency.domain.network_plan import Network
from lucency.domain.progress import Silence
from lucency.errors import Interrupted, SourceError
from lucency.network.catalogue import build
from lucency.provenance import sha256_of_file
from lucency.study.beside.transfer_curve import draw_transfer_curve
from lucency.study.folder import StudyFolder
from lucency.study.plan import read_plan
from lucency.study.transfer import _out_of_scale
from studies.commands import done, lucency, record, refused, stages

PLAN = """\
task: classification
data:
  images: images
  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: 28}
split: {training: 0.5, tuning: 0.25, test: 0.25}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 2, batch_size: 8, learning_rate: 0.01, n_threads: 1}
explanation: {n_cases: 2}
report: {n_worst: 2}
"""


def write_plan(folder: Path, more: str = "", n_patients: int = 32, seed: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_bright_and_dark(folder / "images", n_patients, n_each=1, seed=seed)
    path = folder / "plan.yaml"
    path.write_text(PLAN + more)
    return path


def colour_weights(path: Path) -> Path:
    """Write the weights of the same network for images in colour, with another head."""
    torch.manual_seed(4)
    network = build(Network(architecture="small_cnn", n_kernels=(4, 8)), 3, (28, 28), 1000)
    save_file(network.state_dict(), path)
    return path


def json_of(path: Path) -> dict:
    return json.loads(path.read_text())


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "training" / "member-0" / "weights.safetensors")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished study that began with a file, of which the head alone learnt."""
    folder = tmp_path_factory.mktemp("frozen")
    colour_weights(folder / "weights.safetensors")
    plan = write_plan(folder, "transfer: {file: weights.safetensors, unfreeze: head}\n")
    done("run", plan, "--out", folder / "s")
    return folder / "s"


def test_frozen_parameters_are_proved_unchanged(frozen: Path) -> None:
    """By the hash before and after, and once more here by what the file holds."""
    proof = json_of(frozen / "training" / "member-0" / "outcome.json")["frozen"]
    assert proof["sha256_before"] == proof["sha256_after"]
    page = (frozen / "report.html").read_text()
    assert proof["sha256_after"][:16] in page
    assert f"{proof['n_parameters']:,} parameters were frozen" in page
    told = json_of(frozen / "training" / "member-0" / "outcome.json")["stages"]
    assert [(stage["name"], stage["from_epoch"]) for stage in told] == [
        ("stage_1", None),
        ("stage_2", None),
        ("head", 1),
    ]
    assert sum(stage["n_parameters"] for stage in told if not stage["from_epoch"]) == proof["n_parameters"]
    assert "Learns from epoch" in page
    layers = json_of(frozen / "tables" / "layers.json")
    assert sum(row["n_parameters"] - row["n_trainable"] for row in layers) == proof["n_parameters"]
    begun, trained = load_file(frozen.parent / "weights.safetensors"), weights_of(frozen)
    for name, tensor in begun.items():
        if name.startswith("fully_connected"):
            assert trained[f"network.{name}"].shape[0] == 2
        elif name == "stage_1.convolution_1.weight":
            assert torch.allclose(trained[f"network.{name}"], tensor.sum(1, keepdim=True), atol=1e-6)
        else:
            assert torch.equal(trained[f"network.{name}"], tensor)


def test_the_folder_tells_what_the_networks_began_with(frozen: Path) -> None:
    """Whoever judges the study must be able to find the weights again."""
    facts = json_of(frozen / "training" / "transfer.json")
    assert facts["sha256"] == sha256_of_file(frozen.parent / "weights.safetensors")
    assert facts["name"] == "weights.safetensors"


def test_a_finished_study_needs_its_weights_no_more(frozen: Path, tmp_path: Path) -> None:
    """It can be reported on a machine where the file is not; a plan that newly names a missing one is refused."""
    n_stages = len(stages(frozen))
    weights = frozen.parent / "weights.safetensors"
    weights.rename(tmp_path / "away.safetensors")
    try:
        said = done("report", frozen).out
    finally:
        (tmp_path / "away.safetensors").rename(weights)
    assert "weights.safetensors is not here" in said
    assert len(stages(frozen)) == n_stages
    refused(lucency("run", frozen, "--set", "transfer.file=nowhere.pth"), 2, "There is no file")


def test_weights_of_an_earlier_study_are_taken_with_their_scale(frozen: Path, tmp_path: Path) -> None:
    """A second study begins where the first ended, and the grey levels are scaled as there."""
    plan = write_plan(tmp_path, f"transfer: {{study: {frozen}, unfreeze: 1}}\n", seed=2)
    done("train", plan, "--out", tmp_path / "s")
    before, after = weights_of(frozen), weights_of(tmp_path / "s")
    assert torch.equal(before["mean"], after["mean"])
    assert torch.equal(before["network.stage_1.convolution_2.weight"], after["network.stage_1.convolution_2.weight"])
    assert not torch.equal(
        before["network.stage_2.convolution_1.weight"], after["network.stage_2.convolution_1.weight"]
    )


def test_a_network_that_knows_the_test_images_is_refused(frozen: Path, tmp_path: Path) -> None:
    """It would be judged on what it has learnt; the seal would mean nothing."""
    plan = write_plan(tmp_path, f"transfer: {{study: {frozen}}}\nseed: 7\n")
    refused(lucency("train", plan, "--out", tmp_path / "s"), 1, "has learnt from", "other patients")


def test_a_network_that_measured_or_classified_is_taken_out_of_its_scales() -> None:
    """The one stands behind a scale of grey levels, the other behind one of numbers besides; others do not fit."""
    scale = {"mean": torch.full((1, 1, 1, 1), 0.25), "deviation": torch.full((1, 1, 1, 1), 0.5)}
    classified = {**scale, "network.layer.weight": torch.ones(2)}
    measured = {"centre": torch.ones(1), **{f"network.{name}": tensor for name, tensor in classified.items()}}
    for tensors in (classified, measured):
        inner, found = _out_of_scale(tensors)
        assert list(inner) == ["layer.weight"]
        assert (found.mean, found.deviation) == ((0.25,), (0.5,))
    with pytest.raises(SourceError, match="do not look at whole images"):
        _out_of_scale({"embedding.weight": torch.ones(2)})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("transfer: {file: absent.pth}", "There is no file"),
        ("transfer: {study: nowhere}", "holds no finished networks"),
        ("transfer: {weights: imagenet}", "no ImageNet weights of small_cnn"),
        ("transfer: {weights: imagenet, file: x.pth}", "one of `weights`, `file` and `study`"),
        ("transfer: {unfreeze: head, thaw_epochs: 2}", "thaws more than the head"),
        ("transfer: {file: weights.safetensors, normalisation: weights}", "not known how grey levels were scaled"),
        ("transfer: {file: plan.yaml}", "cannot be read as weights"),
    ],
)
def test_wrong_plans_are_refused_with_the_way_out(settings: str, words: str, tmp_path: Path) -> None:
    """Before any training, in a sentence."""
    colour_weights(tmp_path / "weights.safetensors")
    plan = write_plan(tmp_path, settings + "\n", n_patients=24)
    refused(lucency("train", plan, "--out", tmp_path / "s"), 2, words)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_packaged_weights_bring_their_network_along(task: str, tmp_path: Path) -> None:
    """`transfer: {weights: efficientnet-lite0}` alone names them both."""
    plan = tmp_path / "plan.yaml"
    labels = "labels: {from: table, table: labels.csv}"
    plan.write_text(f"task: {task}\ndata: {{images: images, {labels}}}\ntransfer: {{weights: efficientnet-lite0}}\n")
    assert read_plan(plan).network.architecture == "timm:tf_efficientnet_lite0"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("task: report_labelling", "networks that look at images as a whole"),
        (
            "task: classification\nnetwork: {architecture: resnet18, volumes: 3d}",
            "published weights have seen flat images",
        ),
    ],
)
def test_transfer_that_cannot_be_is_refused(more: str, words: str, tmp_path: Path) -> None:
    """With what to take instead."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{more}\ndata: {{images: images, image: {{n_slices: 16}}}}\ntransfer: {{weights: imagenet}}\n")
    refused(lucency("run", plan), 2, words)


def test_features_of_the_test_part_stay_sealed_until_its_evaluation(tmp_path: Path) -> None:
    """Whoever had them could fit anything to them."""
    plan = write_plan(tmp_path)
    done("features", plan, "--out", tmp_path / "s")
    assert set(parts_of(tmp_path / "s")) == {"training", "tuning"}
    assert not [entry for entry in record(tmp_path / "s") if entry["event"] == "test set opened"]
    done("evaluate", tmp_path / "s")
    done("features", tmp_path / "s")
    assert set(parts_of(tmp_path / "s")) == {"training", "tuning", "test"}
    assert len([entry for entry in record(tmp_path / "s") if entry["event"] == "test set opened"]) == 1


def parts_of(folder: Path) -> list[str]:
    with (folder / "features" / "trained.csv").open(newline="") as file:
        return [row["part"] for row in csv.DictReader(file)]


def test_features_are_what_the_head_is_shown(frozen: Path) -> None:
    """Features times the head's weights are the network's answers, to the last digit that the table keeps."""
    done("features", frozen)
    with np.load(frozen / "features" / "trained.npz", allow_pickle=False) as arrays:
        features, ids, parts = arrays["features"], arrays["image_id"], arrays["part"]
    weights = weights_of(frozen)
    logits = (
        features @ weights["network.fully_connected.weight"].numpy().T + weights["network.fully_connected.bias"].numpy()
    )
    p_ill = np.exp(logits[:, 1]) / np.exp(logits).sum(1)
    with (frozen / "predictions.csv").open(newline="") as file:
        said = {row["image_id"]: float(row["p_ill"]) for row in csv.DictReader(file) if row["member"] == "member-0"}
    judged = [number for number, part in enumerate(parts) if part != "training"]
    assert [p_ill[n] for n in judged] == pytest.approx([said[ids[n]] for n in judged], abs=1e-5)


def test_the_probe_tells_how_much_a_straight_line_reads(frozen: Path) -> None:
    """On the tuning part, which has no say in it, with an interval."""
    done("features", frozen, "--before-training")
    probe = json_of(frozen / "features" / "before-training-probe.json")
    assert probe["auc"]["part"] == "tuning"
    assert probe["auc"]["low"] < probe["auc"]["value"] <= probe["auc"]["high"]
    assert probe["n_features"] == 8


CURVE = """\
transfer: {file: weights.safetensors, unfreeze: 1}
transfer_curve: {patients: [12, 24, 500], repeats: 2}
"""


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study folder with a transfer curve."""
    folder = tmp_path_factory.mktemp("curve")
    colour_weights(folder / "weights.safetensors")
    plan = write_plan(folder, CURVE, n_patients=80)
    said = done("transfer-curve", plan, "--out", folder / "s").out
    assert "The training part has 40 patients" in said
    return folder / "s"


def test_the_curve_has_both_ways_at_each_number_of_patients(curve: Path) -> None:
    """The last number is all there are; each mean lies in its interval, each difference too."""
    points = json_of(curve / "transfer-curve" / "curve.json")
    assert [point["n_patients"] for point in points] == [12, 24, 40]
    for point in points:
        for name in ("scratch", "transfer", "difference"):
            assert point[name]["low"] <= point[name]["value"] <= point[name]["high"]
            assert point[name]["part"] == "tuning"
        assert point["scratch"]["value"] == pytest.approx(np.mean(point["scratch_repeats"]))
        assert point["difference"]["value"] == pytest.approx(point["transfer"]["value"] - point["scratch"]["value"])
    with (curve / "transfer-curve" / "curve.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 12


def test_the_curve_keeps_the_test_part_sealed(curve: Path) -> None:
    """No opening in the record, and no test image in any answer."""
    assert not [entry for entry in record(curve) if entry["event"] == "test set opened"]
    with (curve / "split.csv").open(newline="") as file:
        part_of = {row["image_id"]: row["part"] for row in csv.DictReader(file)}
    answers = list(curve.glob("transfer-curve/*/*/predictions.csv"))
    assert len(answers) == 12
    for path in answers:
        with path.open(newline="") as file:
            assert {part_of[row["image_id"]] for row in csv.DictReader(file)} == {"tuning"}


def test_a_finished_curve_is_not_drawn_again(curve: Path) -> None:
    """And a page, a figure and a table are there."""
    before = stages(curve)
    done("transfer-curve", curve)
    assert stages(curve) == before
    page = (curve / "transfer-curve" / "curve.html").read_text()
    assert "<svg" in page
    assert "still sealed" in page
    assert (curve / "transfer-curve" / "curve.svg").read_text().startswith("<svg xmlns")


def test_a_curve_that_was_stopped_goes_on_and_ends_alike(curve: Path, tmp_path: Path) -> None:
    """Each network is a stage of its own; the pages are the same to the byte."""

    class Impatient(Silence):
        left = 100  # 80 files are looked at first, then each network takes a few steps

        def advance(self, n_steps: int = 1, detail: str = "") -> None:
            self.left -= 1
            if self.left == 0:
                raise Interrupted("stop")

    plan = read_plan(curve.parent / "plan.yaml")
    with pytest.raises(Interrupted):
        draw_transfer_curve(plan, StudyFolder(tmp_path / "s"), Impatient())
    n_done = sum(name.startswith("transfer-curve/") for name in stages(tmp_path / "s"))
    assert 0 < n_done < 12
    draw_transfer_curve(plan, StudyFolder(tmp_path / "s"), Silence())
    for name in ("curve.html", "curve.csv", "curve.json"):
        assert (tmp_path / "s" / "transfer-curve" / name).read_bytes() == (curve / "transfer-curve" / name).read_bytes()


def test_a_curve_needs_weights_and_enough_patients(tmp_path: Path) -> None:
    """Said in a sentence."""
    plan = write_plan(tmp_path, n_patients=40)
    refused(lucency("transfer-curve", plan, "--out", tmp_path / "s"), 2, "names no weights to begin with")
    colour_weights(tmp_path / "weights.safetensors")
    few = ("--set", f"transfer.file={tmp_path / 'weights.safetensors'}", "--patients", "5,20")
    refused(lucency("transfer-curve", plan, "--out", tmp_path / "s", *few), 2, "10")
