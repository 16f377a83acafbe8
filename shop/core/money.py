"""The few things about money that py-moneyed lacks: minor units, one rounding, exact splitting."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from moneyed import Currency, Money, get_currency

MAD = get_currency("MAD")
EUR = get_currency("EUR")


def _exponent(currency: Currency) -> int:
    return len(str(currency.sub_unit)) - 1


def to_minor(amount: Money) -> int:
    """Whole minor units (centimes). Raises ValueError if the amount has a fraction of one."""
    minor = amount.amount.scaleb(_exponent(amount.currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of minor units")
    return int(minor)


def from_minor(minor: int, currency: Currency | str) -> Money:
    """The amount of ``minor`` whole minor units of ``currency``."""
    if isinstance(currency, str):
        currency = get_currency(currency.upper())
    return Money(Decimal(minor).scaleb(-_exponent(currency)), currency)


def half_up(amount: Money | Decimal, currency: Currency | str | None = None) -> Money:
    """Round half up to whole minor units: the one rounding rule of the shop."""
    if isinstance(amount, Money):
        value, currency = amount.amount, amount.currency
    else:
        value = amount
        currency = get_currency(currency.upper()) if isinstance(currency, str) else currency
    assert currency is not None
    step = Decimal(1).scaleb(-_exponent(currency))
    return Money(value.quantize(step, rounding=ROUND_HALF_UP), currency)


def zero(currency: Currency | str = MAD) -> Money:
    """Nothing, in that currency."""
    return from_minor(0, currency)


def total(amounts: Sequence[Money], currency: Currency | str = MAD) -> Money:
    """The sum; nothing in ``currency`` when there is none."""
    return sum(amounts, zero(currency))


def share_minor(amount: int, weights: Sequence[int]) -> list[int]:
    """Split whole minor units in proportion to ``weights`` so that the parts add up exactly.

    Largest remainder, ties by position; a weight of zero gets zero. Raises ValueError when there is
    something to split and nothing to split it by.
    """
    if amount < 0 or any(weight < 0 for weight in weights):
        raise ValueError("only amounts and weights of zero or more can be split")
    whole = sum(weights)
    if whole == 0:
        if amount:
            raise ValueError("nothing to split by")
        return [0 for _ in weights]
    parts = [amount * weight // whole for weight in weights]
    remainders = [amount * weight % whole for weight in weights]
    left = amount - sum(parts)
    for position in sorted(range(len(weights)), key=lambda each: (-remainders[each], each))[:left]:
        parts[position] += 1
    return parts


def share(amount: Money, weights: Sequence[int]) -> list[Money]:
    """Split an amount by integer weights so that the parts add up exactly (largest remainder)."""
    return [from_minor(part, amount.currency) for part in share_minor(to_minor(amount), weights)]
