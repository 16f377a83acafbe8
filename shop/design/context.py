"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

#: Which colours this browser was told to show; without the cookie those of the device.
THEME_COOKIE = "tadamon_theme"
THEMES = ("light", "dark")


def shop(request: HttpRequest) -> dict[str, Any]:
    """The demo strip, the sandbox note, languages and colours to switch, the number beside the basket."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "demo_mode": settings.DEMO_MODE,
        "demo_clock": settings.DEMO_CLOCK,
        "stripe_sandbox": bool(settings.STRIPE_API_BASE),
        "shop_legal": settings.SHOP_LEGAL,
        "languages": settings.LANGUAGES,
        "theme": theme if theme in THEMES else "",
        "basket_count": getattr(request, "basket_count", 0),
    }
