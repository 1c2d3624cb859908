# ruff: noqa: ARG002, N802, N815 (stands in for a foreign module)
import os
import types

import pytest

from automl.errors import SettingsError
from automl.execution import devices
from automl.execution.devices import (
    Slot,
    SlotKind,
    compute_image_resources,
    compute_resources,
    count_cores,
    find_devices,
    list_slots,
    read_torch_cuda,
)
from automl.settings import Settings


class FakeNvml(types.SimpleNamespace):
    """Two GPUs, the second cut into two slices, with a driver for CUDA 13."""

    class NVMLError(Exception):
        pass

    def __init__(self, driver=13_000):
        super().__init__()
        self.driver = driver

    def nvmlInit(self):
        pass

    nvmlShutdown = nvmlInit

    def nvmlSystemGetCudaDriverVersion_v2(self):
        return self.driver

    def nvmlDeviceGetCount(self):
        return 2

    def nvmlDeviceGetHandleByIndex(self, index):
        return f"GPU-{index}"

    def nvmlDeviceGetMigMode(self, handle):
        if handle == "GPU-0":
            raise self.NVMLError("not supported")
        return (1, 1)

    def nvmlDeviceGetMaxMigDeviceCount(self, handle):
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle, number):
        if number >= 2:
            raise self.NVMLError("not found")
        return f"MIG-{number}"

    def nvmlDeviceGetName(self, handle):
        return f"Card {handle}"

    def nvmlDeviceGetUUID(self, handle):
        return f"uuid-{handle}"

    def nvmlDeviceGetMemoryInfo(self, handle):
        return types.SimpleNamespace(total=10**10)


@pytest.fixture
def no_gpu(monkeypatch):
    nvml = FakeNvml()

    def fail():
        raise nvml.NVMLError("no driver")

    nvml.nvmlInit = fail
    monkeypatch.setitem(__import__("sys").modules, "pynvml", nvml)


@pytest.fixture
def gpus(monkeypatch):
    nvml = FakeNvml()
    monkeypatch.setitem(__import__("sys").modules, "pynvml", nvml)
    monkeypatch.setattr(devices, "read_torch_cuda", lambda: "13.0")
    return nvml


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_every_core_is_a_slot_up_to_eight(monkeypatch):
    monkeypatch.setattr(devices, "count_cores", lambda: 3)
    assert [slot.name for slot in list_slots(Settings())] == ["cpu:0", "cpu:1", "cpu:2"]
    monkeypatch.setattr(devices, "count_cores", lambda: 64)
    found = find_devices(Settings())
    assert len(found.slots) == 8
    assert found.warnings == ()


@pytest.mark.usefixtures("gpus")
def test_gpus_and_their_slices_are_slots_by_uuid():
    slots = list_slots(Settings())
    assert [slot.name for slot in slots] == ["cuda:0", "cuda:1", "cuda:2"]
    assert [slot.uuid for slot in slots] == ["uuid-GPU-0", "uuid-MIG-0", "uuid-MIG-1"]
    assert [slot.name for slot in list_slots(Settings(devices="cuda:1"))] == ["cuda:1"]
    assert {slot.kind for slot in list_slots(Settings(devices="cpu"))} == {SlotKind.CPU}


def test_an_old_driver_means_cpu_and_a_warning(gpus):
    gpus.driver = 12_080
    found = find_devices(Settings())
    assert {slot.kind for slot in found.slots} == {SlotKind.CPU}
    assert "CUDA 12" in found.warnings[0]
    assert "13.0" in found.warnings[0]
    with pytest.raises(SettingsError, match="'cuda:0' is not there"):
        find_devices(Settings(devices="cuda:0"))


@pytest.mark.usefixtures("gpus")
def test_a_cpu_build_of_torch_beside_a_gpu_is_a_warning(monkeypatch):
    monkeypatch.setattr(devices, "read_torch_cuda", lambda: None)
    found = find_devices(Settings())
    assert {slot.kind for slot in found.slots} == {SlotKind.CPU}
    assert "CPU build" in found.warnings[0]


@pytest.mark.usefixtures("no_gpu")
def test_named_devices_are_taken_as_named():
    slots = list_slots(Settings(devices="fake:0,fake:1, fake-broken:0,cpu:0"))
    assert [slot.name for slot in slots] == ["fake:0", "fake:1", "fake-broken:0", "cpu:0"]
    assert slots[2].kind is SlotKind.FAKE_BROKEN


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["tpu:0", "fake", "cuda", "cuda:9", "cpu:x", "fake:0,fake:0"])
def test_devices_that_cannot_be_are_refused(name):
    with pytest.raises(SettingsError) as caught:
        list_slots(Settings(devices=name))
    assert name.split(",")[0] in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("n_rows", "batch"),
    [(1_999, 128), (2_000, 256), (49_999, 256), (50_000, 512), (200_000, 1024)],
)
@pytest.mark.usefixtures("gpus")
def test_batches_grow_with_rows_and_double_on_cpu(n_rows, batch):
    gpu = list_slots(Settings())
    assert compute_resources(gpu, n_rows).batch_size == batch
    cpu = list_slots(Settings(devices="cpu"))
    assert compute_resources(cpu, n_rows).batch_size == 2 * batch
    assert compute_resources(cpu, n_rows).threads == 1
    assert compute_resources(gpu, n_rows).threads >= 1


CPU = tuple(Slot(name=f"cpu:{n}", kind=SlotKind.CPU, title="") for n in range(8))
GPU = tuple(Slot(name=f"cuda:{n}", kind=SlotKind.CUDA, title="") for n in range(2))


@pytest.mark.parametrize("n_cores", range(1, 9))
def test_pictures_never_have_more_threads_than_cores_and_use_at_least_half(n_cores):
    found = compute_image_resources(CPU[:n_cores], 7_000, 32)
    assert n_cores / 2 <= len(found.slots) * found.threads <= n_cores
    assert found.slots == CPU[: len(found.slots)]
    assert found.batch_size == 128


@pytest.mark.parametrize(("n_rows", "batch"), [(9_999, 256), (10_000, 512), (50_000, 1024)])
def test_every_gpu_has_one_trial_on_pictures_and_batches_that_grow(n_rows, batch):
    found = compute_image_resources(GPU, n_rows, 32)
    assert (found.slots, found.batch_size) == (GPU, batch)
    assert found.threads >= 1


def test_batches_of_large_pictures_are_smaller():
    sizes = [compute_image_resources(GPU, 60_000, side).batch_size for side in (64, 128, 224, 288)]
    assert sizes == [1024, 256, 64, 32]


def test_cores_are_those_we_may_use():
    assert 1 <= count_cores() <= (os.cpu_count() or 1)


def test_torch_is_asked_by_its_file_only():
    cuda = read_torch_cuda()
    assert cuda is None or cuda[0].isdigit()
