"""The first crumbs of a page's path."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _


def shop_crumb() -> dict[str, str]:
    """The shop itself, where every path begins."""
    return {"name": _("Shop"), "url": reverse("storefront:home")}


def account_crumbs(
    here: Any = "", *, parent: dict[str, Any] | None = None, of_account: bool = True
) -> list[dict[str, Any]]:
    """The path to a page of the account; without ``here`` to the account itself."""
    if not here:
        return [shop_crumb(), {"name": _("Account")}]
    account = [{"name": _("Account"), "url": reverse("storefront:account")}] if of_account else []
    return [shop_crumb(), *account, *([parent] if parent else []), {"name": here}]
