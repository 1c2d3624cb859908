"""Kept memory: asked for where the C library has the switch, given back when it is free."""

import platform
import subprocess
import sys

# blocks of 64 MB are freed and asked for again; the second round touches pages that are there already
PROGRAM = """
import resource
import sys
import numpy as np
from automl.execution.allocator import give_back_memory, keep_memory

def count_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(8_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def read_resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

if not keep_memory():
    print("no switch")
    sys.exit()
count_faults()
again = count_faults()
held = read_resident()
give_back_memory()
print(again, held - read_resident())
"""


def test_freed_blocks_are_reused_and_given_back_when_asked():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    if platform.libc_ver()[0] != "glibc":
        assert done.stdout.strip() == "no switch"
        return
    again, given_back = map(int, done.stdout.split())
    assert again < 1_000  # 64 MB are 15,625 pages
    assert given_back > 10_000
