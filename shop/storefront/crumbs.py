"""The first crumb of every page's path."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _


def shop_crumb() -> dict[str, str]:
    """The shop itself, where every path begins."""
    return {"name": _("Shop"), "url": reverse("storefront:home")}
