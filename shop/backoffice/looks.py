"""What this room's templates show: states with their colour, the story in words, entries in words.

Reads what was fetched; changes nothing and computes no amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from moneyed import Money

from cooperatives.models import HoldLifting, PayoutAccount
from shop.backoffice import naming
from shop.core import rib as ribs
from shop.core.clock import day_of
from shop.core.models import OutboxMessage
from shop.core.money import from_minor
from shop.design.numbers import day_text, isolated, money_text
from shop.design.templatetags.design import ref
from shop.fulfilment.deciding import reason_text
from shop.fulfilment.models import OrderEvent, Shipment
from shop.ledger.chart import CHART
from shop.ledger.models import Account, JournalEntry, Posting
from shop.payments.bank import reasons
from shop.payments.models import BalanceTransaction, Refund
from shop.reconciliation import wording
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, Resolution

#: The colour of a state, whatever has it. What is not named here is grey.
KINDS = {
    # orders and parts
    "awaiting_payment": "wait",
    "confirmed": "ok",
    "ended": "bad",
    "placed": "wait",
    "accepted": "wait",
    "delivered": "ok",
    "released": "ok",
    "declined": "bad",
    "cancelled": "bad",
    "refused": "bad",
    # money
    "awaiting": "wait",
    "paid": "ok",
    "expired": "bad",
    "requested": "wait",
    "sending": "wait",
    "succeeded": "ok",
    "failed": "bad",
    "planned": "wait",
    "approved": "ok",
    "rejected": "bad",
    "asked": "wait",
    "made": "ok",
    "reversed": "bad",
    "closed": "",
    # mails, lines and exceptions
    "waiting": "wait",
    "new": "wait",
    "matched": "ok",
    "explained": "ok",
    "open": "bad",
    "proposed": "wait",
    "settled": "ok",
}


def state(code: str, label: Any) -> dict[str, str]:
    """The coloured word for a state: ``{kind, text}``."""
    return {"kind": KINDS.get(code, ""), "text": str(label)}


# Mails

#: What a mail is about while it has no subject yet: the subject is written when it leaves.
_MAILS = {
    "order.placed": gettext_noop("Order received"),
    "order.confirmed": gettext_noop("Order confirmed"),
    "order.expired": gettext_noop("Order not paid in time"),
    "order.link": gettext_noop("Link to the order"),
    "part.accepted": gettext_noop("Part accepted"),
    "part.declined": gettext_noop("Part declined"),
    "part.cancelled": gettext_noop("Part cancelled"),
    "part.dispatched": gettext_noop("Parcel on its way"),
    "part.delivered": gettext_noop("Parcel delivered"),
    "part.refused": gettext_noop("Parcel refused at the door"),
    "payment.late": gettext_noop("Payment that goes back"),
    "refund.sent": gettext_noop("Refund sent"),
    "refund.taken_off": gettext_noop("Refund that costs the cooperative"),
    "payout.cash_waits": gettext_noop("Cash sales wait for a bank account"),
    "supplier_order.placed": gettext_noop("New order for the cooperative"),
    "supplier_order.reminder": gettext_noop("Reminder to the cooperative"),
    "supplier_order.overdue": gettext_noop("Order the cooperative did not answer"),
    "supplier_order.cancelled": gettext_noop("Order cancelled, to the cooperative"),
    "supplier_order.refused": gettext_noop("Parcel coming back, to the cooperative"),
    "payout.sent": gettext_noop("Payout sent"),
    "payout.rejected": gettext_noop("Payout rejected"),
    "payout_account.proposed": gettext_noop("Payout account proposed"),
    "payout_account.approved": gettext_noop("Payout account approved"),
    "payout_account.refused": gettext_noop("Payout account refused"),
    "payout_account.given_up": gettext_noop("Payout account given up"),
    "payout_account.on_hold": gettext_noop("Payouts on hold"),
    "payout_account.resumed": gettext_noop("Payouts go on"),
    "account.message": gettext_noop("About the account"),
    "newsletter.confirm": gettext_noop("Newsletter: is it you?"),
    "newsletter.issue": gettext_noop("Newsletter"),
    "favourite.back": gettext_noop("Favourite back in stock"),
    "favourite.cheaper": gettext_noop("Favourite that costs less"),
}


def mail_kind(topic: str) -> str:
    """What kind of mail it is, in words."""
    words = _MAILS.get(topic.partition(":")[0])
    return _(words) if words else topic


def mail_title(message: OutboxMessage) -> str:
    """The subject as it left, or what the mail will be about."""
    return message.subject or mail_kind(message.topic)


# Payout accounts


def account(found: PayoutAccount) -> str:
    """An account as screens name it: never the whole number."""
    if found.rail == PayoutAccount.Rail.BANK:
        return ribs.masked(found.rib)
    return found.stripe_account_id or str(found.get_rail_display())


def account_state(found: PayoutAccount, *, at: datetime, current: PayoutAccount | None) -> dict[str, str]:
    """What has become of an account, in a coloured word."""
    is_hold = found.rail == PayoutAccount.Rail.HOLD
    if current is not None and current.pk == found.pk:
        return {"kind": "bad", "text": _("on hold")} if is_hold else {"kind": "ok", "text": _("in use")}
    if found.refused_by_id is not None:
        return {"kind": "bad", "text": _("refused")}
    if found.closed_at is not None or is_hold:
        return {"kind": "", "text": _("over")}
    if found.approved_by_id is None:
        return {"kind": "wait", "text": _("to be checked")}
    if found.usable_from > at:
        return {"kind": "wait", "text": _("approved, waits for its time")}
    if current is not None and current.rail == PayoutAccount.Rail.HOLD:
        return {"kind": "wait", "text": _("approved, waits for the end of the hold")}
    return {"kind": "", "text": _("over")}


def hold_reason(said: str) -> str:
    """Why a cooperative is on hold, for the middle of a sentence: a bank's code in words, with the code."""
    means = reasons.meaning(said)
    return f"{means.rstrip('.')} ({said.strip()})" if means else in_words(said)


def in_words(said: str) -> str:
    """What the shop itself said, in the reader's language; what a person or a bank said as it is."""
    return _(said) if said else ""


def lifting_state(found: HoldLifting) -> dict[str, str]:
    """Whether somebody agreed to lift a hold."""
    if found.approved_at is not None:
        return {"kind": "ok", "text": _("agreed")}
    if found.refused_at is not None:
        return {"kind": "bad", "text": _("not agreed")}
    if found.hold.closed_at is not None:
        return {"kind": "", "text": _("over")}
    return {"kind": "wait", "text": _("waits for a second person")}


# The story of an order

_EVENTS = {
    "order.placed": gettext_noop("The customer placed the order."),
    "order.confirmed": gettext_noop("The order is confirmed."),
    "order.expired": gettext_noop("Not paid in time; its stock can be sold again."),
    "payment.late": gettext_noop("Money arrived that the order cannot take; it goes back."),
    "supplier_order.placed": gettext_noop("%(part)s was given to %(cooperative)s."),
    "supplier_order.accepted": gettext_noop("%(cooperative)s accepted %(part)s."),
    "supplier_order.declined": gettext_noop("%(part)s was declined: %(reason)s."),
    "supplier_order.cancelled": gettext_noop("%(part)s was cancelled: %(reason)s."),
    "supplier_order.dispatched": gettext_noop("%(part)s is on its way."),
    "supplier_order.parcel_corrected": gettext_noop(
        "Carrier or tracking number of %(part)s was corrected: %(number_before)s became %(number)s."
    ),
    "supplier_order.delivered": gettext_noop("%(part)s was delivered (%(proof)s)."),
    "supplier_order.refused": gettext_noop("%(part)s was refused at the door: %(reason)s."),
    "supplier_order.returned": gettext_noop("%(part)s is back with %(cooperative)s."),
    "supplier_order.released": gettext_noop(
        "The return window of %(part)s closed; its price is due to %(cooperative)s."
    ),
    "refund.requested": gettext_noop("Refund %(refund)s of %(amount)s was asked for."),
    "refund.sent": gettext_noop("Refund %(refund)s of %(amount)s is on its way to the customer."),
    "refund.failed": gettext_noop("Refund %(refund)s failed."),
    "refund.tried_again": gettext_noop("Refund %(refund)s is tried again."),
    "order.link_revoked": gettext_noop("Every link sent so far stopped working."),
}
_EVENT_KINDS = {
    "order.confirmed": "ok",
    "order.expired": "bad",
    "supplier_order.accepted": "ok",
    "supplier_order.delivered": "ok",
    "supplier_order.released": "ok",
    "supplier_order.declined": "bad",
    "supplier_order.cancelled": "bad",
    "supplier_order.refused": "bad",
    "refund.failed": "bad",
    "refund.sent": "ok",
    "payment.late": "wait",
}


def told(event: OrderEvent) -> dict[str, Any]:
    """One event as ``design/_story.html`` shows it, in the reader's language."""
    detail = event.detail or {}
    part = event.supplier_order
    words = {
        "part": part.reference if part else "",
        "cooperative": part.cooperative.name if part else "",
        "reason": reason_text(str(detail.get("reason", ""))),
        "refund": detail.get("refund", ""),
        "amount": _amount(detail.get("amount")),
        "proof": _proof(str(detail.get("proof", ""))),
        "number": _parcel_number(detail, ""),
        "number_before": _parcel_number(detail, "_before"),
    }
    sentence = _EVENTS.get(event.kind)
    said = _(sentence) % words if sentence else event.kind
    note = _refund_reason(detail) if event.kind == "refund.requested" else ""
    return {
        "at": event.happened_at,
        "said": said,
        "by": who(event.actor),
        "kind": _EVENT_KINDS.get(event.kind, ""),
        "note": note,
    }


def _parcel_number(detail: dict[str, Any], which: str) -> str:
    """A parcel's carrier and number as an event tells them."""
    told = f"{detail.get(f'carrier{which}', '')} {detail.get(f'tracking_number{which}', '')}"
    return isolated(told.strip())


def disputed(row: BalanceTransaction) -> Money:
    """What the cardholder disputes, in the currency she paid in."""
    source = row.raw["source"]
    return from_minor(int(source["amount"]), str(source["currency"]).upper())


def told_dispute(row: BalanceTransaction) -> dict[str, Any]:
    """A dispute among the events of its order, as ``told`` tells them."""
    said = _("The customer disputes the card payment: %(amount)s.") % {"amount": money_text(disputed(row))}
    return {"at": row.created_at, "said": said, "by": "", "kind": "bad", "note": ""}


def who(actor: str) -> str:
    """Who did it, in words."""
    name, _colon, code = actor.partition(":")
    named = {
        "": "",
        "system": _("by itself"),
        "matcher": _("by itself"),
        "customer": _("the customer"),
        "carrier": _("the carrier %(code)s") % {"code": code},
    }
    return named.get(name, actor)


def _amount(given: Any) -> str:
    if not isinstance(given, dict):
        return ""
    return money_text(from_minor(int(given["minor"]), str(given["currency"])))


def _proof(proof: str) -> str:
    return str(Shipment.Proof(proof).label) if proof in Shipment.Proof.values else proof


def _refund_reason(detail: dict[str, Any]) -> str:
    reason = str(detail.get("reason", ""))
    return str(Refund.Reason(reason).label) if reason in Refund.Reason.values else ""


# The books


def about_what(reference: str) -> Any:
    """What an exception is about: one of our accounts in words with its currency, anything else as it is called."""
    kind, _colon, rest = reference.partition(":")
    if kind in CHART:
        return f"{naming.in_words(reference, naming.owners())}, {rest.rpartition(':')[2]}"
    return ref(reference)


def account_name(account: Account, owners: dict[str, str] | None = None) -> str:
    """An account in words: its kind, and whose it is."""
    owner = (owners or {}).get(account.owner, account.owner)
    return f"{account.title} ({owner})" if owner and account.owner != "main" else str(account.title)


def outside_url(reference: str) -> str:
    """The page of what stands outside the books: a line of the bank's, a row of Stripe's; nothing for the rest."""
    if reference.startswith("L-"):
        return reverse("backoffice:line", args=[reference])
    return reverse("backoffice:stripe_row", args=[reference]) if reference.startswith("txn_") else ""


def posting_row(posting: Posting, owners: dict[str, str] | None = None) -> dict[str, Any]:
    """One amount, the account debited and the account credited."""
    return {
        "debit": account_name(posting.debit, owners),
        "credit": account_name(posting.credit, owners),
        "amount": posting.amount,
        "ext_ref": posting.ext_ref,
        "url": outside_url(posting.ext_ref),
    }


def entries(found: Iterable[JournalEntry], owners: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Journal entries with their postings in words."""
    return [
        {"entry": entry, "postings": [posting_row(each, owners) for each in entry.postings.all()]}
        for entry in found
    ]


# Personal details


def masked_mail(address: str) -> str:
    """Enough to recognise an address by, not enough to write to: ``s…@example.ma``."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}…{at}{domain}" if at else ""


def masked_phone(number: str) -> str:
    """The last two digits of a number."""
    return f"… {number[-2:]}" if number else ""


# Time


def age(since: datetime, *, at: datetime) -> str:
    """How long something has waited, in whole days or hours."""
    passed = max(at - since, timedelta())
    if passed.days:
        return ngettext("%(number)s day", "%(number)s days", passed.days) % {"number": passed.days}
    hours = passed.seconds // 3600
    if not hours:
        return _("less than an hour")
    return ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}


def sums(rows: Sequence[tuple[str, Money]]) -> list[dict[str, Any]]:
    """``[(name, amount)]`` as ``design/_money.html`` wants them."""
    return [{"name": name, "amount": amount} for name, amount in rows]


def text_of(amount: Money) -> str:
    """An amount without mark-up, for sentences."""
    return money_text(amount)


# Exceptions

#: What an exception's detail says, in words. What is not named here is for machines.
_DETAILS = {
    "reason": gettext_noop("Reason"),
    "batch": gettext_noop("Batch"),
    "cooperative": gettext_noop("Cooperative"),
    "tracking": gettext_noop("Tracking number"),
    "parcel": gettext_noop("Parcel"),
    "parcels": gettext_noop("Parcels"),
    "shipment": gettext_noop("Parcel"),
    "remittance": gettext_noop("Remittance"),
    "candidates": gettext_noop("It could be"),
    "line": gettext_noop("Line"),
    "text": gettext_noop("Text"),
    "since": gettext_noop("Since"),
    "until": gettext_noop("Statements read up to"),
    "category": gettext_noop("At Stripe"),
    "order": gettext_noop("Order"),
    "due": gettext_noop("Was due on"),
    "bearer": gettext_noop("Borne by"),
    "reference": gettext_noop("Belongs to"),
    "debit": gettext_noop("Account to debit"),
    "credit": gettext_noop("Account to credit"),
    "memo": gettext_noop("Memo"),
}


def exception_row(discrepancy: Discrepancy, *, at: datetime) -> dict[str, Any]:
    """An exception with its age, what to do first, and what usually settles it in the books."""
    books = discrepancy.suggestion != Action.NOTE_ONLY
    advice = wording.advice(discrepancy)
    return {
        "discrepancy": discrepancy,
        "state": state(discrepancy.state, discrepancy.get_state_display()),
        "age": age(discrepancy.opened_at, at=at),
        "advice": advice,
        "suggestion": action(discrepancy.suggestion) if books else advice,
        "books": books,
        "is_late": discrepancy.due_on < day_of(at) and discrepancy.state != Discrepancy.State.SETTLED,
    }


def action(code: str) -> str:
    """What is to be done about an exception, in words."""
    return str(Action(code).label) if code in Action.values else code


def details(
    given: dict[str, Any], names: dict[str, str] | None = None, *, reason: str = ""
) -> list[dict[str, str]]:
    """What is known about an exception, as ``[{name, value}]``; ``reason`` is its reason in words."""
    found = []
    known = names or {}
    for key, value in given.items():
        if key not in _DETAILS or value in ("", None):
            continue
        if key == "reason":
            value = reason or value
        elif key == "category":
            value = wording.category_text(str(value))
        elif key == "cooperative":
            value = known.get(str(value), value)
        elif key in ("since", "due", "until"):
            value = day_text(date.fromisoformat(str(value)))
        elif isinstance(value, list):
            value = ", ".join(str(each) for each in value)
        elif key in ("debit", "credit"):
            value = naming.in_words(str(value), names)
        found.append({"name": _(_DETAILS[key]), "value": str(value)})
    return found


def resolution_details(resolution: Resolution, names: dict[str, str]) -> list[dict[str, str]]:
    """What exactly was proposed."""
    return details(resolution.details, names)
