import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location(
    "search_simulation", Path(__file__).with_name("simulation.py")
)
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules["search_simulation"] = _MODULE
_SPEC.loader.exec_module(_MODULE)
