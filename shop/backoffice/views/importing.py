"""Files that people bring: statements of the bank, through their columns where they are CSV, and remittances.

Between the upload and the confirmed columns a CSV lies in the private storage; a refused file leaves nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from moneyed import Money

from shop.backoffice import looks
from shop.backoffice.forms import CarrierInvoiceForm, ColumnsForm, RemittanceForm, StatementForm
from shop.backoffice.scope import PREPARE_MONEY, operator_required, show
from shop.backoffice.views.reconciliation import say_matched
from shop.core import clock
from shop.core.errors import Refused
from shop.design.numbers import isolated
from shop.reconciliation import importing, watching
from shop.reconciliation.models import ColumnMap, StatementFile
from shop.reconciliation.readers import statement_csv, tables
from shop.reconciliation.readers.errors import HeadRowMissing

PENDING = "backoffice_statement"
ROWS_SHOWN = 8
_Kind = StatementFile.Kind


@operator_required(PREPARE_MONEY, "GET", "POST")
def import_statement(request: HttpRequest) -> HttpResponse:
    """Upload a statement: camt.053 is taken at once, a CSV goes on to its columns."""
    form = StatementForm(request.POST or None, request.FILES or None, auto_id="statement_%s")
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        content = upload.read()
        try:
            if not _is_xml(content):
                return _keep_for_columns(request, content, upload.name)
            file = importing.import_statement(
                content=content,
                name=upload.name,
                kind=_Kind.CAMT053,
                account=settings.SHOP_LEGAL["rib"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            return _imported(request, file)
    return _page(request, statement=form)


def _page(
    request: HttpRequest,
    *,
    statement: StatementForm | None = None,
    remittance: RemittanceForm | None = None,
    invoice: CarrierInvoiceForm | None = None,
) -> HttpResponse:
    return show(
        request,
        "backoffice/import.html",
        "reconciliation",
        {
            "form": statement or StatementForm(auto_id="statement_%s"),
            "remittance": remittance or RemittanceForm(auto_id="remittance_%s"),
            "invoice": invoice or CarrierInvoiceForm(auto_id="invoice_%s"),
            "account": settings.SHOP_LEGAL["rib"],
        },
        status=422 if request.method == "POST" else 200,
    )


def _is_xml(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _imported(request: HttpRequest, file: StatementFile) -> HttpResponse:
    messages.success(request, _("The statement “%(name)s” is here.") % {"name": file.name})
    say_matched(request, watching.catch_up(at=clock.now()))
    return redirect("backoffice:reconciliation")


@operator_required(PREPARE_MONEY, "POST")
def import_remittance(request: HttpRequest) -> HttpResponse:
    """Upload what a carrier says it hands over."""
    form = RemittanceForm(request.POST, request.FILES, auto_id="remittance_%s")
    remittance = _take_in(request, form, importing.import_remittance)
    if remittance is None:
        return _page(request, remittance=form)
    messages.success(request, _("Remittance %(reference)s is here.") % {"reference": remittance.reference})
    say_matched(request, watching.catch_up(at=clock.now()))
    return redirect("backoffice:reconciliation")


@operator_required(PREPARE_MONEY, "POST")
def import_carrier_invoice(request: HttpRequest) -> HttpResponse:
    """Upload what a carrier charges for carrying: booked as owed to it, parcel by parcel."""
    form = CarrierInvoiceForm(request.POST, request.FILES, auto_id="invoice_%s")
    invoice = _take_in(request, form, importing.import_carrier_invoice)
    if invoice is None:
        return _page(request, invoice=form)
    messages.success(
        request,
        _("Invoice %(reference)s is booked: %(amount)s owed to the carrier.")
        % {"reference": invoice.reference, "amount": looks.text_of(invoice.gross)},
    )
    if invoice.again:
        messages.warning(
            request,
            _("Carriage of these parts was invoiced before; ask whether they were carried twice: %(parts)s.")
            % {"parts": ", ".join(isolated(each) for each in invoice.again)},
        )
    return redirect("backoffice:files")


def _take_in(request: HttpRequest, form: Form, take: Callable[..., Any]) -> Any:
    """What became of a carrier's file; nothing when it was refused, and then the form says why."""
    if not form.is_valid():
        return None
    upload = form.cleaned_data["file"]
    try:
        return take(
            content=upload.read(),
            name=upload.name,
            carrier=form.cleaned_data["carrier"],
            by=request.user,
            at=clock.now(),
        )
    except Refused as refusal:
        form.add_error("file", str(refusal))
        return None


# The columns of a CSV


def _keep_for_columns(request: HttpRequest, content: bytes, name: str) -> HttpResponse:
    """Keep the upload for as long as its columns are being chosen. Raises AlreadyImported, a ``NotAStatement``."""
    importing.refuse_if_known(content=content)
    _headings(content)  # refuses what is no table at all
    _forget(request)
    stored = storages["private"].save(f"pending/{secrets.token_hex(16)}.csv", ContentFile(content))
    request.session[PENDING] = {"stored": stored, "name": name[:160]}
    return redirect("backoffice:import_columns")


def _forget(request: HttpRequest) -> None:
    pending = request.session.pop(PENDING, None)
    if pending:
        storages["private"].delete(pending["stored"])


@operator_required(PREPARE_MONEY, "GET", "POST")
def import_columns(request: HttpRequest) -> HttpResponse:
    """Which column means what: suggested, shown beside the first rows, confirmed by a person."""
    pending = request.session.get(PENDING)
    if not pending or not storages["private"].exists(pending["stored"]):
        messages.warning(request, _("Upload the statement first."))
        return redirect("backoffice:import_statement")
    with storages["private"].open(pending["stored"], "rb") as kept:
        content = kept.read()
    if request.method == "POST" and "give_up" in request.POST:
        _forget(request)
        return redirect("backoffice:import_statement")
    headings, head, rows, initial, known = _understood(content)
    form = ColumnsForm(request.POST or None, headings=headings, initial=initial)
    if request.method == "POST" and form.is_valid():
        given, currency = form.cleaned_data, settings.SHOP_CURRENCY
        try:
            mapping = form.mapping()
            file = importing.import_statement(
                content=content,
                name=pending["name"],
                kind=_Kind.CSV,
                account=settings.SHOP_LEGAL["rib"],
                mapping=mapping,
                opening=Money(given["opening"], currency),
                closing=Money(given["closing"], currency),
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if given["remember_as"]:
                importing.remember_columns(
                    name=given["remember_as"], mapping=mapping, by=request.user, at=clock.now()
                )
            _forget(request)
            return _imported(request, file)
    return show(
        request,
        "backoffice/import_columns.html",
        "reconciliation",
        {
            "form": form,
            "name": pending["name"],
            "head": head,
            "rows": [list(zip_longest(head, row, fillvalue="")) for row in rows],
            "known": known,
        },
        status=422 if request.method == "POST" else 200,
    )


def _headings(content: bytes) -> tuple[str, str, int, list[list[str]]]:
    """(encoding, delimiter, place of the head row, all rows): the delimiter that gives the most columns.

    Raises a ``NotAStatement``.
    """
    tables.check_kind(content)
    encoding = tables.encoding_of(content)
    best: tuple[int, str, int, list[list[str]]] | None = None
    refusal: Refused | None = None
    for delimiter in tables.DELIMITERS:
        try:
            rows = [row for _number, row in tables.rows(content, encoding=encoding, delimiter=delimiter)]
        except Refused as error:
            refusal = error
            continue
        filled = [len([each for each in row if each.strip()]) for row in rows[:40]]
        most = max(filled, default=0)
        if best is None or most > best[0]:
            best = (most, delimiter, filled.index(most) if filled else 0, rows)
    if best is None:
        assert refusal is not None
        raise refusal
    if best[0] < 3:  # a day, a text and an amount: with less there is no statement
        raise HeadRowMissing
    return encoding, best[1], best[2], best[3]


def _understood(content: bytes) -> tuple[list[str], list[str], list[list[str]], dict[str, Any], str]:
    """(headings to choose from, head row, first rows, what the form starts with, the name it was remembered under)."""
    encoding, delimiter, place, rows = _headings(content)
    initial: dict[str, Any] = {"encoding": encoding, "delimiter": delimiter}
    initial |= {"date_format": "%d/%m/%Y", "decimal_mark": ","}
    try:
        suggested = statement_csv.suggest_mapping(content)
    except Refused:
        suggested = None
    if suggested is not None:
        initial |= asdict(suggested.mapping)
        initial |= {"opening": _written(suggested.opening), "closing": _written(suggested.closing)}
        place = _row_with(rows, suggested.mapping.headings, place)
    saved = _remembered(rows)
    if saved is not None:
        initial |= {**saved.columns, "remember_as": saved.name}
        place = _row_with(rows, importing.columns_of(saved=saved).headings, place)
    head = [each.strip() for each in rows[place]]
    headings = [each for position, each in enumerate(head) if each and each not in head[:position]]
    first = rows[place + 1 : place + 1 + ROWS_SHOWN]
    return headings, head, first, initial, saved.name if saved else ""


def _written(amount: Decimal | None) -> str:
    """A balance as the form asks for it: with a comma."""
    return "" if amount is None else f"{amount:.2f}".replace(".", ",")


def _row_with(rows: list[list[str]], wanted: list[str], otherwise: int) -> int:
    for place, row in enumerate(rows[:40]):
        if set(wanted) <= {each.strip() for each in row}:
            return place
    return otherwise


def _remembered(rows: list[list[str]]) -> ColumnMap | None:
    """The kept mapping all of whose headings stand in one row; the one that reads most columns."""
    fitting = []
    for saved in ColumnMap.objects.all():
        wanted = importing.columns_of(saved=saved).headings
        if any(set(wanted) <= {each.strip() for each in row} for row in rows[:40]):
            fitting.append((len(wanted), saved))
    return max(fitting, key=lambda each: each[0], default=(0, None))[1]
