"""What only customers' pages need."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from catalogue.models import Product
from shop.customers import favourites
from shop.customers.models import Favourite
from shop.design import moulds
from shop.design.templatetags.design import number
from shop.storefront import found

register = template.Library()


@register.simple_tag(takes_context=True)
def about_this_page(context: Any) -> found.About | None:
    """What search engines, messengers and feed readers are told of this page; nothing without a request."""
    request = context.get("request")
    return found.about(context.flatten(), request) if request is not None else None


@register.simple_tag
def tick(choice: dict[str, Any], value: str = "1") -> SafeString:
    """A box of the filters, as ``_tick.html`` draws it."""
    return moulds.pour(
        "storefront/_tick.html",
        {
            "key": choice["key"],
            "value": value,
            "name": choice["name"],
            "on": bool(choice["on"]),
            "count": number(choice["count"]),
            "is_below": choice.get("is_below", False),
        },
    )


@register.simple_tag
def ticks(key: str, choices: list[dict[str, Any]]) -> SafeString:
    """The choices of one kind as boxes to tick."""
    return mark_safe("\n".join(tick(each | {"key": key}, each["code"]) for each in choices))  # noqa: S308 - poured


@register.simple_tag(takes_context=True)
def is_favourite(context: dict[str, Any], listing: Product, known: Any = None) -> bool:
    """Whether this visitor marked the listing; ``known`` is the answer where somebody has it already."""
    if known not in (None, ""):
        return bool(known)
    request = context.get("request")
    if request is None:
        return False
    if request.user.is_authenticated:
        return Favourite.objects.filter(user=request.user, listing=listing).exists()
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    return listing.reference in request.session.get(favourites.SESSION_KEY, [])
