"""What tests run in limited children."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from automl.errors import BundleError


def add(arguments, report):
    report(0.5, "Half way")
    report(1.0, "Done")
    return {"sum": arguments["a"] + arguments["b"], "cwd": str(Path.cwd()), "pid": os.getpid()}


def show_environment(arguments, report):
    return dict(os.environ)


def fail_in_words(arguments, report):
    raise BundleError("The bundle has no member 'x'.", hint="Make it again.")


def fail_by_bug(arguments, report):
    raise ZeroDivisionError("division by zero")


def eat_memory(arguments, report):
    return {"n": len(bytearray(2_000_000_000))}


def write_much(arguments, report):
    with Path("big").open("wb") as file:
        file.writelines(b"x" * 1_000_000 for _ in range(100))
    return {}


def spin(arguments, report):
    while True:
        pass


def sleep(arguments, report):
    time.sleep(600)


def sleep_with_grandchild(arguments, report):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    report(0.0, str(child.pid))
    time.sleep(600)


def crash(arguments, report):
    os.kill(os.getpid(), getattr(signal, arguments["signal"]))


def vanish(arguments, report):
    os._exit(9)


def talk(arguments, report):
    for _ in range(100):
        print("x" * 100_000)
    return {"ok": True}
