"""What goes into a basket and out of it. Only goods on sale today, in quantities that are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from moneyed import MAD, Money

from catalogue.models import Product
from shop.checkout.baskets import Basket, Line
from shop.core.clock import day_of
from shop.core.errors import CarriedOutMeanwhile, Refused
from shop.core.prepared import Prepared
from shop.design.numbers import money_text

#: More of one good than any household needs; a cooperative is asked directly for more.
MOST_OF_ONE = 99
#: More different goods than one order is made for.
MOST_LINES = 60


class NotOnSale(Refused):
    """The listing left the shelf: withdrawn, its certificate lapsed, or its cooperative suspended."""

    def __init__(self, listing: Product) -> None:
        self.listing = listing
        super().__init__(
            _("“%(title)s” is not on sale at the moment. Take it out of the basket to go on.")
            % {"title": listing.get_title()}
        )


class SoldOutMeanwhile(Refused):
    """A good that is not in the basket yet, and of which none is left."""

    def __init__(self, listing: Product) -> None:
        self.listing = listing
        super().__init__(
            _("“%(title)s” is sold out. It was not put into your basket.") % {"title": listing.get_title()}
        )


class ChooseVariant(Refused):
    """It comes in several sizes or colours, and none was named."""

    def __init__(self, listing: Product) -> None:
        self.listing = listing
        super().__init__(
            _("“%(title)s” comes in several variants. Choose one, then put it into the basket.")
            % {"title": listing.get_title()}
        )


class QuantityRefused(Refused):
    """Less than one, or more than the shop sells at once."""

    def __init__(self) -> None:
        super().__init__(
            _("Give a quantity from 1 to %(most)s. To leave a good out, remove it.") % {"most": MOST_OF_ONE}
        )


class NotSoMany(Refused):
    """There is less in stock than was asked for."""

    def __init__(self, listing: Product, left: int) -> None:
        self.listing, self.left = listing, max(left, 0)
        message = (
            ngettext_lazy(
                "Only %(left)s of “%(title)s” is left. Choose a smaller quantity.",
                "Only %(left)s of “%(title)s” are left. Choose a smaller quantity.",
                self.left,
            )
            if left > 0
            else _("“%(title)s” is sold out. Take it out of the basket to go on.")
        )
        super().__init__(message % {"title": listing.get_title(), "left": self.left})


class PriceChanged(Refused):
    """The price is no longer the one the customer last saw."""

    def __init__(self, listing: Product, was: Money, now: Money) -> None:
        self.listing, self.was, self.now = listing, was, now
        super().__init__(
            _(
                "The price of “%(title)s” has changed from %(was)s to %(now)s. Look at it and confirm once more."
            )
            % {"title": listing.get_title(), "was": money_text(was), "now": money_text(now)}
        )


class BasketFull(Refused):
    message = _("A basket holds up to %(most)s different goods. Order these first.") % {"most": MOST_LINES}


class NotInBasket(Refused):
    message = _("This good is not in your basket.")


@dataclass(frozen=True)
class Content:
    """One good of a basket as it stands today. ``problem`` says why it cannot be ordered as it is."""

    line: Any
    listing: Product
    quantity: int
    price: Money
    seen: Money
    left: int
    on_sale: bool

    @property
    def amount(self) -> Money:
        return self.price * self.quantity

    @property
    def price_changed(self) -> bool:
        return self.price != self.seen

    @property
    def problem(self) -> Refused | None:
        if not self.on_sale:
            return NotOnSale(self.listing)
        if not 1 <= self.quantity <= MOST_OF_ONE:
            return QuantityRefused()
        return NotSoMany(self.listing, self.left) if self.left < self.quantity else None

    @property
    def refusal(self) -> Refused | None:
        """Why an order with this line is refused: its problem, or a price she has not seen."""
        return self.problem or (
            PriceChanged(self.listing, self.seen, self.price) if self.price_changed else None
        )


def contents(*, basket: Any, at: datetime) -> list[Content]:
    """Every good of a basket with today's price and stock, in two queries, in the order they were put in."""
    if basket.pk is None:
        return []
    lines = list(
        Line.objects.filter(basket_id=basket.pk)
        .select_related("product__cooperative", "product__parent", "stockrecord")
        .order_by("pk")
    )
    if not lines:
        return []
    on_sale = set(
        Product.objects.buyable(on=day_of(at))
        .filter(pk__in=[each.product_id for each in lines])
        .values_list("pk", flat=True)
    )
    return [
        Content(
            line=each,
            listing=each.product,
            quantity=each.quantity,
            price=Money(each.stockrecord.price or 0, MAD),
            seen=Money(each.price_incl_tax or Decimal(0), MAD),
            left=max(each.stockrecord.net_stock_level, 0),
            on_sale=each.product_id in on_sale and each.stockrecord.price is not None,
        )
        for each in lines
    ]


@contextmanager
def _held(basket: Any) -> Iterator[None]:
    """While a basket changes it cannot be ordered, and the other way round."""
    with transaction.atomic():
        if not Basket.open.select_for_update().filter(pk=basket.pk).exists():
            raise CarriedOutMeanwhile(_("This basket has just been ordered. Start a new one."))
        yield


def _saleable(listing: Product, at: datetime) -> Any:
    """The stock record of a listing, or a variant of one, that can be bought today."""
    if not _BUYABLE.rows(listing=listing.pk, on=day_of(at)):
        if listing.has_variants and Product.objects.on_sale(on=day_of(at)).filter(pk=listing.pk).exists():
            raise ChooseVariant(listing)
        raise NotOnSale(listing)
    record = listing.stockrecords.order_by("pk").first()
    if record is None or record.price is None:
        raise NotOnSale(listing)
    return record


def _ask_buyable(*, language: str, listing: int, on: date) -> QuerySet[Any, Any]:
    return Product.objects.buyable(on=on).filter(pk=listing).order_by().rewrite(False).values_list("pk")


_BUYABLE = Prepared(_ask_buyable)


def add(*, basket: Any, listing: Product, quantity: int, at: datetime) -> Any:
    """Put so many more of a good into a saved basket; returns the basket line.

    Of a listing with variants one of them is meant. Raises NotOnSale, ChooseVariant, QuantityRefused,
    SoldOutMeanwhile, NotSoMany or BasketFull, and then nothing changes.
    """
    if not 1 <= quantity <= MOST_OF_ONE:
        raise QuantityRefused()
    with _held(basket):
        record = _saleable(listing, at)
        line = Line.objects.filter(basket_id=basket.pk, product=listing).first()
        wanted = quantity + (line.quantity if line else 0)
        if wanted > MOST_OF_ONE:
            raise QuantityRefused()
        if line is None and record.net_stock_level <= 0:
            raise SoldOutMeanwhile(listing)
        if record.net_stock_level < wanted:
            raise NotSoMany(listing, record.net_stock_level)
        seen = {
            "price_currency": record.price_currency,
            "price_excl_tax": record.price,
            "price_incl_tax": record.price,
            "tax_code": listing.vat_class,
        }
        if line is None:
            if Line.objects.filter(basket_id=basket.pk).count() >= MOST_LINES:
                raise BasketFull
            return Line.objects.create(
                basket=basket,
                product=listing,
                stockrecord=record,
                line_reference=listing.reference.lower(),
                quantity=quantity,
                **seen,
            )
        Line.objects.filter(pk=line.pk).update(quantity=wanted, **seen)
        line.quantity = wanted
        return line


def change(*, basket: Any, listing: Product, quantity: int, at: datetime) -> None:
    """From now on so many of a good. Raises as ``add``, and NotInBasket."""
    if not 1 <= quantity <= MOST_OF_ONE:
        raise QuantityRefused()
    with _held(basket):
        record = _saleable(listing, at)
        if record.net_stock_level < quantity:
            raise NotSoMany(listing, record.net_stock_level)
        if not Line.objects.filter(basket_id=basket.pk, product=listing).update(quantity=quantity):
            raise NotInBasket


def remove(*, basket: Any, listing: Product) -> None:
    """Take a good out, whether or not it is still on sale. Raises NotInBasket."""
    with _held(basket):
        if not Line.objects.filter(basket_id=basket.pk, product=listing).delete()[0]:
            raise NotInBasket


def show_prices(*, contents: list[Content]) -> None:
    """The customer is being shown today's prices: from now on they are the ones she has seen."""
    for each in contents:
        if each.price_changed:
            Line.objects.filter(pk=each.line.pk).update(
                price_excl_tax=each.price.amount, price_incl_tax=each.price.amount
            )
