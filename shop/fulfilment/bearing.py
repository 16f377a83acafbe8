"""Who bears the price of a delivery that came to nothing: a dated rule operators change, not code."""

from __future__ import annotations

from datetime import date

from shop.fulfilment.models import DeliveryCostRule

Bearer = DeliveryCostRule.Bearer


class NoDeliveryCostRule(Exception):
    """A gap in the rules: nobody said who bears this case on that day."""


def bearer_of(*, case: str, on: date) -> str:
    """One of ``DeliveryCostRule.Bearer`` for a ``DeliveryCostRule.Case``, by the newest rule in force that day."""
    rule = DeliveryCostRule.objects.filter(case=case, valid_from__lte=on).order_by("-valid_from").first()
    if rule is None:
        raise NoDeliveryCostRule(f"{case} on {on}")
    return rule.bearer
