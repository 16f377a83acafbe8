"""Books against statements: the proofs, what they are made of, statement lines, entries, files."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from moneyed import Money

from shop.backoffice import candidates, demo_outside, finding, looks, naming
from shop.backoffice.forms import ReasonForm
from shop.backoffice.scope import PREPARE_MONEY, READ_MONEY, operator_required, show
from shop.core import clock
from shop.core.errors import Refused, Unavailable
from shop.core.money import total
from shop.design.templatetags.design import bar_pieces
from shop.fulfilment.models import Carrier
from shop.ledger import balances
from shop.ledger.models import JournalEntry, Posting
from shop.payments.models import BalanceTransaction, PayoutBatch, PayoutRun, StripeEvent
from shop.payments.stripe import importing as stripe_importing
from shop.reconciliation import fetching, matching, proving, resolving, watching
from shop.reconciliation.models import Discrepancy, Match, Remittance, StatementFile, StatementLine

logger = logging.getLogger(__name__)

PER_PAGE = 40
SHOWN_EXCEPTIONS = 12
SHOWN_QUARANTINE = 20
_Line = StatementLine.State


# The page of proofs


@operator_required(READ_MONEY)
def reconciliation(request: HttpRequest) -> HttpResponse:
    """Does everything agree? The counter, the proofs, the exceptions, and where the money is."""
    at = clock.now()
    proofs = proving.proofs()
    rows = [_proof_row(each) for each in proofs]
    cooperatives = [each for each in rows if each["proof"].account.startswith("cooperative:")]
    unsettled = (
        Discrepancy.objects.unsettled().select_related("owner", "line").order_by("due_on", "opened_at")
    )
    left = unsettled.count()
    lines = dict(StatementLine.objects.order_by().values_list("state").annotate(number=Count("pk")))
    by_hand = Match.objects.filter(state=Match.State.CONFIRMED).exclude(made_by=matching.MATCHER).count()
    settled = sum(lines.values()) - lines.get(_Line.NEW, 0)
    money = _money_on_its_way()
    return show(
        request,
        "backoffice/reconciliation.html",
        "reconciliation",
        {
            "proofs": [each for each in rows if each not in cooperatives],
            "cooperatives": cooperatives,
            "cooperatives_open": [each for each in cooperatives if not each["proof"].holds],
            "standing": _standing(proofs, left=left),
            "explained": [each for each in proofs if each.holds and not each.is_exact],
            "left": left,
            "discrepancies": [looks.exception_row(each, at=at) for each in unsettled[:SHOWN_EXCEPTIONS]],
            "lines": sum(lines.values()),
            "settled": settled,
            "automatic": max(settled - by_hand, 0),
            "by_hand": by_hand,
            "unsettled_lines": lines.get(_Line.NEW, 0),
            "money": money,
            # The same order and colours as the list under it: nearest to the customer first.
            "money_pieces": bar_pieces(
                [
                    ("fund", money["carriers"].amount),
                    ("vat", money["held"].amount),
                    ("shop", money["due"].amount),
                    ("coop", money["in_flight"].amount),
                ]
            ),
            "runs": PayoutRun.objects.filter(state=PayoutRun.State.PLANNED).select_related("planned_by"),
            "quarantine": BalanceTransaction.objects.filter(posted_at=None)[:SHOWN_QUARANTINE],
            "failed_events": StripeEvent.objects.filter(state=StripeEvent.State.FAILED)[:SHOWN_QUARANTINE],
            "bank_is_sandbox": fetching.is_connected(),
            "at": at,
        },
    )


def _standing(proofs: list[proving.Proof], *, left: int) -> str:
    """How the books stand against the outside, in the one sentence that is true now."""
    unexplained = sum(not each.holds for each in proofs)
    if unexplained:
        said = ngettext(
            "A difference is unexplained on %(number)s account",
            "Differences are unexplained on %(number)s accounts",
            unexplained,
        )
        return said % {"number": unexplained}
    if left:
        said = ngettext(
            "Nothing is unexplained, but %(number)s exception is open",
            "Nothing is unexplained, but %(number)s exceptions are open",
            left,
        )
        return said % {"number": left}
    if not all(each.is_exact for each in proofs):
        return _("What differs is explained")
    return _("Everything agrees")


def _proof_row(proof: proving.Proof) -> dict[str, Any]:
    if not proof.holds:
        state = {"kind": "bad", "text": _("Unexplained")}
    elif proof.is_exact:
        state = {"kind": "ok", "text": _("Proved")}
    else:
        number = len(proof.items)
        said = ngettext("%(number)s thing explains it", "%(number)s things explain it", number)
        state = {"kind": "wait", "text": said % {"number": number}}
    if proof.statement is None and proof.holds and proof.is_exact:
        state = {"kind": "", "text": _("Nothing imported yet")}
    return {"proof": proof, "state": state}


def _money_on_its_way() -> dict[str, Money]:
    """From customers to cooperatives, by the books: at the carriers, held, due, on its way."""

    def stands(prefix: str) -> Money:
        found = balances.balances(prefix=prefix)
        return total([each for each in found.values() if each.currency.code == "MAD"])

    return {
        "carriers": stands("cod_receivable:"),
        "held": stands("producer_held:"),
        "due": stands("producer_payable:"),
        "in_flight": stands("payout_in_flight:"),
    }


@operator_required(READ_MONEY)
def proof(request: HttpRequest, account: str) -> HttpResponse:
    """One proof: what explains its difference, and row by row what the books and the outside have."""
    found = next((each for each in proving.proofs() if each.account == account), None)
    if found is None:
        raise Http404
    rows = proving.drill(account=account)
    page = Paginator(rows[::-1], PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "backoffice/proof.html",
        "reconciliation",
        _proof_row(found)
        | {
            "items": [{"item": each, "url": _item_url(each.reference)} for each in found.items],
            "page": page,
            "rows": [_drill_row(each) for each in page],
        },
    )


_LINE_REFERENCE = re.compile(r"L-\d{4}-\d+")
_EXCEPTION_REFERENCE = re.compile(r"(D-\d{4}-\d{5})(-\d+)?")


def _item_url(reference: str) -> str:
    """The page of a line, or of an exception and what two persons agreed on it; nothing for anything else."""
    if _LINE_REFERENCE.fullmatch(reference):
        return reverse("backoffice:line", args=[reference])
    exception = _EXCEPTION_REFERENCE.fullmatch(reference)
    if exception:
        return reverse("backoffice:discrepancy", args=[exception[1]])
    return looks.outside_url(reference)


def _drill_row(row: proving.Row) -> dict[str, Any]:
    lines = [each.strip() for each in row.line.split(",") if each.strip()]
    books, outside = row.books, row.statement
    differs = (
        books is not None and outside is not None and books.currency == outside.currency and books != outside
    )
    return {
        "row": row,
        "url": "" if lines else looks.outside_url(row.reference),
        "files": [
            {"name": name, "url": reverse("backoffice:remittance", args=[digest])}
            for name, digest in row.files
        ],
        "lines": lines,
        "differs": differs,
    }


@operator_required(READ_MONEY)
def entry(request: HttpRequest, event: str) -> HttpResponse:
    """One journal entry: which account was debited and which credited."""
    found = get_object_or_404(JournalEntry.objects.whole(), event=event)
    return show(
        request,
        "backoffice/entry.html",
        "reconciliation",
        {
            "entry": found,
            "postings": [looks.posting_row(each, naming.owners()) for each in found.postings.all()],
            "reversed_by": JournalEntry.objects.filter(reverses=found).first(),
            "matches": Match.objects.filter(entry=found).select_related("line"),
            "outside": _outside_of(found),
        },
    )


def _outside_of(entry: JournalEntry) -> list[dict[str, str]]:
    """What the outside has about the same order or payout: rows of Stripe's, lines of the bank's, files."""
    same = Q(pk=entry.pk)
    if entry.order:
        same |= Q(order=entry.order)
    if entry.about:
        same |= Q(about=entry.about)
    named = Posting.objects.filter(entry__in=JournalEntry.objects.filter(same)).exclude(ext_ref="")
    references = sorted(set(named.values_list("ext_ref", flat=True)))
    found = [{"name": each, "url": looks.outside_url(each)} for each in references]
    remitted = Remittance.objects.filter(lines__shipment__supplier_order__reference=entry.supplier_order)
    if entry.supplier_order:
        found += [
            {"name": each.reference, "url": reverse("backoffice:remittance", args=[each.file.sha256])}
            for each in remitted.select_related("file").distinct()
        ]
    batches = PayoutBatch.objects.filter(run__payouts__reference=entry.about).values("reference")
    reports = StatementFile.objects.filter(kind=StatementFile.Kind.STATUS, account__in=batches)
    found += [
        {"name": each.name, "url": reverse("backoffice:statement_file", args=[each.sha256])}
        for each in (reports if entry.about else [])
    ]
    return [each for each in found if each["url"]]


@operator_required(READ_MONEY)
def stripe_row(request: HttpRequest, stripe_id: str) -> HttpResponse:
    """One row of Stripe's balance as Stripe gave it, and how it is booked."""
    found = get_object_or_404(BalanceTransaction.objects.select_related("deposit"), stripe_id=stripe_id)
    return show(
        request,
        "backoffice/stripe_row.html",
        "reconciliation",
        {
            "row": found,
            "amount": found.amount,
            "entry": JournalEntry.objects.filter(event=f"stripe:{stripe_id}").first(),
            "exceptions": _exceptions_about(stripe_id),
            "raw": json.dumps(found.raw, indent=2, ensure_ascii=False),
        },
    )


@operator_required(READ_MONEY)
def remittance(request: HttpRequest, digest: str) -> HttpResponse:
    """What a carrier says it hands over, parcel by parcel, as it stands in its file."""
    found = get_object_or_404(Remittance.objects.select_related("carrier", "file"), file__sha256=digest)
    known = f"{found.carrier.code}/{found.reference}"
    matches = Match.objects.filter(
        subject=Match.Subject.REMITTANCE, subject_reference=known, state=Match.State.CONFIRMED
    )
    return show(
        request,
        "backoffice/remittance.html",
        "reconciliation",
        {
            "remittance": found,
            "lines": found.lines.select_related("shipment__supplier_order__order"),
            "match": matches.select_related("line").first(),
            "exceptions": _exceptions_about(known),
        },
    )


def _exceptions_about(reference: str) -> list[dict[str, Any]]:
    found = Discrepancy.objects.filter(subject_reference=reference).order_by("-opened_at")
    return [
        {"discrepancy": each, "state": looks.state(each.state, each.get_state_display())} for each in found
    ]


# Statement lines


@operator_required(READ_MONEY)
def lines(request: HttpRequest) -> HttpResponse:
    """Every movement on our account, newest first, by state or by what stands in it."""
    shown = request.GET.get("show", "")
    typed = finding.plain(request.GET.get("q", "")[: finding.LONGEST]).strip()
    found = StatementLine.objects.order_by("-booked_on", "-pk")
    if typed:
        found = found.filter(text__icontains=typed) | found.filter(reference__iexact=typed)
    counts = dict(found.order_by().values_list("state").annotate(number=Count("pk")))
    if shown in _Line.values:
        found = found.filter(state=shown)
    chips = [_chip("", _("All"), sum(counts.values()), shown, typed)]
    chips += [_chip(code, str(label), counts.get(code, 0), shown, typed) for code, label in _Line.choices]
    page = Paginator(found.prefetch_related("matches"), PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "backoffice/lines.html",
        "reconciliation",
        {
            "chips": chips,
            "typed": typed,
            "shown": shown,
            "page": page,
            "rows": [_line_row(each) for each in page],
            "query": urlencode({"q": typed, "show": shown}),
        },
    )


def _chip(code: str, name: str, number: int, shown: str, typed: str) -> dict[str, Any]:
    query = urlencode({key: value for key, value in (("q", typed), ("show", code)) if value})
    return {"name": f"{name} ({number})", "url": f"?{query}", "on": code == shown}


def _line_row(line: StatementLine) -> dict[str, Any]:
    match = next((each for each in line.matches.all() if each.state == Match.State.CONFIRMED), None)
    return {"line": line, "state": looks.state(line.state, line.get_state_display()), "match": match}


@operator_required(READ_MONEY)
def line(request: HttpRequest, reference: str) -> HttpResponse:
    """One line as the bank wrote it, what it is matched with, and what it could be."""
    found = get_object_or_404(
        StatementLine.objects.select_related("file").prefetch_related("matches__entry"), reference=reference
    )
    exceptions = found.discrepancies.order_by("-opened_at")
    open_one = next((each for each in exceptions if each.state == Discrepancy.State.OPEN), None)
    following = StatementLine.objects.filter(file=found.file).order_by("number")
    return show(
        request,
        "backoffice/line.html",
        "reconciliation",
        {
            "line": found,
            "state": looks.state(found.state, found.get_state_display()),
            "matches": found.matches.select_related("entry", "reversal").order_by("made_at"),
            "exceptions": [
                {"discrepancy": each, "state": looks.state(each.state, each.get_state_display())}
                for each in exceptions
            ],
            "open_one": open_one,
            "candidates": candidates.candidates(found) if found.state == _Line.NEW else [],
            "before": following.filter(number__lt=found.number).last(),
            "after": following.filter(number__gt=found.number).first(),
        },
    )


@operator_required(PREPARE_MONEY, "POST")
def match_line(request: HttpRequest, reference: str) -> HttpResponse:
    """Try a line again; one that nobody has looked at becomes an exception that people can settle."""
    found = get_object_or_404(StatementLine, reference=reference)
    try:
        match = watching.try_line(line=found, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if match is None:
            messages.warning(request, _("It is surely nothing of ours yet: settle its exception by hand."))
        else:
            messages.success(
                request, _("Matched with %(subject)s.") % {"subject": match.batch or match.subject_reference}
            )
    return redirect("backoffice:line", reference)


@operator_required(PREPARE_MONEY, "GET", "POST")
def doubt_match(request: HttpRequest, reference: str) -> HttpResponse:
    """Somebody doubts what a line was matched with: proposed to a second person."""
    found = get_object_or_404(StatementLine, reference=reference)
    match = found.matches.filter(state=Match.State.CONFIRMED).first()
    if match is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            resolution = resolving.propose_undo(
                match=match, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Proposed. Another person decides whether the match is undone."))
            return redirect("backoffice:discrepancy", resolution.discrepancy.reference)
    return show(
        request,
        "backoffice/confirm.html",
        "reconciliation",
        {
            "heading": _("Undo the match of %(line)s") % {"line": reference},
            "said": [
                _("It is the whole of %(batch)s: all matches of it are undone together.")
                % {"batch": match.batch}
                if match.batch
                else _("It is matched with %(subject)s.") % {"subject": match.subject_reference},
                _("Once a second person agrees, its entry is reversed and the line is new again."),
            ],
            "form": form,
            "submit": _("Propose to undo it"),
            "back": "../",
        },
        status=422 if request.method == "POST" else 200,
    )


# Files


@operator_required(READ_MONEY)
def files(request: HttpRequest) -> HttpResponse:
    """Every file that came in or went out, as it was."""
    found = StatementFile.objects.select_related("imported_by").annotate(
        number=Count("lines", distinct=True), parcels=Count("remittance__lines", distinct=True)
    )
    found = found.order_by("-imported_at", "-pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    batches = PayoutBatch.objects.select_related("run").order_by("-made_at", "-pk")[:PER_PAGE]
    return show(
        request, "backoffice/files.html", "files", {"page": page, "files": list(page), "batches": batches}
    )


@operator_required(READ_MONEY)
def statement_file(request: HttpRequest, digest: str) -> HttpResponse:
    """The original, byte for byte; who took it is written to the log."""
    found = get_object_or_404(StatementFile, sha256=digest)
    logger.info("statement file downloaded", extra={"file": digest[:12], "operator": request.user.pk})
    with found.file.open("rb") as file:
        content = file.read()
    response = HttpResponse(content, content_type="application/octet-stream")
    name = get_valid_filename(found.name) or digest[:12]
    response["Content-Disposition"] = (
        f'attachment; filename="{name.encode("ascii", "ignore").decode() or digest[:12]}"'
    )
    return response


# Fetching


@operator_required(PREPARE_MONEY, "POST")
def import_stripe(request: HttpRequest) -> HttpResponse:
    """Read what is new on the Stripe balance, now."""
    try:
        found = stripe_importing.import_balance(at=clock.now())
    except Unavailable:
        messages.error(request, _("Stripe did not answer. Nothing was imported; try again in a while."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        said = ngettext(
            "%(new)s new row of Stripe's balance, %(booked)s booked.",
            "%(new)s new rows of Stripe's balance, %(booked)s booked.",
            found.new,
        )
        messages.success(request, said % {"new": found.new, "booked": found.booked})
        if found.quarantined:
            messages.warning(
                request, _("%(number)s rows wait in quarantine.") % {"number": found.quarantined}
            )
        _match(request)
    return redirect("backoffice:reconciliation")


@operator_required(PREPARE_MONEY, "POST")
def fetch_sandbox(request: HttpRequest, what: str) -> HttpResponse:
    """Get from the sandbox what in the world a person downloads from the bank's or the carrier's site."""
    if not fetching.is_connected():
        raise Http404
    try:
        _FETCHED[what](request)
    except Refused as refusal:
        messages.error(request, str(refusal))
    except Unavailable:
        messages.error(request, _("The bank sandbox does not answer. Nothing was imported."))
    return redirect("backoffice:reconciliation")


def _statement(request: HttpRequest) -> None:
    at = clock.now()
    fetching.announce_waiting()
    file = fetching.fetch_statement(by=request.user, at=at)
    if file.imported_at < at:
        messages.info(request, _("The bank has nothing new since “%(name)s”.") % {"name": file.name})
        return
    messages.success(request, _("The statement “%(name)s” is here.") % {"name": file.name})
    _match(request)


def _remittance(request: HttpRequest) -> None:
    carrier = get_object_or_404(Carrier.objects.filter(is_active=True, collects_cash=True)[:1])
    demo_outside.tell_carrier_of_cash(at=clock.now())
    remittance = fetching.fetch_remittance(carrier=carrier, by=request.user, at=clock.now())
    messages.success(request, _("Remittance %(reference)s is here.") % {"reference": remittance.reference})
    _match(request)


def _status(request: HttpRequest) -> None:
    rejected = 0
    for batch in PayoutBatch.objects.exclude(handed_over_at=None).order_by("pk"):
        rejected += len(fetching.fetch_status(batch=batch, by=request.user, at=clock.now()))
    if rejected:
        said = ngettext(
            "The bank rejected %(number)s transfer: it is an exception now.",
            "The bank rejected %(number)s transfers: they are exceptions now.",
            rejected,
        )
        messages.warning(request, said % {"number": rejected})
    else:
        messages.success(request, _("The bank rejected nothing."))


def _tracking(request: HttpRequest) -> None:
    fetching.announce_waiting()
    number = 0
    for carrier in Carrier.objects.filter(is_active=True):
        told = fetching.fetch_tracking(carrier=carrier, at=clock.now())
        number += len(told.delivered) + len(told.refused)
    said = ngettext("News of %(number)s parcel.", "News of %(number)s parcels.", number)
    messages.success(request, said % {"number": number})


def _work(request: HttpRequest) -> None:
    if not demo_outside.let_the_bank_work():
        raise Unavailable
    messages.success(request, _("The bank has done what waited. Fetch its statement."))


_FETCHED: dict[str, Callable[[HttpRequest], None]] = {
    "statement": _statement,
    "remittance": _remittance,
    "status": _status,
    "tracking": _tracking,
    "work": _work,
}


def _match(request: HttpRequest) -> None:
    say_matched(request, watching.catch_up(at=clock.now()))


def say_matched(request: HttpRequest, run: matching.Run) -> None:
    """How many lines found their other side, and how many somebody has to look at."""
    if run.matched:
        said = ngettext("%(number)s line matched.", "%(number)s lines matched.", run.matched)
        messages.success(request, said % {"number": run.matched})
    if run.doubtful:
        said = ngettext(
            "%(number)s line needs somebody to look at it.",
            "%(number)s lines need somebody to look at them.",
            run.doubtful,
        )
        messages.warning(request, said % {"number": run.doubtful})
