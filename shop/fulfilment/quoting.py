"""What bringing each cooperative's part to the customer costs, and when it arrives. Rates are data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Q
from django.utils.translation import gettext_lazy as _
from moneyed import MAD, Money

from cooperatives.models import Cooperative
from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused
from shop.core.models import Region
from shop.core.money import from_minor
from shop.fulfilment.models import DeliveryQuote, DeliveryRate
from shop.orders.models import Order
from shop.pricing.fees import net_of

SATURDAY = 5


class NoDelivery(Refused):
    """No carrier brings this cooperative's goods there. Names both, so that the customer knows what to take out."""

    def __init__(self, cooperative: Cooperative, place: str) -> None:
        self.cooperative, self.place = cooperative, place
        super().__init__(
            _(
                "No carrier brings the goods of %(cooperative)s to %(place)s. Choose another address, or take "
                "them out of the basket."
            )
            % {"cooperative": cooperative.name, "place": place}
        )


class QuoteExpired(Refused):
    message = _("The delivery prices have been worked out again. Look at them and confirm once more.")


@dataclass(frozen=True)
class Parcel:
    """What one cooperative sends: the price of its goods and their weight with packing."""

    goods: Money
    weight_g: int


def fingerprint(*, lines: Iterable[tuple[int, int, Decimal]], address: Any, method: str) -> str:
    """A hash of what a quote depends on; another basket, place or way to pay gives another.

    ``lines`` are (listing id, quantity, price of one) in any order; ``address`` has the columns of a
    Moroccan place.
    """
    told = [
        sorted((listing, quantity, f"{price:.2f}") for listing, quantity, price in lines),
        address.region_code,
        address.commune_code,
        method,
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def parcels(*, lines: Iterable[tuple[Any, int, Money]]) -> dict[Cooperative, Parcel]:
    """The parcels a basket makes. ``lines`` are (listing, quantity, price of the whole line)."""
    found: dict[Cooperative, Parcel] = {}
    for listing, quantity, price in lines:
        so_far = found.get(listing.cooperative)
        weight = listing.gross_weight_g * quantity
        found[listing.cooperative] = (
            Parcel(so_far.goods + price, so_far.weight_g + weight) if so_far else Parcel(price, weight)
        )
    return found


@dataclass(frozen=True)
class Offer:
    """What bringing a parcel to a region costs today and between which days it arrives. Binds nobody."""

    price: Money
    arrives_from: date
    arrives_until: date


def offers(*, parcels: Iterable[tuple[Cooperative, int]], region: str, on: date) -> dict[int, Offer]:
    """By cooperative id, for (cooperative, weight in grams), by the rate an order would get that day; none for
    what no carrier takes there. One query, and nothing is written."""
    wanted = dict(parcels)
    rates = _rates(cooperatives=wanted, region=region, on=on, cash=False) if wanted else []
    best = {maker.pk: _best(rates, maker, region, weight) for maker, weight in wanted.items()}
    return {
        key: Offer(
            price=rate.price,
            arrives_from=business_days_after(on, rate.days_least),
            arrives_until=business_days_after(on, rate.days_most),
        )
        for key, rate in best.items()
        if rate is not None
    }


@transaction.atomic
def quote(
    *,
    baskets: Mapping[Cooperative, Parcel],
    address: Any,
    fingerprint: str,
    at: datetime,
    cash: bool = False,
) -> list[DeliveryQuote]:
    """One priced row for each cooperative, in the order of their codes; good for as long as a reservation.

    ``cash`` asks for carriers that collect money. A rate of both regions goes before one of a single region
    and that before a general one; of carriers the cheapest. Raises NoDelivery, and then writes nothing.
    """
    on = day_of(at)
    rates = _rates(cooperatives=baskets, region=address.region_code, on=on, cash=cash)
    expires_at = at + timedelta(minutes=settings.CARD_RESERVATION_MINUTES)
    quotes = []
    for cooperative, parcel in sorted(baskets.items(), key=lambda each: each[0].code):
        rate = _best(rates, cooperative, address.region_code, parcel.weight_g)
        if rate is None:
            raise NoDelivery(cooperative, _place(address))
        net, vat = net_of(rate.price, Decimal(rate.vat_rate))
        made = DeliveryQuote(
            fingerprint=fingerprint,
            cooperative=cooperative,
            carrier=rate.carrier,
            currency=rate.currency,
            vat_rate=rate.vat_rate,
            weight_g=parcel.weight_g,
            arrives_from=business_days_after(on, rate.days_least),
            arrives_until=business_days_after(on, rate.days_most),
            quoted_at=at,
            expires_at=expires_at,
        )
        made.gross, made.net, made.vat = rate.price, net, vat
        quotes.append(made)
    return DeliveryQuote.objects.bulk_create(quotes)


@transaction.atomic
def freeze(*, quotes: Sequence[DeliveryQuote], order: Order, fingerprint: str, at: datetime) -> None:
    """From now on these quotes are the order's. Raises QuoteExpired when one is old or of another basket.

    Two customers may have been shown the same row (same goods, same town); whoever comes second gets a
    copy of it.
    """
    for each in quotes:
        if each.fingerprint != fingerprint or each.expires_at <= at:
            raise QuoteExpired
        if not DeliveryQuote.objects.filter(pk=each.pk, order=None).update(order=order):
            each.pk = None
            each.order = order
            each.save(force_insert=True)
        each.order = order


def current(*, fingerprint: str, at: datetime) -> list[DeliveryQuote]:
    """The newest unexpired quotes for this basket and place, one for each cooperative; maybe none."""
    newest: dict[int, DeliveryQuote] = {}
    live = DeliveryQuote.objects.filter(fingerprint=fingerprint, order=None, expires_at__gt=at)
    for each in live.select_related("cooperative", "carrier").order_by("quoted_at", "pk"):
        newest[each.cooperative_id] = each
    return sorted(newest.values(), key=lambda each: each.cooperative.code)


def forget_expired(*, at: datetime) -> int:
    """Remove quotes that nobody used within a day of their end; returns how many."""
    stale = DeliveryQuote.objects.filter(order=None, expires_at__lt=at - timedelta(days=1))
    crashpoint("quoting.forgetting")
    return stale.delete()[0]


def reach(*, region: str, on: date) -> dict[str, int]:
    """What carriers bring to a region: {region it is sent from: heaviest parcel in grams}; "" is any region."""
    rates = DeliveryRate.objects.in_force(on=on).filter(Q(to_region=None) | Q(to_region=region))
    heaviest = rates.order_by().values_list("from_region").annotate(Max("up_to_g"))
    return {start or "": grams for start, grams in heaviest}


def cheapest(*, on: date) -> Money | None:
    """The least a parcel costs anywhere that day; None while no carrier is priced."""
    rates = DeliveryRate.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=on), valid_from__lte=on, carrier__is_active=True
    )
    least = rates.aggregate(Min("price_minor"))["price_minor__min"]
    return from_minor(least, MAD) if least is not None else None


def business_days_after(day: date, days: int) -> date:
    """That many working days later, Monday to Friday. Feast days move with the moon and are not counted."""
    while days > 0:
        day += timedelta(days=1)
        if day.weekday() < SATURDAY:
            days -= 1
    return day


def _rates(*, cooperatives: Iterable[Cooperative], region: str, on: date, cash: bool) -> list[DeliveryRate]:
    rates = DeliveryRate.objects.in_force(on=on).filter(
        Q(to_region=None) | Q(to_region=region),
        Q(from_region=None) | Q(from_region__in={each.region_id for each in cooperatives}),
    )
    if cash:
        rates = rates.filter(carrier__collects_cash=True)
    return list(rates.select_related("carrier"))


def _best(
    rates: list[DeliveryRate], cooperative: Cooperative, region: str, weight_g: int
) -> DeliveryRate | None:
    """Of each carrier its closest rate (then the tightest weight, then the newest); of those the cheapest."""
    fitting = [
        each
        for each in rates
        if each.up_to_g >= weight_g and each.from_region_id in (None, cooperative.region_id)
    ]
    chosen: dict[int, DeliveryRate] = {}
    for each in sorted(
        fitting,
        key=lambda each: (
            -((each.from_region_id is not None) + (each.to_region_id is not None)),
            each.up_to_g,
            -each.valid_from.toordinal(),
            each.pk,
        ),
    ):
        chosen.setdefault(each.carrier_id, each)
    return min(chosen.values(), key=lambda each: (each.price_minor, each.carrier.code), default=None)


def _place(address: Any) -> str:
    if address.line4:
        return address.line4
    region = Region.objects.filter(code=address.region_code).first()
    return region.name if region else str(_("this address"))
