"""Everything we hold of a customer, for herself: one file of JSON and a table for each part of it.

What is in it and what is not, and why, is told by ``datamap``.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils.translation import gettext as _
from django.utils.translation import override
from oscar.core.loading import get_model

from shop.core.models import OutboxMessage
from shop.core.references import normalise
from shop.customers import consents, owning
from shop.customers.models import Erasure, Favourite, Preferences, Subscription
from shop.fulfilment.models import OrderEvent, Review, Shipment, SupplierOrder
from shop.orders.models import Line
from shop.payments.models import Payment, PaymentAttempt, Refund

Row = dict[str, Any]
#: A spreadsheet takes a cell that starts so for a formula.
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(*, user: Any, language: str, at: datetime) -> bytes:
    """A ZIP of ``data.json``, one CSV for each section, and a page that says what is what."""
    sections = {name: part(user) for name, part in SECTIONS.items()}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        with override(language):
            archive.writestr("README.txt", _readme(user, sections, at))
        data = {"made_at": at.isoformat(), "account": user.email, **sections}
        archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=2, default=_plain))
        for name, rows in sections.items():
            archive.writestr(f"{name}.csv", "\ufeff" + _table(rows))
    return whole.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _table(rows: list[Row]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return text.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else str(_plain(value))
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()


def _readme(user: Any, sections: dict[str, list[Row]], at: datetime) -> str:
    lines = [
        _("Everything Tadamon holds of %(email)s, on %(day)s.")
        % {"email": user.email, "day": at.date().isoformat()},
        "",
        _("data.json holds it all; each table below holds one part. Times are in UTC."),
        "",
        *(f"{name}.csv  {len(rows)}" for name, rows in sections.items()),
        "",
        _("Your password is kept in a form nobody can read, and your card number is not kept at all."),
        _("Bank files and bank statements stay with the books, as the law asks, and are not in here."),
        "",
    ]
    return "\r\n".join(lines)


# The parts


def _account(user: Any) -> list[Row]:
    return [
        {
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "phone": str(user.phone or ""),
            "language": user.language,
            "appearance": user.theme,
            "opened_at": user.date_joined,
            "last_sign_in_at": user.last_login,
        }
    ]


def _emails(user: Any) -> list[Row]:
    found = EmailAddress.objects.filter(user=user).order_by("pk")
    return [{"email": each.email, "confirmed": each.verified, "primary": each.primary} for each in found]


def _security(user: Any) -> list[Row]:
    rows = [
        {"what": each.type, "since": each.created_at, "last_used_at": each.last_used_at}
        for each in Authenticator.objects.filter(user=user).order_by("pk")
    ]
    rows += [
        {
            "what": "session",
            "since": each.created_at,
            "last_used_at": each.last_seen_at,
            "internet_address": each.ip,
            "browser": each.user_agent,
        }
        for each in UserSession.objects.filter(user=user).order_by("pk")
    ]
    return rows


def _place(address: Any) -> Row:
    return {
        "title": address.title,
        "first_name": address.first_name,
        "last_name": address.last_name,
        "phone": str(address.phone_number or ""),
        "line1": address.line1,
        "line2": address.line2,
        "line3": address.line3,
        "landmark": address.landmark,
        "town": address.line4,
        "state": address.state,
        "postcode": address.postcode,
        "region": address.region_code,
        "province": address.province_code,
        "commune": address.commune_code,
        "country": address.country_id,
        "notes": address.notes,
    }


def _addresses(user: Any) -> list[Row]:
    return [
        _place(each) | {"default": each.is_default_for_shipping, "added_at": each.date_created}
        for each in user.addresses.order_by("pk")
    ]


def _orders(user: Any) -> list[Row]:
    found = (
        owning.orders_of(user=user)
        .select_related("shipping_address", "user", "redemption")
        .order_by("date_placed", "pk")
    )
    return [
        {
            "number": each.number,
            "placed_at": each.date_placed,
            "confirmed_at": each.confirmed_at,
            "ended_at": each.ended_at,
            "payment": each.payment_method,
            "total": each.total_incl_tax,
            "total_without_tax": each.total_excl_tax,
            "delivery": each.shipping_incl_tax,
            "currency": each.currency,
            "language": each.language,
            "email": each.contact_email,
            "contact_phone": str(each.guest_phone or ""),
            "gift_message": each.gift_message,
            **_voucher(each),
            **({f"to_{name}": text for name, text in _place(each.shipping_address).items()}
               if each.shipping_address else {}),
        }
        for each in found
    ]  # fmt: skip


def _voucher(order: Any) -> Row:
    """What a voucher took off an order; nothing for one without."""
    used = getattr(order, "redemption", None)
    if used is None:
        return {}
    return {"voucher": used.code, "voucher_took_off": used.amount.amount, "voucher_used_by": used.customer}


def _lines(user: Any) -> list[Row]:
    found = Line.objects.filter(order__in=owning.orders_of(user=user)).select_related("order", "cooperative")
    return [
        {
            "order": each.order.number,
            "good": each.title,
            "unit": each.unit,
            "cooperative": each.cooperative.name if each.cooperative else each.partner_name,
            "quantity": each.quantity,
            "each": each.unit_price_incl_tax,
            "amount": each.line_price_incl_tax,
            "without_tax": each.line_price_excl_tax,
            "vat_rate": each.vat_rate,
            "currency": each.order.currency,
        }
        for each in found.order_by("order__date_placed", "pk")
    ]


def _parts(user: Any) -> list[Row]:
    found = SupplierOrder.objects.filter(order__in=owning.orders_of(user=user)).select_related("cooperative")
    return [
        {
            "part": each.reference,
            "cooperative": each.cooperative.name,
            "state": each.state,
            "reason": each.end_reason,
            "accepted_at": each.accepted_at,
            "dispatched_at": each.dispatched_at,
            "delivered_at": each.delivered_at,
            "ended_at": each.ended_at,
        }
        for each in found.order_by("pk")
    ]


def _parcels(user: Any) -> list[Row]:
    found = Shipment.objects.filter(supplier_order__order__in=owning.orders_of(user=user))
    return [
        {
            "parcel": each.reference,
            "carrier": each.carrier.name,
            "tracking_number": each.tracking_number,
            "dispatched_at": each.dispatched_at,
            "delivered_at": each.delivered_at,
            "note": each.proof_note,
        }
        for each in found.select_related("carrier").order_by("pk")
    ]


def _story(user: Any) -> list[Row]:
    found = OrderEvent.objects.filter(order__in=owning.orders_of(user=user)).select_related("order")
    return [
        {"order": each.order.number, "what": each.kind, "at": each.happened_at}
        for each in found.order_by("happened_at", "pk")
    ]


def _payments(user: Any) -> list[Row]:
    found = Payment.objects.filter(order__in=owning.orders_of(user=user)).select_related("order")
    rows = [
        {
            "order": each.order.number,
            "state": each.state,
            "amount": each.amount.amount,
            "currency": each.currency,
            "paid_at": each.paid_at,
            "stripe_payment": each.stripe_payment_intent_id,
            "stripe_charge": each.stripe_charge_id,
        }
        for each in found.order_by("pk")
    ]
    attempts = PaymentAttempt.objects.filter(payment__in=found).select_related("payment__order")
    return rows + [
        {
            "order": each.payment.order.number,
            "state": f"visit to the payment page: {each.state}",
            "paid_at": each.asked_at,
            "stripe_payment": each.stripe_session_id,
        }
        for each in attempts.order_by("pk")
    ]


def _refunds(user: Any) -> list[Row]:
    found = Refund.objects.filter(payment__order__in=owning.orders_of(user=user))
    return [
        {
            "refund": each.reference,
            "order": each.payment.order.number,
            "state": each.state,
            "reason": each.reason,
            "amount": each.amount.amount,
            "currency": each.currency,
            "way": each.way,
            "account_holder": each.bank_holder,
            "rib": each.bank_rib,
            "note": each.note,
            "requested_at": each.requested_at,
            "arrived_at": each.succeeded_at,
            "stripe_refund": each.stripe_refund_id,
        }
        for each in found.select_related("payment__order").order_by("pk")
    ]


def _basket(user: Any) -> list[Row]:
    lines = get_model("basket", "Line").objects.filter(basket__owner=user, basket__status="Open")
    return [
        {"good": each.product.get_title(), "quantity": each.quantity, "put_in_at": each.date_created}
        for each in lines.select_related("product").order_by("pk")
    ]


def _favourites(user: Any) -> list[Row]:
    found = Favourite.objects.filter(user=user).select_related("listing")
    return [
        {
            "good": each.listing.get_title(),
            "item_no": each.listing.reference,
            "added_at": each.added_at,
            "price_last_heard_of": each.seen.amount,
            "currency": each.currency,
        }
        for each in found.order_by("pk")
    ]


def _notices(user: Any) -> list[Row]:
    kept = Preferences.objects.filter(user=user).first()
    subscriptions = Subscription.objects.filter(email__in=owning.verified_emails(user=user))
    rows: list[Row] = []
    if kept is not None:
        rows += [
            {"what": "back_in_stock", "wanted": kept.back_in_stock},
            {"what": "cheaper", "wanted": kept.cheaper},
        ]
    return rows + [
        {
            "what": "newsletter",
            "wanted": each.confirmed_at is not None,
            "email": each.email,
            "language": each.language,
            "asked_at": each.asked_at,
            "confirmed_at": each.confirmed_at,
        }
        for each in subscriptions
    ]


def _consents(user: Any) -> list[Row]:
    persons = list(Preferences.objects.filter(user=user).values_list("person", flat=True))
    emails = owning.verified_emails(user=user)
    persons += Subscription.objects.filter(email__in=emails).values_list("person", flat=True)
    return [
        {
            "to": each.purpose,
            "given": each.is_given,
            "where": each.source,
            "language": each.language,
            "words_of": each.text_version,
            "at": each.happened_at,
        }
        for each in consents.of(persons=persons)
    ]


def _messages(user: Any) -> list[Row]:
    """Mails to addresses proved to be hers, and those about orders of this account."""
    emails = {*owning.verified_emails(user=user)}
    own = set(owning.orders_of(user=user).values_list("number", flat=True))
    found = OutboxMessage.objects.filter(kind="mail", recipient__in={*emails, user.email, user.email.lower()})
    return [
        {
            "to": each.recipient,
            "about": each.about,
            "subject": each.subject,
            "text": each.body,
            "promised_at": each.created_at,
            "sent_at": each.delivered_at,
        }
        for each in found.order_by("pk")
        if each.recipient.lower() in emails
        or _order_of(each.about) in own
        or each.topic.startswith("account.")
    ]


def _order_of(about: str) -> str:
    """The order that a mail is about, by the number of the order or of one of its parts."""
    return "-".join(normalise(about).split("-")[:2])


def _reviews(user: Any) -> list[Row]:
    found = Review.objects.filter(order_line__order__in=owning.orders_of(user=user))
    return [
        {
            "review": each.reference,
            "good": each.listing.get_title(),
            "stars": each.stars,
            "words": each.words,
            "language": each.language,
            "signed": each.signed,
            "written_at": each.written_at,
            "state": each.state,
            "reason": each.reason,
        }
        for each in found.select_related("listing").order_by("pk")
    ]


def _requests(user: Any) -> list[Row]:
    found = Erasure.objects.filter(account=user.pk)
    return [{"what": "erasure", "reference": each.reference, "asked_at": each.asked_at} for each in found]


#: Each part of the export, as its file is called.
SECTIONS: dict[str, Callable[[Any], list[Row]]] = {
    "account": _account,
    "emails": _emails,
    "security": _security,
    "addresses": _addresses,
    "orders": _orders,
    "order_lines": _lines,
    "order_parts": _parts,
    "parcels": _parcels,
    "order_story": _story,
    "payments": _payments,
    "refunds": _refunds,
    "basket": _basket,
    "favourites": _favourites,
    "notices": _notices,
    "consents": _consents,
    "messages": _messages,
    "reviews": _reviews,
    "requests": _requests,
}
