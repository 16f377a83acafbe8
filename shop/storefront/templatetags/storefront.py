"""What only customers' pages need."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.urls import translate_url

from catalogue.models import Product
from shop.customers import favourites
from shop.customers.models import Favourite

register = template.Library()


@register.simple_tag(takes_context=True)
def in_other_languages(context: dict[str, Any]) -> list[dict[str, str]]:
    """The addresses of this page in every language, for search engines."""
    request = context.get("request")
    if request is None:
        return []
    return [
        {"code": code, "url": settings.SITE_URL + translate_url(request.path, code)}
        for code, _name in settings.LANGUAGES
    ]


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
