"""Pictures of the console's pages, for people to look at: no test compares them."""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("CLAIMGATE_SCREENSHOTS") or Path(__file__).resolve().parents[1] / "screenshots").absolute()
#: Colours, and pixels of a screen's width.
LOOKS = [(colours, width) for colours in ("light", "dark") for width in (1280, 400)]


def take(page, name: str, colours: str, width: int):
    """Takes a picture of the whole page; the name tells what is seen on it."""
    # As high as the page, so that what sticks to the screen's end stands at the page's.
    page.set_viewport_size({"width": width, "height": max(900, page.evaluate("document.documentElement.scrollHeight"))})
    page.screenshot(path=FOLDER / f"{name}-{colours}-{width}.png", full_page=True)


def remove_old():
    """Removes the pictures of the run before, and nothing else that may be in the folder."""
    for colours, width in LOOKS:
        for picture in FOLDER.glob(f"*-{colours}-{width}.png"):
            picture.unlink()
