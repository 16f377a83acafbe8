"""A visitor of the storefront: what she presses, in few words."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from tests.checkout.buying import casablanca
from tests.search.following import up_to_date


class Visitor:
    """One browser. Pages are asked for in ``language``; nothing follows a redirect by itself."""

    def __init__(self, language: str = "en", user: Any = None) -> None:
        self.language = language
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def url(self, page: str, /, *args: Any) -> str:
        with override(self.language):
            return reverse(f"storefront:{page}", args=args)

    def get(self, page: str, /, *args: Any, query: dict[str, Any] | None = None) -> Any:
        up_to_date()
        return self.client.get(self.url(page, *args), query or {})

    def post(self, page: str, /, *args: Any, **form: Any) -> Any:
        return self.client.post(self.url(page, *args), form)

    def add(self, listing: Any, quantity: Any = 1) -> Any:
        return self.post("basket_add", listing.slug, quantity=quantity)

    # ordering

    def answers(self, **changed: Any) -> dict[str, Any]:
        """What she types at the checkout."""
        casablanca()
        typed = {
            "name": "Salma Idrissi",
            "phone": "06 61 00 00 00",
            "email": "salma@example.ma",
            "region": "MA-06",
            "town": "casablanca",
            "street": "12, rue des Orangers",
            "landmark": "",
            "method": "card",
        }
        return typed | changed

    def work_out(self, **changed: Any) -> Any:
        """The first button: what does delivery cost?"""
        return self.post("checkout", **self.answers(**changed))

    def shown(self) -> dict[str, str]:
        """The hidden fields beside the second button."""
        text = self.get("checkout").content.decode()
        return dict(
            re.findall(
                r'<input type="hidden" name="(fingerprint|total|basket|voucher)" value="([^"]*)"', text
            )
        )

    def order(self, **changed: Any) -> Any:
        """Both buttons, one after the other."""
        answers = {key: value for key, value in changed.items() if key not in self._ours}
        self.work_out(**answers)
        ours = {key: value for key, value in changed.items() if key in self._ours}
        return self.post("place", **self.answers(**answers) | {"terms": "on"} | self.shown() | ours)

    _ours = ("terms", "fingerprint", "total", "basket", "voucher")
