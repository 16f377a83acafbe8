"""Vouchers are issued once and switched off once; what one promises is never changed in between."""

from __future__ import annotations

import logging
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from moneyed import MAD, Money

from cooperatives.models import Cooperative
from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.money import to_minor, zero
from shop.vouchers import codes
from shop.vouchers.models import MOST_RATE, Voucher

logger = logging.getLogger(__name__)


class CodeNotSound(Refused):
    def __init__(self) -> None:
        super().__init__(
            _("A code has %(least)s to %(most)s letters A to Z and digits.")
            % {"least": codes.SHORTEST, "most": codes.LONGEST}
        )


class CodeTaken(Refused):
    message = _("There is a voucher of this code already. Choose another, or leave it empty.")


class NothingTakenOff(Refused):
    message = _("Give an amount above nothing, or a percentage from 1 to 90.")


class EndsBeforeItBegins(Refused):
    message = _("The last day lies before the first, or has passed.")


class AlreadyOff(Refused):
    message = _("This voucher is switched off already.")


@transaction.atomic
def issue(
    *,
    texts: dict[str, str],
    valid_from: date,
    by: Any,
    at: datetime,
    cooperative: Cooperative | None = None,
    amount: Money | None = None,
    rate: Decimal | None = None,
    most: Money | None = None,
    least_goods: Money | None = None,
    valid_until: date | None = None,
    most_uses: int | None = None,
    most_uses_each: int | None = None,
    code: str = "",
) -> Voucher:
    """A new voucher: of the cooperative that bears it, for its own goods; or of the shop, for all.

    ``texts`` is ``{language: what it is for}``; either ``amount`` or ``rate``. Without a ``code`` one is made
    that nobody guesses. Raises CodeNotSound, CodeTaken, NothingTakenOff or EndsBeforeItBegins.
    """
    kept = codes.normalise(code) if code.strip() else codes.make()
    if len(kept) < codes.SHORTEST:
        raise CodeNotSound
    takes = amount.amount if amount is not None else rate
    if (amount is None) == (rate is None) or not takes or takes <= 0:
        raise NothingTakenOff
    if rate is not None and rate > Decimal(MOST_RATE):
        raise NothingTakenOff
    if valid_until is not None and valid_until < max(valid_from, day_of(at)):
        raise EndsBeforeItBegins
    voucher = Voucher(
        code=kept,
        kind=Voucher.Kind.AMOUNT if amount is not None else Voucher.Kind.PERCENT,
        currency=MAD.code,
        amount_minor=to_minor(amount) if amount is not None else None,
        rate=rate,
        most_minor=to_minor(most) if most is not None and rate is not None else None,
        least_goods_minor=to_minor(least_goods or zero(MAD)),
        funded_by=Voucher.FundedBy.COOPERATIVE if cooperative else Voucher.FundedBy.PLATFORM,
        cooperative=cooperative,
        valid_from=valid_from,
        valid_until=valid_until,
        most_uses=most_uses,
        most_uses_each=most_uses_each,
        text_fr=texts["fr"],
        text_ar=texts["ar"],
        text_en=texts["en"],
        issued_at=at,
        issued_by=by,
    )
    try:
        with transaction.atomic():
            voucher.save(force_insert=True)
    except IntegrityError as error:
        if not Voucher.objects.filter(code=kept).exists():
            raise
        raise CodeTaken from error
    logger.info("voucher issued", extra={"voucher": voucher.reference, "funded_by": voucher.funded_by})
    return voucher


def switch_off(*, voucher: Voucher, by: Any, at: datetime) -> Voucher:
    """From now on nobody can use it; orders already placed keep what it took off. Raises AlreadyOff."""
    on = Voucher.objects.filter(pk=voucher.pk, is_active=True)
    if not on.update(is_active=False, ended_at=at, ended_by=by):
        raise AlreadyOff
    voucher.refresh_from_db()
    logger.info("voucher switched off", extra={"voucher": voucher.reference})
    return voucher


@transaction.atomic
def end_on(*, voucher: Voucher, day: date, at: datetime) -> Voucher:
    """Its last day is another one, today at the earliest. Raises EndsBeforeItBegins or AlreadyOff."""
    voucher = Voucher.objects.select_for_update(of=("self",)).get(pk=voucher.pk)
    if not voucher.is_active:
        raise AlreadyOff
    if day < max(voucher.valid_from, day_of(at)):
        raise EndsBeforeItBegins
    voucher.valid_until = day
    voucher.save(update_fields=["valid_until"])
    return voucher
