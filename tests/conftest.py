"""What tests share: where the real data lies, and small cohorts made on the spot."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import settings

from bright_and_dark import write_bright_and_dark

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks lose more to waiting threads than they gain

if "CI" not in os.environ:  # drawn once for all processes of a run; in continuous integration it comes from the code
    os.environ.setdefault("PLANTED_SEED", str(random.randrange(10**9)))

# a busy machine must not fail a law by its clock; CI draws the same examples every time, developers new ones
settings.register_profile("lucency", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lucency")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reliability", metavar="FILE", help="Write the counts of all promises into this page.")


PROJECT = Path(__file__).parent.parent
REAL_DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture
def real_data() -> Path:
    """Return the folder of the real data sets, or skip where they are absent."""
    if not REAL_DATA.is_dir():
        pytest.skip("the real data sets (../shared/data) are not here")
    return REAL_DATA


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder of 48 small images of 24 patients in two classes."""
    return write_bright_and_dark(tmp_path / "images")


PLAN = """\
task: classification
data:
  images: images
  patient: {from: filename, pattern: '^(p\\d+)'}
  image: {size: 28}
split: {training: 0.5, tuning: 0.25, test: 0.25}
network: {architecture: small_cnn, n_kernels: [4, 8]}
training: {epochs: 3, batch_size: 8, learning_rate: 0.01}
explanation: {n_cases: 4}
report: {n_worst: 3}
"""


@pytest.fixture
def plan_file(tmp_path: Path, images: Path) -> Path:
    """Return a plan that trains a tiny network on `images` in a second or two."""
    path = tmp_path / "study.yaml"
    path.write_text(PLAN)
    return path
