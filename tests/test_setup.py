"""Setting up and running: clear words when something is missing, nothing left behind at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from celery.exceptions import WorkerShutdown
from celery.worker import state as worker_state
from celery.worker.request import Request

from shop.celery import end_at_once_when_idle
from tools import environment, postgres, start

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("version", "modules", "said"),
    [
        ((3, 11), {"venv", "ensurepip"}, ""),
        ((3, 10), {"venv", "ensurepip"}, "needs Python 3.11; this is 3.10"),
        ((3, 12), {"venv", "ensurepip"}, "needs Python 3.11; this is 3.12"),
        ((3, 11), {"venv"}, "apt-get install python3.11-venv"),
    ],
)
def test_a_python_that_will_not_do_is_told_why(version, modules, said):
    complaint = environment.complaint(version, modules)

    assert said in complaint
    assert bool(complaint) == bool(said)


def test_uv_is_taken_under_the_hashes_of_the_lock():
    lock = (
        "tzdata==2026.1 \\\n    --hash=sha256:aa\nuv==1.2.3 \\\n    --hash=sha256:bb \\\n"
        "    --hash=sha256:cc\n    # via -r requirements-dev.in\nvine==5.1 \\\n    --hash=sha256:dd\n"
    )

    assert environment.pin_of("uv", lock) == "uv==1.2.3 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"


def test_a_taken_port_is_named_with_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(start.CannotStart) as refusal:
            start.refuse_taken_ports({"PORT": str(port), "STRIPE_PORT": "0", "BANK_PORT": "0"})

    assert f"Port {port}, meant for the shop, is taken" in str(refusal.value)
    assert f"PORT={port + 10} make run" in str(refusal.value)


def test_a_port_that_is_no_number_is_refused():
    with pytest.raises(start.CannotStart, match="PORT=eighty is not a port number"):
        start.refuse_taken_ports({"PORT": "eighty", "STRIPE_PORT": "0", "BANK_PORT": "0"})


def test_one_folder_of_data_has_one_shop(tmp_path):
    with (
        start.alone(tmp_path),
        pytest.raises(start.CannotStart, match="runs already"),
        start.alone(tmp_path),
    ):
        pass


def test_the_mark_of_a_prepared_database_is_lost_with_its_file(tmp_path):
    import sqlite3

    file = tmp_path / "tadamon.sqlite3"
    assert start._marked(file) == 0
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute(f"PRAGMA user_version = {start._mark(with_demo=True)}")

    assert start._marked(file) == start._mark(with_demo=True)
    assert start._marked(file) != start._mark(with_demo=False)


def processes_of(marker: str) -> list[str]:
    """Command lines of every process that was started with this marker in its environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (folder / "environ").read_bytes() and folder.name != str(os.getpid()):
                state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
                if state != "Z":
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.django_db
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ending_the_shop_leaves_no_process(tmp_path, database_clones, how):
    if database_clones.engine != "sqlite":
        pytest.skip("the embedded shop runs on SQLite")
    import shutil
    import sqlite3

    # An empty but migrated shop, so that the start is about processes.
    shutil.copyfile(database_clones._template("migrated"), tmp_path / "tadamon.sqlite3")
    with contextlib.closing(sqlite3.connect(tmp_path / "tadamon.sqlite3")) as database:
        database.execute(f"PRAGMA user_version = {start._mark(with_demo=False)}")
    ports = {name: str(postgres.free_port()) for name in start.PORTS}
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    values = {**inherited, **ports, "TADAMON_VAR": str(tmp_path), "HOME": str(tmp_path)}
    marker = f"TADAMON_VAR={tmp_path}"

    shop = subprocess.Popen(
        [sys.executable, "-m", "tools.start", "--empty"],
        cwd=ROOT,
        env=values,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = ""
        for line in shop.stdout:
            said += line
            if "Ctrl-C ends everything" in line:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['PORT']}/health/", timeout=30) as answer:
            assert answer.status == 200
        assert len(processes_of(marker)) >= 8
        # Ctrl-C reaches the whole foreground group; TERM only the process it is sent to.
        os.killpg(shop.pid, how) if how == signal.SIGINT else shop.send_signal(how)
        said += shop.communicate(timeout=60)[0]
    finally:
        if shop.poll() is None:
            os.killpg(shop.pid, signal.SIGKILL)

    assert shop.returncode == 0, said
    assert "SIGKILL" not in said
    until = time.monotonic() + 15
    while processes_of(marker) and time.monotonic() < until:
        time.sleep(0.05)
    assert processes_of(marker) == []


def test_an_idle_worker_ends_at_once_and_one_at_work_ends_its_task_first(tmp_path):
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG"}}
    values = {**inherited, "TADAMON_VAR": str(tmp_path), "HOME": str(tmp_path)}
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "shop.celery", "worker", "--pool=solo"]
        + ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"],
        cwd=ROOT,
        env=values,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert any("ready" in line for line in worker.stdout)
        asked_at = time.monotonic()
        worker.terminate()
        worker.communicate(timeout=30)
        assert time.monotonic() - asked_at < 3
        assert worker.returncode == 0
    finally:
        if worker.poll() is None:
            worker.kill()

    with pytest.raises(WorkerShutdown):
        end_at_once_when_idle()
    task = object.__new__(Request)
    worker_state.active_requests.add(task)
    try:
        end_at_once_when_idle()  # no complaint: celery waits for the task
    finally:
        worker_state.active_requests.discard(task)


def test_what_works_in_the_background_waits_until_the_shop_answers():
    named = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}

    assert set(start.BACKGROUND) == {"worker", "beat"} <= named


def test_the_sheet_says_where_each_room_is_and_where_each_account_works():
    values = start.environment() | {"SITE_URL": "http://127.0.0.1:8000"}

    sheet = start._sheet(values)

    assert "cooperatives http://127.0.0.1:8000/desk/" in sheet
    assert "operators http://127.0.0.1:8000/backoffice/" in sheet
    assert "http://127.0.0.1:8000/demo/mails/" in sheet
    rooms = {line.split()[0]: line.split()[1] for line in sheet.splitlines() if "@tadamon.example  " in line}
    assert rooms["salma@tadamon.example"] == "/fr/me/"
    assert rooms["fadma@tadamon.example"] == rooms["hassan@tadamon.example"] == "/desk/"
    assert rooms["nadia@tadamon.example"] == rooms["youssef@tadamon.example"] == "/backoffice/"
