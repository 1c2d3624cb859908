import importlib.util
import sys
from pathlib import Path

for _name, _file in (
    ("search_simulation", "simulation"),
    ("image_simulation", "image_simulation"),
    ("sampling_simulation", "sampling"),
):
    _SPEC = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_file}.py"))
    _MODULE = importlib.util.module_from_spec(_SPEC)
    sys.modules[_name] = _MODULE
    _SPEC.loader.exec_module(_MODULE)
