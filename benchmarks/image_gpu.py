"""Time to the test accuracy of a plain torchvision ResNet-18 loop, on a GPU.

``python -m benchmarks.image_gpu [--seconds 600]`` trains torchvision's ResNet-18 with a DataLoader on the pictures
of ``cifar10_12k.zip`` for ten minutes, then runs our search with budgets of 1/10, 1/5, 1/2 and all of that
time and prints the first budget that reached its test accuracy, as a share (goal: at most 1/5). Without a GPU it
says so and measures nothing.
"""

import argparse
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, find_data

SHARES = (0.1, 0.2, 0.5, 1.0)


def load_parts(file: Path) -> dict[str, tuple[Any, Any]]:
    """Pictures and class numbers of the two folders of the ZIP."""
    import numpy as np
    from PIL import Image

    parts: dict[str, tuple[list[Any], list[int]]] = {"train": ([], []), "test": ([], [])}
    with zipfile.ZipFile(file) as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith(".jpg"))
        classes = sorted({name.split("/")[-2] for name in names})
        for name in names:
            pictures, labels = parts[name.split("/")[-3]]
            pictures.append(np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB")))
            labels.append(classes.index(name.split("/")[-2]))
    return {part: (np.stack(rows), np.array(labels)) for part, (rows, labels) in parts.items()}


def run_plain_loop(file: Path, seconds: float) -> dict[str, float]:
    """What a tutorial does: ResNet-18, SGD, cosine, crop and flip per picture in loader workers."""
    import torch
    from torch.utils.data import DataLoader, Dataset
    from torchvision.models import resnet18
    from torchvision.transforms import v2

    parts = load_parts(file)
    augment = v2.Compose(
        [v2.ToImage(), v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip(),
         v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.49] * 3, [0.25] * 3)]
    )  # fmt: skip
    plain = v2.Compose(
        [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.49] * 3, [0.25] * 3)]
    )

    class Pictures(Dataset[Any]):
        def __init__(self, part: str) -> None:
            self.pictures, self.labels = parts[part]
            self.transform = augment if part == "train" else plain

        def __len__(self) -> int:
            return len(self.labels)

        def __getitem__(self, index: int) -> tuple[Any, int]:
            return self.transform(self.pictures[index]), int(self.labels[index])

    started = time.perf_counter()
    network = resnet18(num_classes=10).cuda()
    loader = DataLoader(Pictures("train"), batch_size=128, shuffle=True, num_workers=2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    epochs = 0
    while time.perf_counter() - started < seconds:
        share = min(1.0, (time.perf_counter() - started) / seconds)
        optimizer.param_groups[0]["lr"] = 0.05 * (1 + math.cos(math.pi * share))
        network.train()
        for pictures, labels in loader:
            loss = torch.nn.functional.cross_entropy(network(pictures.cuda()), labels.cuda())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        epochs += 1
    network.eval()
    hits = 0
    with torch.inference_mode():
        for pictures, labels in DataLoader(Pictures("test"), batch_size=500):
            hits += int((network(pictures.cuda()).argmax(1).cpu() == labels).sum())
    return {"accuracy": hits / len(parts["test"][1]), "epochs": epochs}


def run_search(file: Path, seconds: float) -> dict[str, float]:
    """Our search with this budget, by the shell."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        command = [
            sys.executable, "-m", "automl", "search", str(file), "--budget", f"{seconds:.0f}s",
            "--out", str(out),
        ]  # fmt: skip
        environment = {**os.environ, "FAIRLOOM_HOME": str(Path(name) / "home")}
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        result = json.loads((out / "result.json").read_text())
    return {
        "budget_seconds": seconds,
        "wall_seconds": result["wall_seconds"],
        "accuracy": result["test"]["accuracy"]["value"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    options = parser.parse_args()
    folder = find_data()
    if folder is None:
        sys.exit("The real data are absent: set FAIRLOOM_TEST_DATA.")
    import torch

    if not torch.cuda.is_available():
        print(json.dumps({"measured": False, "reason": "no GPU is visible to torch"}))
        return
    file = folder / "cifar10_12k.zip"
    plain = run_plain_loop(file, options.seconds)
    runs = []
    for share in SHARES:
        runs.append(run_search(file, share * options.seconds) | {"share": share})
        if runs[-1]["accuracy"] >= plain["accuracy"]:
            break
    reached = [run["share"] for run in runs if run["accuracy"] >= plain["accuracy"]]
    print(
        json.dumps(
            {
                "measured": True,
                "gpu": torch.cuda.get_device_name(0),
                "plain_loop": plain,
                "ours": runs,
                "share_of_time": reached[0] if reached else None,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
