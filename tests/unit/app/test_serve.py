"""What the web process does before it answers."""

import subprocess
import sys

from tests.conftest import ROOT

WARM = (
    "import gc, sys; from app.serve import warm_up; warm_up();"
    "print('plotly' in sys.modules, 'torch' in sys.modules, gc.get_freeze_count() > 50_000)"
)


def test_warming_up_brings_what_pages_draw_with_without_torch_and_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WARM],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "False", "True"], done.stderr
