"""Which slots this machine has for trials, found without importing torch."""

import contextlib
import importlib.util
import os
import re
import warnings
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from automl.errors import SettingsError
from automl.settings import Settings

MAX_CPU_SLOTS = 8
MAX_IMAGE_THREADS = (
    4  # of one trial on pictures: convolutions of small networks scale to about as many
)
_NAME = re.compile(r"(cpu|cuda|fake|fake-broken)(?::(\d{1,3}))?")


class SlotKind(StrEnum):
    """What a slot is made of; fake ones train on the CPU and let tests play several GPUs."""

    CPU = "cpu"
    CUDA = "cuda"
    FAKE = "fake"
    FAKE_BROKEN = "fake-broken"  # fails when it is prepared, as a GPU with a bad driver does


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A place where one trial runs at a time. ``uuid`` is what ``CUDA_VISIBLE_DEVICES`` takes."""

    name: str
    kind: SlotKind
    title: str
    uuid: str = ""
    memory_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Devices:
    """All slots, and what a person should know about them (an old driver, a CPU-only build)."""

    slots: tuple[Slot, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotResources:
    """``threads`` per trial and the batch size for a number of training rows, on which ``slots``."""

    threads: int
    batch_size: int
    slots: tuple[Slot, ...] = ()


def list_slots(settings: Settings) -> tuple[Slot, ...]:
    """The slots of ``find_devices``, without the warnings."""
    return find_devices(settings).slots


def find_devices(settings: Settings) -> Devices:
    """GPUs where there are any, else one slot per core (at most 8); ``settings.devices`` overrules.

    ``cpu`` and ``cuda`` mean all of that kind, ``cpu:1`` one of them.

    Raises
    ------
    SettingsError
        When a named device is unknown, absent or named twice.
    """
    gpus = _find_gpus()
    if not settings.devices:
        return Devices(slots=gpus.slots or _build_cpu_slots(), warnings=gpus.warnings)
    slots: list[Slot] = []
    for name in settings.devices:
        slots.extend(_resolve(name, gpus))
    names = [slot.name for slot in slots]
    if len(set(names)) != len(names):
        raise SettingsError(
            f"FAIRLOOM_DEVICES names a device twice: {', '.join(names)}.", hint="Name each once."
        )
    uses_gpu = any(slot.kind is SlotKind.CUDA for slot in slots)
    return Devices(slots=tuple(slots), warnings=gpus.warnings if uses_gpu else ())


def _resolve(name: str, gpus: Devices) -> tuple[Slot, ...]:
    match = _NAME.fullmatch(name)
    if match is None or (match[1].startswith("fake") and match[2] is None):
        raise SettingsError(
            f"FAIRLOOM_DEVICES names an unknown device {name!r}.",
            hint="Use cpu, cuda, cpu:0, cuda:0 and the like, separated by commas.",
        )
    kind = SlotKind(match[1])
    if kind is SlotKind.CUDA:
        found = gpus.slots if match[2] is None else _pick(gpus.slots, name)
        if not found:
            reason = " ".join(gpus.warnings) or "No GPU is visible to the driver."
            raise SettingsError(f"The device {name!r} is not there. {reason}", hint="Use cpu.")
        return found
    if kind is SlotKind.CPU and match[2] is None:
        return _build_cpu_slots()
    titles = {SlotKind.CPU: "CPU core", SlotKind.FAKE: "fake device"}
    title = f"{titles.get(kind, 'fake device that fails')} {match[2]}"
    return (Slot(name=name, kind=kind, title=title),)


def _pick(slots: tuple[Slot, ...], name: str) -> tuple[Slot, ...]:
    return tuple(slot for slot in slots if slot.name == name)


def count_cores() -> int:
    """Cores this process may use (containers and ``taskset`` counted in)."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, round(int(quota) / int(period))))  # "max" is a ValueError
    return cores


def _build_cpu_slots() -> tuple[Slot, ...]:
    n_slots = min(count_cores(), MAX_CPU_SLOTS)
    return tuple(
        Slot(name=f"cpu:{index}", kind=SlotKind.CPU, title=f"CPU core {index}")
        for index in range(n_slots)
    )


def _find_gpus() -> Devices:
    """GPUs (MIG slices one by one) that torch's CUDA build can use with the driver at hand."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old package of the same name says it is old
        import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return Devices(slots=())
    try:
        slots = tuple(_iterate_gpus(pynvml))
        driver = int(pynvml.nvmlSystemGetCudaDriverVersion_v2()) // 1000
    except pynvml.NVMLError as error:
        return Devices(
            slots=(), warnings=(f"The GPU driver does not answer ({error}); using CPU.",)
        )
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    problem = _describe_mismatch(read_torch_cuda(), driver) if slots else ""
    return Devices(slots=(), warnings=(problem,)) if problem else Devices(slots=slots)


def _iterate_gpus(nvml: Any) -> list[Slot]:
    handles = []
    for index in range(nvml.nvmlDeviceGetCount()):
        gpu = nvml.nvmlDeviceGetHandleByIndex(index)
        slices = []
        with contextlib.suppress(nvml.NVMLError):
            if nvml.nvmlDeviceGetMigMode(gpu)[0] == 1:
                for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
                    with contextlib.suppress(nvml.NVMLError):
                        slices.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, number))
        handles.extend(slices or [gpu])
    return [
        Slot(
            name=f"cuda:{index}",
            kind=SlotKind.CUDA,
            title=str(nvml.nvmlDeviceGetName(handle)),
            uuid=str(nvml.nvmlDeviceGetUUID(handle)),
            memory_bytes=int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        )
        for index, handle in enumerate(handles)
    ]


def read_torch_cuda() -> str | None:
    """CUDA version of the installed torch ("13.0"), None for a CPU build; read without importing it."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    version = Path(spec.origin).with_name("version.py")
    if not version.exists():
        return None
    match = re.search(
        r"^cuda\b[^=]*=\s*['\"]([\d.]+)['\"]", version.read_text("utf-8"), re.MULTILINE
    )
    return match[1] if match else None


def _describe_mismatch(torch_cuda: str | None, driver_major: int) -> str:
    if torch_cuda is None:
        return (
            "A GPU is there, but the installed torch is a CPU build; using CPU. "
            "Install torch with CUDA to use the GPU."
        )
    if int(torch_cuda.split(".")[0]) > driver_major:
        return (
            f"The GPU driver supports CUDA {driver_major}, the installed torch needs {torch_cuda}; "
            "using CPU. Update the driver to use the GPU."
        )
    return ""


def compute_resources(slots: tuple[Slot, ...], n_train_rows: int) -> SlotResources:
    """Threads and batch size: cores shared by slots that need them, larger batches for more rows.

    Batch 128 below 2,000 rows, 256 below 50,000, 512 below 200,000, else 1024; doubled on CPU, where
    the overhead per step weighs more.
    """
    limits = ((2_000, 128), (50_000, 256), (200_000, 512))
    batch = next((size for limit, size in limits if n_train_rows < limit), 1024)
    on_gpu = any(slot.kind is SlotKind.CUDA for slot in slots)
    threads = max(1, count_cores() // max(1, len(slots))) if on_gpu else 1
    return SlotResources(threads=threads, batch_size=batch if on_gpu else 2 * batch, slots=slots)


def compute_image_resources(slots: tuple[Slot, ...], n_train_rows: int, side: int) -> SlotResources:
    """Slots, threads and batch size for pictures of ``side`` pixels.

    A trial on pictures is long, so cores work together, in two trials at once: four cores are two trials of two
    threads. Two cores are two trials of one: one trial of two threads is no faster on a quiet machine (684
    against 688 pictures a second), and where something else runs its threads wait for each other, twenty
    times slower at worst. One trial per GPU. Batch 128 on CPU; on a GPU 256 below 10,000 rows, 512
    below 50,000, else 1024; above 64 px less, as the area grows, at least 32.
    """
    if all(slot.kind is SlotKind.CPU for slot in slots):
        threads = max(1, min(MAX_IMAGE_THREADS, len(slots) // 2))
        used, base = slots[: max(1, len(slots) // threads)], 128
    else:
        on_gpu = any(slot.kind is SlotKind.CUDA for slot in slots)
        threads = max(1, count_cores() // max(1, len(slots))) if on_gpu else 1
        limits = ((10_000, 256), (50_000, 512))
        on_cards = next((size for limit, size in limits if n_train_rows < limit), 1024)
        used, base = slots, on_cards if on_gpu else 128
    batch = base
    while batch > 32 and batch * side**2 > base * 64**2:
        batch //= 2
    return SlotResources(threads=threads, batch_size=batch, slots=used)
