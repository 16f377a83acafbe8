"""Where the real browser of the tests comes from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tools import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = (
    "The browser tests need Chromium. Install it (on Debian: apt-get install chromium), "
    "or name the program: CHROMIUM=/path/to/chromium"
)
#: Nothing that would reach out by itself, no first-run pages, no graphics card.
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
)


class NoChromium(Exception):
    """No browser on this machine and none can be installed."""


def flags() -> list[str]:
    """How Chromium is started; as root it refuses its sandbox."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def program() -> Path:
    """The browser: named by CHROMIUM, on the PATH, Playwright's own, or else installed.

    Raises NoChromium, saying what to install.
    """
    found = _named() or _on_path() or _of_playwright()
    if found is None and debian.install("chromium"):
        found = _on_path()
    if found is None:
        raise NoChromium(ADVICE)
    return found


def _named() -> Path | None:
    named = os.environ.get("CHROMIUM")
    if not named:
        return None
    if not Path(named).exists():
        raise NoChromium(f"CHROMIUM names {named}, which does not exist.")
    return Path(named)


def _on_path() -> Path | None:
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def _of_playwright() -> Path | None:
    """The newest browser that ``playwright install`` put into its cache."""
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return max(cache.glob("chromium-*/chrome-*/chrome"), default=None)
