"""Where the pictures of a part are while it trains: on the device, or in the memory map with one thread ahead."""

import queue
import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Protocol

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from automl.data.images.rows import ImageRows

FREE_SHARE = 0.4  # of free memory that pictures may take
N_AHEAD = 3  # batches that the thread reads ahead

Order = Sequence[NDArray[np.int64]]


class Pictures(Protocol):
    """The pictures of some rows, by position among these rows."""

    def __len__(self) -> int: ...

    @property
    def is_resident(self) -> bool:
        """Whether they all lie on the device."""
        ...

    def iterate(self, batches: Order) -> Generator[Tensor, None, None]:
        """Batches of bytes on the device, uint8 ``(n, S, S, C)``, in the order that was asked for.

        Each is a copy that the caller may change.
        """
        ...


class ResidentPictures:
    """All pictures on the device as bytes, read once."""

    is_resident = True

    def __init__(self, images: ImageRows, device: torch.device) -> None:
        self._pixels = torch.from_numpy(images.load()).to(device)

    def __len__(self) -> int:
        return len(self._pixels)

    def iterate(self, batches: Order) -> Generator[Tensor, None, None]:
        for positions in batches:
            chosen = torch.from_numpy(positions).to(self._pixels.device)
            yield self._pixels.index_select(0, chosen)


class StreamedPictures:
    """Pictures that stay in the memory map; one thread reads the next batches while the device works."""

    is_resident = False

    def __init__(self, images: ImageRows, device: torch.device) -> None:
        self._images = images
        self._device = device

    def __len__(self) -> int:
        return len(self._images)

    def iterate(self, batches: Order) -> Generator[Tensor, None, None]:
        ahead: queue.Queue[NDArray[np.uint8] | BaseException | None] = queue.Queue(N_AHEAD)
        is_left = threading.Event()
        thread = threading.Thread(
            target=self._read, args=(batches, ahead, is_left), name="pictures", daemon=True
        )
        thread.start()
        try:
            while (found := ahead.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield self._move(found)
        finally:
            is_left.set()
            while thread.is_alive():  # it may wait for room in the queue
                _drain(ahead)
                thread.join(0.01)

    def _read(
        self,
        batches: Order,
        ahead: "queue.Queue[NDArray[np.uint8] | BaseException | None]",
        is_left: threading.Event,
    ) -> None:
        try:
            for positions in batches:
                if is_left.is_set():
                    return
                ahead.put(self._images.take(positions).load())
            ahead.put(None)
        except BaseException as error:  # noqa: BLE001 (raised again by the reader)
            ahead.put(error)

    def _move(self, pixels: NDArray[np.uint8]) -> Tensor:
        found = torch.from_numpy(np.ascontiguousarray(pixels))
        if self._device.type == "cuda":
            return found.pin_memory().to(self._device, non_blocking=True)
        return found.to(self._device)


def _drain(ahead: "queue.Queue[NDArray[np.uint8] | BaseException | None]") -> None:
    while True:
        try:
            ahead.get_nowait()
        except queue.Empty:
            return


def compute_free_bytes(device: torch.device) -> int:
    """Free memory where the pictures would lie."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def open_pictures(images: ImageRows, device: torch.device, *, n_sharing: int = 1) -> Pictures:
    """On the device if they take at most 40 % of its free memory, else streamed.

    ``n_sharing`` processes do the same in the same memory (trainers on the cores of one machine), so each has
    its share of the 40 %.
    """
    if images.size_bytes * n_sharing <= FREE_SHARE * compute_free_bytes(device):
        return ResidentPictures(images, device)
    return StreamedPictures(images, device)


def iterate_in_order(pictures: Pictures, size: int) -> Generator[Tensor, None, None]:
    """All pictures in their own order, ``size`` at a time."""
    positions = np.arange(len(pictures), dtype=np.int64)
    batches = [positions[start : start + size] for start in range(0, len(positions), size)]
    with closing(pictures.iterate(batches)) as found:
        yield from found
