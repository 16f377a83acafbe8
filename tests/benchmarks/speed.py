"""What pages cost, in queries and in hello equivalents (HE): ``make bench ONLY=speed`` or

    python -m tests.benchmarks.speed                       # S and L on PostgreSQL, S on SQLite
    BENCH_SIZES=S python -m tests.benchmarks.speed         # a short one
    python -m tests.benchmarks.speed --write               # the table goes into docs/benchmarks.md

Exits with 1 when a page costs more than its budget, or asks other questions of a large shop than of a small one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

from tests.benchmarks import hello_equivalents, pages, shelves
from tests.benchmarks.hello_equivalents import Measured, table
from tests.benchmarks.serving import ROOT, gunicorn
from tests.benchmarks.shelves import Shelf

#: {page: (most queries, most hello equivalents)}; None where there is no such promise.
BUDGETS: dict[str, tuple[int, float | None]] = {
    "category": (12, 25),
    "listing": (14, 20),
    "search, three facets": (8, None),
    "home": (22, None),
    "page 1": (12, 25),
    "deep page": (12, None),
    "add to basket": (20, None),
}
#: A page of these may be kept; then it costs at most so many hello equivalents and queries.
KEPT, KEPT_HE = ("category", "listing", "home"), 3.0
DEEP_AGAINST_FIRST = 2.0
MOST_OF_ONE = 3
PAGE = ROOT / "docs" / "benchmarks.md"


def main(arguments: list[str]) -> int:
    sizes = [each.strip() for each in os.environ.get("BENCH_SIZES", "S,L").split(",") if each.strip()]
    rows = [
        ["engine", "size", "page", "cache", "queries", "HE, median", "HE, spread", "CPU ms", "of it database"]
    ]
    faults: list[str] = []
    notes: list[str] = []
    with shelves.on_postgres(sizes) as found:
        faults += _measure_all(found, rows, notes)
    with shelves.on_sqlite(sizes[:1]) as found:
        faults += _measure_all(found, rows, notes)
    made = "\n".join([table(rows), "", *notes])
    print(f"\n{made}\n")
    for each in faults:
        print(f"OVER BUDGET: {each}")
    if "--write" in arguments:
        write("speed", made)
    return 1 if faults else 0


def write(name: str, text: str) -> None:
    """Put a table between its markers in docs/benchmarks.md."""
    begins, ends = f"<!-- {name}: begins -->", f"<!-- {name}: ends -->"
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(begins)
    _, found, after = rest.partition(ends)
    if not found:
        raise RuntimeError(f"{PAGE.name} has no place for {name}")
    PAGE.write_text(f"{before}{begins}\n\n{text}\n\n{ends}{after}", encoding="utf-8")


def _measure_all(found: list[Shelf], rows: list[list[str]], notes: list[str]) -> list[str]:
    faults: list[str] = []
    asked: dict[str, dict[str, list[str]]] = {}
    for shelf in found:
        counted = counted_on(shelf)
        asked[shelf.size] = counted["pages"]
        faults += [f"{shelf.engine} {shelf.size}: {each}" for each in faults_of(counted["pages"])]
        faults += _measure(shelf, counted, rows, notes)
    smallest, *others = asked.values()
    for size, each in list(asked.items())[1:]:
        for name in smallest:
            if smallest[name] != each[name]:
                faults.append(f"{found[0].engine} {name}: other statements at {size} than at {found[0].size}")
    del others
    return faults


def counted_on(shelf: Shelf) -> dict:
    """What each page asks of this database, and what the pages are about."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.pages"],
        cwd=ROOT,
        env=os.environ | {"LOG_LEVEL": "ERROR"} | shelf.environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def faults_of(asked: dict[str, list[str]]) -> list[str]:
    """Pages that ask too much, or the same too often."""
    faults = []
    for name, statements in asked.items():
        if len(statements) > BUDGETS[name][0]:
            faults.append(f"{name}: {len(statements)} queries, {BUDGETS[name][0]} allowed")
        for statement, times in Counter(statements).items():
            if times > MOST_OF_ONE:
                faults.append(f"{name}: {times} times {statement[:90]}")
    return faults


def _measure(shelf: Shelf, counted: dict, rows: list[list[str]], notes: list[str]) -> list[str]:
    chosen = pages.Chosen(*counted["chosen"])
    asks = pages.asks(chosen)
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
    ):
        subjects = {name: (cold, ask) for name, ask in asks.items()}
        subjects |= {f"{name}, kept": (kept, asks[name]) for name in KEPT}
        measured, yard = hello_equivalents.measure(yardstick=yardstick, subjects=subjects)
    faults = []
    for name, each in measured.items():
        page, _comma, mode = name.rpartition(", kept") if name.endswith(", kept") else (name, "", "")
        mode = "anonymous" if name.endswith(", kept") else "cold"
        most = KEPT_HE if mode == "anonymous" else BUDGETS[page][1]
        queries = "0" if mode == "anonymous" else str(len(counted["pages"][page]))
        rows.append(_row(shelf, page, mode, queries, each))
        # A promise in HE is made for PostgreSQL, whose own time counts too.
        if most is not None and each.median > most and shelf.engine == "PostgreSQL":
            faults.append(f"{shelf.engine} {shelf.size} {name}: {each.median:.1f} HE, {most} allowed")
    times = measured["deep page"].milliseconds / measured["page 1"].milliseconds
    notes.append(
        f"{shelf.engine} {shelf.size}: hello cost {yard.milliseconds:.2f} CPU-ms"
        f"{'' if hello_equivalents.is_steady(yard) else ' (the machine was not steady: rates are void, HE stands)'}; "
        f"page {chosen.last_page} cost {times:.1f} times page 1.  "
    )
    if times > DEEP_AGAINST_FIRST:
        faults.append(f"{shelf.engine} {shelf.size}: the deep page costs {times:.1f} times the first")
    return faults


def _row(shelf: Shelf, page: str, mode: str, queries: str, each: Measured) -> list[str]:
    return [
        shelf.engine, shelf.size, page, mode, queries, f"{each.median:.1f}", each.spread,
        f"{each.milliseconds:.1f}", f"{each.database_share:.0%}" if shelf.postmaster else "–",
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
