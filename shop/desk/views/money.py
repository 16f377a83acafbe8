"""Money: what is held, due and paid, what each order gives, and the statements."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cooperatives import payout_accounts
from cooperatives.models import Cooperative, PayoutAccount
from shop.core import clock
from shop.core import rib as ribs
from shop.core.errors import Refused
from shop.design.numbers import isolated, moment_text
from shop.desk import looks
from shop.desk import money as sums
from shop.desk.forms import AccountForm
from shop.desk.scope import MANAGE_PEOPLE, SEE_MONEY, at_desk, cooperative_of, frame, require
from shop.fulfilment.models import SupplierOrder
from shop.payments import statements, waiting_cash
from shop.payments.models import Payout

PER_PAGE = 20


@at_desk
@require_GET
def money(request: HttpRequest) -> HttpResponse:
    """Where the cooperative's money stands."""
    cooperative = cooperative_of(request, SEE_MONEY)
    parts = SupplierOrder.objects.of(request.user).filter(cooperative=cooperative)
    page = Paginator(parts, PER_PAGE).get_page(request.GET.get("page"))
    given = sums.gives(list(page))
    at = clock.now()
    return render(
        request,
        "desk/money.html",
        frame(request, cooperative, "money")
        | {
            "sums": sums.sums_of(cooperative=cooperative, at=at),
            "payouts": _payouts().filter(cooperative=cooperative)[:24],
            "page": page,
            "rows": [
                {"part": each, "state": looks.state_of(each), "gives": given[each.reference]} for each in page
            ],
            "account": account_said(payout_accounts.current(cooperative=cooperative, at=at)),
            "waiting_says": waiting_says(payout_accounts.waiting(cooperative=cooperative, at=at), at=at),
        },
    )


def _payouts() -> QuerySet[Payout]:
    """Payouts a cooperative is told of: neither those still planned nor those given up."""
    return Payout.objects.exclude(state__in=[Payout.State.PLANNED, Payout.State.CANCELLED])


def account_said(account: PayoutAccount | None) -> str:
    """An account as screens name it: never the whole number."""
    if account is None:
        return _("none yet")
    if account.rail == PayoutAccount.Rail.BANK:
        return ribs.masked(account.rib)
    return str(account.get_rail_display())


def waiting_says(account: PayoutAccount | None, *, at: datetime) -> str:
    """In plain words what a proposed account waits for; nothing if there is none."""
    if account is None:
        return ""
    words = {
        "account": isolated(account_said(account)),
        "holder": account.holder,
        "moment": moment_text(account.usable_from, style="weekday"),
    }
    if account.approved_by_id is not None:
        return (
            _("A new account, %(account)s in the name of %(holder)s, is checked. It is used from %(moment)s.")
            % words
        )
    if account.usable_from > at:
        return (
            _(
                "A new account, %(account)s in the name of %(holder)s, was entered. "
                "It is used from %(moment)s at the earliest, once we have checked it."
            )
            % words
        )
    return (
        _(
            "The account %(account)s in the name of %(holder)s was entered. "
            "It is used as soon as we have checked it."
        )
        % words
    )


def _after_said(current: PayoutAccount | None, *, at: datetime) -> str:
    """Where money goes once a hold is lifted; nothing if there is no hold."""
    if current is None or current.rail != PayoutAccount.Rail.HOLD:
        return ""
    return isolated(account_said(payout_accounts.after(hold=current, at=at)))


@at_desk
@require_GET
def statement(request: HttpRequest, reference: str) -> HttpResponse:
    """The settlement statement of one payout, as PDF."""
    payout = _payout_of(request, reference)
    pdf = statements.statement_pdf(payout, get_language() or "fr")
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{payout.reference}.pdf"'
    return response


@at_desk
@require_GET
def statement_table(request: HttpRequest, reference: str) -> HttpResponse:
    """The same as a table for a spreadsheet."""
    payout = _payout_of(request, reference)
    table = statements.statement_csv(payout, get_language() or "fr")
    response = HttpResponse(table, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{payout.reference}.csv"'
    return response


def _payout_of(request: HttpRequest, reference: str) -> Payout:
    own = _payouts().filter(cooperative__in=Cooperative.objects.of(request.user))
    payout: Payout = get_object_or_404(own.select_related("cooperative", "account"), reference=reference)
    require(request, SEE_MONEY, payout.cooperative)
    return payout


@at_desk
@require_http_methods(["GET", "POST"])
def payout_account(request: HttpRequest) -> HttpResponse:
    """Where the money goes; owners enter another account here."""
    cooperative = cooperative_of(request, SEE_MONEY)
    at = clock.now()
    form = AccountForm(request.POST or None, initial={"holder": cooperative.name})
    if request.method == "POST":
        require(request, MANAGE_PEOPLE, cooperative)
        if form.is_valid():
            try:
                account = payout_accounts.propose(
                    cooperative=cooperative,
                    rail=PayoutAccount.Rail.BANK,
                    holder=form.cleaned_data["holder"],
                    rib=form.cleaned_data["rib"],
                    by=request.user,
                    at=at,
                )
            except ribs.RibRefused as refusal:
                form.add_error("rib", str(refusal))
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(
                    request,
                    _(
                        "The new account is used in 48 hours at the earliest, once we have checked it. "
                        "Every owner has been told."
                    )
                    if account.usable_from > at
                    else _("We check this account now. Your money goes there once that is done."),
                )
                return redirect("desk:payout_account")
    current = payout_accounts.current(cooperative=cooperative, at=at)
    waiting = payout_accounts.waiting(cooperative=cooperative, at=at)
    stopped_by = sums.stopped_by(current)
    refused = payout_accounts.last_refused(cooperative=cooperative)
    return render(
        request,
        "desk/payout_account.html",
        frame(request, cooperative, "money")
        | {
            "form": form,
            "current": current,
            "current_said": account_said(current),
            "after_said": _after_said(current, at=at),
            "stopped_by": stopped_by,
            "cash_waits": waiting_cash.waiting(cooperative=cooperative, at=at),
            "waiting": waiting,
            "waiting_says": waiting_says(waiting, at=at),
            "refused": refused,
            "refused_said": isolated(account_said(refused)),
        },
        status=422 if form.errors else 200,
    )


@at_desk
@require_POST
def stop_account(request: HttpRequest) -> HttpResponse:
    """Stop a change of account that still waits."""
    cooperative = cooperative_of(request, MANAGE_PEOPLE)
    at = clock.now()
    waiting = payout_accounts.waiting(cooperative=cooperative, at=at)
    try:
        if waiting is None:
            raise payout_accounts.AccountClosed
        payout_accounts.give_up(account=waiting, at=at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The change is stopped. Your money goes where it went before."))
    return redirect("desk:payout_account")
