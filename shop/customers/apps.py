from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "shop.customers"
    label = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from shop.core import mailing
        from shop.customers import ending, favourites, newsletter

        mailing.ends_by(newsletter.ISSUE, ending.newsletter_link)
        mailing.ends_by(favourites.BACK, ending.notice_link)
        mailing.ends_by(favourites.CHEAPER, ending.notice_link)
        mailing.renew("confirmation", lambda context: ending.confirm_token(person=context["person"]))
        user_logged_in.connect(_take_favourites_along, dispatch_uid="customers.favourites")


def _take_favourites_along(*, request: Any, user: Any, **_: Any) -> None:
    """What a visitor marked before signing in joins what her account has."""
    from shop.core import clock
    from shop.customers import favourites

    marked = request.session.pop(favourites.SESSION_KEY, []) if hasattr(request, "session") else []
    if marked:
        favourites.take_over(user=user, references=marked, at=clock.now())
