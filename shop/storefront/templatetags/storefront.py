"""What only customers' pages need."""

from __future__ import annotations

from typing import Any

from django import template

from shop.storefront import found

register = template.Library()


@register.simple_tag(takes_context=True)
def about_this_page(context: Any) -> found.About | None:
    """What search engines, messengers and feed readers are told of this page; nothing without a request."""
    request = context.get("request")
    return found.about(context.flatten(), request) if request is not None else None
