"""What the books and the payouts say of one cooperative's money. Only reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext
from moneyed import MAD, Money

from cooperatives import payout_accounts
from cooperatives.models import Cooperative, PayoutAccount
from shop.core.money import from_minor, total, zero
from shop.fulfilment.models import SupplierOrder
from shop.ledger import accounts
from shop.ledger.balances import balances
from shop.ledger.models import Posting
from shop.payments import refunding, waiting_cash
from shop.payments.bank.reasons import reason_text
from shop.payments.models import Payout, Refund
from shop.payments.owing import owing

#: Where a cooperative's money of one part stands; what it owes counts against it.
_OWN = ("producer_held", "producer_payable", "producer_receivable")


@dataclass(frozen=True)
class Sums:
    """Where a cooperative's money stands now."""

    held: Money
    payable: Money
    on_its_way: Money
    owed_to_us: Money
    paid: Money
    #: Of what is due, so much is from cash sales that Stripe cannot carry.
    cash_waits: Money
    #: Why nothing is sent at all, in the reader's language; empty when payouts go their way.
    stopped_by: str = ""

    @property
    def next_payout(self) -> Money:
        """What the next payout brings: what is due and can travel, less what earlier refunds left owing."""
        return max(self.payable - self.cash_waits - self.owed_to_us, zero(self.payable.currency))


def stopped_by(account: PayoutAccount | None) -> str:
    """Why nothing is sent to an account, in the reader's language; what somebody wrote freely stays as it is."""
    if account is None:
        return ""
    if account.rail == PayoutAccount.Rail.HOLD:
        said = reason_text(account.reason)
        return gettext(said) if said else gettext("we are looking into it")
    if account.rail == PayoutAccount.Rail.STRIPE and not account.transfers_active:
        return gettext("Stripe does not let this account receive money yet")
    return ""


def sums_of(*, cooperative: Cooperative, at: datetime) -> Sums:
    """As the books have it this moment."""
    code = cooperative.code
    stand = balances(owner=code)
    nothing = zero(MAD)
    arrived = Payout.objects.filter(cooperative=cooperative, state=Payout.State.PAID)
    return Sums(
        held=stand.get(accounts.producer_held(code, MAD).code, nothing),
        payable=stand.get(accounts.producer_payable(code, MAD).code, nothing),
        on_its_way=stand.get(accounts.payout_in_flight(code, MAD).code, nothing),
        owed_to_us=stand.get(accounts.producer_receivable(code, MAD).code, nothing),
        paid=total([each.amount for each in arrived]),
        cash_waits=waiting_cash.waiting(cooperative=cooperative, at=at),
        stopped_by=stopped_by(payout_accounts.current(cooperative=cooperative, at=at)),
    )


@dataclass(frozen=True)
class Gives:
    """One part told apart: ``goods - refunded = kept + receives``, with what refunds left of each."""

    goods: Money
    refunded: Money
    commission_net: Money
    commission_vat: Money
    solidarity: Money
    receives: Money

    @property
    def remaining(self) -> Money:
        """The goods the customer keeps."""
        return self.goods - self.refunded

    @property
    def kept(self) -> Money:
        """Commission, solidarity, and a delivery the cooperative bore."""
        return self.remaining - self.receives


def gives(parts: Sequence[SupplierOrder]) -> dict[str, Gives]:
    """What is kept of parts and what their cooperative receives: ``{reference: …}``, refunds taken off.

    What is received is what the books say; before the first entry (cash at the door), what was frozen, and
    nothing of a part that came to nothing.
    """
    stand = _stand([each.reference for each in parts])
    gone = {
        row["supplier_order"]: row
        for row in Refund.objects.filter(supplier_order__in=[each.pk for each in parts])
        .order_by()
        .values("supplier_order")
        .annotate(
            goods=Sum("goods_minor"),
            commission=Sum("commission_minor"),
            vat=Sum("commission_vat_minor"),
            solidarity=Sum("solidarity_minor"),
        )
    }
    return {each.reference: _gives(each, stand.get(each.reference), gone.get(each.pk, {})) for each in parts}


def _gives(part: SupplierOrder, stand: int | None, gone: dict[str, Any]) -> Gives:
    def left(minor: int, name: str) -> Money:
        return from_minor(minor - gone.get(name, 0), part.currency)

    share = part.producer_share_minor if stand is None else stand
    refunded = from_minor(gone.get("goods", 0), part.currency)
    if part.ended_at:
        # What was paid goes back, nothing is received; unless by rule the cooperative bore the delivery.
        nothing = zero(part.currency)
        receives = from_minor(min(stand or 0, 0), part.currency)
        return Gives(refunded, refunded, nothing, nothing, nothing, receives)
    return Gives(
        goods=part.goods,
        refunded=refunded,
        commission_net=left(part.commission_net_minor, "commission")
        + from_minor(gone.get("vat", 0), part.currency),
        commission_vat=left(part.commission_vat_minor, "vat"),
        solidarity=left(part.solidarity_minor, "solidarity"),
        receives=from_minor(share, part.currency),
    )


def _stand(references: Sequence[str]) -> dict[str, int]:
    """What the books hold, owe, have paid, less what is owed back, in minor units. Payouts are not counted."""
    found: dict[str, int] = defaultdict(int)
    postings = Posting.objects.filter(entry__supplier_order__in=references)
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = postings.filter(**{f"{side}__kind__in": _OWN}).values("entry__supplier_order")
        for row in rows.annotate(minor=Sum("amount_minor")).order_by():
            found[row["entry__supplier_order"]] += sign * row["minor"]
    return dict(found)


@dataclass(frozen=True)
class GivenBack:
    """One refund as the cooperative sees it. ``taken_by`` are the payouts it came off; ``left`` still has to."""

    refund: Refund
    goods: str
    share: Money
    left: Money
    taken_by: tuple[str, ...]


def given_back(*, part: SupplierOrder) -> list[GivenBack]:
    """Every refund of a part, the oldest first, with what it cost the cooperative and where that came off."""
    refunds = list(part.refunds.order_by("requested_at", "pk"))
    owed = owing(cooperative=part.cooperative.code, currency=part.currency) if refunds else None
    found = []
    for refund in refunds:
        debt = next((each for each in owed.debts if each.about == refund.reference), None) if owed else None
        found.append(
            GivenBack(
                refund=refund,
                goods=refunding.goods_said(refund),
                share=from_minor(refunding.share_of(refund), refund.currency),
                left=debt.left if debt else zero(refund.currency),
                taken_by=tuple(owed.payouts_of(debt)) if owed and debt else (),
            )
        )
    return found
