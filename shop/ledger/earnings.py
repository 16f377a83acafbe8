"""What a cooperative earned of its sales, read from the books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, Sum
from moneyed import Money

from shop.core.money import from_minor
from shop.ledger import accounts
from shop.ledger.models import JournalEntry, Posting

Kind = JournalEntry.Kind

#: Where a cooperative's part of a price stands, before, at and after its payout.
_THEIRS = ("producer_held", "producer_payable", "producer_receivable")
#: Where customers' money comes from and goes back to; and where our commission stands with its VAT.
_CUSTOMERS = ("customer_funds", "refund_payable")
_COMMISSION = ("commission_held", "commission", "vat_output")
_FUND = ("solidarity_fund",)


@dataclass(frozen=True)
class Earned:
    """Completed sales and what became of their goods' price, less what went back. Delivery is never inside.

    ``goods = share + commission_net + commission_vat + solidarity``.
    """

    sales: int
    goods: Money
    share: Money
    commission_net: Money
    commission_vat: Money
    solidarity: Money

    @property
    def rate(self) -> Decimal | None:
        """The part of each dirham that the cooperative earned; None while nothing was sold."""
        return self.share.amount / self.goods.amount if self.goods.amount else None


def earned(*, cooperative: str, since: date, until: date, currency: str = "MAD") -> Earned:
    """The sales completed from ``since`` to ``until``, both days included: their return window closed then.

    Their confirmations, releases and refunds count, with whatever reverses these.
    """
    completed = JournalEntry.objects.filter(
        kind=Kind.RELEASE,
        effective_on__gte=since,
        effective_on__lte=until,
        reversed_by=None,
        postings__credit__code=accounts.producer_payable(cooperative, currency).code,
    ).values("supplier_order")
    kinds = (Kind.CONFIRMATION, Kind.RELEASE, Kind.REFUND)
    to_them = Q(credit__kind__in=_THEIRS, credit__owner=cooperative)
    from_them = Q(debit__kind__in=_THEIRS, debit__owner=cooperative)
    # Each sum: what raises it, what lowers it.
    wanted = {
        "goods": (
            Q(debit__kind__in=_CUSTOMERS) & to_them,
            from_them & Q(credit__kind__in=_CUSTOMERS),
        ),
        "commission": (
            from_them & Q(credit__kind__in=_COMMISSION),
            Q(debit__kind__in=_COMMISSION) & to_them,
        ),
        "vat": (
            Q(debit__kind="commission_held", credit__kind="vat_output"),
            Q(debit__kind="vat_output") & (to_them | Q(credit__kind="commission_held")),
        ),
        "solidarity": (
            from_them & Q(credit__kind__in=_FUND),
            Q(debit__kind__in=_FUND) & to_them,
        ),
    }
    found = Posting.objects.filter(
        Q(entry__kind__in=kinds) | Q(entry__kind=Kind.REVERSAL, entry__reverses__kind__in=kinds),
        currency=currency,
        entry__supplier_order__in=completed,
    ).aggregate(
        sales=Count("entry__supplier_order", distinct=True),
        **{
            f"{name}_{way}": Sum("amount_minor", filter=which, default=0)
            for name, both in wanted.items()
            for way, which in zip(("up", "down"), both, strict=True)
        },
    )
    net = {name: found[f"{name}_up"] - found[f"{name}_down"] for name in wanted}
    return Earned(
        sales=found["sales"],
        goods=from_minor(net["goods"], currency),
        share=from_minor(net["goods"] - net["commission"] - net["solidarity"], currency),
        commission_net=from_minor(net["commission"] - net["vat"], currency),
        commission_vat=from_minor(net["vat"], currency),
        solidarity=from_minor(net["solidarity"], currency),
    )
