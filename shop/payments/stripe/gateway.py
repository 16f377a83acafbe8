"""The one gateway to Stripe: our types in, our types out, its failures translated.

Never call it inside a database transaction: an answer cannot be rolled back, and a lock would be held
for as long as Stripe takes. Every call refuses to (``InsideATransaction``). Calls that create something
take a ``key``; the same key again gives the same thing.

Stripe's objects are no dictionaries any more: attributes or ``to_dict()``, never ``.get``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings
from django.db import connection
from moneyed import Money

from shop.core.money import from_minor, to_minor
from shop.payments.stripe.errors import (
    AnswerUnknown,
    BalanceTooLow,
    CapabilityMissing,
    NotAtStripe,
    StripeRefused,
    StripeUnavailable,
)

#: Seconds until an unanswered call counts as unanswered.
PATIENCE = 20
_PAGE = 100
_REFUSALS: dict[str, type[StripeRefused]] = {
    "resource_missing": NotAtStripe,
    "insufficient_capabilities_for_transfer": CapabilityMissing,
    "balance_insufficient": BalanceTooLow,
}


class InsideATransaction(Exception):
    """A bug: Stripe was to be asked while a database transaction was open."""


# What we tell and are told


@dataclass(frozen=True, kw_only=True)
class PageLine:
    """What the customer reads on the hosted page: so many of a thing. The page multiplies, as Stripe's does."""

    name: str
    unit: Money
    quantity: int = 1

    @property
    def amount(self) -> Money:
        """What the whole line comes to."""
        return self.unit * self.quantity


@dataclass(frozen=True, kw_only=True)
class Urls:
    """Where the hosted page sends the customer; neither proves anything."""

    paid: str
    given_up: str


@dataclass(frozen=True, kw_only=True)
class Session:
    """One hosted page. ``status`` is open, complete or expired."""

    id: str
    status: str
    is_paid: bool
    url: str
    payment_intent_id: str
    amount: Money


@dataclass(frozen=True, kw_only=True)
class CardPayment:
    """Money taken from a card. ``order`` is the number our session carried; ``received`` may be nothing."""

    id: str
    charge_id: str
    is_paid: bool
    received: Money
    order: str


@dataclass(frozen=True, kw_only=True)
class SentRefund:
    """A refund as Stripe sees it: pending, succeeded, failed, canceled or requires_action."""

    id: str
    status: str
    failure: str
    amount: Money
    reference: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Transfer:
    id: str
    amount: Money
    key: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a balance transaction is about, as far as we need it. ``metadata`` is what we wrote on it."""

    kind: str = ""
    id: str = ""
    amount: Money | None = None
    status: str = ""
    payment_intent_id: str = ""
    transfer_id: str = ""
    failure: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BalanceRow:
    """One balance transaction. Amounts are signed; ``raw`` holds no personal data."""

    id: str
    category: str
    kind: str
    amount: Money
    fee: Money
    net: Money
    exchange_rate: Decimal | None
    created_at: datetime
    available_on: date | None
    source: Source
    raw: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Event:
    id: str
    kind: str
    api_version: str
    created_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DepositSeen:
    id: str
    status: str
    amount: Money
    trace_id: str
    is_automatic: bool
    is_reconciled: bool
    created_at: datetime
    arrives_on: date | None
    failure: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class AccountStatus:
    """A connected account. Only an active capability counts, not that the account exists."""

    id: str
    transfers_active: bool
    details_submitted: bool
    is_due: tuple[str, ...]


# Customers' payments


def open_checkout(
    *,
    order: str,
    amount: Money,
    lines: Iterable[PageLine],
    urls: Urls,
    key: str,
    expires_at: datetime,
    language: str,
    email: str,
) -> Session:
    """Open a hosted page for one order. Its lines must come to ``amount``.

    One PaymentIntent for the order, with ``transfer_group``; the money is split among cooperatives later.
    Source: https://docs.stripe.com/connect/separate-charges-and-transfers
    """
    shown = list(lines)
    if sum((each.amount for each in shown[1:]), shown[0].amount) != amount:
        raise ValueError(f"the lines of {order} do not come to {amount}")
    currency = amount.currency.code.lower()
    ours = {"order": order, "attempt": key}
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": order,
        "line_items": [
            {
                "quantity": each.quantity,
                "price_data": {
                    "currency": currency,
                    "unit_amount": to_minor(each.unit),
                    "product_data": {"name": each.name[:250]},
                },
            }
            for each in shown
        ],
        "metadata": {**ours, "locale": language},
        "payment_intent_data": {"metadata": ours, "transfer_group": group_of(order)},
        "success_url": urls.paid,
        "cancel_url": urls.given_up,
        "expires_at": int(expires_at.timestamp()),
        # Stripe's page speaks no Arabic; "auto" follows the browser.
        "locale": language if language in ("fr", "en") else "auto",
    }
    if email:
        params["customer_email"] = email
    with _asking("open a checkout page"):
        return _session(_client().v1.checkout.sessions.create(params, {"idempotency_key": key}))  # type: ignore[arg-type]


def read_session(*, session: str) -> Session:
    """Raises NotAtStripe for an unknown id."""
    with _asking("read a checkout page"):
        return _session(_client().v1.checkout.sessions.retrieve(session))


def expire_session(*, session: str) -> Session:
    """Nobody can pay on this page any more. Raises StripeRefused when it is complete or expired already."""
    with _asking("expire a checkout page"):
        return _session(_client().v1.checkout.sessions.expire(session))


def read_payment(*, payment_intent: str) -> CardPayment:
    """The present state of a payment, whatever a webhook or a return page said."""
    with _asking("read a payment"):
        intent = _client().v1.payment_intents.retrieve(payment_intent)
    return CardPayment(
        id=intent.id,
        charge_id=_id(intent.latest_charge),
        is_paid=intent.status == "succeeded",
        received=from_minor(intent.amount_received or 0, intent.currency),
        order=_metadata(intent).get("order", ""),
    )


def refund(*, payment_intent: str, amount: Money, reference: str, order: str, key: str) -> SentRefund:
    """Give money back to the card. Transfers made from the payment are not touched."""
    params: dict[str, Any] = {
        "payment_intent": payment_intent,
        "amount": to_minor(amount),
        "metadata": {"refund": reference, "order": order, "key": key},
    }
    with _asking("refund"):
        return _refund(_client().v1.refunds.create(params, {"idempotency_key": key}))  # type: ignore[arg-type]


def read_refund(*, refund: str) -> SentRefund:
    """Raises NotAtStripe for an unknown id."""
    with _asking("read a refund"):
        return _refund(_client().v1.refunds.retrieve(refund))


def find_refund(*, payment_intent: str, key: str) -> SentRefund | None:
    """The refund that was asked for under this key, if Stripe made it."""
    with _asking("look a refund up"):
        found = _client().v1.refunds.list({"payment_intent": payment_intent, "limit": _PAGE})
        for each in map(_refund, found.auto_paging_iter()):
            if each.key == key:
                return each
    return None


# Payouts


def transfer(
    *,
    amount: Money,
    destination: str,
    source_transaction: str,
    transfer_group: str,
    metadata: Mapping[str, str],
    key: str,
) -> Transfer:
    """Move money to a connected account, out of one charge; ``amount`` is in the charge's settled currency.

    Tied to the charge it is accepted before its money is free, and no deposit can sweep it away first.
    Raises CapabilityMissing when the account may not receive it. ``metadata`` carries ``key``.
    Source: https://docs.stripe.com/connect/separate-charges-and-transfers
    """
    params: dict[str, Any] = {
        "amount": to_minor(amount),
        "currency": amount.currency.code.lower(),
        "destination": destination,
        "source_transaction": source_transaction,
        "transfer_group": transfer_group,
        "metadata": {**metadata, "key": key},
    }
    with _asking("transfer"):
        return _transfer(_client().v1.transfers.create(params, {"idempotency_key": key}))  # type: ignore[arg-type]


def find_transfer(*, transfer_group: str, key: str) -> Transfer | None:
    """The transfer that was asked for under this key, if Stripe made it."""
    with _asking("look a transfer up"):
        found = _client().v1.transfers.list({"transfer_group": transfer_group, "limit": _PAGE})
        for each in map(_transfer, found.auto_paging_iter()):
            if each.key == key:
                return each
    return None


def group_of(order: str) -> str:
    """The label that charge, refunds and transfers of one order share."""
    return f"ORDER_{order}"


# The balance


def list_balance_transactions(*, created_gte: datetime | None = None) -> list[BalanceRow]:
    """Every row of the balance created since then, oldest first.

    Never filtered by ``available_on``: Stripe withdrew that for timeouts.
    """
    params: dict[str, Any] = {"limit": _PAGE, "expand": ["data.source"]}
    if created_gte is not None:
        params["created"] = {"gte": int(created_gte.timestamp())}
    with _asking("list balance transactions"):
        found = _client().v1.balance_transactions.list(params)  # type: ignore[arg-type]
        rows = [_row(each.to_dict(for_json=True)) for each in found.auto_paging_iter()]
    return rows[::-1]


def read_balance() -> dict[str, tuple[Money, Money]]:
    """``{currency code: (available, pending)}``, as Stripe states it now."""
    with _asking("read the balance"):
        balance = _client().v1.balance.retrieve()
    parts: dict[str, list[int]] = {}
    for available in balance.available:
        parts.setdefault(available.currency, [0, 0])[0] += available.amount
    for pending in balance.pending:
        parts.setdefault(pending.currency, [0, 0])[1] += pending.amount
    return {
        code.upper(): (from_minor(free, code), from_minor(waiting, code))
        for code, (free, waiting) in parts.items()
    }


def list_deposits(*, created_gte: datetime | None = None) -> list[DepositSeen]:
    """Deposits made since then, oldest first."""
    params: dict[str, Any] = {"limit": _PAGE}
    if created_gte is not None:
        params["created"] = {"gte": int(created_gte.timestamp())}
    with _asking("list deposits"):
        found = _client().v1.payouts.list(params)  # type: ignore[arg-type]
        return [_deposit(each) for each in found.auto_paging_iter()][::-1]


def read_deposit(*, deposit: str) -> DepositSeen:
    """Raises NotAtStripe for an unknown id."""
    with _asking("read a deposit"):
        return _deposit(_client().v1.payouts.retrieve(deposit))


def deposit_contents(*, deposit: str) -> list[str]:
    """Ids of the balance transactions in an automatic deposit, its own row among them."""
    with _asking("list a deposit's contents"):
        found = _client().v1.balance_transactions.list({"payout": deposit, "limit": _PAGE})
        return [each.id for each in found.auto_paging_iter()]


def list_events(*, created_gte: datetime, kinds: frozenset[str]) -> list[Event]:
    """Events of these kinds since then, oldest first: what the webhooks should have told us."""
    with _asking("list events"):
        found = _client().v1.events.list({"created": {"gte": int(created_gte.timestamp())}, "limit": _PAGE})
        events = [
            Event(
                id=each.id,
                kind=each.type,
                api_version=each.api_version or "",
                created_at=_moment(each.created),
                payload=each.to_dict(for_json=True),
            )
            for each in found.auto_paging_iter()
            if each.type in kinds
        ]
    return events[::-1]


# Connected accounts


def create_account(*, cooperative: str, email: str, country: str, key: str) -> str:
    """Open a connected account that may only receive transfers; returns its id."""
    params: dict[str, Any] = {
        "country": country,
        "capabilities": {"transfers": {"requested": True}},
        "controller": {
            "fees": {"payer": "application"},
            "losses": {"payments": "application"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "express"},
        },
        "tos_acceptance": {"service_agreement": "recipient"},
        "metadata": {"cooperative": cooperative},
    }
    if email:
        params["email"] = email
    with _asking("open an account"):
        return _client().v1.accounts.create(params, {"idempotency_key": key}).id  # type: ignore[arg-type]


def onboarding_link(*, account: str, done_url: str, again_url: str) -> str:
    """Where the cooperative proves to Stripe who it is. Valid for some minutes only."""
    with _asking("make an onboarding link"):
        link = _client().v1.account_links.create(
            {
                "account": account,
                "type": "account_onboarding",
                "return_url": done_url,
                "refresh_url": again_url,
            }
        )
    return link.url


def account_status(*, account: str) -> AccountStatus:
    """What Stripe itself says about an account. Raises NotAtStripe."""
    with _asking("read an account"):
        found = _client().v1.accounts.retrieve(account)
    given = found.to_dict(for_json=True)
    return AccountStatus(
        id=found.id,
        transfers_active=(given.get("capabilities") or {}).get("transfers") == "active",
        details_submitted=bool(given.get("details_submitted")),
        is_due=tuple((given.get("requirements") or {}).get("currently_due") or ()),
    )


# The client


_http_client: stripe.HTTPClient | None = None


@contextmanager
def speaking_through(http_client: stripe.HTTPClient) -> Iterator[None]:
    """For tests: every call goes through this client instead of the network."""
    global _http_client
    before, _http_client = _http_client, http_client
    try:
        yield
    finally:
        _http_client = before


def _client() -> stripe.StripeClient:
    return _make_client(settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, _http_client)


@lru_cache(maxsize=4)
def _make_client(key: str, base: str, http_client: stripe.HTTPClient | None) -> stripe.StripeClient:
    """The version of the API is the one the library pins."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else None,
        http_client=http_client or stripe.RequestsClient(timeout=PATIENCE),
        max_network_retries=2,
    )


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Refuse to ask inside a transaction, and translate how asking failed."""
    blocks = connection.atomic_blocks
    # The transaction a test is wrapped in is not one of the shop's; Django tells them apart like this too.
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise InsideATransaction(what)
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise StripeUnavailable(f"Stripe did not answer ({what})") from error
    except (stripe.CardError, stripe.InvalidRequestError, stripe.PermissionError) as error:
        refusal = _REFUSALS.get(error.code or "", StripeRefused)
        raise refusal(error.user_message or what, error.code or "") from error
    except stripe.IdempotencyError as error:
        if error.code == "idempotency_key_in_use":
            raise StripeUnavailable(f"Stripe is still working on it ({what})") from error
        # The key went out with other parameters before. Nothing was done now; what was done then is unknown.
        raise AnswerUnknown(f"Stripe knows the key for something else ({what})") from error
    except stripe.AuthenticationError as error:
        raise StripeUnavailable(f"Stripe does not know our key ({what})") from error
    except stripe.StripeError as error:
        raise AnswerUnknown(f"Stripe failed ({what})") from error


# From Stripe's shapes to ours


def _session(session: stripe.checkout.Session) -> Session:
    return Session(
        id=session.id,
        status=session.status or "",
        is_paid=session.payment_status == "paid",
        url=session.url or "",
        payment_intent_id=_id(session.payment_intent),
        amount=from_minor(session.amount_total or 0, session.currency or settings.SHOP_CURRENCY),
    )


def _refund(refund: stripe.Refund) -> SentRefund:
    return SentRefund(
        id=refund.id,
        status=refund.status or "",
        failure=str(getattr(refund, "failure_reason", "") or ""),
        amount=from_minor(refund.amount, refund.currency),
        reference=_metadata(refund).get("refund", ""),
        key=_metadata(refund).get("key", ""),
    )


def _transfer(transfer: stripe.Transfer) -> Transfer:
    return Transfer(
        id=transfer.id,
        amount=from_minor(transfer.amount, transfer.currency),
        key=_metadata(transfer).get("key", ""),
    )


#: What is kept of the thing a balance transaction is about: never names, addresses, cards.
_KEPT_OF_SOURCE = (
    "id", "object", "amount", "currency", "status", "payment_intent", "charge", "transfer", "transfer_group",
    "failure_reason", "metadata",
)  # fmt: skip


def _row(given: dict[str, Any]) -> BalanceRow:
    source = given.get("source")
    whole = source if isinstance(source, dict) else {"id": source or ""}
    kept = {name: whole[name] for name in _KEPT_OF_SOURCE if name in whole}
    currency = given["currency"]
    rate = given.get("exchange_rate")
    return BalanceRow(
        id=given["id"],
        category=given["reporting_category"],
        kind=given["type"],
        amount=from_minor(given["amount"], currency),
        fee=from_minor(given["fee"], currency),
        net=from_minor(given["net"], currency),
        exchange_rate=None if rate is None else Decimal(str(rate)),
        created_at=_moment(given["created"]),
        available_on=_moment(given["available_on"]).date() if given.get("available_on") else None,
        source=source_of(kept),
        raw={**given, "source": kept},
    )


def source_of(kept: Mapping[str, Any]) -> Source:
    """What a mirrored row remembers of its source."""
    amount = kept.get("amount")
    return Source(
        kind=kept.get("object", ""),
        id=kept.get("id", ""),
        amount=None if amount is None else from_minor(amount, kept.get("currency", "")),
        status=kept.get("status") or "",
        payment_intent_id=_id(kept.get("payment_intent")),
        transfer_id=_id(kept.get("transfer")),
        failure=kept.get("failure_reason") or "",
        metadata=kept.get("metadata") or {},
    )


def _deposit(payout: stripe.Payout) -> DepositSeen:
    given = payout.to_dict(for_json=True)
    trace = given.get("trace_id") or {}
    return DepositSeen(
        id=payout.id,
        status=payout.status,
        amount=from_minor(payout.amount, payout.currency),
        trace_id=trace.get("value") or "",
        is_automatic=payout.automatic,
        is_reconciled=given.get("reconciliation_status") == "completed",
        created_at=_moment(payout.created),
        arrives_on=_moment(payout.arrival_date).date() if payout.arrival_date else None,
        failure=given.get("failure_code") or "",
        raw=given,
    )


def _id(thing: Any) -> str:
    """The id of something that stands as an id, expanded, or not at all."""
    if thing is None or isinstance(thing, str):
        return thing or ""
    return str(thing["id"] if isinstance(thing, dict) else thing.id)


def _metadata(thing: Any) -> dict[str, str]:
    found = thing.metadata
    if found is None:
        return {}
    return dict(found) if isinstance(found, dict) else dict(found.to_dict())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
