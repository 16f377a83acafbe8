"""A customer who has done everything the shop offers, with marks in whatever she typed."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.db.models import F

from shop.core import mailing, outbox
from shop.customers import addressing, favourites, newsletter, noticing
from shop.customers.models import Purpose
from shop.fulfilment import reviewing
from shop.fulfilment.models import Shipment
from shop.orders.models import Order, ShippingAddress
from shop.payments import paying, refunding
from shop.payments.models import Refund
from shop.people.models import User
from shop.vouchers.models import Redemption, Voucher
from tests.checkout.buying import basket_of
from tests.factories import AddressFactory, ListingFactory, OperatorFactory, order_of, rib_of
from tests.payments.shop import Shop

#: What she typed somewhere: nothing of it may be left after an erasure.
MARKS = (
    "zineb.marque",  # in both of her addresses
    "Zineb",
    "Benmarque",
    "rue-de-la-marque",
    "derb-marque",
    "661998877",
    "662998877",
    "marque-sonnette",
    "marque-note",
    "Titulaire Marque",
    "marque-navigateur",
    "marque-avis",
    "marque-cadeau",
)
EMAIL, SECOND = "zineb.marque@example.ma", "zineb.marque.2@example.ma"


def _where(address: ShippingAddress) -> None:
    ShippingAddress.objects.filter(pk=address.pk).update(
        first_name="Zineb",
        last_name="Benmarque",
        line1="7, rue-de-la-marque",
        landmark="marque-sonnette",
        phone_number="+212661998877",
    )


def _order(shop: Shop, order: Order) -> Order:
    Order.objects.filter(pk=order.pk).update(guest_phone="+212662998877")
    assert order.shipping_address is not None
    _where(order.shipping_address)
    return order


def a_customer(shop: Shop) -> User:
    """With a paid order that is over, one that was refunded by bank, one placed as a guest, and all the rest."""
    user = User.objects.create_user(
        email=EMAIL, password="marque-2026-marque", first_name="Zineb", last_name="Benmarque"
    )
    User.objects.filter(pk=user.pk).update(phone="+212661998877")
    user.refresh_from_db()
    for email, primary in ((EMAIL, True), (SECOND, False)):
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=primary)
    shop.listen()
    paid = _order(shop, shop.paid_order((ListingFactory(), 1), user=user))
    shop.hear()
    shop.released(paid.supplier_orders.get())
    shop.import_balance()
    reviewing.write(
        order_line=paid.lines.get(), stars=5, words="marque-avis, parfumée", language="fr", at=shop.at
    )
    guest = order_of((ListingFactory(), 2), method="cash", email=SECOND, at=shop.at)
    _order(shop, guest)
    _gives(shop, guest)
    paying.settle_cash(order=guest, at=shop.at)
    part = guest.supplier_orders.get()
    shop.released(part)
    Shipment.objects.filter(supplier_order=part).update(proof_note="marque-note: elle a appelé")
    refund = refunding.request(
        supplier_order=part,
        reason="claim",
        lines={part.lines.get(): 1},
        with_delivery=False,
        by=OperatorFactory(),
        at=shop.at,
        holder="Titulaire Marque",
        rib=rib_of(77),
    )
    Refund.objects.filter(pk=refund.pk).update(
        state=Refund.State.SUCCEEDED, note="marque-note", succeeded_at=shop.at
    )
    _account(shop, user)
    outbox.sweep(at=shop.at)
    return user


def _gives(shop: Shop, order: Order) -> None:
    """A present, and a voucher that took ten dirhams off."""
    order.lines.update(line_price_before_discounts_incl_tax=F("line_price_incl_tax") + 10)
    Order.objects.filter(pk=order.pk).update(gift_message="marque-cadeau, de Zineb")
    maker = order.lines.get().cooperative
    voucher = Voucher.objects.create(
        code="PRINTEMPS",
        kind="amount",
        amount_minor=1000,
        funded_by="cooperative",
        cooperative=maker,
        valid_from=shop.at.date(),
        text_fr="Printemps",
        text_ar="الربيع",
        text_en="Spring",
        issued_at=shop.at,
        used=1,
    )
    Redemption.objects.create(
        voucher=voucher,
        order=order,
        code=voucher.code,
        funded_by="cooperative",
        cooperative=maker,
        amount_minor=1000,
        customer=SECOND,
        number=1,
        taken_at=shop.at,
    )


def _account(shop: Shop, user: User) -> None:
    place = AddressFactory.build(
        country=AddressFactory.create().country,
        first_name="Zineb",
        last_name="Benmarque",
        line1="3, derb-marque",
        landmark="marque-sonnette",
        phone_number="+212661998877",
    )
    addressing.keep(user=user, place=place)
    listing = ListingFactory(stock=0)
    favourites.keep(user=user, listing=listing, at=shop.at)
    both = {Purpose.BACK_IN_STOCK: True, Purpose.CHEAPER: True}
    noticing.choose(user=user, wanted=both, language="fr", at=shop.at)
    newsletter.subscribe(user=user, language="fr", at=shop.at)
    newsletter.ask(email=SECOND, language="ar", at=shop.at)
    basket_of((ListingFactory(), 1), user=user)
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["checkout"] = {"name": "Zineb Benmarque", "phone": "+212661998877"}
    session.save()
    UserSession.objects.create(
        user=user, ip="192.0.2.7", session_key=session.session_key, user_agent="marque-navigateur"
    )
    guests = SessionStore()
    guests["checkout"] = {"name": "Zineb Benmarque", "email": SECOND.upper()}
    guests.save()
    mailing.promise(
        topic="order.link",
        to=EMAIL.upper(),
        language="fr",
        key="marque",
        at=shop.at,
        about="T-00000000",
        context=lambda: {"order": "T-00000000", "token": "t"},
    )


def found_in_tables(marks: tuple[str, ...] = MARKS) -> dict[str, list[str]]:
    """``{table: marks}`` over every table, its texts read as they lie there; sessions are read out."""
    from django.contrib.sessions.models import Session

    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            text = json.dumps(cursor.fetchall(), default=str, ensure_ascii=False).lower()
            found[table] = {each for each in marks if each.lower() in text}
    read = json.dumps([each.get_decoded() for each in Session.objects.all()], default=str).lower()
    found["django_session"] |= {each for each in marks if each.lower() in read}
    return {table: sorted(each) for table, each in found.items() if each}


def figures() -> dict[str, Any]:
    """What the books need of every order: the same before and after."""
    from shop.fulfilment.models import SupplierOrder
    from shop.ledger.models import Posting
    from shop.orders.models import Line

    return {
        "orders": list(
            Order.objects.order_by("pk").values_list(
                "number", "total_incl_tax", "shipping_incl_tax", "date_placed", "confirmed_at"
            )
        ),
        "lines": list(
            Line.objects.order_by("pk").values_list("title", "quantity", "line_price_incl_tax", "vat_rate")
        ),
        "parts": list(
            SupplierOrder.objects.order_by("pk").values_list("reference", "state", "producer_share_minor")
        ),
        "refunds": list(Refund.objects.order_by("pk").values_list("reference", "amount_minor", "state")),
        "books": list(Posting.objects.order_by("pk").values_list("debit", "credit", "amount_minor")),
        "regions": list(ShippingAddress.objects.order_by("pk").values_list("region_code", flat=True)),
    }
