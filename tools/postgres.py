"""A PostgreSQL server for the length of one command: temporary folder, free port, gone afterwards.

``python -m tools.postgres pytest tests/ledger`` runs the command with ``TEST_DATABASE_URL`` set. Its
durability is off: it is for tests and nothing else. Started by root it runs as an unprivileged user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools import debian

OLDEST = 15
ADVICE = (
    f"The tests need PostgreSQL {OLDEST} or newer with contrib. Either install it (on Debian: "
    "apt-get install postgresql postgresql-contrib), or name a server whose user may create databases: "
    "TEST_DATABASE_URL=postgres://user:password@host:5432/postgres"
)
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class NoPostgres(Exception):
    """No usable server and none can be installed."""


def binaries() -> Path | None:
    """The folder with the newest server this machine has, if it is new enough."""
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    for pattern in ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"):
        folders.extend(Path("/").glob(pattern.lstrip("/")))
    found = {}
    for folder in folders:
        server = folder / "postgres"
        if server.exists():
            real = server.resolve().parent
            if (real / "initdb").exists():
                found[real] = _version(real / "postgres")
    usable = [each for each, version in found.items() if version >= OLDEST]
    return max(usable, key=lambda each: found[each], default=None)


def _version(server: Path) -> int:
    said = subprocess.run([server, "--version"], capture_output=True, text=True).stdout
    match = re.search(r"\s(\d+)", said)
    return int(match.group(1)) if match else 0


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start a server and yield the URL of its ``postgres`` database; stop it whatever happens.

    Raises NoPostgres, saying what to install.
    """
    folder_of_programs = binaries()
    if folder_of_programs is None and debian.install("postgresql", "postgresql-contrib"):
        folder_of_programs = binaries()
    if folder_of_programs is None:
        raise NoPostgres(ADVICE)
    folder = Path(tempfile.mkdtemp(prefix="tadamon-postgres-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        identity = _unprivileged()
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        password = secrets.token_hex(16)
        data = _new_cluster(folder_of_programs, folder, password, identity)
        port = free_port()
        server = _start(folder_of_programs, data, folder, port, identity)
        _wait(server, folder_of_programs, folder, port)
        yield f"postgres://tadamon:{password}@127.0.0.1:{port}/postgres"
    finally:
        if server is not None:
            _stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> dict[str, int]:
    """Who runs the server when we are root: PostgreSQL refuses to."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid}
    raise NoPostgres("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'.")


def _new_cluster(programs: Path, folder: Path, password: str, identity: dict[str, int]) -> Path:
    data, secret = folder / "data", folder / "password"
    secret.write_text(password)
    if identity:
        os.chown(secret, identity["user"], identity["group"])
    command = [
        str(programs / "initdb"), f"--pgdata={data}", "--username=tadamon", "--auth=password",
        f"--pwfile={secret}", "--encoding=UTF8", "--no-sync",
    ]  # fmt: skip
    for locale in ("C.UTF-8", "C"):
        made = subprocess.run(
            [*command, f"--locale={locale}"], cwd=folder, capture_output=True, text=True, **_as(identity)
        )
        if made.returncode == 0:
            secret.unlink()
            return data
        shutil.rmtree(data, ignore_errors=True)
    raise NoPostgres(f"initdb failed: {made.stderr.strip()}")


def _as(identity: dict[str, int]) -> dict:
    return {**identity, "extra_groups": []} if identity else {}


def _start(
    programs: Path, data: Path, folder: Path, port: int, identity: dict[str, int]
) -> subprocess.Popen[bytes]:
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    log = (folder / "log").open("wb")
    return subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, *options],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **_as(identity),
    )


def _wait(server: subprocess.Popen[bytes], programs: Path, folder: Path, port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        ready = subprocess.run(
            [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], cwd=folder
        )
        if ready.returncode == 0:
            return
        time.sleep(0.1)
    raise NoPostgres("PostgreSQL did not start: " + (folder / "log").read_text(errors="replace")[-2000:])


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server at once (its data are thrown away anyway) and wait until it is gone."""
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            return
        server.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)


def free_port() -> int:
    """A port of the loopback nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(command: list[str]) -> int:
    """Run a command beside a server of its own, or against the one TEST_DATABASE_URL names."""
    if os.environ.get("TEST_DATABASE_URL"):
        return subprocess.run(command).returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with running() as url:
            return subprocess.run(command, env=os.environ | {"TEST_DATABASE_URL": url}).returncode
    except NoPostgres as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
