"""Payouts: what a plan would hold, runs that two persons agree on, the bank's file, and each payout."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from cooperatives.models import PayoutAccount
from shop.backoffice import looks
from shop.backoffice.forms import ReasonForm
from shop.backoffice.scope import (
    APPROVE_MONEY,
    HANDLE_FILES,
    PREPARE_MONEY,
    READ_MONEY,
    confirm,
    operator_required,
    show,
)
from shop.core import clock
from shop.core.errors import Refused, Unavailable
from shop.core.money import from_minor, total
from shop.design.numbers import moment_text
from shop.ledger.journal import entries_of
from shop.payments import batches, statements, tasks
from shop.payments import payouts as paying_out
from shop.payments.bank import rib as ribs
from shop.payments.models import BatchDownload, Payout, PayoutBatch, PayoutRun, PayoutTransfer, Refund
from shop.reconciliation import fetching

PER_PAGE = 20
_TYPES = {"pain001": ("application/xml", "xml"), "csv": ("text/csv; charset=utf-8", "csv")}


@operator_required(READ_MONEY)
def payouts(request: HttpRequest) -> HttpResponse:
    """All runs, newest first."""
    runs = PayoutRun.objects.select_related("planned_by", "approved_by", "batch").annotate(
        number=Count("payouts"), sum=Sum("payouts__amount_minor")
    )
    page = Paginator(runs.order_by("-planned_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "run": each,
            "state": looks.state(each.state, each.get_state_display()),
            "amount": from_minor(each.sum or 0, "MAD"),
        }
        for each in page
    ]
    return show(request, "backoffice/payouts.html", "payouts", {"page": page, "rows": rows})


@operator_required(PREPARE_MONEY, "GET", "POST")
def plan_run(request: HttpRequest) -> HttpResponse:
    """What would be paid now, to whom, over which rail, and what is left out and why; then the plan."""
    at = clock.now()
    if request.method == "POST":
        try:
            run = paying_out.plan(by=request.user, at=at)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("backoffice:plan_run")
        messages.success(
            request,
            _("%(run)s is planned. Another person reads it and approves it.") % {"run": run.reference},
        )
        return redirect("backoffice:payout_run", run.reference)
    due = paying_out.outlook(at=at)
    rows = [_due(each) for each in due if each.shares - each.netted > 0]
    refunds = Refund.objects.filter(way=Refund.Way.BANK, state=Refund.State.REQUESTED, batch=None)
    return show(
        request,
        "backoffice/plan_run.html",
        "payouts",
        {
            "rows": rows,
            "total": from_minor(sum(each.shares - each.netted for each in due if each.shares), "MAD"),
            "refunds": list(refunds.select_related("payment__order")),
            "left_out": [each for some in due for each in some.left_out],
            "can_plan": bool(rows) or refunds.exists(),
        },
    )


def _due(due: paying_out.Due) -> dict[str, Any]:
    assert due.account is not None
    currency = due.parts[0][0].currency
    return {
        "cooperative": due.cooperative,
        "parts": len(due.parts),
        "shares": from_minor(due.shares, currency),
        "netted": from_minor(due.netted, currency),
        "amount": from_minor(due.shares - due.netted, currency),
        "rail": due.account.get_rail_display(),
        "account": looks.account(due.account),
    }


# One run


@operator_required(READ_MONEY)
def payout_run(request: HttpRequest, reference: str) -> HttpResponse:
    """A run with its payouts, and what the bank will be told, read from the file itself."""
    run = _run_at(reference)
    return show(request, "backoffice/payout_run.html", "payouts", _run_context(request, run))


def _run_at(reference: str) -> PayoutRun:
    return get_object_or_404(
        PayoutRun.objects.select_related("planned_by", "approved_by", "cancelled_by", "giving_up_by"),
        reference=reference,
    )


def _run_context(request: HttpRequest, run: PayoutRun) -> dict[str, Any]:
    found = run.payouts.select_related("cooperative", "account").order_by("reference")
    batch = PayoutBatch.objects.filter(run=run).prefetch_related("downloads__user").first()
    written, altered = None, ""
    if batch is not None:
        try:
            written = batches.shown(batch=batch)
        except Refused as refusal:
            altered = str(refusal)
    return {
        "run": run,
        "state": looks.state(run.state, run.get_state_display()),
        "payouts": [
            {
                "payout": each,
                "state": looks.state(each.state, each.get_state_display()),
                "account": looks.account(each.account),
            }
            for each in found
        ],
        "batch": batch,
        "written": written,
        "transfers": [
            {"transfer": each, "rib": ribs.masked(each.rib)}
            for each in (written.transfers if written else ())
        ],
        "altered": altered,
        "downloads": list(batch.downloads.order_by("downloaded_at")) if batch else [],
        "is_own": run.planned_by_id == request.user.pk,
        "is_planned": run.state == PayoutRun.State.PLANNED,
        "is_approved": run.state == PayoutRun.State.APPROVED,
        "is_mine_to_give_up": run.giving_up_by_id == request.user.pk,
        "had_the_file": request.user.pk in paying_out.downloaders(run=run),
        "may_be_given_up": run.state == PayoutRun.State.APPROVED and not paying_out.gone(run=run),
        "bank_is_sandbox": fetching.is_connected(),
    }


@operator_required(APPROVE_MONEY, "GET", "POST")
def approve_run(request: HttpRequest, reference: str) -> HttpResponse:
    """A second person agrees to what the file says."""
    run = _run_at(reference)
    if request.method == "POST":
        try:
            paying_out.approve(run=run, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            tasks.send_approved_payouts.delay()
            messages.success(request, _("%(run)s is approved.") % {"run": reference})
        return redirect("backoffice:payout_run", reference)
    context = _run_context(request, run)
    written = context["written"]
    said = [
        _("Planned by %(person)s. From now on nothing in it changes.") % {"person": run.planned_by},
        _("Payouts by Stripe are sent at once; the bank's file can then be downloaded and handed over."),
    ]
    by_stripe = run.payouts.filter(rail=PayoutAccount.Rail.STRIPE)
    return show(
        request,
        "backoffice/approve_run.html",
        "payouts",
        context
        | {
            "said": said,
            "total": written.total if written else None,
            "by_stripe": total([each.amount for each in by_stripe]),
            "back": _run_url(run),
        },
    )


@operator_required(HANDLE_FILES, "GET", "POST")
def cancel_run(request: HttpRequest, reference: str) -> HttpResponse:
    """Give a plan up: what it held is free for the next."""
    run = _run_at(reference)
    if request.method == "POST":
        try:
            paying_out.cancel(run=run, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("%(run)s is cancelled. Nothing was sent.") % {"run": reference})
        return redirect("backoffice:payout_run", reference)
    return confirm(
        request,
        "payouts",
        heading=_("Cancel %(run)s") % {"run": reference},
        said=[_("Nothing of it was sent. What it held is free for the next plan; its file is never used.")],
        submit=_("Cancel this run"),
        back=_run_url(run),
    )


@operator_required(HANDLE_FILES, "GET", "POST")
def give_up_run(request: HttpRequest, reference: str) -> HttpResponse:
    """Give an approved run up as a whole, with a reason, as long as nothing of it has left.

    Once its file was downloaded this asks another person to agree.
    """
    run = _run_at(reference)
    form = ReasonForm(request.POST or None)
    is_taken = bool(paying_out.downloaders(run=run))
    if request.method == "POST" and form.is_valid():
        do = paying_out.ask_to_give_up if is_taken else paying_out.give_up
        try:
            do(run=run, why=form.cleaned_data["reason"], by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            said = (
                _("Asked for. Another person, who has not downloaded the file, reads it and agrees.")
                if is_taken
                else _("%(run)s is given up. All of it is due again.") % {"run": reference}
            )
            messages.success(request, said)
        return redirect("backoffice:payout_run", reference)
    return confirm(
        request,
        "payouts",
        heading=_("Give %(run)s up") % {"run": reference},
        said=[
            _("Nothing of it has left. All of it is due again for the next plan; its file is never used."),
            *_taken(run),
        ],
        form=form,
        submit=_("Ask another person to agree") if is_taken else _("Give this run up"),
        back=_run_url(run),
    )


@operator_required(HANDLE_FILES, "GET", "POST")
def agree_to_give_up_run(request: HttpRequest, reference: str) -> HttpResponse:
    """The second person agrees that the bank was not given the file: the run is given up."""
    run = _run_at(reference)
    if request.method == "POST":
        try:
            paying_out.agree_to_give_up(run=run, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("%(run)s is given up. All of it is due again.") % {"run": reference})
        return redirect("backoffice:payout_run", reference)
    if run.giving_up_by is None:
        raise Http404
    return confirm(
        request,
        "payouts",
        heading=_("Agree to give %(run)s up") % {"run": reference},
        said=[
            _("%(person)s asks for it: %(reason)s")
            % {"person": run.giving_up_by, "reason": run.giving_up_why},
            *_taken(run),
            _("If the bank has the file all the same, these cooperatives are paid twice."),
        ],
        is_own=run.giving_up_by_id == request.user.pk,
        submit=_("Agree: give this run up"),
        back=_run_url(run),
    )


def _taken(run: PayoutRun) -> list[str]:
    """Who could have given the file to the bank."""
    taken = BatchDownload.objects.filter(batch__run=run).select_related("user").order_by("downloaded_at")
    return [
        _("%(person)s downloaded the file on %(moment)s: make sure the bank has not been given it.")
        % {"person": each.user, "moment": moment_text(each.downloaded_at)}
        for each in taken
    ]


def _run_url(run: PayoutRun) -> str:
    return reverse("backoffice:payout_run", args=[run.reference])


# The bank's file


@operator_required(HANDLE_FILES)
def batch_file(request: HttpRequest, reference: str, form: str) -> HttpResponse:
    """The file for the bank, the same bytes each time; who took it is written down."""
    batch = get_object_or_404(PayoutBatch.objects.select_related("run"), reference=reference)
    content_type, ending = _TYPES[form]
    try:
        content = batches.download(
            batch=batch, by=request.user, format="csv" if form == "csv" else "pain001", at=clock.now()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("backoffice:payout_run", batch.run.reference)
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{batch.reference}.{ending}"'
    return response


@operator_required(HANDLE_FILES, "GET", "POST")
def hand_over(request: HttpRequest, reference: str) -> HttpResponse:
    """The bank has the file. In the demonstration it is given to the sandbox; else a person did and says so."""
    batch = get_object_or_404(PayoutBatch.objects.select_related("run"), reference=reference)
    if request.method == "POST":
        try:
            _give(batch, request.user, clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        except Unavailable:
            messages.error(
                request,
                _(
                    "The bank did not answer, so it may have the file. Do not give it the file in another way: "
                    "hand it over here again in a while. The bank takes the same file once."
                ),
            )
        else:
            messages.success(request, _("The bank has %(batch)s.") % {"batch": reference})
        return redirect("backoffice:payout_run", batch.run.reference)
    sandbox = fetching.is_connected()
    given = (
        _("The file goes to the bank sandbox, which acknowledges it.")
        if sandbox
        else _("Say so once the bank has acknowledged the file you uploaded there.")
    )
    return confirm(
        request,
        "payouts",
        heading=_("Hand %(batch)s over to the bank") % {"batch": reference},
        said=[given, _("From then on its payouts are on their way, and the cooperatives are told.")],
        submit=_("Give it to the bank sandbox") if sandbox else _("The bank has it"),
        back=_run_url(batch.run),
    )


def _give(batch: PayoutBatch, by: Any, at: datetime) -> None:
    if fetching.is_connected():
        if batch.handed_over_at is None:
            paying_out.check_accounts(batch=batch, at=at)
        fetching.hand_over(batch=batch, by=by, at=at)
    else:
        paying_out.hand_over(batch=batch, at=at)


@operator_required(HANDLE_FILES, "POST")
def batch_status(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask the bank sandbox what became of a batch; what it rejected is an exception."""
    batch = get_object_or_404(PayoutBatch.objects.select_related("run"), reference=reference)
    try:
        found = fetching.fetch_status(batch=batch, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    except Unavailable:
        messages.error(request, _("The bank did not answer. Nothing has changed; try again in a while."))
    else:
        if found:
            said = ngettext(
                "The bank rejected %(number)s transfer: it is an exception now.",
                "The bank rejected %(number)s transfers: they are exceptions now.",
                len(found),
            )
            messages.warning(request, said % {"number": len(found)})
        else:
            messages.success(request, _("The bank rejected nothing of %(batch)s.") % {"batch": reference})
    return redirect("backoffice:payout_run", batch.run.reference)


# One payout


@operator_required(READ_MONEY)
def payout(request: HttpRequest, reference: str) -> HttpResponse:
    """A payout: its items, its transfers, its entries."""
    found = get_object_or_404(
        Payout.objects.select_related("cooperative", "account", "run", "batch"), reference=reference
    )
    transfers = PayoutTransfer.objects.filter(item__payout=found).select_related("item__supplier_order")
    owners = {found.cooperative.code: found.cooperative.name}
    return show(
        request,
        "backoffice/payout.html",
        "payouts",
        {
            "payout": found,
            "state": looks.state(found.state, found.get_state_display()),
            "account": looks.account(found.account),
            "items": list(found.items.select_related("supplier_order__order").order_by("pk")),
            "transfers": [
                {"transfer": each, "state": looks.state(each.state, each.get_state_display())}
                for each in transfers
            ],
            "entries": looks.entries(entries_of(about=found.reference), owners),
        },
    )


@operator_required(READ_MONEY)
def settlement_statement(request: HttpRequest, reference: str) -> HttpResponse:
    """The statement the cooperative gets of this payout, as PDF, in the reader's language."""
    found = get_object_or_404(Payout.objects.select_related("cooperative", "account"), reference=reference)
    response = HttpResponse(
        statements.statement_pdf(found, get_language() or "fr"), content_type="application/pdf"
    )
    response["Content-Disposition"] = f'inline; filename="{found.reference}.pdf"'
    return response
