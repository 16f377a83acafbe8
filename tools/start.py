"""``make run``: the whole shop on this machine, until Ctrl-C.

Prepares the database, loads the demonstration once, starts the processes of ``Procfile``, waits until the
shop answers and says what to try. Whatever ends it, everything it started ends too: TERM first, KILL after five seconds, each to
the whole process group.

The worker runs with ``--pool=solo``: one process, one task at a time. SQLite has one writer anyway, it
saves a process, and killing the worker kills exactly the task it was working on.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import KILL_WAIT, Manager

ROOT = Path(__file__).resolve().parent.parent
PORTS = {
    "PORT": (8000, "the shop"),
    "STRIPE_PORT": (4242, "the stand-in for Stripe"),
    "BANK_PORT": (4343, "the stand-in for the bank"),
}
ANSWERS_WITHIN = 120
#: What waits until the shop answers, for a file of this name in the folder of data.
BACKGROUND, OPEN = ("worker", "beat"), "shop.open"


class CannotStart(Exception):
    """Something on this machine is in the way; the message says what to do."""


def environment() -> dict[str, str]:
    """What the processes are told, from the environment or the usual values."""
    values = dict(os.environ)
    for name, (usual, _) in PORTS.items():
        values.setdefault(name, str(usual))
    values.setdefault("TADAMON_VAR", str(ROOT / "var"))
    values.setdefault("LOG_LEVEL", "WARNING")
    values.setdefault("SITE_URL", f"http://127.0.0.1:{values['PORT']}")
    values.setdefault("STRIPE_SANDBOX_URL", f"http://127.0.0.1:{values['STRIPE_PORT']}")
    values.setdefault("BANK_SANDBOX_URL", f"http://127.0.0.1:{values['BANK_PORT']}")
    # Celery warns whoever runs it as root, as a container on a desk does; it takes no pickles from anybody here.
    values.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser privileges")
    values["PYTHON"] = sys.executable
    values["PYTHONUNBUFFERED"] = "1"
    values["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    return values


def refuse_taken_ports(values: dict[str, str]) -> None:
    """Raise CannotStart naming the first port somebody else listens on."""
    for name, (_, what) in PORTS.items():
        try:
            port = int(values[name])
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except ValueError:
            raise CannotStart(f"{name}={values[name]} is not a port number.") from None
        except (OSError, OverflowError):
            raise CannotStart(
                f"Port {values[name]}, meant for {what}, is taken by another program (or not allowed).\n"
                f"Choose another one, for example: {name}={int(values[name]) + 10} make run"
            ) from None


def prepare(values: dict[str, str], *, with_demo: bool) -> None:
    """Migrate and load the demonstration, unless this database says that both are done.

    The mark stands in the SQLite file itself (``user_version``), so it is lost with the file.
    """
    (Path(values["TADAMON_VAR"]) / "static").mkdir(parents=True, exist_ok=True)  # whitenoise looks for it
    mark = _mark(with_demo=with_demo)
    file = Path(values["TADAMON_VAR"]) / "tadamon.sqlite3" if "DATABASE_URL" not in values else None
    if file is not None and _marked(file) == mark:
        return
    manage = [sys.executable, str(ROOT / "manage.py")]
    steps = {"Making the tables (a minute or two the first time) …": ["migrate", "--verbosity=0"]}
    if with_demo:
        steps["Loading the demonstration and its pictures …"] = ["load_demo"]
    for said, step in steps.items():
        print(said, flush=True)
        if subprocess.run([*manage, *step], cwd=ROOT, env=values).returncode != 0:
            raise CannotStart(f"manage.py {step[0]} failed, see above.")
    if file is not None:
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute(f"PRAGMA user_version = {mark}")


def _mark(*, with_demo: bool) -> int:
    """A number that changes with any migration, with the lock, and with the demonstration's being wanted."""
    digest = hashlib.sha256(str(with_demo).encode())
    folders = [ROOT / each for each in ("shop", "catalogue", "cooperatives")]
    files = [each for folder in folders for each in folder.rglob("migrations/*.py")]
    for each in sorted([*files, ROOT / "requirements.txt"]):
        digest.update(str(each.relative_to(ROOT)).encode() + each.read_bytes())
    return int(digest.hexdigest()[:7], 16) + 1


def _marked(file: Path) -> int:
    if not file.exists():
        return 0
    with contextlib.closing(sqlite3.connect(file)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


class Processes(Manager):
    """Honcho's manager, sure to end: its own counts on at least one process obeying TERM."""

    def terminate(self) -> None:
        if not self._terminating:
            timer = threading.Timer(KILL_WAIT, self.kill)
            timer.daemon = True
            timer.start()
        super().terminate()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            super().kill()

    def end_groups(self) -> None:
        """After the last: nothing may be left of any group, not even a child its leader forgot."""
        for each in self._processes.values():
            if each.get("pid"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(each["pid"], signal.SIGKILL)

    @property
    def ending(self) -> bool:
        return self._terminating


def run(values: dict[str, str]) -> int:
    """Start the processes of ``Procfile`` and stay until they have ended.

    What works in the background waits until the shop answers: it would only take the processor from it.
    """
    processes = Processes()
    _open(values).unlink(missing_ok=True)
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        if name in BACKGROUND:
            command = f'until [ -e "$TADAMON_VAR/{OPEN}" ]; do sleep 0.2; done; {command}'
        processes.add_process(name, command, env=values, cwd=str(ROOT))
    threading.Thread(target=_welcome, args=[values, processes], daemon=True).start()
    try:
        processes.loop()
    finally:
        processes.end_groups()
    return 0 if processes.returncode in (130, 143) else processes.returncode or 0


def _open(values: dict[str, str]) -> Path:
    """The file that says that the shop answers."""
    return Path(values["TADAMON_VAR"]) / OPEN


def _welcome(values: dict[str, str], processes: Processes) -> None:
    """Wait until the shop answers, then say where it is and what to try."""
    until = time.monotonic() + ANSWERS_WITHIN
    while time.monotonic() < until and not processes.ending:
        if _answers(values["SITE_URL"] + "/health/"):
            print(f"\n{_sheet(values)}\n", flush=True)
            _open(values).touch()
            return
        time.sleep(0.2)
    if not processes.ending:
        print(f"The shop did not answer within {ANSWERS_WITHIN} seconds.", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return bool(answer.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def _sheet(values: dict[str, str]) -> str:
    from fixtures.demo.accounts import ACCOUNTS, PASSWORD, TO_TRY

    width, room = (max(map(len, each)) for each in zip(*((a.email, a.room) for a in ACCOUNTS), strict=True))
    shop = values["SITE_URL"]
    lines = [
        f"Tadamon is open: {shop}/   (a demonstration: nothing is sold, no money moves)",
        f"Rooms: customers {shop}/   cooperatives {shop}/desk/   operators {shop}/backoffice/",
        f"Stand-ins: Stripe {values['STRIPE_SANDBOX_URL']}/   bank and carrier {values['BANK_SANDBOX_URL']}/",
        f"Mails leave for nobody; read them, links and all: {shop}/demo/mails/   (files in {values['TADAMON_VAR']}/mail)",
        "",
        f"Accounts, password of each: {PASSWORD}   (sign in at {shop}/account/login/)",
        *(f"  {each.email:<{width}}  {each.room:<{room}}  {each.what}" for each in ACCOUNTS),
        "",
        "What to try",
        *(f"  {number}. {line}" for number, line in enumerate(TO_TRY, start=1)),
        "",
        "Ctrl-C ends everything.",
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def alone(folder: Path):
    """Only one shop per folder of data: two beats would do everything twice."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "running.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(
                f"The shop of this folder runs already ({folder}).\n"
                "End it with Ctrl-C where it runs, or give this one its own data: TADAMON_VAR=/some/folder"
            ) from None
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the whole shop on this machine.")
    parser.add_argument("--empty", action="store_true", help="do not load the demonstration")
    options = parser.parse_args()
    values = environment()
    # Also where a shell started us in the background and told us to ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with alone(Path(values["TADAMON_VAR"])):
            refuse_taken_ports(values)
            prepare(values, with_demo=not options.empty)
            return run(values)
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
