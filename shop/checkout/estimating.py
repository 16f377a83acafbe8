"""What delivery will roughly cost before an address is known, for a listing's page and the basket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from moneyed import MAD, Money

from cooperatives.models import Cooperative
from shop.core.money import from_minor
from shop.core.prepared import Prepared
from shop.fulfilment.models import DeliveryRate


def _rates(*, language: str, regions: list[str], on: date) -> QuerySet[DeliveryRate]:
    return DeliveryRate.objects.in_force(on=on).filter(Q(from_region=None) | Q(from_region__in=regions))


_RATES = Prepared(_rates)


@dataclass(frozen=True)
class Estimate:
    """The least and most a parcel of that weight costs within the country, in working days and money."""

    least: Money
    most: Money
    days_least: int
    days_most: int


def estimates(*, parcels: Iterable[tuple[Cooperative, int]], on: date) -> dict[int, Estimate]:
    """By cooperative id, for (cooperative, weight in grams); none for what no carrier takes. One query."""
    wanted = list(parcels)
    rows = _RATES.records(regions=list({each.region_id for each, _weight in wanted}), on=on)
    found = {}
    for cooperative, weight in wanted:
        fitting = [
            each
            for each in rows
            if each.up_to_g >= weight and each.from_region_id in (None, cooperative.region_id)
        ]
        # Of each destination only the tightest weight counts.
        tightest: dict[tuple[int, str | None, str | None], DeliveryRate] = {}
        for each in sorted(fitting, key=lambda each: (each.up_to_g, -each.valid_from.toordinal())):
            tightest.setdefault((each.carrier_id, each.from_region_id, each.to_region_id), each)
        if tightest:
            prices = [each.price_minor for each in tightest.values()]
            found[cooperative.pk] = Estimate(
                least=from_minor(min(prices), MAD),
                most=from_minor(max(prices), MAD),
                days_least=min(each.days_least for each in tightest.values()),
                days_most=max(each.days_most for each in tightest.values()),
            )
    return found
