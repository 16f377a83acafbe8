"""Replays real orders through the shop and prints how it went.

    python tests/benchmarks/replay_orders.py FOLDER [--orders N] [--seed N]

FOLDER (or the variable TADAMON_ORDER_FILES) holds the order files. Without ``--orders`` all are replayed; with
it every order with several sellers, and others drawn by the seed, so many in all. Works in a fresh database of
its own: SQLite, or the PostgreSQL server that TEST_DATABASE_URL names. Exits with 1 when an amount differs from
what the files alone say, or when the audit finds a breach.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SHOWN = 20


@dataclass
class Outcome:
    """A replay, held against the files and audited. ``report`` is for people."""

    replayed: Any
    differences: list[str]
    breaches: int
    report: str

    @property
    def is_clean(self) -> bool:
        return not self.differences and not self.breaches


def run(
    folder: Path, *, count: int | None = None, seed: int = 1, say: Callable[[str], None] = print
) -> Outcome:
    """Replay the files of a folder into the present, empty database, compare and audit."""
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import override_settings

    from shop.ledger.models import JournalEntry, Posting
    from tests.benchmarks import comparing, expected, order_files, replaying

    files = order_files.read(folder)
    orders = files.orders if count is None else order_files.some(files.orders, count=count, seed=seed)
    found = expected.expected(folder, None if count is None else [each.id for each in orders])
    began = time.process_time()
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend"):
        replayed = replaying.replay(files=files, orders=orders, say=say)
    cpu = time.process_time() - began

    differences = comparing.differences(found=found, replayed=replayed)
    if count is None:
        differences += expected.differences(found, folder)
    written = io.StringIO()
    with suppress(SystemExit):
        call_command("audit", "--json", stdout=written)
    audit = json.loads(written.getvalue())

    entries, postings = JournalEntry.objects.count(), Posting.objects.count()
    seconds = replayed.seconds_of_orders
    lines = [
        f"database          {connection.vendor}",
        f"orders            {replayed.orders}, of {len(found.sellers)} sellers, {found.total.items} items",
        f"supplier orders   {len(replayed.references)}",
        f"goods             {found.total.goods}",
        f"delivery          {found.total.freight}",
        f"paid out          {found.total.payable}",
        f"given back        {found.total.given_back}",
        f"apart             payments in the files exceed price and freight by {found.paid_on_top} "
        f"over {found.paid_otherwise} orders",
        f"time              {seconds:.0f} s for the orders, {replayed.seconds['mails']:.0f} s for "
        f"{replayed.mails} mails; {cpu:.0f} s of one processor in all",
        f"orders per minute {replayed.orders_per_minute:.0f}",
        f"yardstick         one row read by its key in {replayed.yardstick * 1000:.2f} ms; an order takes as long "
        f"as {seconds / replayed.orders / replayed.yardstick:.0f} of them",
        f"entries           {entries}, {entries / seconds * 60:.0f} a minute",
        f"postings          {postings}",
        "steps             "
        + ", ".join(
            f"{number} {what} in {replayed.seconds[what]:.0f} s"
            if what in replayed.seconds
            else f"{number} {what}"
            for what, number in replayed.done.most_common()
        ),
        f"audit             {len(audit['findings'])} checks, {audit['breaches']} breaches",
        *(
            f"  {each['invariant']} {each['name']}: {each['breaches']}"
            for each in audit["findings"]
            if each["breaches"]
        ),
        f"differences       {len(differences)}",
        *(f"  {each}" for each in differences[:SHOWN]),
    ]
    return Outcome(replayed, differences, audit["breaches"], "\n".join(lines))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", default=os.environ.get("TADAMON_ORDER_FILES", ""))
    parser.add_argument("--orders", type=int, help="so many instead of all")
    parser.add_argument("--seed", type=int, default=1, help="draws them")
    given = parser.parse_args(arguments)
    if not given.folder:
        parser.error("say where the order files are, by argument or TADAMON_ORDER_FILES")

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from tests import databases
    from tests.benchmarks import order_files

    folder = Path(given.folder)
    if absent := order_files.missing(folder):
        parser.error(f"{folder} has no {', '.join(absent)}")
    clones = databases.clones()
    clones.prepare()
    try:
        outcome = run(folder, count=given.orders, seed=given.seed)
    finally:
        clones.remove()
    print(outcome.report)
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
