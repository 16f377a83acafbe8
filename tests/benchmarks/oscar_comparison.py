"""Our category page against stock django-oscar's, with the same goods, in the same run:

    python -m tests.benchmarks.oscar_comparison              # 1,000 goods, PostgreSQL
    python -m tests.benchmarks.oscar_comparison --sqlite
    python -m tests.benchmarks.oscar_comparison --write      # the table goes into docs/benchmarks.md

The stock shop is made here: Oscar's own apps, templates and addresses of the version we use, with the Whoosh search
that its sandbox has (its category pages come from the search index, and show nothing without one). Whoosh is fetched
from PyPI into a folder that is thrown away. Its index is what limits the size: 10,000 goods take it a quarter of an hour.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import oscar

from tests.benchmarks import hello_equivalents, pages, shelves, speed
from tests.benchmarks.hello_equivalents import table
from tests.benchmarks.serving import ROOT, Ask, gunicorn, postmaster_of
from tools import postgres

GOODS, SIZE = 1_000, "S"
FEWER = 20
#: Oscar shows so many goods on a page.
ON_A_PAGE = 20
WHOOSH = "whoosh==2.7.4"


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="tadamon-oscar-") as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        _fetch_whoosh(folder / "whoosh-package")
        if "--sqlite" in arguments:
            server, url = "", f"sqlite:///{folder / 'oscar.sqlite3'}"
            (shelf,) = stack.enter_context(shelves.on_sqlite([SIZE]))
        else:
            server = stack.enter_context(postgres.running())
            url = shelves.new_database(server, "oscar")
            (shelf,) = stack.enter_context(shelves.on_postgres([SIZE]))
        environment = _environment(folder, url)
        path = _build(environment)
        text, times = _compare(shelf, environment, path, postmaster_of(server) if server else 0)
    print(f"\n{text}\n")
    if "--write" in arguments:
        speed.write("oscar", text)
    short = {mode: fewer for mode, fewer in times.items() if fewer < FEWER}
    for mode, fewer in short.items():
        print(f"OVER BUDGET: {mode}: {fewer:.1f} times fewer, {FEWER} wanted")
    return 1 if short else 0


def _fetch_whoosh(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         f"--target={folder}", WHOOSH],
        check=True,
    )  # fmt: skip


def _environment(folder: Path, url: str) -> dict[str, str]:
    (folder / "media").mkdir()
    # Stock Oscar shows this file for goods without a picture.
    picture = Path(oscar.__file__).parent / "static" / "oscar" / "img" / "image_not_found.jpg"
    (folder / "media" / "image_not_found.jpg").write_bytes(picture.read_bytes())
    return {
        "STOCK_OSCAR_FOLDER": str(folder),
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.stock_oscar.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder / "whoosh-package")]),
        "PYTHONWARNINGS": "ignore",
    }


def _build(environment: dict[str, str]) -> str:
    """Tables, goods and search index of the stock shop; the address of its largest branch."""
    started = time.monotonic()
    _run(environment, "-m", "django", "migrate", "--verbosity=0")
    path = _run(environment, "-m", "tests.benchmarks.stock_oscar.fill", str(GOODS)).splitlines()[-1]
    built = time.monotonic()
    _run(environment, "-m", "django", "update_index", "--verbosity=0")
    print(
        f"stock shop filled in {built - started:.0f} s, indexed in {time.monotonic() - built:.0f} s",
        flush=True,
    )
    return path


def _run(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command}:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
    return done.stdout


def shows_goods(status: int, body: bytes) -> bool:
    """A whole page of Oscar's, with prices; its simple search backend would give an empty one."""
    return status == 200 and len(re.findall(rb'class="product_pod"', body)) == ON_A_PAGE


def _compare(
    shelf: shelves.Shelf, environment: dict[str, str], path: str, postmaster: int
) -> tuple[str, dict[str, float]]:
    """The table, and how many times fewer ours takes: cold against Oscar, which keeps no pages, and kept."""
    ours = Ask(f"/fr/kinds/{pages.BRANCH}/", pages.cards(pages.ON_A_PAGE))
    theirs = Ask(path, shows_goods)
    cold_environment = shelf.environment | {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.cold_settings"}
    kept_environment = shelf.environment | {"PAGE_CACHE_SECONDS": "3600"}
    with (
        gunicorn(name="hello", application="tests.benchmarks.hello", environment={}) as yardstick,
        gunicorn(
            name="cold", application="shop.wsgi", environment=cold_environment, postmaster=shelf.postmaster
        ) as cold,
        gunicorn(
            name="kept", application="shop.wsgi", environment=kept_environment, postmaster=shelf.postmaster
        ) as kept,
        gunicorn(
            name="stock Oscar",
            application="tests.benchmarks.stock_oscar.wsgi",
            environment=environment,
            postmaster=postmaster,
        ) as stock,
    ):
        measured, _yard = hello_equivalents.measure(
            yardstick=yardstick,
            subjects={
                f"django-oscar {oscar.get_version()}, 20 goods": (stock, theirs),
                "Tadamon, cold, 24 goods": (cold, ours),
                "Tadamon, anonymous, 24 goods": (kept, ours),
            },
        )
    first, *others = measured.values()
    rows = [["category page", "engine", "HE, median", "HE, spread", "CPU ms", "times fewer"]]
    for each in (first, *others):
        fewer = f"{first.milliseconds / each.milliseconds:.1f}" if each is not first else "1"
        rows.append(
            [each.name, shelf.engine, f"{each.median:.1f}", each.spread, f"{each.milliseconds:.1f}", fewer]
        )
    return table(rows), {each.name: first.milliseconds / each.milliseconds for each in others}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
