"""Threads, memory and seeds of the machine a trial runs on."""

import resource
import sys

import numpy as np
import torch

from automl.errors import SpecError


def get_device(name: str, threads: int) -> torch.device:
    """The device by name, with torch's threads set; its peak memory starts to count anew."""
    if threads < 1:
        raise SpecError(f"{threads} threads cannot train; at least one is needed.")
    torch.set_num_threads(threads)
    device = torch.device(name)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    return device


def compute_peak_memory(device: torch.device | None = None) -> int:
    """Peak bytes: of the device's allocator on a GPU, else of this process since it began."""
    if device is not None and device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def derive_seed(seed: int, *purpose: int) -> int:
    """A seed of its own for every purpose (epoch, initialisation), from one root; 0..2^63."""
    words = np.random.SeedSequence((seed, *purpose)).generate_state(2, np.uint32)
    return (int(words[0]) << 31) ^ int(words[1])
