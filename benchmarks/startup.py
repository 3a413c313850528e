"""How long a command takes to answer, beside what it stands on: `python -m benchmarks.startup`."""

import subprocess
import sys
import time

COMMANDS = {
    "`lucency --help`": "-m lucency --help",
    "python alone": "-c pass",
    "`import torch`": "-c import_torch",
    "all that a training command imports": "-c import_training",
    "the same, and the first step of torch's own optimizer": "-c first_step",
    "`import torch, lightning_fabric`": "-c import_fabric",
    "`import monai`": "-c import_monai",
}
# everything that `lucency train` imports for a network of its own, before the first batch
TRAINING = (
    "import lucency.cli.app, lucency.study.run, lucency.study.plan, lucency.study.pictures, "
    "lucency.training.loop, lucency.network.catalogue, lucency.data.store, lucency.data.sources, "
    "lucency.network.layer_table, lucency.evaluation.discrimination"
)
FIRST_STEP = (
    "; from lucency.training.optimizer import make_optimizer; from lucency.domain.plan import Training; from torch import nn; "
    "from lucency.training.device import fix_arithmetic; fix_arithmetic(Training()); "
    "make_optimizer(nn.Linear(1, 1), Training()).step()"
)
CODE = {
    "import_torch": "import torch",
    "import_training": TRAINING,
    "first_step": TRAINING + FIRST_STEP,
    "import_fabric": "import torch, lightning_fabric",
    "import_monai": "import monai.networks.nets",
}


def seconds(arguments: str) -> float:
    """Return the shortest of five whole processes."""
    words = [CODE.get(word, word) for word in arguments.split()]
    times = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, *words], check=False, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Print the table."""
    print("\n### Time to answer\n\n| | seconds |\n|:--|--:|")
    for words, arguments in COMMANDS.items():
        print(f"| {words} | {seconds(arguments):.2f} |")


if __name__ == "__main__":
    main()
