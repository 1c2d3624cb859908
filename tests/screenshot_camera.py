"""How a page is photographed: every look, as tall as it is, in few bytes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page
from scipy.spatial import cKDTree

from tests.conftest import ROOT
from tests.e2e.acts import open_page

IMAGES = ROOT / "docs" / "images"
LOOKS = {
    "wide": ({"width": 1440, "height": 1000}, "light"),
    "narrow": ({"width": 390, "height": 900}, "light"),
    "dark": ({"width": 1440, "height": 1000}, "dark"),
}
MOST_PIXELS = 2600  # height of a picture
TALLEST = 8000  # of a window, where the picture begins further down
ABOVE = 24  # pixels above the heading that a picture begins with
MOST_BYTES = 60_000  # a larger file is written again with 256 colours
N_EXACT = 96  # of them, which are kept as they are
Prepare = Callable[[Page], None]


def take(
    browser: Browser, address: str, name: str, prepare: Prepare | None = None, *, start: str = ""
) -> None:
    """One page in every look, after ``prepare`` has opened what the address does not name.

    The picture begins at the top of the page, or at the heading ``start``.
    """
    for look, (viewport, scheme) in LOOKS.items():
        context = browser.new_context(viewport=viewport, color_scheme=scheme, locale="en-GB")
        page = context.new_page()
        open_page(page, address)
        if prepare is not None:
            prepare(page)
        shoot(page, f"{name}-{look}", viewport, start=start)
        context.close()


def shoot(page: Page, name: str, viewport: dict[str, int], *, start: str = "") -> None:
    """Let the charts draw, make the window as tall as the page, and take the picture."""
    main = page.locator("[data-testid='stMain']")
    most = TALLEST if start else MOST_PIXELS
    height = viewport["height"]
    for _ in range(2):  # what is drawn late makes the page longer
        page.wait_for_timeout(1500)
        whole = int(main.evaluate("element => element.scrollHeight"))
        height = min(max(whole, viewport["height"]), most)
        page.set_viewport_size({"width": viewport["width"], "height": height})
    page.wait_for_timeout(1500)
    main.evaluate("element => element.scrollTo(0, 0)")
    top = 0.0
    if start:
        box = page.get_by_text(start, exact=True).first.bounding_box()
        assert box is not None, f"{start!r} is not on the page"
        top = max(0.0, box["y"] - ABOVE)
    save(page, IMAGES / f"{name}.png", top, min(height - top, MOST_PIXELS))


def save(page: Page, path: Path, top: float = 0.0, height: float | None = None) -> None:
    """Write the picture; a large file keeps 256 colours."""
    size = page.viewport_size
    assert size is not None
    clip = {"x": 0, "y": top, "width": size["width"], "height": height or size["height"]}
    page.screenshot(path=path, clip=clip)
    if path.stat().st_size > MOST_BYTES:
        with Image.open(path) as taken:
            few = reduce_colours(taken.convert("RGB"))
        few.save(path, optimize=True)


def reduce_colours(taken: Image.Image) -> Image.Image:
    """256 colours: the most frequent as they are, and others spread over all that are there.

    So grounds do not change, and a thin line on a white page keeps its colour.
    """
    pixels = np.asarray(taken, dtype=np.int64) @ (1 << 16, 1 << 8, 1)
    colours, places, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    known = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    exact = known[np.argsort(-counts)[:N_EXACT]]
    few = taken.quantize(256 - N_EXACT, method=Image.Quantize.MAXCOVERAGE)
    palette = np.vstack([exact, np.reshape(few.getpalette(), (-1, 3))[: 256 - N_EXACT]])
    nearest = cKDTree(palette).query(known)[1]
    reduced = Image.fromarray(nearest[places].reshape(pixels.shape).astype(np.uint8))
    reduced.putpalette(palette.astype(np.uint8).ravel().tolist())
    return reduced
