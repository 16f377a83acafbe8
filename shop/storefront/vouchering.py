"""The voucher a customer typed the code of, kept in her session until she orders or takes it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.core import ratelimit
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from moneyed import MAD, Money

from shop.checkout import placing
from shop.checkout.filling import Content
from shop.core.errors import Refused
from shop.core.money import zero
from shop.vouchers import codes
from shop.vouchers.applying import Reduction

#: Where a session keeps the code.
TYPED = "voucher"
_TRIES = "voucher_try"


class TooManyTries(Refused):
    message = gettext_lazy("Too many codes were tried. Wait ten minutes, then try again.")


@dataclass(frozen=True)
class Chosen:
    """The voucher of a basket: what it takes off, or why it takes nothing off at the moment."""

    code: str = ""
    reduction: Reduction | None = None
    problem: str = ""

    @property
    def amount(self) -> Money:
        """What comes off; nothing without a voucher."""
        return self.reduction.amount if self.reduction else zero(MAD)

    @property
    def off(self) -> Money:
        """The same as a line of a sum that takes off."""
        return -self.amount

    @property
    def shown_code(self) -> str:
        """The code to be read out."""
        return codes.grouped(self.code)

    @property
    def said(self) -> str:
        """The voucher in few words, with who gives it."""
        if self.reduction is None:
            return codes.grouped(self.code)
        return name(code=self.code, cooperative=self.reduction.voucher.cooperative)

    @property
    def text(self) -> str:
        """What it is for, in the reader's language."""
        return self.reduction.voucher.text if self.reduction else ""

    def for_goods(self, contents: Sequence[Content]) -> list[Money]:
        """What each line sells for: less a cooperative's own voucher, not less the shop's."""
        prices = [each.amount for each in contents]
        if self.reduction is None or self.reduction.is_by_shop:
            return prices
        return [price - off for price, off in zip(prices, self.reduction.taken, strict=True)]

    def by_maker(self, contents: Sequence[Content]) -> dict[int, Money]:
        """What comes off the goods of each cooperative, by its key."""
        taken: dict[int, Money] = {}
        if self.reduction is not None:
            for each, off in zip(contents, self.reduction.taken, strict=True):
                maker = each.listing.cooperative_id
                taken[maker] = taken.get(maker, zero(MAD)) + off
        return taken


def name(*, code: str, cooperative: Any) -> str:
    """A voucher as a line of a sum: its code and who gives it. ``cooperative`` is None for the shop's."""
    if cooperative is None:
        return _("Voucher %(code)s, offered by the shop") % {"code": codes.grouped(code)}
    return _("Voucher %(code)s, offered by %(cooperative)s") % {
        "code": codes.grouped(code),
        "cooperative": cooperative.name,
    }


def chosen(request: Any, contents: Sequence[Content], at: datetime) -> Chosen:
    """What the code in this session takes off these goods now. Without a code nothing is asked."""
    code = request.session.get(TYPED, "")
    if not code or not contents:
        return Chosen()
    try:
        return Chosen(code, _reduction(request, contents, code, at))
    except Refused as refusal:
        return Chosen(code, problem=str(refusal))


def choose(request: Any, contents: Sequence[Content], typed: str, at: datetime) -> Chosen:
    """Try a code as it was typed and keep it when it counts. Wrong ones are counted, for the session and for
    the network. Raises TooManyTries or the refusals of ``vouchers.applying``."""
    key = _session(request)
    if not ratelimit.consume(request, action=_TRIES, key=key, dry_run=True):
        raise TooManyTries
    try:
        reduced = _reduction(request, contents, typed, at)
    except Refused:
        ratelimit.consume(request, action=_TRIES, key=key)
        raise
    request.session[TYPED] = reduced.voucher.code
    return Chosen(reduced.voucher.code, reduced)


def forget(request: Any) -> None:
    """No voucher any more: taken away, or used."""
    request.session.pop(TYPED, None)


def _reduction(request: Any, contents: Sequence[Content], code: str, at: datetime) -> Reduction:
    user = request.user if request.user.is_authenticated else None
    known = placing.Customer(user=user, email="", phone="") if user else None
    return placing.reduction(contents=contents, code=code, customer=known, at=at)


def _session(request: Any) -> str:
    if not request.session.session_key:
        request.session.create()
    return str(request.session.session_key)
