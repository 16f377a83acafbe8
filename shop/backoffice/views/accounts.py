"""Where cooperatives' money goes: accounts to check, holds, and how two persons lift one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from cooperatives import lifting, payout_accounts
from cooperatives.models import Cooperative, HoldLifting, PayoutAccount
from shop.backoffice import looks
from shop.backoffice.forms import ReasonForm, ReasonForOwnersForm
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
from shop.core import rib as ribs
from shop.core.errors import Refused, Unavailable
from shop.design.numbers import isolated, moment_text
from shop.payments import onboarding

_Rail = PayoutAccount.Rail


@operator_required(READ_MONEY)
def accounts(request: HttpRequest) -> HttpResponse:
    """What has to be checked, who is on hold, and where everybody's money goes."""
    at = clock.now()
    in_use: dict[int, PayoutAccount] = {}
    usable = PayoutAccount.objects.usable(at=at).select_related("cooperative", "proposed_by", "approved_by")
    for each in usable:
        in_use.setdefault(each.cooperative_id, each)
    liftings = {each.hold_id: each for each in HoldLifting.objects.waiting().select_related("proposed_by")}
    found = sorted(in_use.values(), key=lambda each: each.cooperative.code)
    to_check = PayoutAccount.objects.to_check().select_related("cooperative", "proposed_by")
    return show(
        request,
        "backoffice/accounts.html",
        "payouts",
        {
            "to_check": [{"account": each, "said": looks.account(each)} for each in to_check],
            "on_hold": [
                {"hold": each, "lifting": liftings.get(each.pk)} for each in found if each.rail == _Rail.HOLD
            ],
            "in_use": [
                {"account": each, "said": looks.account(each)} for each in found if each.rail != _Rail.HOLD
            ],
        },
    )


@operator_required(READ_MONEY)
def cooperative_accounts(request: HttpRequest, code: str) -> HttpResponse:
    """Every account one cooperative ever had, who proposed and checked it, and every lifting of a hold."""
    at = clock.now()
    cooperative = _cooperative_at(code)
    people = ("proposed_by", "approved_by", "refused_by")
    every = cooperative.payout_accounts.select_related("cooperative", *people).order_by("-version")
    current = payout_accounts.current(cooperative=cooperative, at=at)
    hold = current if current is not None and current.rail == _Rail.HOLD else None
    liftings = HoldLifting.objects.filter(hold__cooperative=cooperative).select_related(
        *people, "hold", "resumed"
    )
    waits = lifting.waiting(cooperative=cooperative)
    return show(
        request,
        "backoffice/cooperative_accounts.html",
        "payouts",
        {
            "cooperative": cooperative,
            "hold": hold,
            "after": _held(hold)[1:] if hold is not None else [],
            "waits": waits,
            "is_own": waits is not None and waits.proposed_by_id == request.user.pk,
            "rows": [
                {
                    "account": each,
                    "said": looks.account(each),
                    "state": looks.account_state(each, at=at, current=current),
                }
                for each in every
            ],
            "liftings": [
                {"lifting": each, "state": looks.lifting_state(each)} for each in liftings.order_by("-pk")
            ],
        },
    )


def _cooperative_at(code: str) -> Cooperative:
    return get_object_or_404(Cooperative, code=code)


def _url(cooperative: Cooperative) -> str:
    return reverse("backoffice:cooperative_accounts", args=[cooperative.code])


# An account that waits for a check


def _account_at(code: str, version: int) -> PayoutAccount:
    """An account of a cooperative; a hold is none."""
    found = PayoutAccount.objects.exclude(rail=_Rail.HOLD).select_related("cooperative", "proposed_by")
    return get_object_or_404(found, cooperative__code=code, version=version)


@operator_required(APPROVE_MONEY, "GET", "POST")
def approve_account(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """A person other than the proposer has compared the account with its papers."""
    account = _account_at(code, version)
    if request.method == "POST":
        try:
            account = payout_accounts.approve(account=account, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _approved(account))
        return redirect("backoffice:cooperative_accounts", code)
    return confirm(
        request,
        "payouts",
        heading=_("Approve the account of %(name)s") % {"name": account.cooperative.name},
        said=[
            *_described(account),
            _("Compare it with the bank's certificate, digit by digit, and the holder with the name there."),
        ],
        is_own=account.proposed_by_id == request.user.pk,
        submit=_("Approve this account"),
        back=_url(account.cooperative),
    )


@operator_required(APPROVE_MONEY, "GET", "POST")
def refuse_account(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """Money never goes to this account; its owners read why."""
    account = _account_at(code, version)
    form = ReasonForOwnersForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            payout_accounts.refuse(
                account=account, why=form.cleaned_data["reason"], by=request.user, at=clock.now()
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Refused. The owners are told why."))
        return redirect("backoffice:cooperative_accounts", code)
    return confirm(
        request,
        "payouts",
        heading=_("Refuse the account of %(name)s") % {"name": account.cooperative.name},
        said=_described(account),
        form=form,
        is_own=account.proposed_by_id == request.user.pk,
        submit=_("Refuse this account"),
        back=_url(account.cooperative),
    )


def _approved(account: PayoutAccount) -> str:
    if lifting.current_hold(cooperative=account.cooperative, at=clock.now()) is not None:
        return _("Approved. It is used once two persons have lifted the hold.")
    return _("Approved. It is used from %(moment)s.") % {
        "moment": moment_text(account.usable_from, style="weekday")
    }


def _described(account: PayoutAccount) -> list[str]:
    """The whole account, for the one person who compares it with its papers."""
    at = clock.now()
    said = []
    if account.rail == _Rail.BANK:
        said.append(
            _("RIB %(rib)s (bank %(bank)s), in the name of %(holder)s.")
            % {"rib": isolated(ribs.grouped(account.rib)), "bank": account.rib[:3], "holder": account.holder}
        )
    else:
        said.append(
            _("Stripe account %(account)s, in the name of %(holder)s.")
            % {"account": isolated(account.stripe_account_id), "holder": account.holder}
        )
    said.append(
        _("Proposed on %(moment)s by %(person)s.")
        % {"moment": moment_text(account.created_at), "person": account.proposed_by or "—"}
    )
    if account.usable_from > at:
        said.append(
            _("It waits until %(moment)s in any case.") % {"moment": moment_text(account.usable_from)}
        )
    same = payout_accounts.others_with(account=account)
    if same:
        said.append(
            _("Careful: the same account is %(names)s's. Ask why before you approve it.")
            % {"names": ", ".join(each.name for each in same)}
        )
    if account.is_in_doubt:
        said.append(_bank_changed(account))
    hold = lifting.current_hold(cooperative=account.cooperative, at=at)
    if hold is not None:
        said.append(
            _(
                "Payouts are on hold: %(reason)s. Nothing is sent here either before two persons lift the hold."
            )
            % {"reason": looks.hold_reason(hold.reason)}
        )
    return said


def _bank_changed(account: PayoutAccount) -> str:
    return _(
        "The bank behind this Stripe account was changed on %(moment)s. "
        "Ask the cooperative, on a number you already had, whether it changed it itself."
    ) % {"moment": moment_text(account.bank_changed_at)}


# A hold


@operator_required(PREPARE_MONEY, "GET", "POST")
def put_on_hold(request: HttpRequest, code: str) -> HttpResponse:
    """Stop what is sent to a cooperative, with a reason its owners read. One person is enough to stop money."""
    cooperative = _cooperative_at(code)
    if lifting.current_hold(cooperative=cooperative, at=clock.now()) is not None:
        raise Http404
    form = ReasonForOwnersForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        payout_accounts.put_on_hold(
            cooperative=cooperative, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
        )
        messages.success(request, _("On hold. The owners are told why."))
        return redirect("backoffice:cooperative_accounts", code)
    return confirm(
        request,
        "payouts",
        heading=_("Put %(name)s on hold") % {"name": cooperative.name},
        said=[
            _("From now on nothing is sent to it; what it is owed stays due."),
            _("It takes two persons to lift the hold. An account that waits for its check is given up."),
        ],
        form=form,
        submit=_("Put on hold"),
        back=_url(cooperative),
    )


@operator_required(PREPARE_MONEY, "GET", "POST")
def lift_hold(request: HttpRequest, code: str) -> HttpResponse:
    """Ask, with a reason, that a cooperative be paid again; another person has to agree."""
    cooperative = _cooperative_at(code)
    hold = lifting.current_hold(cooperative=cooperative, at=clock.now())
    if hold is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            lifting.propose(
                cooperative=cooperative, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Asked for. Another person reads it and agrees, or does not."))
        return redirect("backoffice:cooperative_accounts", code)
    return confirm(
        request,
        "payouts",
        heading=_("Lift the hold of %(name)s") % {"name": cooperative.name},
        said=_held(hold),
        form=form,
        submit=_("Ask another person to agree"),
        back=_url(cooperative),
    )


def _held(hold: PayoutAccount) -> list[str]:
    """Why nothing is sent, and where money would go again."""
    account = payout_accounts.after(hold=hold, at=clock.now())
    said = [
        _("On hold since %(moment)s: %(reason)s.")
        % {"moment": moment_text(hold.created_at), "reason": looks.hold_reason(hold.reason)}
    ]
    if account is None:
        return [*said, _("There is no account: the cooperative would still have to enter one.")]
    said.append(
        _("Money would then go to %(account)s, in the name of %(holder)s.")
        % {"account": isolated(looks.account(account)), "holder": account.holder}
    )
    if account.is_in_doubt and account.closed_at is not None:
        said += [_bank_changed(account), _("After the lifting somebody has to approve it anew.")]
    return said


def _lifting_at(reference: str) -> HoldLifting:
    return get_object_or_404(
        HoldLifting.objects.select_related("hold__cooperative", "proposed_by"), reference=reference
    )


@operator_required(APPROVE_MONEY, "GET", "POST")
def approve_lifting(request: HttpRequest, reference: str) -> HttpResponse:
    """The second person agrees: the cooperative is paid again."""
    found = _lifting_at(reference)
    cooperative = found.hold.cooperative
    if request.method == "POST":
        try:
            found = lifting.approve(lifting=found, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The hold is lifted. The owners are told."))
            if found.resumed is not None and found.resumed.approved_by_id is None:
                messages.warning(request, _("Somebody has to approve its account anew before it is paid."))
            _ask_stripe(request, found.resumed)
        return redirect("backoffice:cooperative_accounts", cooperative.code)
    return confirm(
        request,
        "payouts",
        heading=_("Agree to lift the hold of %(name)s") % {"name": cooperative.name},
        said=[*_held(found.hold), _asked(found)],
        is_own=found.proposed_by_id == request.user.pk,
        submit=_("Agree: pay this cooperative again"),
        back=_url(cooperative),
    )


def _asked(found: HoldLifting) -> str:
    return _("%(person)s asks for it: %(reason)s") % {"person": found.proposed_by, "reason": found.reason}


def _ask_stripe(request: HttpRequest, account: PayoutAccount | None) -> None:
    """What Stripe says of an account may have changed while nobody listened: the hold comes back if it must."""
    if account is None or account.rail != _Rail.STRIPE:
        return
    try:
        onboarding.refresh(stripe_account_id=account.stripe_account_id, at=clock.now())
    except Unavailable:
        messages.warning(
            request, _("Stripe did not answer: what it says of this account is as it was before.")
        )


@operator_required(HANDLE_FILES, "GET", "POST")
def refuse_lifting(request: HttpRequest, reference: str) -> HttpResponse:
    """The hold stands; whoever asked may take it back in the same way."""
    found = _lifting_at(reference)
    cooperative = found.hold.cooperative
    if request.method == "POST":
        try:
            lifting.refuse(lifting=found, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Not agreed. The hold stands."))
        return redirect("backoffice:cooperative_accounts", cooperative.code)
    return confirm(
        request,
        "payouts",
        heading=_("Do not lift the hold of %(name)s") % {"name": cooperative.name},
        said=[*_held(found.hold), _asked(found)],
        submit=_("Let the hold stand"),
        back=_url(cooperative),
    )
