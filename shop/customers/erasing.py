"""What we hold of a customer is removed when she asks; what the books need stays, without her name.

Her account goes, with addresses, favourites, subscriptions, mails and sessions. Her orders keep goods, amounts,
days and the region they went to: nothing that names her. The erasure itself is written down by keyed hashes,
also in the private files, so that a restore of an older backup repeats it (``manage.py reapply_erasures``).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import CharField, F, Q, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from oscar.core.loading import get_model

from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused
from shop.core.models import OutboxMessage
from shop.core.sweeping import each_by_itself
from shop.customers import newsletter, owning
from shop.customers.consents import record
from shop.customers.models import Consent, Erasure, Preferences, Subscription
from shop.customers.noticing import ON_ACCOUNT
from shop.fulfilment.models import Review, Shipment, SupplierOrder
from shop.orders.models import Order, ShippingAddress
from shop.payments.models import BalanceTransaction, LatePayment, Payment, Refund, StripeEvent
from shop.people.mails import TOPIC as ACCOUNT_MAIL
from shop.people.models import User
from shop.vouchers.models import Redemption

logger = logging.getLogger(__name__)

_SALT = "tadamon.erasure"
_FOLDER = "erasures"
_State = SupplierOrder.State
#: A part in one of these still needs to know its customer: it goes to her, or may come back from her.
_OPEN = (_State.PLACED, _State.ACCEPTED, _State.DISPATCHED, _State.DELIVERED)
#: What Stripe tells us of a payer, wherever it stands in one of its objects.
_PAYERS = {
    "billing_details", "customer_details", "customer_email", "email", "receipt_email", "shipping",
    "shipping_details",
}  # fmt: skip


class WorksHere(Refused):
    message = _(
        "This account acts, or has acted, for a cooperative or for the shop: what it did stays in the books under its name. Write to us, and we look at it together."
    )


def mark(email: str) -> str:
    """What the erasure list calls an address: it can be compared and not read."""
    return salted_hmac(_SALT, email.strip().lower(), algorithm="sha256").hexdigest()


# Asking


def open_orders(*, user: Any) -> list[str]:
    """Numbers of her orders that are not over: unpaid and kept, on their way, may be sent back, or owed a refund."""
    orders = owning.orders_of(user=user)
    refund_waits = Refund.objects.exclude(state=Refund.State.SUCCEEDED).values("payment__order")
    not_refunded = SupplierOrder.objects.filter(
        state__in=[_State.DECLINED, _State.CANCELLED], order__payment__state=Payment.State.PAID, refunds=None
    ).values("order")
    late = LatePayment.objects.filter(refund=None).values("payment__order")
    found = orders.filter(
        Q(confirmed_at=None, ended_at=None)
        | Q(pk__in=SupplierOrder.objects.filter(state__in=_OPEN).values("order"))
        | Q(pk__in=refund_waits)
        | Q(pk__in=not_refunded)
        | Q(pk__in=late)
    )
    return list(found.order_by("date_placed", "pk").values_list("number", flat=True))


def works_here(*, user: Any) -> bool:
    """Whether she acts or has acted for a cooperative or the shop."""
    return bool(
        user.is_staff or user.is_superuser or user.operator_roles.exists() or user.memberships.exists()
    )


def waiting_of(*, user: Any) -> Erasure | None:
    """Her erasure that waits for an order to be over."""
    return Erasure.objects.filter(account=user.pk, done_at=None).first()


def ask(*, user: Any, at: datetime) -> Erasure:
    """Erase what we hold of her, at once or as soon as her last order is over (until then ``done_at`` is empty).

    Asking again is the same. Raises WorksHere.
    """
    if works_here(user=user):
        raise WorksHere
    with transaction.atomic():
        erasure, _new = Erasure.objects.get_or_create(
            account=user.pk, done_at=None, defaults={"asked_at": at, "marks": _marks_of(user)}
        )
    _erase_if_over(erasure, at)
    erasure.refresh_from_db()
    return erasure


def take_back(*, user: Any) -> bool:
    """She keeps her account after all; returns whether an erasure was waiting."""
    return bool(Erasure.objects.filter(account=user.pk, done_at=None).delete()[0])


def erase_due(*, at: datetime) -> int:
    """Erase those whose orders are over by now, and finish what a killed worker left; returns how many."""
    done = each_by_itself(
        Erasure.objects.filter(done_at=None), lambda erasure: _erase_if_over(erasure, at), what="erase"
    )
    each_by_itself(
        Erasure.objects.exclude(done_at=None).filter(listed_at=None),
        lambda erasure: _list(erasure, at),
        what="list erasure",
    )
    return done


def _marks_of(user: Any) -> list[str]:
    """Only addresses proved to be hers: nobody has another person's orders erased by signing up with her address.

    An account whose own address was never proved has a mark of the two together, which fits no address.
    """
    proved = owning.verified_emails(user=user)
    marks = {mark(each) for each in proved}
    return sorted(marks if user.email.lower() in proved else {*marks, _mark_of_account(user)})


def _mark_of_account(user: Any) -> str:
    return mark(f"{user.pk} {user.email}")


def _erase_if_over(erasure: Erasure, at: datetime) -> bool:
    with transaction.atomic():
        # As an order is placed: her baskets first, then her row, to which the order refers. So one that is being
        # placed is either there when her orders are looked at, or finds no basket any more.
        baskets = get_model("basket", "Basket").objects.select_for_update().filter(owner=erasure.account)
        list(baskets.order_by("pk").values_list("pk"))
        user = User.objects.select_for_update().filter(pk=erasure.account).first()
        waiting = Erasure.objects.select_for_update().filter(pk=erasure.pk, done_at=None).first()
        if waiting is None:
            return False
        if user is not None and (works_here(user=user) or open_orders(user=user)):
            return False
        if user is not None:
            waiting.marks = _marks_of(user)
            waiting.orders = list(owning.orders_of(user=user).values_list("number", flat=True))
        _remove(waiting, at=at)
        crashpoint("erasing.removed")
        waiting.done_at = at
        waiting.save()
    logger.info("customer erased", extra={"erasure": waiting.reference})
    _list(waiting, at)
    return True


def _list(erasure: Erasure, at: datetime) -> None:
    """What no transaction holds: the mails in the demonstration's folder, and the entry in the private files."""
    _forget_mail_files(set(erasure.marks))
    name = f"{_FOLDER}/{erasure.reference}.json"
    storage = storages["private"]
    crashpoint("erasing.listing")
    if not storage.exists(name):
        entry = {
            "reference": erasure.reference,
            "account": erasure.account,
            "marks": erasure.marks,
            "orders": erasure.orders,
            "asked_at": erasure.asked_at.isoformat(),
            "done_at": erasure.done_at.isoformat() if erasure.done_at else "",
        }
        storage.save(name, ContentFile(json.dumps(entry).encode()))
    Erasure.objects.filter(pk=erasure.pk).update(listed_at=at)


# Removing


def _remove(erasure: Erasure, *, at: datetime) -> int:
    """Take away what is hers, as far as it is older than the erasure; returns how many records changed."""
    marks, until = set(erasure.marks), erasure.done_at or at
    user = User.objects.filter(pk=erasure.account).first()
    if user is not None and not marks & {mark(user.email), _mark_of_account(user)}:
        user = None  # the number is somebody else's: another database
    emails = _known_emails(marks)
    orders = Order.objects.filter(
        Q(number__in=erasure.orders) | Q(user=user) & ~Q(user=None) | Q(user=None, guest_email__in=emails),
        date_placed__lte=until,
    )
    numbers = list(orders.values_list("number", flat=True))
    changed = _pseudonymise(numbers)
    changed += _forget_mails(emails, until)
    for subscription in Subscription.objects.filter(email__in=emails, asked_at__lte=until):
        changed += newsletter.end(person=subscription.person, source=Consent.Source.ERASURE, at=at)
    changed += _forget_by_address(emails)
    if user is not None:
        # To an address that was never proved, what her account and her orders caused: the rest may be another's.
        about = Q(topic=ACCOUNT_MAIL) | Q(about__in=numbers) | Q(about__in=_parts_of(numbers))
        changed += _forget_mails([user.email], until, about)
        _end_notices(user, at)
        changed += _forget_account(user, emails)
    return changed


def _known_emails(marks: set[str]) -> list[str]:
    """The addresses behind the marks, as far as the tables still know them."""
    found: set[str] = set()
    for model, column in _ADDRESSES:
        for each in (
            get_model(*model.split("."))
            .objects.exclude(**{column: None})
            .order_by()
            .values_list(column, flat=True)
            .distinct()
        ):
            if mark(each) in marks:
                found |= {each, each.lower()}
    return sorted(found)


#: Where addresses of customers stand.
_ADDRESSES = (
    ("order.Order", "guest_email"),
    ("people.User", "email"),
    ("account.EmailAddress", "email"),
    ("customers.Subscription", "email"),
    ("vouchers.Redemption", "customer"),
    ("core.OutboxMessage", "recipient"),
    ("customer.ProductAlert", "email"),
    ("reviews.ProductReview", "email"),
)


def _pseudonymise(numbers: list[str]) -> int:
    """Orders keep what was bought, what it cost and the region it went to."""
    orders = Order.objects.filter(number__in=numbers)
    named = orders.filter(
        ~Q(user=None)
        | ~Q(guest_email="")
        | ~Q(guest_phone="")
        | Q(shipping_address__isnull=False) & ~Q(shipping_address__first_name="")
    )
    keys = list(named.values_list("pk", flat=True))
    addresses = ShippingAddress.objects.filter(order__in=keys)
    addresses.update(
        title="", first_name="", last_name="", line1="", line2="", line3="", line4="", state="", postcode="",
        landmark="", phone_number="", notes="", search_text="", province_code="", commune_code="", code=None,
    )  # fmt: skip
    Review.objects.filter(order_line__order__in=keys).delete()
    get_model("order", "BillingAddress").objects.filter(order__in=keys).delete()
    get_model("order", "OrderNote").objects.filter(order__in=keys).update(message="")
    Shipment.objects.filter(supplier_order__order__in=keys).update(proof_note="")
    Refund.objects.filter(payment__order__in=keys).update(note="", bank_holder="", bank_rib="")
    _forget_payers(keys)
    get_model("basket", "Basket").objects.filter(order__in=keys).update(owner=None)
    # A use of a voucher stays counted; whose it was is no longer told.
    Redemption.objects.filter(order__in=keys).update(
        user=None, customer=Concat(Value("erased:"), Cast("order_id", CharField()))
    )
    Order.objects.filter(pk__in=keys).update(
        user=None, guest_email="", guest_phone="", gift_message="", link_version=F("link_version") + 1
    )
    return len(keys)


def _forget_payers(orders: list[int]) -> None:
    """What Stripe told of the payer is taken out of the copies we keep of its objects; amounts stay."""
    known: set[str] = set()
    for payment in Payment.objects.filter(order__in=orders).prefetch_related("attempts", "late", "refunds"):
        known |= {payment.stripe_payment_intent_id, payment.stripe_charge_id}
        known |= {each.stripe_session_id for each in payment.attempts.all()}
        known |= {each.stripe_payment_intent_id for each in payment.late.all()}
        known |= {each.stripe_refund_id for each in payment.refunds.all()}
    for model, column in ((StripeEvent, "payload"), (BalanceTransaction, "raw")):
        for key in sorted(known - {""}):
            written = model._default_manager.annotate(written=Cast(column, TextField()))
            for row in written.filter(written__contains=key):
                setattr(row, column, _without_payer(getattr(row, column)))
                row.save(update_fields=[column])


def _without_payer(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if key in _PAYERS else _without_payer(each) for key, each in value.items()}
    return [_without_payer(each) for each in value] if isinstance(value, list) else value


def _parts_of(numbers: list[str]) -> list[str]:
    found = SupplierOrder.objects.filter(order__number__in=numbers)
    return list(found.values_list("reference", flat=True))


def _forget_mails(emails: list[str], until: datetime, about: Q | None = None) -> int:
    """Mails to her, sent or waiting, with their texts; with ``about`` only those."""
    if not emails:
        return 0
    wanted = Q()
    for each in emails:
        wanted |= Q(recipient__iexact=each)
    return OutboxMessage.objects.filter(wanted, about or Q(), created_at__lte=until).delete()[0]


def _forget_by_address(emails: list[str]) -> int:
    """What Oscar's own tables may hold under an address without an account."""
    gone = 0
    for model in ("customer.ProductAlert", "communication.Email", "wishlists.WishListSharedEmail"):
        gone += get_model(*model.split(".")).objects.filter(email__in=emails).delete()[0]
    return gone + get_model("reviews", "ProductReview").objects.filter(email__in=emails).delete()[0]


def _end_notices(user: Any, at: datetime) -> None:
    preferences = Preferences.objects.filter(user=user).first()
    for purpose in ON_ACCOUNT:
        if preferences is not None and getattr(preferences, purpose.value):
            record(
                person=preferences.person,
                purpose=purpose,
                is_given=False,
                source=Consent.Source.ERASURE,
                language=user.language,
                at=at,
            )


def _forget_account(user: Any, emails: list[str]) -> int:
    get_model("reviews", "ProductReview").objects.filter(user=user).delete()
    get_model("communication", "Email").objects.filter(user=user).delete()
    get_model("basket", "Basket").objects.filter(owner=user).delete()
    _end_sessions(user, emails)
    EmailAddress.objects.filter(user=user).delete()
    return int(bool(user.delete()[0]))


def _end_sessions(user: Any, emails: Iterable[str]) -> None:
    """Every session of hers, and those in which she typed her address as a guest."""
    typed = {each.lower() for each in emails}
    for session in Session.objects.iterator(chunk_size=500):
        kept = session.get_decoded()
        text = json.dumps(kept, default=str).lower()
        if kept.get("_auth_user_id") == str(user.pk) or any(each in text for each in typed):
            session.delete()


def _forget_mail_files(marks: set[str]) -> None:
    """Mails in a folder, where the shop sends them nowhere else (the demonstration)."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", "") or "/nowhere")
    if not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend") or not folder.is_dir():
        return
    for file in folder.glob("*.log"):
        to = message_from_bytes(file.read_bytes())["To"] or ""
        if mark(parseaddr(str(to))[1]) in marks:
            file.unlink(missing_ok=True)


# After a restore


def reapply(*, at: datetime) -> list[tuple[str, int]]:
    """Repeat every erasure that the tables or the private files know; returns ``[(reference, records changed)]``.

    Only what is older than an erasure is touched. Running it again changes nothing.
    """
    storage = storages["private"]
    names = storage.listdir(_FOLDER)[1] if _has_folder(storage) else []
    for name in sorted(names):
        with storage.open(f"{_FOLDER}/{name}") as file:
            entry = json.loads(file.read())
        Erasure.objects.filter(account=entry["account"], done_at=None).delete()
        Erasure.objects.get_or_create(
            reference=entry["reference"],
            defaults={
                "account": entry["account"],
                "marks": entry["marks"],
                "orders": entry["orders"],
                "asked_at": datetime.fromisoformat(entry["asked_at"]),
                "done_at": datetime.fromisoformat(entry["done_at"]),
                "listed_at": at,
            },
        )
    changed = []
    for erasure in Erasure.objects.exclude(done_at=None).order_by("pk"):
        with transaction.atomic():
            changed.append((erasure.reference, _remove(erasure, at=at)))
        _forget_mail_files(set(erasure.marks))
    return changed


def _has_folder(storage: Any) -> bool:
    try:
        storage.listdir(_FOLDER)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
