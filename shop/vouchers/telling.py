"""What a page says of vouchers to those who issue them, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from moneyed import Money

from shop.core.money import from_minor
from shop.design.numbers import money_text, percent_text
from shop.vouchers import codes
from shop.vouchers.models import Voucher


def rows(vouchers: Iterable[Voucher], *, on: date) -> list[dict[str, Any]]:
    """One row for each voucher: what it takes off, how often it was used and what that came to."""
    records = list(vouchers)
    came_to = dict(
        Voucher.objects.filter(pk__in=[each.pk for each in records])
        .order_by()
        .annotate(minor=Sum("redemptions__amount_minor", filter=Q(redemptions__given_back_at=None)))
        .values_list("pk", "minor")
    )
    return [
        {
            "voucher": each,
            "code": codes.grouped(each.code),
            "takes": takes(each),
            "state": _state(each, on),
            "used": _used(each),
            "came_to": _came_to(came_to.get(each.pk), each.currency),
            "can_end": each.is_active and (each.valid_until is None or each.valid_until >= on),
        }
        for each in records
    ]


def takes(voucher: Voucher) -> str:
    """What it takes off, with its conditions."""
    if voucher.kind == Voucher.Kind.AMOUNT:
        said = money_text(voucher.amount, style="short")
    elif voucher.most_minor is None:
        said = percent_text(voucher.rate or Decimal(0))
    else:
        said = _("%(rate)s, at most %(most)s") % {
            "rate": percent_text(voucher.rate or Decimal(0)),
            "most": money_text(voucher.most, style="short"),
        }
    if not voucher.least_goods_minor:
        return said
    return _("%(said)s, from %(least)s of goods") % {
        "said": said,
        "least": money_text(voucher.least_goods, style="short"),
    }


def _state(voucher: Voucher, on: date) -> dict[str, str]:
    if not voucher.is_active:
        return {"kind": "bad", "text": _("Switched off")}
    if on < voucher.valid_from:
        return {"kind": "wait", "text": _("Not yet")}
    if not voucher.is_valid_on(on):
        return {"kind": "", "text": _("Over")}
    if voucher.most_uses is not None and voucher.used >= voucher.most_uses:
        return {"kind": "", "text": _("Used up")}
    return {"kind": "ok", "text": _("Valid")}


def _used(voucher: Voucher) -> str:
    if voucher.most_uses is None:
        return str(voucher.used)
    return _("%(used)s of %(most)s") % {"used": voucher.used, "most": voucher.most_uses}


def _came_to(minor: int | None, currency: str) -> Money:
    return from_minor(minor or 0, currency)
