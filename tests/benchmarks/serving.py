"""Servers under measurement: gunicorn with two sync workers, and the processor time it and its database took."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tools import postgres

ROOT = Path(__file__).resolve().parent.parent.parent
#: Seconds of processor time in one tick of the kernel's count.
TICK = 1 / os.sysconf("SC_CLK_TCK")
STARTS_WITHIN = 60
CONNECTIONS = 4


class WrongAnswer(Exception):
    """A page did not say what it should: what was measured is not what was meant."""


@dataclass(frozen=True)
class Ask:
    """One request, and how to tell that its answer is the page and not a fast error."""

    path: str
    is_right: Callable[[int, bytes], bool]
    method: str = "GET"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Window:
    """What one window of time came to."""

    answers: int
    web: float
    database: float
    seconds: float

    @property
    def each(self) -> float:
        """Processor milliseconds of one answer, web and database together."""
        return 1000 * (self.web + self.database) / self.answers


@dataclass(frozen=True)
class Server:
    """A running gunicorn; ``postmaster`` is the database's first process, 0 for a database in a file."""

    name: str
    port: int
    pid: int
    postmaster: int = 0

    def ask(self, ask: Ask) -> tuple[int, bytes]:
        """Status and body of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request(
                ask.method, ask.path, ask.body or None, {"Accept-Encoding": "br, gzip"} | ask.headers
            )
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def load(self, ask: Ask, *, seconds: float) -> Window:
        """Ask over and over from a few connections for so long. Raises WrongAnswer at the first wrong one."""
        answers, wrong = [0] * CONNECTIONS, []
        ends = time.monotonic() + seconds

        def go_on(number: int) -> None:
            while time.monotonic() < ends and not wrong:
                try:
                    status, body = self.ask(ask)
                except (OSError, http.client.HTTPException) as error:
                    wrong.append(f"{self.name} {ask.path}: {error!r}")
                    return
                if not ask.is_right(status, body):
                    wrong.append(f"{self.name} {ask.path}: {status}, {body[:300]!r}")
                    return
                answers[number] += 1

        before, started = self._spent(), time.monotonic()
        threads = [threading.Thread(target=go_on, args=(number,)) for number in range(CONNECTIONS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        took, after = time.monotonic() - started, self._spent()
        if wrong:
            raise WrongAnswer(wrong[0])
        return Window(sum(answers), after[0] - before[0], after[1] - before[1], took)

    def _spent(self) -> tuple[float, float]:
        """Seconds of processor time so far: of the web workers, and of the database's processes."""
        return tree_spent(self.pid), tree_spent(self.postmaster) if self.postmaster else 0.0


def tree_spent(pid: int) -> float:
    """What a process, its children that live and those that have ended took."""
    own = _stat(pid)
    spent = sum(own[:4])
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            spent += sum(_stat(int(child))[:4])
    return spent * TICK


def _stat(pid: int) -> list[int]:
    """utime, stime, cutime, cstime and what follows; the name before them may hold spaces."""
    return [int(each) for each in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:17]]


def postmaster_of(url: str) -> int:
    """The first process of a PostgreSQL on this machine."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        return int(Path(f"/proc/{row[0]}/stat").read_text().rpartition(")")[2].split()[1])


@contextlib.contextmanager
def gunicorn(
    *, name: str, application: str, environment: dict[str, str], postmaster: int = 0
) -> Iterator[Server]:
    """Two sync workers that are ended by their pid whatever happens."""
    port = postgres.free_port()
    child = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", application, "--workers=2", "--worker-class=sync",
            f"--bind=127.0.0.1:{port}", "--log-level=error", "--timeout=300",
        ],
        cwd=ROOT,
        env=os.environ | {"LOG_LEVEL": "ERROR"} | environment,
    )  # fmt: skip
    server = Server(name, port, child.pid, postmaster)
    try:
        _wait_for(server, child)
        yield server
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_for(server: Server, child: subprocess.Popen[bytes]) -> None:
    gives_up = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < gives_up:
        if child.poll() is not None:
            raise RuntimeError(f"{server.name} did not start")
        with contextlib.suppress(OSError, http.client.HTTPException):
            server.ask(Ask("/", lambda status, body: True))
            return
        time.sleep(0.2)
    raise RuntimeError(f"{server.name} did not answer")
