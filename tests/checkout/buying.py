"""Short words for what the tests of ordering keep doing."""

from __future__ import annotations

from typing import Any

from catalogue.models import Product
from shop.checkout import baskets, filling, placing
from shop.core.models import Commune
from shop.fulfilment import quoting
from shop.fulfilment.models import DeliveryRate
from shop.orders.models import Order, ShippingAddress
from tests.factories import (
    NOW,
    AddressFactory,
    CommuneFactory,
    DeliveryRateFactory,
    ProvinceFactory,
    RegionFactory,
)

CASABLANCA = "06.141.01.0"


def casablanca() -> Commune:
    """The town orders of these tests go to, and what it costs to get there: 30,00 for each parcel."""
    if not DeliveryRate.objects.exists():
        DeliveryRateFactory()
    region = RegionFactory(code="MA-06", name_fr="Casablanca-Settat", name_ar="الدار البيضاء-سطات")
    province = ProvinceFactory(code="06.141", region=region, name_fr="Casablanca", name_ar="الدار البيضاء")
    return CommuneFactory(
        code=CASABLANCA,
        province=province,
        name_fr="Casablanca",
        name_ar="الدار البيضاء",
        population=3_215_935,
    )


def address() -> ShippingAddress:
    """An address in Casablanca, not saved."""
    casablanca()
    return AddressFactory.build(
        commune_code=CASABLANCA,
        province_code="06.141",
        country=AddressFactory.create().country,
    )


def basket_of(*items: tuple[Product, int], user: Any = None) -> Any:
    """An open basket with so many of each."""
    basket = baskets.open_for(user=user) if user else baskets.Basket.objects.create()
    for listing, quantity in items:
        filling.add(basket=basket, listing=listing, quantity=quantity, at=NOW)
    return basket


def quotes_of(basket: Any, to: ShippingAddress, method: str = Order.Method.CARD, at: Any = NOW) -> Any:
    """What the customer was shown of delivery."""
    contents = filling.contents(basket=basket, at=at)
    return quoting.quote(
        baskets=quoting.parcels(lines=[(each.listing, each.quantity, each.amount) for each in contents]),
        address=to,
        fingerprint=placing.fingerprint(contents=contents, address=to, method=method),
        at=at,
        cash=method == Order.Method.CASH,
    )


def guest(**more: Any) -> placing.Customer:
    """A guest."""
    return placing.Customer(
        **{"user": None, "email": "salma@example.ma", "phone": "+212661000000", "language": "fr"} | more
    )


def place(basket: Any, *, method: str = Order.Method.CARD, at: Any = NOW, **more: Any) -> Order:
    """Order the basket as it was shown; ``more`` overrides what ``placing.place`` is told."""
    to = more.pop("address", None) or address()
    told = {
        "basket": basket,
        "customer": guest(),
        "address": to,
        "method": method,
        "quotes": more.pop("quotes", None) or quotes_of(basket, to, method, at),
        "at": at,
    }
    return placing.place(**told | more)
