"""Test AUC against CPU seconds on PneumoniaMNIST: `python -m benchmarks.pneumonia [--recipe]`.

Runs examples/pneumoniamnist.yaml from the command line with three seeds; with --recipe also MedMNIST's own: ResNet-18
with its small stem, Adam 1e-3, batch 128, one epoch (a hundred are published), on the same machine in the same run.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PLAN = PROJECT / "examples" / "pneumoniamnist.yaml"
RECIPE = (
    "network.architecture=resnet18",
    "network.stem=small",
    "augmentation=null",
    "training.epochs=1",
    "training.batch_size=128",
    "training.learning_rate=0.001",
    "training.warmup_epochs=0",
    "training.weight_decay=0",
    "training.schedule=constant",
)


def study(seed: int, settings: tuple[str, ...]) -> tuple[dict[str, float], float, float]:
    """Run a whole study; return its test AUC with interval, processor seconds and wall seconds."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "lucency", "run", str(PLAN), "--out", f"{folder}/study", "--quiet"]
        for setting in (f"seed={seed}", *settings):
            command += ["--set", setting]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        metrics = json.loads(Path(f"{folder}/study/metrics.json").read_text())
        return next(row for row in metrics if row["name"] == "AUC"), spent, time.monotonic() - started


def main() -> None:
    """Print one row a study."""
    print("\n### PneumoniaMNIST, official parts, whole command\n\n| | seed | test AUC (95 % CI) | CPU s | wall s |")
    print("|:--|--:|:--|--:|--:|")
    rows = [("small CNN, augmented", seed, ()) for seed in (1, 2, 3)]
    if "--recipe" in sys.argv:
        rows.append(("MedMNIST's recipe, 1 epoch of ResNet-18", 1, RECIPE))
    values = []
    for words, seed, settings in rows:
        auc, spent, wall = study(seed, settings)
        interval = f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})"
        print(f"| {words} | {seed} | {interval} | {spent:.0f} | {wall:.0f} |", flush=True)
        values += [auc["value"]] if not settings else []
    print(f"\nMean of the small CNN over {len(values)} seeds: {sum(values) / len(values):.4f}")


if __name__ == "__main__":
    main()
