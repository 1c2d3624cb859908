"""What the machine is doing, sampled by the worker; pages only read it. No NVML: absent, not zero."""

import contextlib
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from automl.execution.devices import Slot, SlotKind


def sample_stats(root: Path, slots: Sequence[Slot]) -> dict[str, Any]:
    """Processor, memory, disk and devices now; percentages 0..100 since the last call, sizes in bytes."""
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(root)
    return {
        "cpu_percent": psutil.cpu_percent(interval=None),
        "cpu_percents": psutil.cpu_percent(interval=None, percpu=True),
        "memory_used_bytes": memory.total - memory.available,
        "memory_total_bytes": memory.total,
        "disk_free_bytes": disk.free,
        "disk_total_bytes": disk.total,
        "devices": [sample_device(slot) for slot in slots],
    }


def sample_device(slot: Slot) -> dict[str, Any]:
    """Name, title and kind of a slot; for a GPU also memory, load, heat and power where it tells."""
    device: dict[str, Any] = {"name": slot.name, "title": slot.title, "kind": str(slot.kind)}
    return device | _read_gpu(slot.uuid) if slot.kind is SlotKind.CUDA else device


def _read_gpu(uuid: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pynvml
    values: dict[str, Any] = {}
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()  # counted and cheap when repeated
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        values |= {"memory_used_bytes": int(memory.used), "memory_total_bytes": int(memory.total)}
        with contextlib.suppress(pynvml.NVMLError):  # a MIG slice tells no load
            values["load_percent"] = int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        with contextlib.suppress(pynvml.NVMLError):
            values["power_watts"] = pynvml.nvmlDeviceGetPowerUsage(handle) / 1000
        with contextlib.suppress(pynvml.NVMLError):
            sensor = pynvml.NVML_TEMPERATURE_GPU
            values["temperature_celsius"] = int(pynvml.nvmlDeviceGetTemperature(handle, sensor))
    return values
