"""Supplier orders: the list, one of them, and what a member does with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shop.core import clock, references
from shop.core.errors import Refused
from shop.design import documents
from shop.design.numbers import day_text, isolated, moment_text, money_text
from shop.desk import customers, looks, money
from shop.desk.forms import DeclineForm, DeliverForm, DispatchForm, ReturnForm
from shop.desk.scope import FILL_ORDERS, at_desk, cooperative_of, frame, part_of
from shop.fulfilment import deciding, delivering, dispatching
from shop.fulfilment.models import Shipment, SupplierOrder, SupplierOrderLine
from shop.payments.tasks import refund_ended_parts

State = SupplierOrder.State
PER_PAGE = 20
_ABOUT_THE_NUMBER = (
    dispatching.TrackingNumberUsed,
    dispatching.TrackingNumberTooLong,
    dispatching.TrackingNumberMissing,
)
ENDED = [State.DECLINED, State.CANCELLED, State.REFUSED]


def _tabs() -> list[tuple[str, str, list[str]]]:
    return [
        ("placed", _("To answer"), [State.PLACED]),
        ("accepted", _("To pack"), [State.ACCEPTED]),
        ("dispatched", _("On their way"), [State.DISPATCHED]),
        ("delivered", _("Delivered"), [State.DELIVERED]),
        ("released", _("Completed"), [State.RELEASED]),
        ("ended", _("Came to nothing"), ENDED),
    ]


@at_desk
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """All supplier orders, by state, newest first; the search knows references."""
    cooperative = cooperative_of(request)
    own = SupplierOrder.objects.of(request.user).filter(cooperative=cooperative)
    wanted = "".join(request.GET.get("q", "").split()).upper()[:64]
    if wanted:
        # A carrier's number keeps its O and I: compared as dispatching wrote it, not as a reference is read.
        named = Q(reference__icontains=references.normalise(wanted))
        own = own.filter(named | Q(shipments__tracking_number=wanted)).distinct()
    counts = dict(own.order_by().values_list("state").annotate(number=Count("pk", distinct=True)))
    state = request.GET.get("state", "")
    shown, chips = own, [_chip("", _("All"), sum(counts.values()), state, wanted)]
    for code, name, states in _tabs():
        chips.append(_chip(code, name, sum(counts.get(each, 0) for each in states), state, wanted))
        if code == state:
            shown = own.filter(state__in=states)
    if state == "placed":
        shown = shown.order_by("accept_by", "pk")
    page = Paginator(shown.select_related("order__shipping_address"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    given = money.gives(list(page))
    return render(
        request,
        "desk/orders.html",
        frame(request, cooperative, "orders")
        | {
            "chips": chips,
            "page": page,
            "rows": [
                {"part": each, "state": looks.state_of(each), "gives": given[each.reference]} for each in page
            ],
            "q": wanted,
            "state": state,
            "query": _query(state, wanted),
        },
    )


def _query(state: str, wanted: str) -> str:
    return urlencode({key: value for key, value in (("state", state), ("q", wanted)) if value})


def _chip(code: str, name: str, number: int, current: str, wanted: str) -> dict[str, Any]:
    query = _query(code, wanted)
    url = reverse("desk:orders") + (f"?{query}" if query else "")
    return {"name": f"{name} {number}", "url": url, "on": code == current}


@at_desk
@require_GET
def order(request: HttpRequest, reference: str) -> HttpResponse:
    """One supplier order: what to do, what goes in, where to, what each receives."""
    part = part_of(request, reference)
    shipment = part.shipments.select_related("carrier").first()
    gives = money.gives([part])[part.reference]
    return render(
        request,
        "desk/order.html",
        frame(request, part.cooperative, "orders")
        | {
            "part": part,
            "state": looks.state_of(part),
            "rows": [looks.line_row(each) for each in _lines(part)],
            "customer": customers.customer_of(part=part, at=clock.now()),
            "shipment": shipment,
            "tracking_url": dispatching.tracking_url(shipment) if shipment else "",
            "parts": {
                "coop": gives.receives,
                "shop": gives.commission_net,
                "vat": gives.commission_vat,
                "fund": gives.solidarity,
                "sum": gives.remaining,
            },
            "gives": gives,
            "refunds": money.given_back(part=part),
            "stations": looks.stations_of(part, _days(part)),
            "end_reason": deciding.reason_text(part.end_reason),
            "is_coming_home": bool(shipment and shipment.returned_at and not shipment.return_confirmed_at),
            "may_decline": part.state in (State.PLACED, State.ACCEPTED),
        },
    )


def _lines(part: SupplierOrder) -> QuerySet[SupplierOrderLine]:
    return part.lines.select_related("order_line__product__parent").prefetch_related(
        "order_line__product__images", "order_line__product__parent__images"
    )


def _days(part: SupplierOrder) -> dict[str, str]:
    moments = {
        "placed": part.placed_at,
        "accepted": part.accepted_at,
        "dispatched": part.dispatched_at,
        "delivered": part.delivered_at,
        "released": part.released_at,
        "ended": part.ended_at,
    }
    return {name: moment_text(at, style="near") for name, at in moments.items() if at}


@at_desk
@require_POST
def accept(request: HttpRequest, reference: str) -> HttpResponse:
    """Take a part on."""
    part = part_of(request, reference, FILL_ORDERS)
    try:
        deciding.accept(supplier_order=part, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            _("You accepted order %(reference)s. Print its packing slip and pack the parcel.")
            % {"reference": isolated(reference)},
        )
    return redirect("desk:order", reference)


@at_desk
@require_http_methods(["GET", "POST"])
def decline(request: HttpRequest, reference: str) -> HttpResponse:
    """Say why, and confirm that the part is declined."""
    part = part_of(request, reference, FILL_ORDERS)
    if request.method == "GET" and part.state not in (State.PLACED, State.ACCEPTED):
        return _too_late(request, part, _("Order %(reference)s can no longer be declined"))
    form = DeclineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deciding.decline(supplier_order=part, by=request.user, reason=form.chosen, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            refund_ended_parts.delay_on_commit()
            messages.success(
                request, _("Order %(reference)s is declined.") % {"reference": isolated(reference)}
            )
        return redirect("desk:order", reference)
    return _ask(
        request,
        part,
        form=form,
        heading=_("Decline order %(reference)s?") % {"reference": isolated(reference)},
        said=_("The customer is told at once, with your reason."),
        consequences=[
            _("The goods can be sold again.")
            if part.is_cash
            else _("The customer gets %(amount)s back, goods and delivery.")
            % {"amount": money_text(part.total)},
            _("You receive nothing for this order."),
        ],
        action=reverse("desk:decline", args=[reference]),
        submit=_("Decline the order"),
        grave=True,
    )


@at_desk
@require_http_methods(["GET", "POST"])
def dispatch(request: HttpRequest, reference: str) -> HttpResponse:
    """Say who took the parcel."""
    part = part_of(request, reference, FILL_ORDERS)
    if request.method == "GET" and part.state != State.ACCEPTED:
        return _too_late(request, part, _("The parcel of %(reference)s cannot be handed over"))
    form = DispatchForm(request.POST or None, with_cash=part.is_cash, initial={"carrier": part.carrier.code})
    if request.method == "POST" and form.is_valid():
        act = partial(dispatching.dispatch, supplier_order=part)
        done = _carried_out(
            request, reference, form, act, _("The parcel is on its way. The customer has been told.")
        )
        if done:
            return done
    said = (
        _("The carrier collects %(amount)s from the customer.") % {"amount": money_text(part.total)}
        if part.is_cash
        else _("The customer has paid. The carrier collects nothing.")
    )
    return _ask(
        request,
        part,
        form=form,
        heading=_("Hand over the parcel of %(reference)s") % {"reference": isolated(reference)},
        said=said,
        action=reverse("desk:dispatch", args=[reference]),
        submit=_("The parcel has left"),
    )


@at_desk
@require_http_methods(["GET", "POST"])
def correct_parcel(request: HttpRequest, reference: str) -> HttpResponse:
    """Put the right carrier or number on a parcel that is on its way."""
    part = part_of(request, reference, FILL_ORDERS)
    shipment = part.shipments.select_related("carrier").first()
    if shipment is None or (request.method == "GET" and part.state != State.DISPATCHED):
        return _too_late(request, part, _("The parcel of %(reference)s is not on its way"))
    form = DispatchForm(
        request.POST or None,
        with_cash=part.is_cash,
        initial={"carrier": shipment.carrier.code, "tracking_number": shipment.tracking_number},
    )
    if request.method == "POST" and form.is_valid():
        shipment.supplier_order = part
        act = partial(dispatching.correct, shipment=shipment)
        done = _carried_out(request, reference, form, act, _("Corrected. The customer's page shows it."))
        if done:
            return done
    return _ask(
        request,
        part,
        form=form,
        heading=_("Correct the parcel of %(reference)s") % {"reference": isolated(reference)},
        said=_("Carrier and tracking number can be corrected until the parcel has arrived."),
        action=reverse("desk:correct_parcel", args=[reference]),
        submit=_("Correct it"),
    )


def _carried_out(
    request: HttpRequest, reference: str, form: DispatchForm, act: Callable[..., object], said: str
) -> HttpResponse | None:
    """Do what a form about carrier and number asks; None when the number is refused, so that it is asked again."""
    try:
        act(
            carrier=form.cleaned_data["carrier"],
            tracking_number=form.cleaned_data["tracking_number"],
            by=request.user,
            at=clock.now(),
        )
    except _ABOUT_THE_NUMBER as refusal:
        form.add_error("tracking_number", str(refusal))
        return None
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("desk:order", reference)


@at_desk
@require_http_methods(["GET", "POST"])
def deliver(request: HttpRequest, reference: str) -> HttpResponse:
    """Write down that a parcel arrived, and how one knows."""
    part = part_of(request, reference, FILL_ORDERS)
    if request.method == "GET" and part.state != State.DISPATCHED:
        return _too_late(request, part, _("The parcel of %(reference)s is not on its way"))
    form = DeliverForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        shipment = part.shipments.select_related("carrier").first()
        if shipment is None:
            messages.error(request, _("This parcel has not left yet."))
            return redirect("desk:order", reference)
        try:
            delivering.record_delivery(
                shipment=shipment,
                proof=Shipment.Proof.MEMBER,
                note=form.cleaned_data["note"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Written down. The customer has been told."))
        return redirect("desk:order", reference)
    return _ask(
        request,
        part,
        form=form,
        heading=_("The parcel of %(reference)s has arrived") % {"reference": isolated(reference)},
        said=_("Your word counts as proof and is kept with your name."),
        consequences=[_("The customer's time to send it back starts today.")],
        action=reverse("desk:deliver", args=[reference]),
        submit=_("It has arrived"),
    )


@at_desk
@require_http_methods(["GET", "POST"])
def take_back(request: HttpRequest, reference: str) -> HttpResponse:
    """A parcel refused at the door is back."""
    part = part_of(request, reference, FILL_ORDERS)
    shipment = part.shipments.first()
    if request.method == "GET" and not part.shipments.coming_home().exists():
        return _too_late(request, part, _("The parcel of %(reference)s is not coming back"))
    form = ReturnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if shipment is None:
                raise delivering.NotComingHome
            delivering.confirm_return(
                shipment=shipment,
                sellable=form.cleaned_data["sellable"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Thank you. Your stock is up to date."))
        return redirect("desk:order", reference)
    return _ask(
        request,
        part,
        form=form,
        heading=_("The parcel of %(reference)s is back") % {"reference": isolated(reference)},
        said=_("Open it and look at the goods first."),
        action=reverse("desk:take_back", args=[reference]),
        submit=_("Confirm the return"),
    )


def _ask(request: HttpRequest, part: SupplierOrder, **asked: Any) -> HttpResponse:
    return render(
        request,
        "desk/ask.html",
        frame(request, part.cooperative, "orders")
        | {"part": part, "back_url": reverse("desk:order", args=[part.reference])}
        | asked,
        status=422 if asked["form"].errors else 200,
    )


def _too_late(request: HttpRequest, part: SupplierOrder, heading: str) -> HttpResponse:
    """A page about what cannot be done with a part as it stands now: it says so instead of asking."""
    state = looks.state_of(part)["text"]
    return render(
        request,
        "desk/too_late.html",
        frame(request, part.cooperative, "orders")
        | {
            "heading": heading % {"reference": isolated(part.reference)},
            "said": _("Where this order stands now: %(state)s.") % {"state": state},
            "back_url": reverse("desk:order", args=[part.reference]),
        },
        status=409,
    )


@at_desk
@require_GET
def packing_slip(request: HttpRequest, reference: str) -> HttpResponse:
    """The paper that goes with the parcel, in the member's language, while she may see whom it goes to."""
    part = part_of(request, reference, FILL_ORDERS)
    try:
        customer = customers.require(part=part, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("desk:order", reference)
    pdf = documents.render("packing_slip", packing_slip_data(part, customer), get_language() or "fr")
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{reference}.pdf"'
    return response


@at_desk
@require_GET
def gift_slip(request: HttpRequest, reference: str) -> HttpResponse:
    """The slip for who receives a gift: the message and what is in the parcel, without a price, in the
    language the order was placed in. 404 for what is no gift."""
    part = part_of(request, reference, FILL_ORDERS)
    if not part.order.is_gift:
        raise Http404
    try:
        customer = customers.require(part=part, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("desk:order", reference)
    language = part.order.language
    with override(language):
        pdf = documents.render("gift_slip", gift_slip_data(part, customer), language)
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{reference}-gift.pdf"'
    return response


def gift_slip_data(part: SupplierOrder, customer: customers.Customer) -> dict[str, Any]:
    """What the slip says; see ``design/documents/README.md``."""
    return {
        "reference": part.reference,
        "cooperative": {"name": part.cooperative.name, "place": part.cooperative.place},
        "receiver": customer.name,
        "message": part.order.gift_message,
        "lines": [
            {"title": row["title"], "quantity": str(row["line"].quantity), "unit": row["unit"]}
            for row in map(looks.line_row, _lines(part))
            if not row["line"].order_line.is_packing
        ],
    }


def packing_slip_data(part: SupplierOrder, customer: customers.Customer) -> dict[str, Any]:
    """What the paper says; see ``design/documents/README.md``."""
    shipment = part.shipments.select_related("carrier").first()
    return {
        "reference": part.reference,
        "order": part.order.number,
        "placed_on": day_text(part.order.date_placed),
        "cooperative": {"name": part.cooperative.name, "place": part.cooperative.place},
        "customer": {
            "name": customer.name,
            "address_lines": list(customer.address_lines),
            "phone": customer.phone,
        },
        "lines": [
            {
                "sku": row["line"].sku,
                "title": row["title"],
                "quantity": str(row["line"].quantity),
                "unit": row["unit"],
            }
            for row in map(looks.line_row, _lines(part))
        ],
        "parcel": {
            "carrier": (shipment.carrier if shipment else part.carrier).name,
            "tracking": shipment.tracking_number if shipment else "",
            "cash_to_collect": money_text(part.total) if part.is_cash else "",
        },
        "gift_message": part.order.gift_message,
        "qr": settings.SITE_URL + reverse("desk:order", args=[part.reference]),
    }
