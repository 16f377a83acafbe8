"""Databases for tests: migrated once, copied for each worker, copied again after a test that commits.

Django empties every table after a test with real transactions. Here that is impossible (the books refuse
DELETE and TRUNCATE) and would be wrong (what migrations wrote would be gone). So the whole database is
replaced by a fresh copy of a *template*: some milliseconds for SQLite's file, a fifth of a second for
PostgreSQL's ``CREATE DATABASE … TEMPLATE``.

The migrated template is kept between runs in ``var/test-cache``. Each kept template remembers the digest
of every migration in it: when files are added, the newest template that is still right is taken and
only the new migrations run on it; when a file changes, all run again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from tools import postgres

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("TADAMON_TEST_CACHE") or ROOT / "var" / "test-cache")
KEPT_TEMPLATES = 6
MIGRATED = "migrated"


def clones() -> Clones:
    """The copies for the engine under test."""
    if settings.SQLITE:
        return SqliteClones()
    return PostgresClones()


# What a template was made of


def migration_digests() -> dict[str, str]:
    """Each migration file of the house, with its digest, and the lock (Oscar's migrations come from it)."""
    files = [
        each
        for folder in ("shop", "catalogue", "cooperatives")
        for each in (ROOT / folder).rglob("migrations/*")
        if each.is_file() and each.name != "__init__.py"
    ]
    files.append(ROOT / "requirements.txt")
    return {
        str(each.relative_to(ROOT)): hashlib.sha256(each.read_bytes()).hexdigest()[:16]
        for each in sorted(files)
    }


def digest_of(digests: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:16]


class Clones(ABC):
    """A worker's own database, and the templates it can be made like again."""

    engine: str
    suffix: str

    def __init__(self) -> None:
        self.digests = migration_digests()
        self.digest = digest_of(self.digests)

    # made by each engine

    @abstractmethod
    def renew(self, template: str = MIGRATED) -> None:
        """Make this worker's database like a template again, whatever was committed to it."""

    @abstractmethod
    def keep_as(self, template: str) -> None:
        """Keep the present content of this worker's database as a template for the rest of the run."""

    @abstractmethod
    def has(self, template: str) -> bool:
        """Whether a template of that name exists in this run."""

    @abstractmethod
    def remove(self) -> None:
        """Remove this worker's database at the end of the run."""

    @abstractmethod
    def _make_migrated(self) -> None: ...

    # the same for both

    def prepare(self) -> None:
        """See to the migrated template, once for all workers, and to this worker's first copy of it."""
        with _one_at_a_time(self.engine):
            if not self.has(MIGRATED):
                self._make_migrated()
        self.renew()

    @contextlib.contextmanager
    def for_this_run(self, template: str) -> Iterator[bool]:
        """Let one worker make a template while the others wait; yields whether it is still to be made."""
        with _one_at_a_time(f"{self.engine}-{template}"):
            yield not self.has(template)

    def _cached(self) -> Path:
        return CACHE / f"{self.engine}-{self.digest}{self.suffix}"

    def _nearest(self) -> Path | None:
        """The kept template with most migrations of which none has changed since."""
        best, most = None, 0
        for file in CACHE.glob(f"{self.engine}-*.json"):
            with contextlib.suppress(OSError, ValueError):
                made_of = json.loads(file.read_text())
                content = file.with_suffix(self.suffix)
                if len(made_of) > most and made_of.items() <= self.digests.items() and content.exists():
                    best, most = content, len(made_of)
        return best

    def _remember(self) -> None:
        self._cached().with_suffix(".json").write_text(json.dumps(self.digests))
        kept = sorted(CACHE.glob(f"{self.engine}-*.json"), key=lambda each: each.stat().st_mtime)
        for old in kept[:-KEPT_TEMPLATES]:
            old.unlink(missing_ok=True)
            old.with_suffix(self.suffix).unlink(missing_ok=True)


def _migrate(url: str) -> None:
    print(f"\nMigrating a {urlsplit(url).scheme} template for the tests …", file=sys.__stderr__, flush=True)
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "shop.settings"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the migrations failed:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")


@contextlib.contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class SqliteClones(Clones):
    """A template is a file; a copy is a copied file."""

    engine, suffix = "sqlite", ".sqlite3"

    def __init__(self) -> None:
        super().__init__()
        self.file = Path(settings.DATABASES["default"]["NAME"])

    def renew(self, template: str = MIGRATED) -> None:
        connections.close_all()
        # A log that belonged to the old content must never be read into the new one.
        for rest in ("-wal", "-shm"):
            Path(f"{self.file}{rest}").unlink(missing_ok=True)
        fresh = self.file.with_suffix(".fresh")
        shutil.copyfile(self._template(template), fresh)
        fresh.replace(self.file)

    def keep_as(self, template: str) -> None:
        connections.close_all()
        _copy_sqlite(self.file, self._template(template))

    def has(self, template: str) -> bool:
        return self._template(template).exists()

    def remove(self) -> None:
        connections.close_all()

    def _template(self, template: str) -> Path:
        if template == MIGRATED:
            return self._cached()
        return Path(os.environ["TADAMON_TESTS_FOLDER"]) / f"{template}.sqlite3"

    def _make_migrated(self) -> None:
        work = CACHE / f"{self.engine}-{self.digest}.making"
        work.unlink(missing_ok=True)
        nearest = self._nearest()
        if nearest is not None:
            shutil.copyfile(nearest, work)
        _migrate(f"sqlite:///{work}")
        _copy_sqlite(work, self._cached())
        for rest in ("", "-wal", "-shm"):
            Path(f"{work}{rest}").unlink(missing_ok=True)
        self._remember()


def _copy_sqlite(source: Path, target: Path) -> None:
    """A whole copy in one file, whatever still stood in the source's log."""
    making = target.with_suffix(".copying")
    making.unlink(missing_ok=True)
    with (
        contextlib.closing(sqlite3.connect(source)) as old,
        contextlib.closing(sqlite3.connect(making)) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode=WAL")
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    making.replace(target)


class PostgresClones(Clones):
    """A template is a database nobody is connected to; a copy is made by the server."""

    engine, suffix = "postgres", ".sql"

    def __init__(self) -> None:
        super().__init__()
        self.url = os.environ["DATABASE_URL"]
        self.name = urlsplit(self.url).path.lstrip("/")

    def renew(self, template: str = MIGRATED) -> None:
        connections.close_all()
        with self._server() as server:
            self._drop(server, self.name)
            self._copy(server, self._template(template), self.name)

    def keep_as(self, template: str) -> None:
        connections.close_all()
        with self._server() as server:
            self._copy(server, self.name, self._template(template))

    def has(self, template: str) -> bool:
        with self._server() as server:
            found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self._template(template)])
            return found.fetchone() is not None

    def remove(self) -> None:
        connections.close_all()
        with self._server() as server:
            self._drop(server, self.name)

    def remove_templates_of_this_run(self) -> None:
        """Also the templates that were kept for this run only; the migrated one stays on the server."""
        with self._server() as server:
            pattern = f"tadamon_{os.environ['TADAMON_TESTS_RUN']}_template_%"
            for (name,) in server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern]):
                self._drop(server, name)

    def _template(self, template: str) -> str:
        if template == MIGRATED:
            return f"tadamon_template_{self.digest}"
        return f"tadamon_{os.environ['TADAMON_TESTS_RUN']}_template_{template}"

    def _server(self) -> psycopg.Connection:
        return psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True)

    def _drop(self, server: psycopg.Connection, name: str) -> None:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _copy(self, server: psycopg.Connection, source: str, target: str) -> None:
        # WAL_LOG: the other strategy waits for two checkpoints of the whole server.
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY WAL_LOG").format(
                sql.Identifier(target), sql.Identifier(source)
            )
        )

    def _make_migrated(self) -> None:
        making, done = f"tadamon_making_{self.digest}", self._template(MIGRATED)
        url = self._url_of(making)
        with self._server() as server:
            self._drop(server, making)
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
        nearest = self._nearest()
        if nearest is None or not self._restore(nearest, making):
            with self._server() as server:
                self._drop(server, making)
                server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
            nearest = None
        if nearest is None or nearest != self._cached():
            _migrate(url)
            self._dump(url)
        with self._server() as server:
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(done))
            )

    def _url_of(self, name: str) -> str:
        return urlunsplit(urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}"))

    def _dump(self, url: str) -> None:
        """Keep the template for the next run's new server, if PostgreSQL's own programs are at hand."""
        programs = postgres.binaries()
        if programs is None:
            return
        making = self._cached().with_suffix(".dumping")
        command = [
            programs / "pg_dump",
            "--no-owner",
            "--no-privileges",
            f"--dbname={url}",
            f"--file={making}",
        ]
        if subprocess.run(command, capture_output=True).returncode == 0:
            making.replace(self._cached())
            self._remember()

    def _restore(self, dump: Path, name: str) -> bool:
        programs = postgres.binaries()
        if programs is None:
            return False
        command = [
            programs / "psql", "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1",
            f"--dbname={self._url_of(name)}", f"--file={dump}",
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True).returncode == 0
