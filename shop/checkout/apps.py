from __future__ import annotations

from typing import Any

import oscar.apps.checkout.apps as apps
from django.contrib.auth.signals import user_logged_in


class CheckoutConfig(apps.CheckoutConfig):
    name = "shop.checkout"

    def ready(self) -> None:
        super().ready()
        user_logged_in.connect(_end_the_guests_lifetime, dispatch_uid="checkout.guests_lifetime")


def _end_the_guests_lifetime(*, request: Any, **_: Any) -> None:
    """A guest's session lives as long as her basket; signed in, it lives as long as any other account's."""
    if request is not None and hasattr(request, "session"):
        request.session.set_expiry(None)
