"""``manage.py audit``: exit code 1 on any breach."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from shop.backoffice import auditing
from shop.core import clock


class Command(BaseCommand):
    help = "Checks the invariants I1 to I8 by plain SQL. Exits with 1 on any breach."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = auditing.audit(at=clock.now())
        breaches = sum(each.breaches for each in findings)
        if options["json"]:
            report = {
                "holds": breaches == 0,
                "breaches": breaches,
                "findings": [asdict(each) for each in findings],
            }
            self.stdout.write(json.dumps(report, default=str, indent=1))
        else:
            for each in findings:
                mark = "ok    " if each.holds else f"{each.breaches:>5} !"
                self.stdout.write(f"{mark} {each.invariant}  {each.name} {each.about}".rstrip())
                for row in each.rows:
                    self.stdout.write(
                        "          " + ", ".join(f"{key} {value}" for key, value in row.items())
                    )
            self.stdout.write(f"{len(findings)} checks, {breaches} breaches")
        if breaches:
            sys.exit(1)
