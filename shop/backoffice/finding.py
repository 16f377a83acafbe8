"""Finding an order by whatever the person on the phone can say: a reference, a mail address, a phone number."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from phonenumber_field.phonenumber import PhoneNumber
from phonenumbers import NumberParseException

from shop.backoffice import waiting
from shop.core import references
from shop.fulfilment.models import SupplierOrder
from shop.orders.models import Order

LONGEST = 120
#: How many letters and digits a reference has after its prefix.
_BODY = 9
_State = SupplierOrder.State


@dataclass(frozen=True)
class Question:
    """What was typed, and what it was taken for: ``reference``, ``mail``, ``phone``, or nothing."""

    text: str
    kind: str = ""
    looked_for: str = ""

    @property
    def is_mistyped(self) -> bool:
        """A whole reference whose check character does not fit: no order can have it.

        A name or a sign somebody tries is none: a reference has its letters and, as good as always, a digit.
        """
        prefix, _dash, rest = self.looked_for.partition("-")
        body = rest.partition("-")[0]
        whole = prefix in ("T", "R") and len(body) == _BODY and body.isalnum()
        meant = any(each.isdecimal() for each in self.text) or self.text.upper().startswith(("T-", "R-"))
        return self.kind == "reference" and whole and meant and not references.is_sound(self.looked_for)


def understand(text: str) -> Question:
    """What somebody typed or read out, in the form we keep it in. Arabic digits are digits."""
    text = plain(text[:LONGEST]).strip()
    if not text:
        return Question("")
    if "@" in text:
        return Question(text, "mail", "".join(text.split()).casefold())
    phone = _phone(text)
    if phone:
        return Question(text, "phone", phone)
    reference = references.normalise(text)
    if "-" not in reference:
        # Read out without its prefix, or with a space for the dash.
        body = reference[1:] if len(reference) > _BODY and reference.startswith("T") else reference
        reference = references.normalise(f"T-{body}")
    return Question(text, "reference", reference)


def plain(text: str) -> str:
    """Digits of any script as 0 to 9, without the marks nobody sees and no database takes."""
    return "".join(_letter(each) for each in text)


def _letter(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return "" if unicodedata.category(character) in ("Cc", "Cf") else character


def _phone(text: str) -> str:
    """The number in the form it is kept in, or nothing if these are not digits of one."""
    compact = "".join(each for each in text if each not in " .-()/")
    if not compact.removeprefix("+").isdigit():
        return ""
    try:
        number = PhoneNumber.from_string(compact, region="MA")
    except NumberParseException:
        return ""
    return str(number.as_e164) if number.is_valid() else ""


def found(question: Question) -> QuerySet[Order]:
    """The orders a question is about, newest first; every order for an empty one."""
    orders = Order.objects.order_by("-date_placed", "-pk")
    wanted = question.looked_for
    if question.kind == "mail":
        return orders.filter(Q(guest_email__icontains=wanted) | Q(user__email__icontains=wanted))
    if question.kind == "phone":
        return orders.filter(
            Q(guest_phone=wanted) | Q(shipping_address__phone_number=wanted) | Q(user__phone=wanted)
        )
    if question.kind == "reference":
        return orders.filter(
            Q(number__startswith=wanted)
            | Q(pk__in=_orders_of_parts(wanted, tracking="".join(question.text.split()).upper()))
            | Q(payment__refunds__reference=wanted)
        ).distinct()
    return orders


def _orders_of_parts(wanted: str, *, tracking: str) -> QuerySet[SupplierOrder]:
    parts = SupplierOrder.objects.filter(
        Q(reference=wanted) | Q(shipments__reference=wanted) | Q(shipments__tracking_number=tracking)
    )
    return parts.values("order")


def that_are(orders: QuerySet[Order], show: str, *, at: datetime) -> QuerySet[Order]:
    """Of these orders those at one stage, or with something that waits. An unknown word filters nothing."""
    if show == "awaiting":
        return orders.filter(confirmed_at=None, ended_at=None)
    if show == "confirmed":
        return orders.exclude(confirmed_at=None)
    if show == "ended":
        return orders.exclude(ended_at=None)
    parts = {
        "to_accept": SupplierOrder.objects.filter(state=_State.PLACED),
        "to_send": SupplierOrder.objects.to_dispatch(),
        "on_the_way": SupplierOrder.objects.on_the_way(),
        "delivered": SupplierOrder.objects.filter(state=_State.DELIVERED),
        "overdue": waiting.overdue_acceptances(at=at),
    }
    if show in parts:
        return orders.filter(pk__in=parts[show].values("order"))
    if show == "silent":
        return orders.filter(pk__in=waiting.silent_cash_parcels(at=at).values("supplier_order__order"))
    if show == "late":
        return orders.filter(pk__in=waiting.late_payments().values("payment__order"))
    if show == "refunds_failed":
        return orders.filter(pk__in=waiting.failed_refunds().values("payment__order"))
    if show == "refunds_past_due":
        return orders.filter(pk__in=waiting.refunds_past_due(at=at).values("payment__order"))
    return orders
