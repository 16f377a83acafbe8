"""From the basket to the payment on one calm page, and back from the payment."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from moneyed import MAD, Money

from cooperatives.models import Cooperative
from shop.checkout import baskets, filling, middleware, placing
from shop.checkout.filling import Content
from shop.core import clock
from shop.core.errors import Refused, Unavailable
from shop.core.models import Commune
from shop.core.money import from_minor, to_minor, total
from shop.customers import addressing
from shop.design import numbers
from shop.fulfilment import quoting
from shop.fulfilment.models import DeliveryQuote
from shop.orders.models import Order
from shop.payments import paying
from shop.payments.stripe.gateway import Urls
from shop.storefront import vouchering
from shop.storefront.forms import CheckoutForm, address_from, answers_of
from shop.storefront.views import choosing
from shop.storefront.views.orders import order_or_404, remember

#: Where a session keeps what was answered, so that coming back finds it.
ANSWERS = "checkout"
#: How often the return page looks again by itself, and after how many seconds.
LOOKS, LOOK_AFTER = 12, 4
_TOWNS = 40
#: What is only of this order: another one does not begin as a gift.
_OF_GIFT = ("is_gift", "gift_message", "packing")


def _user(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: Any) -> HttpResponse:
    """The form; posting it works out the delivery and shows what there is to pay."""
    at = clock.now()
    contents = filling.contents(basket=request.basket, at=at)
    if not contents:
        return redirect("storefront:basket")
    if any(each.problem for each in contents):
        problem = next(each.problem for each in contents if each.problem)
        return choosing.basket_page(request, wrong=str(problem), status=409)
    if request.method != "POST":
        form, quotes = _as_left(request, contents, at)
        return _page(request, form=form, contents=contents, quotes=quotes)
    form = CheckoutForm(request.POST, user=_user(request), makers=_makers(contents))
    if not form.is_valid():
        return _page(request, form=form, contents=contents, status=422)
    try:
        _quotes(form, contents, at)
    except Refused as refusal:
        return _page(request, form=form, contents=contents, wrong=str(refusal), status=409)
    filling.show_prices(contents=contents)
    _keep(request, form)
    return redirect(reverse("storefront:checkout") + "#review")


@never_cache
@require_POST
def place(request: Any) -> HttpResponse:
    """Order with the obligation to pay. Pressing again leads to the same order and the same payment page."""
    at, user = clock.now(), _user(request)
    key = middleware.key_of(request)
    basket = baskets.named(token_=request.POST.get("basket", ""), user=user, key=key)
    if basket is None:
        # The form speaks of no basket of hers: tampered with, or far too old.
        none = placing.BasketGone if filling.contents(basket=request.basket, at=at) else placing.BasketEmpty
        return choosing.basket_page(request, wrong=str(none()), status=409)
    if basket.pk and basket.status != baskets.Basket.OPEN:
        return _once_more(request, basket, at)
    contents = filling.contents(basket=basket, at=at)
    if not contents:
        return choosing.basket_page(request, wrong=str(placing.BasketEmpty()), status=409)
    if any(each.problem for each in contents):
        problem = next(each.problem for each in contents if each.problem)
        return choosing.basket_page(request, wrong=str(problem), status=409)
    form = CheckoutForm(request.POST, user=user, placing_now=True, makers=_makers(contents))
    if not form.is_valid():
        quotes = []
        if set(form.errors) <= {"terms"}:
            quotes = quoting.current(fingerprint=_fingerprint(form, contents), at=at)
        return _page(request, form=form, contents=contents, quotes=quotes, status=422)
    try:
        shown = _shown_quotes(request, form, contents, at)
        order = placing.buy(
            basket=basket,
            customer=placing.Customer(
                user=user,
                email=user.email if user else form.cleaned_data["email"],
                phone=form.cleaned_data["phone"],
                language=get_language() or settings.LANGUAGE_CODE,
            ),
            address=form.address,
            method=form.cleaned_data["method"],
            quotes=shown,
            expected=_promised(request),
            voucher=request.POST.get("voucher", ""),
            gift=form.gift,
            at=at,
        )
    except Refused as refusal:
        return _refused(request, form, basket, refusal, at)
    request.basket_count = 0
    vouchering.forget(request)
    _forget_gift(request)
    remember(request, order)
    if user is not None and "keep_address" in request.POST:
        with suppress(addressing.BookFull):
            addressing.keep(user=user, place=form.address)
    return _to_payment(request, order, at)


def _once_more(request: Any, basket: Any, at: datetime) -> HttpResponse:
    """The button of a basket that is ordered already."""
    order = Order.objects.filter(basket_id=basket.pk).first()
    if order is None:
        return choosing.basket_page(request, wrong=str(placing.BasketGone()), status=409)
    request.basket_count = 0
    remember(request, order)
    return _to_payment(request, order, at)


def _to_payment(request: Any, order: Order, at: datetime) -> HttpResponse:
    """To the hosted page of a card order; to the order itself when nothing is to be paid now."""
    track = reverse("storefront:track", args=[order.number])
    if order.payment_method != Order.Method.CARD or order.stage != Order.Stage.AWAITING_PAYMENT:
        return redirect(f"{track}?thanks=1" if order.stage == Order.Stage.CONFIRMED else track)
    payment = paying.start(order=order, at=at)
    urls = Urls(
        paid=settings.SITE_URL + reverse("storefront:payment_return", args=[order.number]),
        given_up=settings.SITE_URL + track,
    )
    try:
        return redirect(paying.page_for(payment=payment, urls=urls, at=at, language=get_language() or ""))
    except Unavailable:
        messages.warning(
            request,
            _("The bank does not answer at the moment. Your order is kept; try to pay again in a minute."),
        )
    except Refused as refusal:
        messages.warning(request, str(refusal))
    return redirect(track)


@require_POST
def pay(request: Any, number: str) -> HttpResponse:
    """Go (back) to the hosted page of an order that waits for its payment."""
    return _to_payment(request, order_or_404(request, number), clock.now())


@require_POST
def take_back(request: Any, number: str) -> HttpResponse:
    """Cancel an order that waits for its payment: its page is closed, its goods can be sold again."""
    order = order_or_404(request, number)
    track = redirect("storefront:track", number=order.number)
    if order.stage != Order.Stage.AWAITING_PAYMENT or order.payment_method != Order.Method.CARD:
        messages.error(request, _("This order no longer waits for its payment."))
        return track
    try:
        if paying.expire(order=order, at=clock.now()):
            messages.success(request, _("Your order is cancelled. Nothing has been charged."))
        else:
            messages.error(request, _("This order no longer waits for its payment."))
    except Unavailable:
        messages.warning(request, _("The bank does not answer at the moment. Try again in a minute."))
    return track


@never_cache
@require_GET
def payment_return(request: Any, number: str) -> HttpResponse:
    """Where the hosted page sends her. What the address says proves nothing: Stripe is asked, and until it
    has answered the page looks again by itself."""
    order = order_or_404(request, number)
    track = reverse("storefront:track", args=[order.number])
    if order.stage == Order.Stage.AWAITING_PAYMENT and hasattr(order, "payment"):
        with suppress(Unavailable, Refused):  # the webhook or the sweep will tell; the page looks again
            paying.confirm(payment=order.payment, at=clock.now())
        order.refresh_from_db()
    if order.stage != Order.Stage.AWAITING_PAYMENT:
        return redirect(f"{track}?thanks=1" if order.confirmed_at else track)
    looks = _number(request.GET.get("look", "0"))
    again = f"{request.path}?look={looks + 1}" if looks < LOOKS else ""
    return render(
        request,
        "storefront/being_confirmed.html",
        {"order": order, "again": again, "look_after": LOOK_AFTER, "track": track},
    )


# --- what the page needs ---------------------------------------------------------------------


def _page(
    request: Any,
    *,
    form: CheckoutForm,
    contents: list[Content],
    quotes: list[DeliveryQuote] | None = None,
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    """The checkout. With ``quotes`` it can be paid; without, the delivery is worked out first."""
    at = clock.now()
    quotes = quotes or []
    by_maker = {each.cooperative_id: each for each in quotes}
    parts = choosing.group(contents, at)
    goods = total([each.amount for each in contents], MAD)
    packers = placing.packed(contents=contents, gift=form.gift)
    packing = total([placing.packing_price(each) for each in packers], MAD)
    delivery = total([each.gross for each in quotes], MAD)
    ready = bool(parts) and len(by_maker) == len(parts)
    if quotes and not ready:
        quotes, by_maker = [], {}
    voucher = vouchering.chosen(request, contents, at)
    taken = voucher.by_maker(contents)
    for part in parts:
        part["quote"] = by_maker.get(part["cooperative"].pk)
        part["packing"] = part["cooperative"] in packers
        part["off"] = -taken[part["cooperative"].pk] if taken.get(part["cooperative"].pk) else None
        # What she pays for this parcel, in cash at the door: less its share of the voucher.
        part["total"] = part["goods"] + part["quote"].gross if part["quote"] else part["goods"]
        if part["packing"]:
            part["total"] += placing.packing_price(part["cooperative"])
        if part["off"]:
            part["total"] += part["off"]
    costs = goods + packing - voucher.amount + delivery
    region = form["region"].value() or ""
    book = _book(_user(request), form)
    context = {
        "form": form,
        "wrong": wrong,
        "parts": parts,
        "goods": goods,
        "delivery": delivery,
        "voucher": voucher,
        "packing": packing if packers else None,
        "sum": costs,
        "ready": ready,
        "fingerprint": quotes[0].fingerprint if ready else "",
        "total_minor": to_minor(costs),
        "basket": baskets.token(basket=request.basket),
        "towns": towns_of(region),
        "card": (form["method"].value() or Order.Method.CARD) == Order.Method.CARD,
        "account": _user(request),
        "book": book,
        "can_keep": ready and _user(request) is not None and not any(each["on"] for each in book),
        "perishable": any(0 < each.listing.shelf_life_months <= 1 for each in contents),
    }
    return render(request, "storefront/checkout.html", context, status=status)


def _makers(contents: list[Content]) -> list[Cooperative]:
    return [each.listing.cooperative for each in contents]


def _book(user: Any, form: CheckoutForm) -> list[dict[str, Any]]:
    """Her saved addresses, to choose one of; a guest has none."""
    here = reverse("storefront:checkout")
    return [
        {
            "name": each.line1,
            "place": each.line4,
            "url": f"{here}?to={each.hash}",
            "on": (each.line1, each.line4) == (form["street"].value(), form["town"].value()),
        }
        for each in (addressing.of(user=user) if user is not None else [])
    ]


def towns_of(region: str) -> list[str]:
    """Towns a browser may propose while she types: those of the region, or the country's largest."""
    found = Commune.objects.order_by(F("population").desc())
    found = found.filter(province__region=region) if region else found.filter(is_urban=True)
    return [each.name for each in found[: None if region else _TOWNS]]


def _as_left(request: Any, contents: list[Content], at: datetime) -> tuple[CheckoutForm, list[DeliveryQuote]]:
    """The form as she left it, with the delivery if it is still as it was worked out."""
    user = _user(request)
    chosen = _from_book(request, user)
    answers = chosen or request.session.get(ANSWERS) or _from_last_order(user)
    phone = numbers.phone_text(answers.get("phone", "")).replace(numbers.NBSP, " ")
    form = CheckoutForm(initial={**answers, "phone": phone}, user=user, makers=_makers(contents))
    if not answers.get("commune"):
        return form, []
    address = address_from(answers)
    mark = placing.fingerprint(contents=contents, address=address, method=answers.get("method", ""))
    if any(each.price_changed for each in contents):
        return form, []
    return form, quoting.current(fingerprint=mark, at=at)


def _from_book(request: Any, user: Any) -> dict[str, Any]:
    """The address of hers that she chose to send this order to; at first the default of her book."""
    if user is None:
        return {}
    kept = request.session.get(ANSWERS)
    if mark := request.GET.get("to", ""):
        chosen = addressing.named(user=user, mark=mark)
        return (kept or {}) | answers_of(chosen) if chosen is not None else {}
    default = None if kept else next(iter(addressing.of(user=user)), None)
    return answers_of(default) if default is not None else {}


def _from_last_order(user: Any) -> dict[str, Any]:
    """What a customer with an account answered last time."""
    if user is None:
        return {}
    last = Order.objects.filter(user=user).select_related("shipping_address").order_by("-date_placed").first()
    if last is None or last.shipping_address is None:
        return {"name": user.get_full_name(), "phone": str(user.phone or "")}
    return answers_of(last.shipping_address) | {"method": last.payment_method}


def _keep(request: Any, form: CheckoutForm) -> None:
    kept = ("name", "phone", "email", "region", "town", "commune", "street", "landmark", "method")
    request.session[ANSWERS] = {key: form.cleaned_data.get(key, "") for key in (*kept, *_OF_GIFT)}


def _forget_gift(request: Any) -> None:
    answers = request.session.get(ANSWERS)
    if answers:
        request.session[ANSWERS] = {key: said for key, said in answers.items() if key not in _OF_GIFT}


def _fingerprint(form: CheckoutForm, contents: list[Content]) -> str:
    return placing.fingerprint(
        contents=contents, address=form.address, method=form.cleaned_data.get("method", "")
    )


def _quotes(form: CheckoutForm, contents: list[Content], at: datetime) -> list[DeliveryQuote]:
    """Unexpired prices of delivery for what the form says, worked out if there are none. Raises NoDelivery."""
    mark = _fingerprint(form, contents)
    parcels = quoting.parcels(lines=[(each.listing, each.quantity, each.amount) for each in contents])
    found = quoting.current(fingerprint=mark, at=at)
    if {each.cooperative_id for each in found} == {each.pk for each in parcels}:
        return found
    return quoting.quote(
        baskets=parcels,
        address=form.address,
        fingerprint=mark,
        at=at,
        cash=form.cleaned_data["method"] == Order.Method.CASH,
    )


def _shown_quotes(
    request: Any, form: CheckoutForm, contents: list[Content], at: datetime
) -> list[DeliveryQuote]:
    """The quotes the customer was shown. Raises QuoteExpired if basket, place or method changed since."""
    mark = _fingerprint(form, contents)
    if request.POST.get("fingerprint") != mark:
        raise quoting.QuoteExpired
    return quoting.current(fingerprint=mark, at=at)


def _promised(request: Any) -> Money:
    """What the button said. Used only to refuse: no amount of an order ever comes from a request."""
    minor = request.POST.get("total", "")
    return from_minor(int(minor), MAD) if re.fullmatch(r"[0-9]{1,9}", minor) else from_minor(-1, MAD)


def _refused(request: Any, form: CheckoutForm, basket: Any, refusal: Refused, at: datetime) -> HttpResponse:
    """Say why, show everything as it is now, and let her confirm once more."""
    contents = filling.contents(basket=basket, at=at)
    if not contents or any(each.problem for each in contents):
        return choosing.basket_page(request, wrong=str(refusal), status=409)
    filling.show_prices(contents=contents)
    try:
        quotes = _quotes(form, contents, at)
    except Refused as no_delivery:
        return _page(request, form=form, contents=contents, wrong=str(no_delivery), status=409)
    _keep(request, form)
    return _page(request, form=form, contents=contents, quotes=quotes, wrong=str(refusal), status=409)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
