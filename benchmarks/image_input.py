"""Pictures per second of the input path, against a torchvision and DataLoader loop of two workers.

``python -m benchmarks.image_input [--device cuda]`` prints one JSON object. Both sides see the same JPEG files, shuffle,
flip at random, shift by up to an eighth of the side with reflected edges and normalise, in batches of 128 that end
on the device. The peer decodes in every epoch, as such loops do; ours decoded once, whose seconds stand beside. Memory is
kept as trainers keep it; the peer's workers start before and have the system's default. Rounds are interleaved (peer,
ours, ours, peer) and the ratio is that of the medians. Nothing here is a test.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from automl.data.images.decoding import decode
from automl.data.images.rows import ImageRows
from automl.data.views import ViewShape
from automl.execution.allocator import keep_memory
from automl.models.image.image_model import Normaliser
from automl.models.image.recipe_space import parse_recipe
from automl.training.image.augment import Augmenter
from automl.training.image.data import open_pictures
from tests.conftest import find_data

BATCH = 128
TRANSLATE = 0.125
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
LARGE_SIDE, N_LARGE = 160, 1200
MOST_PIXELS = 10**6


def unpack(archive: Path, folder: Path) -> None:
    """The training pictures of the real ZIP, one folder per class."""
    with zipfile.ZipFile(archive) as file:
        for name in file.namelist():
            if name.startswith("train/") and name.endswith(".jpg"):
                target = folder / name.removeprefix("train/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read(name))


def draw_large(folder: Path) -> None:
    """JPEGs of 160 px: smooth colours with some grain, about as many bytes as photographs have."""
    rng = np.random.default_rng(0)
    for index in range(N_LARGE):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((LARGE_SIDE, LARGE_SIDE), Image.Resampling.BICUBIC))
        grain = rng.normal(0, 8, smooth.shape)
        pixels = (smooth + grain).clip(0, 255).astype(np.uint8)
        target = folder / f"class{index % 4}" / f"{index:05}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(target, quality=90)


def build_store(folder: Path, side: int, target: Path) -> ImageRows:
    """Every picture decoded once into a memory map, as an import does."""
    found = [
        decode(path.read_bytes(), side, 3, MOST_PIXELS).pixels
        for path in sorted(folder.rglob("*.jpg"))
    ]
    np.save(target, np.stack(found))
    return ImageRows(array=np.load(target, mmap_mode="r"))


def build_peer(folder: Path, side: int) -> DataLoader[tuple[torch.Tensor, int]]:
    """What a careful person writes: torchvision's v2 transforms, two workers that stay."""
    transform = v2.Compose(
        [
            v2.PILToTensor(),
            v2.RandomCrop(side, padding=round(TRANSLATE * side), padding_mode="reflect"),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )
    return DataLoader(
        ImageFolder(str(folder), transform=transform),
        batch_size=BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=2,
        persistent_workers=True,
        pin_memory=torch.cuda.is_available(),
    )


def iterate_peer(
    loader: DataLoader[tuple[torch.Tensor, int]], device: torch.device
) -> Iterator[torch.Tensor]:
    for pictures, _ in loader:
        yield pictures.to(device, memory_format=torch.channels_last, non_blocking=True)


class OurPath:
    """The path of the training loop: resident or streamed bytes, batched augmentation, normalisation."""

    def __init__(self, rows: ImageRows, device: torch.device) -> None:
        recipe = parse_recipe({"flip": "random", "translate": TRANSLATE})
        shape = ViewShape(
            n_raw=0, n_quantile=0, n_quantile_numeric=0, cardinalities=(), n_outputs=2,
            side=rows.side, channels=3, image_mean=MEAN, image_std=STD,
        )  # fmt: skip
        self.shape = (rows.side, rows.side, rows.channels)
        self.pictures = open_pictures(rows, device)
        self.normaliser = Normaliser(shape, device)
        self.augmenter = Augmenter(recipe, rows.side)
        self.draws = torch.Generator().manual_seed(0)
        self.parity = torch.zeros(BATCH, dtype=torch.long)

    def iterate(self) -> Iterator[torch.Tensor]:
        order = torch.randperm(len(self.pictures), generator=self.draws).numpy()
        n_batches = len(order) // BATCH
        batches = [order[index * BATCH : (index + 1) * BATCH] for index in range(n_batches)]
        shape = (BATCH, *self.shape)
        work = torch.empty(shape, dtype=torch.float32, device=self.normaliser.scale.device)
        for pixels in self.pictures.iterate(batches):
            distorted = self.augmenter.distort(pixels, self.parity, 0, self.draws)
            yield self.augmenter.finish(self.normaliser.apply(distorted, work), self.draws)


def time_epoch(iterate: Callable[[], Iterator[torch.Tensor]], device: torch.device) -> float:
    """Pictures per second of one epoch; every batch is really there at the end."""
    started, n_pictures = time.perf_counter(), 0
    total = torch.zeros((), device=device)
    for pictures in iterate():
        n_pictures += len(pictures)
        total += pictures[0, 0, 0, 0]
    if not torch.isfinite(total).item():  # reading it waits for the device
        raise RuntimeError("a batch was not finite")
    return n_pictures / (time.perf_counter() - started)


def compare(folder: Path, side: int, device: torch.device, n_rounds: int) -> dict[str, float]:
    """Pictures per second of both sides and their ratio."""
    started = time.perf_counter()
    rows = build_store(folder, side, folder.with_suffix(".npy"))
    once = time.perf_counter() - started
    loader, ours = build_peer(folder, side), OurPath(rows, device)
    sides: dict[str, Callable[[], Iterator[torch.Tensor]]] = {
        "peer": lambda: iterate_peer(loader, device),
        "ours": ours.iterate,
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    time_epoch(sides["peer"], device)  # its workers start
    keep_memory()
    for iterate in sides.values():
        time_epoch(iterate, device)  # caches fill
    for _ in range(n_rounds):
        for name in ("peer", "ours", "ours", "peer"):
            rates[name].append(time_epoch(sides[name], device))
    peer, own = (statistics.median(rates[name]) for name in ("peer", "ours"))
    return {
        "pictures": len(rows),
        "decode_once_seconds": round(once, 1),
        "peer_per_second": round(peer),
        "ours_per_second": round(own),
        "ratio": round(own / peer, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Input path against a DataLoader loop.")
    parser.add_argument("--device", default="cpu", help="cpu or cuda:0")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of peer, ours, ours, peer")
    options = parser.parse_args()
    data = find_data()
    if data is None:
        print("This needs cifar10_12k.zip: set FAIRLOOM_TEST_DATA.", file=sys.stderr)
        return 1
    device = torch.device(options.device)
    torch.set_num_threads(1)  # ours does without workers and without a second core
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name) / "small", Path(name) / "large"
        unpack(data / "cifar10_12k.zip", small)
        draw_large(large)
        figures = {
            "device": str(device),
            "side_32": compare(small, 32, device, options.rounds),
            f"side_{LARGE_SIDE}": compare(large, LARGE_SIDE, device, options.rounds),
        }
    print(json.dumps(figures, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
