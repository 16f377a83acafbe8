"""What a voucher takes off goods that are about to be ordered, line by line. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.money import from_minor, half_up, share_minor, to_minor, total
from shop.design.numbers import day_text, money_text
from shop.vouchers import codes
from shop.vouchers.models import MOST_RATE, Redemption, Voucher


class UnknownCode(Refused):
    message = _("We do not know this code. Compare it with what you were given, letter by letter.")


class SwitchedOff(Refused):
    message = _("This voucher is no longer given.")


class TooEarly(Refused):
    def __init__(self, voucher: Voucher) -> None:
        super().__init__(_("This voucher counts from %(day)s on.") % {"day": day_text(voucher.valid_from)})


class TooLate(Refused):
    def __init__(self, voucher: Voucher) -> None:
        assert voucher.valid_until is not None
        super().__init__(
            _("This voucher could be used until %(day)s.") % {"day": day_text(voucher.valid_until)}
        )


class NotForTheseGoods(Refused):
    def __init__(self, voucher: Voucher) -> None:
        super().__init__(
            _("This voucher is for goods of %(cooperative)s. There are none in your basket.")
            % {"cooperative": voucher.cooperative.name if voucher.cooperative else ""}
        )


class TooLittle(Refused):
    """The goods it is for do not come to its least amount."""

    def __init__(self, voucher: Voucher, goods: Money) -> None:
        amounts = {
            "least": money_text(voucher.least_goods, style="short"),
            "missing": money_text(voucher.least_goods - goods, style="short"),
        }
        if voucher.cooperative is None:
            super().__init__(
                _("This voucher counts from %(least)s of goods; %(missing)s are missing.") % amounts
            )
        else:
            super().__init__(
                _("This voucher counts from %(least)s of goods of %(cooperative)s; %(missing)s are missing.")
                % (amounts | {"cooperative": voucher.cooperative.name})
            )


class NothingToTakeOff(Refused):
    """Nine tenths of such goods, or its part of them, is less than a centime."""

    message = _("The goods in your basket cost too little for this voucher to take anything off.")


class UsedUp(Refused):
    message = _("This voucher has been used as often as it could be.")


class UsedUpByHer(Refused):
    message = _("You have already used this voucher as often as one person may.")


@dataclass(frozen=True)
class Good:
    """One line that is about to be ordered: whose good, and its price for all of it."""

    cooperative_id: int
    amount: Money


@dataclass(frozen=True)
class Reduction:
    """What a voucher takes off. ``taken`` has an amount for each line asked about, in their order."""

    voucher: Voucher
    taken: tuple[Money, ...]

    @property
    def amount(self) -> Money:
        return total(list(self.taken), self.voucher.currency)

    @property
    def is_by_shop(self) -> bool:
        """Whether the shop bears it; else its cooperative does."""
        return self.voucher.funded_by == Voucher.FundedBy.PLATFORM


def find(*, code: str) -> Voucher:
    """The voucher of a code as somebody typed it. Raises UnknownCode."""
    plain = codes.normalise(code)
    found = Voucher.objects.select_related("cooperative").filter(code=plain).first() if plain else None
    if found is None:
        raise UnknownCode
    return found


def reduction(
    *, voucher: Voucher, goods: Sequence[Good], at: datetime, user: Any = None, email: str = ""
) -> Reduction:
    """What the voucher takes off these goods now, for this customer as far as she is known.

    The amount is computed once and spread over the lines by largest remainder. Raises SwitchedOff, TooEarly,
    TooLate, NotForTheseGoods, TooLittle, NothingToTakeOff, UsedUp or UsedUpByHer.
    """
    day = day_of(at)
    if not voucher.is_active:
        raise SwitchedOff
    if day < voucher.valid_from:
        raise TooEarly(voucher)
    if voucher.valid_until is not None and day > voucher.valid_until:
        raise TooLate(voucher)
    its = [
        to_minor(each.amount)
        if voucher.cooperative_id is None or each.cooperative_id == voucher.cooperative_id
        else 0
        for each in goods
    ]
    of_goods = from_minor(sum(its), voucher.currency)
    if not of_goods:
        raise NotForTheseGoods(voucher)
    if of_goods < voucher.least_goods:
        raise TooLittle(voucher, of_goods)
    amount = _amount(voucher, of_goods)
    if not amount:
        raise NothingToTakeOff
    if voucher.most_uses is not None and voucher.used >= voucher.most_uses:
        raise UsedUp
    if voucher.most_uses_each is not None and uses_of(voucher=voucher, user=user, email=email) >= (
        voucher.most_uses_each
    ):
        raise UsedUpByHer
    taken = share_minor(to_minor(amount), its)
    return Reduction(voucher, tuple(from_minor(each, voucher.currency) for each in taken))


def _amount(voucher: Voucher, goods: Money) -> Money:
    """What comes off such goods: never more than nine tenths of them."""
    if voucher.kind == Voucher.Kind.AMOUNT:
        amount = voucher.amount
    else:
        assert voucher.rate is not None
        amount = half_up(goods.amount * voucher.rate, goods.currency)
        if voucher.most_minor is not None:
            amount = min(amount, voucher.most)
    most = (Decimal(to_minor(goods)) * Decimal(MOST_RATE)).to_integral_value(ROUND_DOWN)
    return min(amount, from_minor(int(most), goods.currency))


def uses_of(*, voucher: Voucher, user: Any, email: str) -> int:
    """How often this customer uses it already, by her account or her e-mail."""
    return hers(voucher=voucher, user=user, email=email).count()


def hers(*, voucher: Voucher, user: Any, email: str) -> Any:
    """Her live redemptions of a voucher; none of somebody not known yet."""
    address = (user.email if user is not None else email).strip().lower()
    known = Q(customer=address) if address else Q(pk=None)
    if user is not None:
        known |= Q(user=user)
    return Redemption.objects.live().filter(known, voucher=voucher)
