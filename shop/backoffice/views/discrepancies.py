"""Exceptions: the list, one of them, and what two persons do about it."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from moneyed import Money

from shop.backoffice import looks, naming
from shop.backoffice.forms import AdjustForm, ResolveForm
from shop.backoffice.scope import (
    APPROVE_MONEY,
    HANDLE_FILES,
    PREPARE_MONEY,
    READ_MONEY,
    operator_required,
    show,
)
from shop.core import clock
from shop.core.errors import Refused
from shop.design.numbers import day_text
from shop.fulfilment.models import Shipment
from shop.ledger import accounts
from shop.ledger.models import Account, JournalEntry
from shop.payments import refunding, tasks
from shop.payments.models import BalanceTransaction, Payout, PayoutBatch
from shop.reconciliation import adjusting, owning, resolving, wording
from shop.reconciliation.actions import OF_OWN_ACCORD, QUARANTINED, Action, actions_for
from shop.reconciliation.models import Discrepancy, Remittance, Resolution

PER_PAGE = 40
_State = Discrepancy.State


@operator_required(READ_MONEY)
def discrepancies(request: HttpRequest) -> HttpResponse:
    """What does not match: kind, age, amount, whose, until when, and what to do."""
    at = clock.now()
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    found = Discrepancy.objects.select_related("owner", "line").order_by("due_on", "opened_at", "pk")
    if kind in Discrepancy.Kind.values:
        found = found.filter(kind=kind)
    else:
        kind = ""
    counts = dict(found.order_by().values_list("state").annotate(number=Count("pk")))
    if state in _State.values:
        found = found.filter(state=state)
    elif state != "all":
        state, found = "", found.unsettled()
    waiting = counts.get(_State.OPEN, 0) + counts.get(_State.PROPOSED, 0)
    names = [("", _("To settle"), waiting)]
    names += [(code, str(label), counts.get(code, 0)) for code, label in _State.choices]
    names.append(("all", _("All"), sum(counts.values())))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "backoffice/discrepancies.html",
        "reconciliation",
        {
            "chips": [
                {"name": f"{name} ({number})", "url": _query(state=code, kind=kind), "on": code == state}
                for code, name, number in names
            ],
            "kinds": [
                {"name": label, "url": _query(state=state, kind=code), "on": True, "off": True}
                for code, label in Discrepancy.Kind.choices
                if code == kind
            ],
            "page": page,
            "rows": [looks.exception_row(each, at=at) for each in page],
            "query": urlencode({"state": state, "kind": kind}),
        },
    )


def _query(**given: str) -> str:
    return "?" + urlencode({key: value for key, value in given.items() if value})


def _at(reference: str) -> Discrepancy:
    return get_object_or_404(Discrepancy.objects.select_related("owner", "line__file"), reference=reference)


@operator_required(READ_MONEY)
def discrepancy(request: HttpRequest, reference: str) -> HttpResponse:
    """One exception: what it is, what was proposed, and who agreed."""
    found = _at(reference)
    names = naming.owners()
    resolutions = found.resolutions.select_related("proposed_by", "approved_by", "refused_by", "entry")
    return show(
        request,
        "backoffice/discrepancy.html",
        "reconciliation",
        looks.exception_row(found, at=clock.now())
        | {
            "account": naming.in_words(found.account, names) if found.account else "",
            "subject_url": _subject_url(found.subject_reference),
            "details": looks.details(found.detail, names, reason=wording.reason_text(found)),
            "actions": [each.label for each in actions_for(found)],
            "resolutions": [
                {
                    "resolution": each,
                    "action": looks.action(each.action),
                    "details": looks.resolution_details(each, names),
                    "amount": resolving.amount_of(each),
                    "waits": each.moves_money and not each.approved_at and not each.refused_at,
                    "is_own": each.proposed_by_id == request.user.pk,
                    "is_note": each.action == Action.NOTE_ONLY,
                }
                for each in resolutions
            ],
            "is_open": found.state == _State.OPEN,
            "is_mine": found.owner_id == request.user.pk,
        },
    )


def _subject_url(reference: str) -> str:
    """Where the thing of ours that an exception names has its page; nothing if it has none."""
    if Payout.objects.filter(reference=reference).exists():
        return reverse("backoffice:payout", args=[reference])
    run = PayoutBatch.objects.filter(reference=reference).values_list("run__reference", flat=True).first()
    if run:
        return reverse("backoffice:payout_run", args=[run])
    if BalanceTransaction.objects.filter(stripe_id=reference).exists():
        return reverse("backoffice:stripe_row", args=[reference])
    parcel = Shipment.objects.filter(reference=reference).select_related("supplier_order__order").first()
    if parcel is not None:
        return reverse("backoffice:order", args=[parcel.supplier_order.order.number])
    carrier, _slash, number = reference.partition("/")
    remittance = (
        Remittance.objects.filter(carrier__code=carrier, reference=number).select_related("file").first()
    )
    if remittance is not None:
        return reverse("backoffice:remittance", args=[remittance.file.sha256])
    refunds = refunding.sent_as(reference=reference)
    order = refunds.values_list("payment__order__number", flat=True).first()
    return reverse("backoffice:order", args=[order]) if order else ""


@operator_required(HANDLE_FILES, "POST")
def take_discrepancy(request: HttpRequest, reference: str) -> HttpResponse:
    """From now on it is hers."""
    found = _at(reference)
    try:
        owning.take(discrepancy=found, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(exception)s is yours now.") % {"exception": reference})
    return redirect("backoffice:discrepancy", reference)


@operator_required(PREPARE_MONEY, "GET", "POST")
def resolve(request: HttpRequest, reference: str) -> HttpResponse:
    """Propose what to do about it, with the reason. What moves money waits for another person."""
    found = _at(reference)
    if found.state != _State.OPEN:
        messages.warning(request, _("Nothing is open here: it is settled, or waits for a second person."))
        return redirect("backoffice:discrepancy", reference)
    actions = actions_for(found)
    form = ResolveForm(
        request.POST or None,
        request.FILES or None,
        initial=_initial(request, found, actions),
        actions=[(each.value, each.label) for each in actions],
        accounts=naming.choices(found.currency, [found.account] if found.account in _codes(found) else []),
        currency=found.currency,
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            resolution = resolving.propose(
                discrepancy=found,
                action=given["action"],
                reason=given["reason"],
                details=form.details,
                evidence=given.get("evidence"),
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if resolution.action == Action.REFUND_AGAIN:
                tasks.send_refunds.delay()
            messages.success(request, _proposed(resolution))
            return redirect("backoffice:discrepancy", reference)
    return show(
        request,
        "backoffice/resolve.html",
        "reconciliation",
        {
            **looks.exception_row(found, at=clock.now()),
            "form": form,
            "back": reverse("backoffice:discrepancy", args=[reference]),
        },
        status=422 if request.method == "POST" else 200,
    )


def _proposed(resolution: Resolution) -> str:
    """What became of a proposal."""
    found = resolution.discrepancy
    if resolution.moves_money:
        return _("Proposed. Another person reads it and decides.")
    if resolution.action == Action.REFUND_AGAIN:
        return _("Refund %(refund)s is tried again.") % {"refund": found.subject_reference}
    if found.state == _State.SETTLED:
        return _("Settled with your note.")
    return _("Noted. It is still so, and due again on %(day)s.") % {"day": day_text(found.due_on)}


def _codes(found: Discrepancy) -> set[str]:
    return {code for code, _label in naming.choices(found.currency)} | (
        {found.account}
        if found.account.count(":") in (1, 2) and found.account.endswith(found.currency)
        else set()
    )


def _initial(request: HttpRequest, found: Discrepancy, actions: tuple[Action, ...]) -> dict[str, Any]:
    """The suggestion, and what a line's page already knows."""
    wanted = request.GET.get("action", "")
    initial: dict[str, Any] = {
        "action": wanted if wanted in Action.values else actions[0].value if actions else "",
        "reference": request.GET.get("reference", "") or found.subject_reference,
        "subject": request.GET.get("subject", ""),
    }
    line = found.line
    if line is not None:
        bank = accounts.bank(line.currency).code
        initial["debit" if line.amount_minor > 0 else "credit"] = bank
    elif found.kind in QUARANTINED:
        own, other = ("debit", "credit") if found.amount_minor > 0 else ("credit", "debit")
        initial[own] = found.account
        if found.kind == Discrepancy.Kind.DISPUTE:
            initial[other] = accounts.dispute_receivable(found.currency).code
    return initial


# What no statement shows


@operator_required(PREPARE_MONEY, "GET", "POST")
def adjust(request: HttpRequest) -> HttpResponse:
    """Propose to book between two accounts what no statement shows: a dispute lost, a debt waived."""
    about = JournalEntry.objects.whole().filter(event=request.GET.get("entry", "")).first()
    currency, initial = _adjusted(about, request.GET.get("account", ""))
    form = AdjustForm(
        request.POST or None,
        request.FILES or None,
        initial=initial,
        accounts=[each for each in naming.choices(currency) if not accounts.mirrors(each[0])],
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            resolution = adjusting.propose(
                debit=given["debit"],
                credit=given["credit"],
                amount=Money(given["amount"], currency),
                reason=given["reason"],
                evidence=given.get("evidence"),
                about=about,
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _proposed(resolution))
            return redirect("backoffice:discrepancy", resolution.discrepancy.reference)
    return show(
        request,
        "backoffice/adjust.html",
        "reconciliation",
        {
            "form": form,
            "about": about,
            "currency": currency,
            "back": reverse("backoffice:entry", args=[about.event])
            if about is not None
            else reverse("backoffice:reconciliation"),
        },
        status=422 if request.method == "POST" else 200,
    )


def _adjusted(about: JournalEntry | None, account: str) -> tuple[str, dict[str, str]]:
    """In which currency, and out of which account: that of the page it was asked from."""
    codes = [each.debit.code for each in about.postings.all()] if about is not None else [account]
    code = next((each for each in codes if each and not accounts.mirrors(each)), "")
    currency = (code or codes[0]).rpartition(":")[2]
    if not Account.objects.filter(currency=currency).exists():
        return settings.SHOP_CURRENCY, {}
    return currency, {"credit": code}


# The second person


def _resolution_at(reference: str) -> Resolution:
    return get_object_or_404(
        Resolution.objects.select_related("discrepancy__line", "proposed_by"), reference=reference
    )


@operator_required(APPROVE_MONEY, "GET", "POST")
def approve_resolution(request: HttpRequest, reference: str) -> HttpResponse:
    """Agree, and it is carried out."""
    found = _resolution_at(reference)
    back = found.discrepancy.reference
    if request.method == "POST":
        try:
            resolving.approve(resolution=found, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Agreed and carried out."))
        return redirect("backoffice:discrepancy", back)
    return _confirm(request, found, _("Agree to %(resolution)s"), _("Agree and carry it out"))


@operator_required(HANDLE_FILES, "GET", "POST")
def refuse_resolution(request: HttpRequest, reference: str) -> HttpResponse:
    """Do not do it; whoever proposed it may take it back in the same way."""
    found = _resolution_at(reference)
    if request.method == "POST":
        try:
            resolving.refuse(resolution=found, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            left = found.discrepancy.kind not in OF_OWN_ACCORD
            messages.success(
                request,
                _("Not agreed. The exception is open again.")
                if left
                else _("Not agreed. Everything stands as it is."),
            )
        return redirect("backoffice:discrepancy", found.discrepancy.reference)
    return _confirm(request, found, _("Do not agree to %(resolution)s"), _("Do not do it"))


def _confirm(request: HttpRequest, found: Resolution, heading: str, submit: str) -> HttpResponse:
    details = looks.resolution_details(found, naming.owners())
    amount = looks.text_of(resolving.amount_of(found))
    return show(
        request,
        "backoffice/confirm.html",
        "reconciliation",
        {
            "heading": heading % {"resolution": found.reference},
            "said": [
                f"{looks.action(found.action)}: {amount}",
                *(f"{each['name']}: {each['value']}" for each in details),
                _("%(person)s proposes it: %(reason)s")
                % {"person": found.proposed_by, "reason": found.reason},
            ],
            "is_own": found.proposed_by_id == request.user.pk,
            "submit": submit,
            "back": reverse("backoffice:discrepancy", args=[found.discrepancy.reference]),
        },
    )


@operator_required(READ_MONEY)
def evidence(request: HttpRequest, reference: str) -> HttpResponse:
    """The paper somebody put beside a proposal."""
    found = _resolution_at(reference)
    if not found.evidence:
        raise Http404
    name = str(found.evidence.name)
    with found.evidence.open("rb") as file:
        content = file.read()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = HttpResponse(content, content_type=kind)
    ending = name.rpartition(".")[2][:5]
    response["Content-Disposition"] = f'attachment; filename="{found.reference}.{ending}"'
    return response
