"""What every page knows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, Any]:
    """The demo strip, the sandbox note, the languages of the switch and the number beside the basket."""
    return {
        "demo_mode": settings.DEMO_MODE,
        "demo_clock": settings.DEMO_CLOCK,
        "stripe_sandbox": bool(settings.STRIPE_API_BASE),
        "shop_legal": settings.SHOP_LEGAL,
        "languages": settings.LANGUAGES,
        "basket_count": getattr(request, "basket_count", 0),
    }
