"""``make test``: everything CI runs, each step to its end, with a summary that hides nothing.

A failed step does not stop the ones after it; the whole fails if any did.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools import chromium, postgres

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
#: One process for each core; the suite is made for two.
WORKERS = str(max(2, min(os.cpu_count() or 2, 6)))
PYTEST = [PYTHON, "-m", "pytest", "--color=no", "--timeout=300", "--durations=5", "-rs"]
#: Real orders to replay, where they lie beside the checkout; TADAMON_ORDER_FILES names another place.
ORDER_FILES = ROOT.parent / "shared" / "data" / "olist"
#: The browser tests that leave pictures in docs/pictures.
KEEPING_PICTURES = ("the_whole_way", "pictures")
CLOSING = re.compile(r"(\d+) (passed|failed|skipped|errors?)\b")


@dataclass
class Step:
    """One line of the summary."""

    name: str
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    needs_postgres: bool = False
    needs_chromium: bool = False
    # filled while running
    passed: bool = False
    seconds: float = 0
    closing: str = ""


def everything() -> list[Step]:
    """What stands between a change and the main branch."""
    quick = ["-n", WORKERS, "-m", "not browser and not campaign"]
    # One at a time to each of the two: two long walks in one handful would leave the other idle at the end.
    browser = ["-n", "2", "--maxschedchunk=1", "-m", "browser and not campaign"]
    return [
        Step("formatting", [PYTHON, "-m", "ruff", "format", "--check", "."]),
        Step("lint", [PYTHON, "-m", "ruff", "check", "."]),
        Step("types", [PYTHON, "-m", "mypy"]),
        Step("rooms", [str(Path(PYTHON).parent / "lint-imports"), "--no-cache"]),
        Step("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"]),
        Step("tests on SQLite", [*PYTEST, *quick]),
        Step("tests on PostgreSQL", [*PYTEST, *quick], needs_postgres=True),
        Step("browser tests", [*PYTEST, *browser], needs_chromium=True),
    ]


def chosen(names: list[str]) -> list[Step]:
    """The steps of ``everything`` whose name holds one of the words; all of them without words."""
    return [each for each in everything() if not names or any(name in each.name for name in names)]


def campaign(arguments: list[str]) -> list[Step]:
    """What takes long: whole replays, many seeds."""
    command = [*PYTEST, "-s", "-n0", "--timeout=0", "-m", "campaign", *arguments]
    return [
        Step("campaign on SQLite", command),
        Step("campaign on PostgreSQL", command, needs_postgres=True),
    ]


def bench(names: list[str] | None = None) -> list[Step]:
    """Figures, printed by the measuring tests and programs themselves; some of them by a word of their names."""
    command = [*PYTEST, "-s", "-n0", "--timeout=0", "tests/benchmarks"]
    steps = [
        Step("benchmarks on SQLite", command),
        Step("benchmarks on PostgreSQL", command, needs_postgres=True),
        Step(
            "weight and first paint",
            [*PYTEST, "-s", "-n0", "--timeout=0", "-m", "browser", "tests/browser/test_weight.py"],
            environment={"BENCH": "1"},
            needs_chromium=True,
        ),
        # Both start servers of their own, so that nothing else is measured with them.
        Step("speed of pages", [PYTHON, "-m", "tests.benchmarks.speed", "--write"]),
        Step("against stock Oscar", [PYTHON, "-m", "tests.benchmarks.oscar_comparison", "--write"]),
    ]
    return [each for each in steps if not names or any(name in each.name for name in names)]


def shots() -> list[Step]:
    """The walk through the shop, leaving pictures."""
    command = [
        *PYTEST,
        "-n0",
        "-m",
        "browser",
        *(f"tests/browser/test_{each}.py" for each in KEEPING_PICTURES),
    ]
    return [Step("pictures", command, environment={"SHOTS": "1"}, needs_chromium=True)]


def run(steps: list[Step]) -> int:
    """Run each step, print the summary, and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="tadamon-checks-") as folder:
        for step in steps:
            _title(step.name)
            started = time.monotonic()
            try:
                with _surroundings(step, folder) as environment:
                    status, step.closing = _stream(step.command, environment)
                    step.passed = status == 0
            except (postgres.NoPostgres, chromium.NoChromium) as reason:
                print(reason, flush=True)
                step.closing = "could not run"
            step.seconds = time.monotonic() - started
    return _summary(steps)


@contextmanager
def _surroundings(step: Step, folder: str) -> Iterator[dict[str, str]]:
    """The environment of one step. No step sees a server or a browser it was not given."""
    environment = os.environ | {"TADAMON_VAR": folder} | step.environment
    if ORDER_FILES.is_dir():
        environment.setdefault("TADAMON_ORDER_FILES", str(ORDER_FILES))
    given = environment.pop("TEST_DATABASE_URL", "")
    if step.needs_chromium:
        environment["CHROMIUM"] = str(chromium.program())
    if not step.needs_postgres:
        yield environment
    elif given:
        yield environment | {"TEST_DATABASE_URL": given}
    else:
        with postgres.running() as url:
            yield environment | {"TEST_DATABASE_URL": url}


def _stream(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Show what a command prints while it runs; its status and pytest's closing line, if it is pytest's."""
    closing = ""
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert child.stdout is not None
    try:
        for line in child.stdout:
            print(line, end="", flush=True)
            if CLOSING.search(line) and re.search(r" in [\d.]+s", line):
                closing = line.strip().strip("= ")
        return child.wait(), closing
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def _title(name: str) -> None:
    print(f"\n── {name} {'─' * max(0, 90 - len(name))}", flush=True)


def _summary(steps: list[Step]) -> int:
    _title("summary")
    for step in steps:
        word = "passed" if step.passed else "FAILED"
        print(f"{word}  {step.seconds:6.0f} s  {step.name}{f' ({step.closing})' if step.closing else ''}")
    counts = dict.fromkeys(("passed", "failed", "skipped", "error"), 0)
    for step in steps:
        for number, word in CLOSING.findall(step.closing):
            counts[word.rstrip("s") if word.startswith("error") else word] += int(number)
    failed = [each.name for each in steps if not each.passed]
    print(f"{sum(each.seconds for each in steps):14.0f} s  in all")
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    print(
        f"tests: {counts['passed']} passed, {counts['failed'] + counts['error']} failed, "
        f"{counts['skipped']} skipped",
        flush=True,
    )
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    what, rest = (arguments[0], arguments[1:]) if arguments else ("test", [])
    kinds = {
        "test": lambda: chosen(rest),
        "bench": lambda: bench(rest),
        "shots": shots,
        "campaign": lambda: campaign(rest),
    }
    if what not in kinds:
        print(f"There is {', '.join(kinds)}; not {what}.")
        return 2
    try:
        return run(kinds[what]())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
