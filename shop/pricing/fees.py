"""What the shop keeps of a sale, computed once for each supplier order and spread over its lines.

The same function tells a customer what the cooperative receives of a price and posts to the books.
Rule of rounding: gross fee = half-up(rate × goods, VAT included); net = half-up(gross ÷ (1 + VAT)),
VAT = gross − net; lines by largest remainder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from moneyed import Money

from cooperatives.models import FeeTerms
from shop.core.money import half_up, share, to_minor


@dataclass(frozen=True)
class Fees:
    """One price told apart: ``goods = commission + solidarity + producer_share``."""

    goods: Money
    commission: Money
    commission_net: Money
    commission_vat: Money
    solidarity: Money
    producer_share: Money


@dataclass(frozen=True)
class LineFees:
    """One line's part of the fees of its supplier order."""

    goods: Money
    commission: Money
    commission_vat: Money
    solidarity: Money


def net_of(gross: Money, rate: Decimal) -> tuple[Money, Money]:
    """An amount that includes tax, as (net, tax)."""
    net = half_up(gross.amount / (1 + rate), gross.currency)
    return net, gross - net


def fees(*, goods: Money, terms: FeeTerms) -> Fees:
    """What is kept of ``goods`` under these terms, and what the cooperative receives."""
    return _fees(goods, terms.commission_rate, terms.commission_vat_rate, terms.solidarity_rate)


@lru_cache(maxsize=4096)
def _fees(goods: Money, commission_rate: Decimal, vat_rate: Decimal, solidarity_rate: Decimal) -> Fees:
    """A list works out the same few prices again and again; nothing but its arguments goes in."""
    commission = half_up(goods.amount * commission_rate, goods.currency)
    net, vat = net_of(commission, vat_rate)
    solidarity = half_up(goods.amount * solidarity_rate, goods.currency)
    return Fees(
        goods=goods,
        commission=commission,
        commission_net=net,
        commission_vat=vat,
        solidarity=solidarity,
        producer_share=goods - commission - solidarity,
    )


def spread(*, lines: Sequence[Money], fees: Fees) -> list[LineFees]:
    """Each line's part of the fees; the parts add up exactly. ``lines`` are the lines' goods, in order.

    VAT follows the commission it is inside of, so that no line has more of it than commission.
    """
    weights = [to_minor(each) for each in lines]
    commission = share(fees.commission, weights)
    parts = zip(
        lines,
        commission,
        share(fees.commission_vat, [to_minor(each) for each in commission]),
        share(fees.solidarity, weights),
        strict=True,
    )
    return [LineFees(*each) for each in parts]
