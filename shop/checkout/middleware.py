"""``request.basket``, loaded only where a page asks for it; the number beside "Basket" comes from a cookie.

Takes the place of Oscar's middleware, which applies every offer of the shop to every page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import ngettext

from shop.checkout import baskets
from shop.pricing.strategy import Selector

#: Where a guest's session keeps the key of her basket.
SESSION_KEY = "basket"
COUNT_COOKIE = "tadamon_basket"
LIFETIME = 30 * 24 * 3600


class BasketMiddleware:
    """One query when a page shows the basket, none when it does not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.selector = Selector()

    def __call__(self, request: Any) -> HttpResponse:
        request.strategy = self.selector.strategy(request=request)
        request.basket = SimpleLazyObject(lambda: load(request))
        request.basket_count = shown = _count_of(request)
        response = self.get_response(request)
        if request.basket_count != shown:
            response.set_cookie(
                COUNT_COOKIE,
                str(request.basket_count),
                max_age=LIFETIME,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


def load(request: Any) -> Any:
    """This visitor's open basket, unsaved while she has chosen nothing."""
    user = request.user if request.user.is_authenticated else None
    guest = baskets.of_guest(key=request.session.get(SESSION_KEY)) if _has_session(request) else None
    if user is None:
        basket = guest or baskets.Basket()
    else:
        if guest is not None:
            came = baskets.take_over(guest_basket=guest, user=user)
            if came:
                said = ngettext(
                    "%(number)s good you had chosen before signing in is in your basket.",
                    "%(number)s goods you had chosen before signing in are in your basket.",
                    came,
                )
                messages.info(request, said % {"number": came})
            del request.session[SESSION_KEY]
        basket = baskets.open_of(user=user)
        basket.owner = user
    basket.strategy = request.strategy
    return basket


def own(request: Any) -> Any:
    """This visitor's basket, saved, to put something in."""
    if request.user.is_authenticated:
        load(request)  # a guest's basket is taken over first
        basket = baskets.open_for(user=request.user)
    else:
        basket = load(request)
        if basket.pk is None:
            basket.save()
            request.session[SESSION_KEY] = basket.pk
            request.session.set_expiry(LIFETIME)
    basket.strategy = request.strategy
    request.basket = basket
    return basket


def key_of(request: Any) -> Any:
    """The key of a guest's basket, also when it has just been ordered."""
    return request.session.get(SESSION_KEY)


def _has_session(request: Any) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _count_of(request: Any) -> int:
    """What stood beside "Basket" last; a tampered cookie only shows its owner a wrong number."""
    text = request.COOKIES.get(COUNT_COOKIE, "")
    return min(int(text), 999) if text.isascii() and text.isdigit() and len(text) < 5 else 0
