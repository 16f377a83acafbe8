"""Statements of the bank for the tests, as the bank writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from moneyed import MAD, Money

from shop.reconciliation import importing
from shop.reconciliation.models import StatementFile
from shop.reconciliation.readers import statement_csv

HEADINGS = "Date;Libellé;Débit;Crédit;Réf"


def csv(*rows: str, headings: str = HEADINGS) -> bytes:
    """A CSV with these rows."""
    return "\r\n".join([headings, *rows, ""]).encode("utf-8-sig")


#: Money came in, a fee went out: 0,00 becomes 475,00.
PLAIN = csv("23/11/2026;VIREMENT RECU;;500,00;B1", "23/11/2026;FRAIS DE TENUE DE COMPTE;25,00;;B2")


def imported(*, at: datetime, by: Any = None, content: bytes = PLAIN) -> StatementFile:
    """The plain statement, imported."""
    return importing.import_statement(
        content=content,
        name="releve.csv",
        kind=StatementFile.Kind.CSV,
        account=settings.SHOP_LEGAL["rib"],
        mapping=statement_csv.suggest_mapping(content).mapping,
        opening=Money(0, MAD),
        closing=Money(475, MAD),
        by=by,
        at=at,
    )
