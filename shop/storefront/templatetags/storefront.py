"""What only customers' pages need."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.urls import translate_url

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
