"""What a customer does with an order she has placed: follow it, take a part back, keep its receipt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shop.core import clock
from shop.core.errors import Refused
from shop.core.references import normalise
from shop.customers import owning
from shop.fulfilment import deciding, delivering
from shop.fulfilment.models import Shipment, SupplierOrder
from shop.orders.models import Order
from shop.payments.tasks import refund_ended_parts
from shop.storefront import following, receipts

#: Orders a session may see: ``{number: link version}``.
OPENED = "orders"
_MOST_OPENED = 20


def remember(request: Any, order: Order) -> None:
    """From now on this session may see the order, until its links are revoked."""
    if order.user_id is None:
        opened = {**request.session.get(OPENED, {}), order.number: order.link_version}
        request.session[OPENED] = dict(list(opened.items())[-_MOST_OPENED:])


def may_see(request: Any, order: Order) -> bool:
    """Whether this visitor may see the order."""
    if request.session.get(OPENED, {}).get(order.number) == order.link_version:
        return True
    return request.user.is_authenticated and owning.orders_of(user=request.user).filter(pk=order.pk).exists()


def order_or_404(request: Any, number: str) -> Order:
    """An order of this visitor; another person's does not exist for her."""
    order = (
        Order.objects.filter(number=normalise(number))
        .select_related("shipping_address", "user", "payment")
        .first()
    )
    if order is None or not may_see(request, order):
        raise Http404
    return order


def waiting_for(request: Any, at: datetime) -> list[Order]:
    """This visitor's orders whose goods are kept until she has paid, the newest first."""
    opened = request.session.get(OPENED, {})
    hers = Q(number__in=list(opened))
    if request.user.is_authenticated:
        hers |= Q(user=request.user)
    elif not opened:
        return []
    found = Order.objects.awaiting_payment().filter(
        hers, payment_method=Order.Method.CARD, reserved_until__gt=at
    )
    return [
        each
        for each in found.order_by("-date_placed", "-pk")
        if each.user_id or opened.get(each.number) == each.link_version
    ]


@never_cache
def track(request: Any, number: str) -> HttpResponse:
    """The one page about an order, from its payment to the last parcel; right after ordering it says thanks."""
    order = order_or_404(request, number)
    at = clock.now()
    parts = following.parts_of(order) if order.confirmed_at else []
    waits = order.stage == Order.Stage.AWAITING_PAYMENT
    *rows, last = following.sums(order, parts)
    return render(
        request,
        "storefront/track.html",
        {
            "order": order,
            "thanks": request.GET.get("thanks") == "1" and bool(order.confirmed_at),
            "heading": following.headline(order, parts),
            "sentence": following.sentence(order, parts),
            "parts": following.shown(order, parts, at=at),
            "waiting": following.waiting(order) if not parts else [],
            "rows": rows,
            "sum": last,
            "can_pay": waits
            and order.payment_method == Order.Method.CARD
            and bool(order.reserved_until and order.reserved_until > at),
            "address": order.shipping_address,
            "is_cash": order.payment_method == Order.Method.CASH,
            "has_receipt": bool(order.confirmed_at),
            "crumbs": [
                {"name": _("Shop"), "url": reverse("storefront:home")},
                {"name": _("Your orders"), "url": reverse("storefront:account")},
                {"name": order.number},
            ],
        },
    )


@never_cache
@require_GET
def receipt(request: Any, number: str) -> HttpResponse:
    """The receipt as PDF, in the language of the page."""
    order = order_or_404(request, number)
    if not order.confirmed_at:
        raise Http404
    language = get_language() or settings.LANGUAGE_CODE
    response = HttpResponse(receipts.receipt_of(order, language=language), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{order.number}.pdf"'
    return response


@never_cache
def cancel_part(request: Any, reference: str) -> HttpResponse:
    """Take a part back that its cooperative has not accepted yet: asked once, then done."""
    number = normalise(reference)
    order = order_or_404(request, number.rpartition("-")[0])
    part = (
        SupplierOrder.objects.filter(order=order, reference=number)
        .select_related("cooperative", "order")
        .first()
    )
    if part is None:
        raise Http404
    track_url = reverse("storefront:track", args=[order.number])
    if request.method == "POST":
        try:
            deciding.cancel(supplier_order=part, at=clock.now(), actor="customer")
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            refund_ended_parts.delay_on_commit()
            messages.success(
                request,
                _("The part of %(cooperative)s is cancelled.") % {"cooperative": part.cooperative.name},
            )
        return redirect(track_url)
    if part.state != SupplierOrder.State.PLACED:
        messages.error(request, _("This part can no longer be cancelled: the cooperative has answered."))
        return redirect(track_url)
    return render(
        request,
        "storefront/cancel_part.html",
        {
            "part": part,
            "lines": part.lines.select_related("order_line__order", "order_line__product__parent"),
            "order": order,
            "track_url": track_url,
        },
    )


@never_cache
def received(request: Any, reference: str) -> HttpResponse:
    """The customer says herself that a parcel has come."""
    shipment = (
        Shipment.objects.filter(reference=normalise(reference))
        .select_related("supplier_order__order", "supplier_order__cooperative", "carrier")
        .first()
    )
    if shipment is None or not may_see(request, shipment.supplier_order.order):
        raise Http404
    order = shipment.supplier_order.order
    track_url = reverse("storefront:track", args=[order.number])
    if shipment.supplier_order.state != SupplierOrder.State.DISPATCHED:
        messages.error(request, _("There is nothing to confirm for this parcel."))
        return redirect(track_url)
    if request.method == "POST":
        try:
            delivering.record_delivery(
                shipment=shipment, proof=Shipment.Proof.CUSTOMER, at=clock.now(), actor="customer"
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Thank you. The parcel is recorded as arrived."))
        return redirect(track_url)
    return render(
        request,
        "storefront/received.html",
        {"shipment": shipment, "part": shipment.supplier_order, "track_url": track_url},
    )
