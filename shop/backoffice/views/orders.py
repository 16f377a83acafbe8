"""Orders: finding one, its whole story, and what an operator may do about it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from shop.backoffice import finding, foreseeing, looks
from shop.backoffice.forms import BankRefundForm, EndForm, FindForm, OutcomeForm, RefundForm
from shop.backoffice.scope import ACT_FOR_OTHERS, PREPARE_MONEY, SUPPORT, confirm, operator_required, show
from shop.core import clock
from shop.core.errors import Refused
from shop.core.models import OutboxMessage
from shop.fulfilment import deciding, delivering, story
from shop.fulfilment.models import OrderEvent, Shipment, SupplierOrder
from shop.ledger.models import JournalEntry
from shop.orders import links
from shop.orders.models import Order
from shop.payments import refunding, tasks
from shop.payments.models import BalanceTransaction, Payment, Refund
from shop.reconciliation.models import Discrepancy
from shop.vouchers.models import Redemption

PER_PAGE = 25
_State = SupplierOrder.State


# Finding one


@operator_required(SUPPORT)
def orders(request: HttpRequest) -> HttpResponse:
    """Orders by reference, mail or phone, and by stage. One sure answer leads straight to the order."""
    form = FindForm(request.GET)
    typed = form.cleaned_data["q"] if form.is_valid() else ""
    question = finding.understand(typed)
    shown = request.GET.get("show", "")
    found = finding.that_are(finding.found(question), shown, at=clock.now())
    if question.kind == "reference" and not shown:
        first = list(found[:2])
        if len(first) == 1:
            return redirect("backoffice:order", first[0].number)
    parts = SupplierOrder.objects.select_related("cooperative").order_by("reference")
    page = Paginator(
        found.select_related("user", "shipping_address").prefetch_related(
            Prefetch("supplier_orders", queryset=parts)
        ),
        PER_PAGE,
    ).get_page(request.GET.get("page"))
    may_see = request.user.has_perm(ACT_FOR_OTHERS)
    return show(
        request,
        "backoffice/orders.html",
        "orders",
        {
            "form": form,
            "question": question,
            "page": page,
            "rows": [_row(each, may_see) for each in page],
            "chips": _chips(typed, shown),
            "query": urlencode({"q": typed, "show": shown}),
        },
    )


def _chips(typed: str, shown: str) -> list[dict[str, Any]]:
    names = {
        "": _("All"),
        "awaiting": _("Awaiting payment"),
        "to_accept": _("To be answered"),
        "to_send": _("To be sent"),
        "on_the_way": _("On their way"),
        "delivered": _("Delivered, may come back"),
        "confirmed": _("Confirmed"),
        "ended": _("Not paid in time"),
    }
    waiting = {
        "overdue": _("Not answered in time"),
        "silent": _("Cash parcels nobody has heard of"),
        "late": _("Late payments"),
        "refunds_failed": _("Refunds that failed"),
        "refunds_past_due": _("Refunds past their legal day"),
    }
    if shown in waiting:
        names[shown] = waiting[shown]
    return [
        {
            "name": name,
            "url": "?" + urlencode({key: value for key, value in (("q", typed), ("show", code)) if value}),
            "on": code == shown,
        }
        for code, name in names.items()
    ]


def _row(order: Order, may_see: bool) -> dict[str, Any]:
    mail = order.contact_email
    return {
        "order": order,
        "state": looks.state(order.stage, Order.Stage(order.stage).label),
        "mail": mail if may_see else looks.masked_mail(mail),
        "parts": [
            {"part": each, "state": looks.state(each.state, each.get_state_display())}
            for each in order.supplier_orders.all()
        ],
    }


# One order


@operator_required(SUPPORT)
def order(request: HttpRequest, reference: str) -> HttpResponse:
    """Its whole story: parts, money, parcels, events, entries, mails."""
    found = get_object_or_404(
        Order.objects.select_related("user", "shipping_address__country"), number=reference
    )
    parts = list(
        found.supplier_orders.select_related("cooperative", "carrier", "order")
        .prefetch_related(
            "lines__order_line__order",
            "lines__order_line__product__parent",
            "shipments__carrier",
            "payout_items__payout",
        )
        .order_by("reference")
    )
    payment = Payment.objects.filter(order=found).prefetch_related("attempts", "late__refund").first()
    refunds = list(
        Refund.objects.filter(payment__order=found)
        .select_related("supplier_order", "requested_by", "batch")
        .order_by("requested_at", "pk")
    )
    events = OrderEvent.objects.filter(order=found).select_related("supplier_order__cooperative")
    disputes = _disputes(payment) if payment else []
    told = [looks.told(each) for each in events] + [looks.told_dispute(each["row"]) for each in disputes]
    owners = {each.cooperative.code: each.cooperative.name for each in parts}
    may_see = request.user.has_perm(ACT_FOR_OTHERS)
    return show(
        request,
        "backoffice/order.html",
        "orders",
        {
            "order": found,
            "state": _state(found, parts),
            "customer": _customer(found, may_see),
            "sees_customer": may_see,
            "voucher": Redemption.objects.filter(order=found).select_related("cooperative").first(),
            "parts": [_part(each) for each in parts],
            "payment": payment,
            "payment_state": looks.state(payment.state, payment.get_state_display()) if payment else None,
            "attempts": [
                {"attempt": each, "state": looks.state(each.state, each.get_state_display())}
                for each in (payment.attempts.order_by("number") if payment else [])
            ],
            "late": list(payment.late.all()) if payment else [],
            "refunds": [
                {"refund": each, "state": looks.state(each.state, each.get_state_display())}
                for each in refunds
            ],
            "disputes": disputes,
            "events": sorted(told, key=lambda each: each["at"]),
            "entries": looks.entries(_entries(found, refunds), owners),
            "mails": [
                {
                    "message": each,
                    "state": looks.state(each.state, each.get_state_display()),
                    "to": each.recipient if may_see else looks.masked_mail(each.recipient),
                }
                for each in _mails(found, parts, refunds)
            ],
        },
    )


def _disputes(payment: Payment) -> list[dict[str, Any]]:
    """What the customer disputes of a payment, by Stripe's own rows, each with the exception that follows it."""
    if not payment.stripe_payment_intent_id:
        return []
    rows = BalanceTransaction.objects.filter(
        category="dispute", raw__source__payment_intent=payment.stripe_payment_intent_id
    )
    followed = {
        each.subject_reference: each
        for each in Discrepancy.objects.filter(
            kind=Discrepancy.Kind.DISPUTE, subject_reference__in=rows.values("stripe_id")
        )
    }
    return [
        {
            "row": each,
            "amount": looks.disputed(each),
            "exception": followed.get(each.stripe_id),
            "is_open": each.stripe_id not in followed
            or followed[each.stripe_id].state != Discrepancy.State.SETTLED,
        }
        for each in rows.order_by("created_at", "pk")
    ]


def _state(order: Order, parts: Sequence[SupplierOrder]) -> dict[str, str]:
    """Where the order stands; confirmed means little once nothing of it is coming."""
    if parts and all(each.ended_at for each in parts):
        return {"kind": "bad", "text": _("Nothing of this order is coming")}
    return looks.state(order.stage, Order.Stage(order.stage).label)


def _customer(order: Order, may_see: bool) -> dict[str, Any]:
    address = order.shipping_address
    mail, phone = order.contact_email, order.contact_phone
    return {
        "name": address.name if address and may_see else "",
        "mail": mail if may_see else looks.masked_mail(mail),
        "phone": phone if may_see else looks.masked_phone(phone),
        "lines": (address.lines if may_see else [address.line4]) if address else [],
        "is_guest": order.user_id is None,
        "language": order.language,
    }


def _part(part: SupplierOrder) -> dict[str, Any]:
    return {
        "part": part,
        "state": looks.state(part.state, part.get_state_display()),
        "reason": deciding.reason_text(part.end_reason),
        "lines": list(part.lines.all()),
        "shipments": [
            {
                "shipment": each,
                "open": part.state == _State.DISPATCHED and not each.delivered_at and not each.returned_at,
            }
            for each in part.shipments.all()
        ],
        "payouts": [each.payout for each in part.payout_items.all() if each.is_live],
        "can_decline": part.state in (_State.PLACED, _State.ACCEPTED),
        "can_cancel": part.state == _State.PLACED,
        # Before it leaves it is declined or cancelled: a refund alone would let it be sent and paid out.
        "can_refund": part.state in (_State.DISPATCHED, _State.DELIVERED, _State.RELEASED),
    }


def _entries(order: Order, refunds: list[Refund]) -> list[JournalEntry]:
    """Everything in the books about the order, and about its refunds."""
    return list(JournalEntry.objects.filter(order=order.number).whole())


def _mails(order: Order, parts: list[SupplierOrder], refunds: list[Refund]) -> list[OutboxMessage]:
    about = [order.number, *(each.reference for each in parts), *(each.reference for each in refunds)]
    return list(OutboxMessage.objects.filter(about__in=about).order_by("created_at", "pk"))


# Acting for somebody who phoned


def _part_at(reference: str) -> SupplierOrder:
    return get_object_or_404(
        SupplierOrder.objects.select_related("order", "cooperative", "carrier"), reference=reference
    )


def _back_to(order: Order) -> HttpResponse:
    return redirect("backoffice:order", order.number)


@operator_required(ACT_FOR_OTHERS, "GET", "POST")
def decline_part(request: HttpRequest, reference: str) -> HttpResponse:
    """The cooperative phoned: it cannot fill this part."""
    part = _part_at(reference)
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deciding.decline(supplier_order=part, by=request.user, reason=form.chosen, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            tasks.refund_ended_parts.delay()
            messages.success(
                request, _("%(part)s is declined. What was paid for it goes back.") % {"part": reference}
            )
        return _back_to(part.order)
    return confirm(
        request,
        "orders",
        form=form,
        heading=_("Decline %(part)s for the cooperative") % {"part": reference},
        impossible=_stands(part, SupplierOrder.State.PLACED, SupplierOrder.State.ACCEPTED),
        said=[
            _("%(cooperative)s cannot fill this part. Its goods can be sold again.")
            % {"cooperative": part.cooperative.name},
            _("The customer is told at once, with the reason, and gets back what she paid for it."),
        ],
        submit=_("Decline this part"),
        back=_url(part.order),
    )


@operator_required(ACT_FOR_OTHERS, "GET", "POST")
def cancel_part(request: HttpRequest, reference: str) -> HttpResponse:
    """The customer phoned: she no longer wants a part that is not accepted yet."""
    part = _part_at(reference)
    if request.method == "POST":
        try:
            deciding.cancel(supplier_order=part, at=clock.now(), actor=story.actor_of(request.user))
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            tasks.refund_ended_parts.delay()
            messages.success(
                request, _("%(part)s is cancelled. What was paid for it goes back.") % {"part": reference}
            )
        return _back_to(part.order)
    return confirm(
        request,
        "orders",
        heading=_("Cancel %(part)s for the customer") % {"part": reference},
        said=[
            _("She no longer wants what %(cooperative)s has not accepted yet.")
            % {"cooperative": part.cooperative.name},
            _("The cooperative is told, and the customer gets back what she paid for it."),
        ],
        submit=_("Cancel this part"),
        back=_url(part.order),
        impossible=_stands(part, SupplierOrder.State.PLACED),
    )


@operator_required(ACT_FOR_OTHERS, "GET", "POST")
def parcel(request: HttpRequest, reference: str) -> HttpResponse:
    """What became of a parcel: delivered, by whose word, or refused at the door."""
    shipment = get_object_or_404(
        Shipment.objects.select_related("supplier_order__order", "supplier_order__cooperative", "carrier"),
        reference=reference,
    )
    order = shipment.supplier_order.order
    form = OutcomeForm(request.POST or None, shipment=shipment)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if given["outcome"] == OutcomeForm.REFUSED:
                delivering.record_refusal(
                    shipment=shipment, reason=given["note"], by=request.user, at=clock.now()
                )
            else:
                delivering.record_delivery(
                    shipment=shipment,
                    proof=given["outcome"],
                    note=given["note"],
                    by=request.user,
                    at=clock.now(),
                )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("What became of %(parcel)s is written down.") % {"parcel": reference})
        return _back_to(order)
    said = [
        _("%(carrier)s has it, for %(cooperative)s.")
        % {"carrier": shipment.carrier.name, "cooperative": shipment.supplier_order.cooperative.name}
    ]
    if shipment.cash_to_collect_minor:
        said.append(_("Cash was to be collected: once delivered, the carrier owes it to us."))
    return confirm(
        request,
        "orders",
        form=form,
        heading=_("What became of %(parcel)s") % {"parcel": reference},
        said=said,
        submit=_("Write it down"),
        back=_url(order),
    )


@operator_required(ACT_FOR_OTHERS, "GET", "POST")
def revoke_link(request: HttpRequest, reference: str) -> HttpResponse:
    """A guest's link fell into other hands: none sent so far works any more."""
    found = get_object_or_404(Order, number=reference)
    if request.method == "POST":
        links.revoke(order=found)
        story.tell(order=found, kind="order.link_revoked", actor=story.actor_of(request.user), at=clock.now())
        messages.success(request, _("No link sent so far opens this order any more."))
        return _back_to(found)
    return confirm(
        request,
        "orders",
        heading=_("Revoke every link to %(order)s") % {"order": reference},
        said=[
            _("Whoever holds a link to this order can no longer open it."),
            _("The customer can ask for a new one with the order's number and her e-mail."),
        ],
        submit=_("Revoke the links"),
        back=_url(found),
    )


# Refunds


@operator_required(PREPARE_MONEY, "GET", "POST")
def refund_part(request: HttpRequest, reference: str) -> HttpResponse:
    """Give back lines of a part: first the quantities, then who bears what, then it is done.

    What shows who bears what carries a one-time key, so that pressing twice gives back once.
    """
    part = _part_at(reference)
    once = request.POST.get("once", "")[:40]
    before = refunding.asked_before(supplier_order=part, once=once)
    if before is not None:
        return _refund_asked(request, before)
    left = foreseeing.left_to_refund(part)
    form = RefundForm(request.POST if request.method == "POST" else None, supplier_order=part, left=left)
    foreseen, status = None, 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            asked = _asked(form, part, request)
            try:
                if request.POST.get("step") == "confirm" and once:
                    refund = refunding.request(note=form.cleaned_data["note"], once=once, **asked)
                    return _refund_asked(request, refund)
                foreseen, status = foreseeing.refund(**asked), 200
            except Refused as refusal:
                form.add_error(None, str(refusal))
    return show(
        request,
        "backoffice/refund.html",
        "orders",
        {
            "part": part,
            "form": form,
            "foreseen": foreseen,
            "once": secrets.token_urlsafe(24),
            "nothing_left": not any(left.values()),
            "back": reverse("backoffice:order", args=[part.order.number]),
        },
        status=status,
    )


def _refund_asked(request: HttpRequest, refund: Refund) -> HttpResponse:
    tasks.send_refunds.delay()
    messages.success(request, _("Refund %(refund)s is on its way.") % {"refund": refund.reference})
    return _back_to(refund.payment.order)


def _asked(form: RefundForm, part: SupplierOrder, request: HttpRequest) -> dict[str, Any]:
    given = form.cleaned_data
    return {
        "supplier_order": part,
        "reason": given["reason"],
        "lines": form.wanted,
        "with_delivery": given["with_delivery"],
        "holder": given.get("holder", ""),
        "rib": given.get("rib", ""),
        "by": request.user,
        "at": clock.now(),
    }


def _refund_at(reference: str) -> Refund:
    return get_object_or_404(Refund.objects.select_related("payment__order"), reference=reference)


@operator_required(PREPARE_MONEY, "GET", "POST")
def retry_refund(request: HttpRequest, reference: str) -> HttpResponse:
    """A refund failed: ask once more, the same way."""
    refund = _refund_at(reference)
    order = refund.payment.order
    if request.method == "POST":
        try:
            refunding.retry(refund=refund, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            tasks.send_refunds.delay()
            messages.success(request, _("Refund %(refund)s is tried again.") % {"refund": reference})
        return _back_to(order)
    return confirm(
        request,
        "orders",
        heading=_("Try refund %(refund)s again") % {"refund": reference},
        said=[
            _("It failed: %(why)s.") % {"why": refund.failure or _("no reason given")},
            _("It is asked for once more, in the same way. Nothing is paid twice."),
        ],
        submit=_("Try again"),
        back=_url(order),
        impossible="" if refund.state == Refund.State.FAILED else refunding.NotFailed.message,
    )


@operator_required(PREPARE_MONEY, "GET", "POST")
def refund_by_bank(request: HttpRequest, reference: str) -> HttpResponse:
    """The card does not take it: the next batch to the bank does."""
    refund = _refund_at(reference)
    order = refund.payment.order
    form = BankRefundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            refunding.pay_by_bank_instead(refund=refund, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("Refund %(refund)s goes into the next batch to the bank.") % {"refund": reference}
            )
            return _back_to(order)
    return confirm(
        request,
        "orders",
        form=form,
        heading=_("Pay refund %(refund)s by bank transfer") % {"refund": reference},
        said=[_("It travels with the next payouts that two persons approve.")],
        submit=_("Pay by bank transfer"),
        impossible="" if refund.state == Refund.State.FAILED else refunding.NotFailed.message,
        back=_url(order),
    )


def _stands(part: SupplierOrder, *open_in: str) -> str:
    """Why it is too late for something a part allows only in these states; nothing while it is not."""
    if part.state in open_in:
        return ""
    return _("Too late: this part stands at “%(state)s”.") % {"state": part.get_state_display()}


def _url(order: Order) -> str:
    return reverse("backoffice:order", args=[order.number])
