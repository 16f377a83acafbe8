"""What waits for a cooperative: a number, what it is, until when, and where to do it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalogue.models import Product
from cooperatives import payout_accounts
from cooperatives.models import Certification, Cooperative, PayoutAccount
from shop.core.clock import day_of
from shop.design.numbers import day_text, moment_text, money_text
from shop.desk import looks
from shop.desk.money import Sums, stopped_by
from shop.fulfilment.models import Shipment, SupplierOrder

#: From here on a deadline is shown as urgent.
URGENT = timedelta(hours=12)
#: After so many days on the way a parcel is worth a call.
LONG_ON_THE_WAY = timedelta(days=5)
CERTIFICATE_ENDS_SOON = timedelta(days=45)
FEW_IN_STOCK = 5


def tasks_of(
    *, cooperative: Cooperative, may: dict[str, bool], at: datetime, sums: Sums | None = None
) -> list[dict[str, Any]]:
    """The rows of the first page, the most pressing first; only what this person may do.

    ``sums`` are those of the cooperative, for somebody who sees its money.
    """
    found: list[dict[str, Any] | None] = []
    if may["fill_orders"]:
        parts = cooperative.supplier_orders.select_related("order__shipping_address")
        found += [
            _to_answer(
                list(
                    parts.filter(state=SupplierOrder.State.PLACED).prefetch_related(
                        "lines__order_line__product__parent"
                    )
                ),
                at,
            ),
            _to_pack(list(parts.to_dispatch())),
            _silent(cooperative, at),
            _coming_home(cooperative),
        ]
    if may["manage_people"]:
        found.append(_account(cooperative, at))
    if sums is not None:
        found.append(_cash(sums))
    if may["edit_listings"]:
        found += _certificates(cooperative, at)
    return [each for each in found if each]


def _list_url(parts: list[SupplierOrder], state: str) -> str:
    if len(parts) == 1:
        return reverse("desk:order", args=[parts[0].reference])
    return f"{reverse('desk:orders')}?state={state}"


def _to_answer(parts: list[SupplierOrder], at: datetime) -> dict[str, Any] | None:
    if not parts:
        return None
    first = min(each.accept_by for each in parts)
    goods = _joined(
        f"{looks.title_of(line)} (×{line.quantity})" for part in parts for line in part.lines.all()
    )
    return {
        "url": _list_url(parts, "placed"),
        "number": len(parts),
        "what": ngettext("order waits for your answer", "orders wait for your answer", len(parts)),
        "said": goods,
        "deadline": {
            "kind": "bad" if first - at <= URGENT else "wait",
            "text": _("The first until %(moment)s") % {"moment": moment_text(first, style="near")}
            if len(parts) > 1
            else _("Until %(moment)s") % {"moment": moment_text(first, style="near")},
        },
    }


def _to_pack(parts: list[SupplierOrder]) -> dict[str, Any] | None:
    if not parts:
        return None
    places = _joined(
        dict.fromkeys(each.order.shipping_address.line4 for each in parts if each.order.shipping_address)
    )
    promised = min(each.arrives_until for each in parts)
    return {
        "url": _list_url(parts, "accepted"),
        "number": len(parts),
        "what": ngettext("parcel to pack and send", "parcels to pack and send", len(parts)),
        "said": _("To %(places)s") % {"places": places} if places else "",
        "deadline": {
            "kind": "",
            "text": _("Promised to arrive by %(day)s") % {"day": day_text(promised, style="near")},
        },
    }


def _silent(cooperative: Cooperative, at: datetime) -> dict[str, Any] | None:
    silent = Shipment.objects.silent_since(at - LONG_ON_THE_WAY).filter(
        supplier_order__cooperative=cooperative
    )
    parts = [each.supplier_order for each in silent.select_related("supplier_order")]
    if not parts:
        return None
    return {
        "url": _list_url(parts, "dispatched"),
        "number": len(parts),
        "what": ngettext("parcel long on its way", "parcels long on their way", len(parts)),
        "said": _("Ask the carrier. If it arrived, write down who took it."),
    }


def _coming_home(cooperative: Cooperative) -> dict[str, Any] | None:
    coming = Shipment.objects.coming_home().filter(supplier_order__cooperative=cooperative)
    parts = [each.supplier_order for each in coming.select_related("supplier_order")]
    if not parts:
        return None
    return {
        "url": _list_url(parts, "ended"),
        "number": len(parts),
        "what": ngettext("parcel coming back to you", "parcels coming back to you", len(parts)),
        "said": _("Refused at the door. Confirm when it is back, so that the goods can be sold again."),
    }


def _account(cooperative: Cooperative, at: datetime) -> dict[str, Any] | None:
    account = payout_accounts.current(cooperative=cooperative, at=at)
    if account is not None and account.rail != PayoutAccount.Rail.HOLD:
        return None
    if account is None:
        if payout_accounts.waiting(cooperative=cooperative, at=at) is not None:
            return None  # entered; we check it, she need do nothing
        what, said = _("payout account is missing"), _("Enter it, so that we can send you your money.")
    else:
        what, said = _("payout account is on hold"), stopped_by(account)
    return {
        "url": reverse("desk:payout_account"),
        "number": 1,
        "what": what,
        "said": said,
        "deadline": {"kind": "wait", "text": _("Nothing is sent until then")},
    }


def _cash(sums: Sums) -> dict[str, Any] | None:
    if not sums.cash_waits:
        return None
    return {
        "url": reverse("desk:payout_account"),
        "number": 1,
        "what": _("bank account is missing for your cash sales"),
        "said": _("%(sum)s from cash sales wait: cash cannot travel by Stripe.")
        % {"sum": money_text(sums.cash_waits)},
        "deadline": {"kind": "wait", "text": _("Give a bank account to receive it")},
    }


def _certificates(cooperative: Cooperative, at: datetime) -> list[dict[str, Any] | None]:
    on = day_of(at)
    ending = Certification.objects.valid_on(on).filter(
        cooperative=cooperative, valid_until__lte=on + CERTIFICATE_ENDS_SOON
    )
    renewed = Certification.objects.valid_on(on).filter(
        cooperative=cooperative, valid_until__gt=on + CERTIFICATE_ENDS_SOON
    )
    covered = set(renewed.values_list("label_id", flat=True))
    rows: list[dict[str, Any] | None] = []
    for each in ending.select_related("label").order_by("valid_until"):
        if each.label_id in covered:
            continue
        days = (each.valid_until - on).days
        rows.append(
            {
                "url": reverse("desk:listings"),
                "number": days,
                "what": ngettext("day until a certificate ends", "days until a certificate ends", days),
                "said": _("%(label)s. After %(day)s the goods that claim it leave the shelf.")
                % {"label": each.label.name, "day": day_text(each.valid_until)},
                "deadline": {"kind": "wait", "text": _("Send us the new certificate")},
            }
        )
    return rows


def low_stock(*, cooperative: Cooperative, limit: int = 5) -> list[Product]:
    """Published listings and variants of which few are left, the fewest first."""
    listings = Product.objects.filter(cooperative=cooperative, state=Product.State.PUBLISHED)
    found = [
        each
        for each in listings.select_related("parent").prefetch_related(
            "stockrecords", "images", "parent__images"
        )
        if (record := next(iter(each.stockrecords.all()), None)) and record.net_stock_level <= FEW_IN_STOCK
    ]
    return sorted(found, key=lambda each: (each.stockrecords.all()[0].net_stock_level, each.reference))[
        :limit
    ]


def _joined(names: Iterable[str], limit: int = 3) -> str:
    every = list(names)
    shown = _(", ").join(every[:limit])
    return f"{shown} …" if len(every) > limit else shown
