"""What the plan says of networks is checked when it is read, and each refusal names the way out."""

import subprocess
import sys
from pathlib import Path

import pytest

from lucency.errors import PlanError
from lucency.study.plan import read_plan

PLAN = "task: classification\ndata:\n  images: cohort\n  image: {%s}\nnetwork: {%s}\n"


def plan_file(tmp_path: Path, image: str, network: str) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(PLAN % (image, network))
    return path


@pytest.mark.parametrize(
    ("image", "network", "said"),
    [
        (
            "size: 20",
            "architecture: vgg16",
            "images of 20 × 20 pixels are too small for VGG-16: it needs at least 32 × 32",
        ),
        ("size: 20", "architecture: vgg16", "Raise `data.image.size`, or choose another `network.architecture`"),
        ("size: 60", "architecture: resnet50, stem: large", "with `network.stem: large`: it needs at least 64 × 64"),
        (
            "size: 64",
            "architecture: small_cnn, volumes: 3d",
            "set `data.image.n_slices`, or leave `network.volumes` out",
        ),
        ("size: 64", "architecture: small_cnn, volumes: slice_by_slice", "set `data.image.n_slices`"),
        (
            "size: 64, n_slices: 4",
            "architecture: resnet18, volumes: 3d",
            "at least 16 × 16 × 16. Raise `data.image.n_slices`",
        ),
        (
            "size: 64, n_slices: 16",
            "architecture: alexnet, volumes: 3d",
            "line 5: “network”: AlexNet has no form in three",
        ),
        ("size: 64", "architecture: resnet18, slice_memory: gru", "`slice_memory` is for `volumes: slice_by_slice`"),
        (
            "size: 64",
            "architecture: resnet18, recurrent: {hidden_units: 9}",
            "`network.recurrent` is for reports, or for",
        ),
        (
            "size: 64",
            "architecture: resnet18, n_kernels: [8, 8]",
            "ResNet-18 has no setting `n_kernels`; leave it out, or take",
        ),
        ("size: 64", "architecture: resnet19", "Did you mean “resnet18”?"),
        ("size: 64", "architecture: resnet-50", "Did you mean “resnet50”?"),
        ("size: 64", "architecture: qqqqqq", "There are logistic, fully_connected, lenet5"),
        ("size: 64", "architecture: [a]", "it should be a valid string"),
        (
            "size: 64",
            "architecture: 'timm:convnxt_tiny'",
            "line 5: “network.architecture” is 'timm:convnxt_tiny', but timm has no",
        ),
        ("size: 64", "architecture: 'timm:convnxt_tiny'", "Did you mean “timm:convnext_tiny”?"),
        (
            "size: 64",
            "architecture: 'timm:resnet50.a1_in1k'",
            "what follows the point names weights; write `timm:resnet50`",
        ),
        ("size: 64", "architecture: 'timm:../../x'", "no network has that name"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_way_out(tmp_path: Path, image: str, network: str, said: str):
    """Hours of curation come before the first network is built."""
    with pytest.raises(PlanError) as caught:
        read_plan(plan_file(tmp_path, image, network))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("image", "network"),
    [
        ("size: 28", "architecture: inception_v3"),
        ("size: 512", "architecture: densenet169"),
        ("size: [64, 40]", "architecture: 'timm:convnext_tiny', dropout: 0.2"),
        ("size: 20, n_slices: 16", "architecture: small_cnn, volumes: 3d, n_kernels: [8, 16]"),
        (
            "size: 32, n_slices: 4",
            "architecture: vgg11, volumes: slice_by_slice, slice_memory: none, recurrent: {pooling: max}",
        ),
    ],
)
def test_what_goes_together_is_taken(tmp_path: Path, image: str, network: str):
    """Sizes from 28 to 512 pixels, and every kind of network for volumes."""
    assert read_plan(plan_file(tmp_path, image, network)).network.architecture in network


def test_a_plan_is_read_without_any_library_of_networks(tmp_path: Path):
    """A name of timm is looked up in its files; importing timm or torch would take seconds for each command."""
    path = plan_file(tmp_path, "size: 64", "architecture: 'timm:convnext_tiny'")
    look = f"import sys, pathlib; from lucency.study.plan import read_plan; read_plan(pathlib.Path({str(path)!r}));"
    look += "print({'torch', 'timm', 'torchvision', 'monai'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
