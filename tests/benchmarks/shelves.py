"""Databases of every size to measure on: migrated once, seeded, and thrown away."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.benchmarks.serving import ROOT, postmaster_of
from tools import postgres


@dataclass(frozen=True)
class Shelf:
    """One seeded shop: how to reach it, and the database's first process (0 for a file)."""

    engine: str
    size: str
    environment: dict[str, str]
    postmaster: int


def manage(shelf_environment: dict[str, str], *command: str) -> None:
    """Run ``manage.py`` on this database, quietly; raises with what it said when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | {"LOG_LEVEL": "ERROR"} | shelf_environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")


def environment_of(folder: Path, url: str) -> dict[str, str]:
    """The shop as it runs, in a folder of its own, with the demo clock and debugging off."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "static").mkdir(exist_ok=True)
    return {
        "TADAMON_VAR": str(folder),
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "DEMO_CLOCK": "off",
        "DEBUG": "off",
    }


@contextlib.contextmanager
def on_sqlite(sizes: list[str]) -> Iterator[list[Shelf]]:
    """One file for each size; the larger begins as a copy of the smaller."""
    with tempfile.TemporaryDirectory(prefix="tadamon-bench-") as temporary:
        shelves: list[Shelf] = []
        for size in sizes:
            file = Path(temporary) / f"{size}.sqlite3"
            environment = environment_of(Path(temporary) / size, f"sqlite:///{file}")
            if shelves:
                file.write_bytes((Path(temporary) / f"{shelves[-1].size}.sqlite3").read_bytes())
            else:
                manage(environment, "migrate", "--verbosity=0")
            _seed(environment, size)
            shelves.append(Shelf("SQLite", size, environment, 0))
        yield shelves


@contextlib.contextmanager
def on_postgres(sizes: list[str]) -> Iterator[list[Shelf]]:
    """One database for each size on a server of its own; the larger begins as a copy of the smaller."""
    with tempfile.TemporaryDirectory(prefix="tadamon-bench-") as temporary, postgres.running() as server:
        shelves: list[Shelf] = []
        for size in sizes:
            url = new_database(
                server,
                f"bench_{size.lower()}",
                like=f"bench_{sizes[len(shelves) - 1].lower()}" if shelves else "",
            )
            environment = environment_of(Path(temporary) / size, url)
            if not shelves:
                manage(environment, "migrate", "--verbosity=0")
            _seed(environment, size)
            shelves.append(Shelf("PostgreSQL", size, environment, postmaster_of(server)))
        yield shelves


def new_database(server: str, name: str, *, like: str = "") -> str:
    """Make a database on this server, empty or as a copy; its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        copied = sql.SQL(" TEMPLATE {}").format(sql.Identifier(like)) if like else sql.SQL("")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + copied)
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def _seed(environment: dict[str, str], size: str) -> None:
    started = time.monotonic()
    manage(environment, "seed", f"--size={size}", "--seed=1")
    print(f"seeded {size} in {time.monotonic() - started:.0f} s", flush=True)
