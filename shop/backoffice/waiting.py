"""What waits for an operator: counted from the tables, gone when it is seen to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.urls import reverse
from django.utils.translation import gettext as _

from cooperatives.models import HoldLifting, PayoutAccount
from shop.core.clock import day_of
from shop.core.models import OutboxMessage
from shop.fulfilment.models import Review, Shipment, SupplierOrder
from shop.payments import payouts
from shop.payments.models import BalanceTransaction, LatePayment, PayoutRun, Refund, StripeEvent
from shop.reconciliation.models import Discrepancy


@dataclass(frozen=True)
class Waiting:
    """One kind of thing that waits: how many, and where they are."""

    number: int
    what: str
    url: str
    said: str = ""
    permission: str = "enter"


# What is on the lists


def overdue_acceptances(*, at: datetime) -> QuerySet[SupplierOrder]:
    """Placed, and the cooperative let its deadline pass: the next sweep declines them."""
    return SupplierOrder.objects.overdue_for_acceptance(at=at)


def silent_cash_parcels(*, at: datetime) -> QuerySet[Shipment]:
    """Parcels with cash to collect of which nobody has heard for days: nothing assumes them delivered."""
    since = at - timedelta(days=settings.AUTOMATIC_DELIVERY_DAYS)
    return Shipment.objects.silent_since(since).exclude(cash_to_collect_minor=0)


def late_payments() -> QuerySet[LatePayment]:
    """Money that no order can take and that is not back with its customer yet."""
    return LatePayment.objects.filter(Q(refund=None) | ~Q(refund__state=Refund.State.SUCCEEDED))


def refunds_past_due(*, at: datetime) -> QuerySet[Refund]:
    """Not arrived although the law's days are over."""
    return Refund.objects.exclude(state=Refund.State.SUCCEEDED).filter(due_on__lt=day_of(at))


def failed_refunds() -> QuerySet[Refund]:
    """The card's bank, or ours, did not take them: the money is still owed."""
    return Refund.objects.filter(state=Refund.State.FAILED)


def failed_messages() -> QuerySet[OutboxMessage]:
    """Mails that were tried as often as they are tried, and that nobody has sent again since."""
    again = OutboxMessage.objects.filter(key__startswith=Concat(OuterRef("key"), Value(":again:")))
    return OutboxMessage.objects.filter(~Exists(again), state=OutboxMessage.State.FAILED)


def reviews_to_read() -> QuerySet[Review]:
    """Customers wrote them; nobody sees them before an operator has read them."""
    return Review.objects.waiting()


def runs_to_approve() -> QuerySet[PayoutRun]:
    """Payouts planned by one person that wait for another."""
    return PayoutRun.objects.filter(state=PayoutRun.State.PLANNED)


def runs_to_give_up() -> QuerySet[PayoutRun]:
    """Somebody asked that a run be given up whose file was downloaded; it takes another person."""
    return PayoutRun.objects.giving_up_waits()


def cooperatives_the_books_hold_back(*, at: datetime) -> int:
    """How many have something due that is not planned, since the books say less is due to them."""
    held_back = [each for each in payouts.left_out(at=at) if each.why == payouts.Why.BOOKS_SAY_LESS]
    return len({each.cooperative.pk for each in held_back})


def accounts_to_check() -> QuerySet[PayoutAccount]:
    """Where cooperatives want their money: nothing goes there before somebody has looked."""
    return PayoutAccount.objects.to_check()


def liftings_to_agree() -> QuerySet[HoldLifting]:
    """Somebody asked that a cooperative be paid again; it takes another person."""
    return HoldLifting.objects.waiting()


# Their numbers


def _kinds_of_exceptions() -> str:
    """What is open, by kind: an exception need not be a difference between books and statements."""
    kinds = Discrepancy.objects.filter(state=Discrepancy.State.OPEN).order_by("kind")
    found = [str(Discrepancy.Kind(each).label) for each in kinds.values_list("kind", flat=True).distinct()]
    return _("Nobody has said yet how to settle them: %(kinds)s.") % {"kinds": " · ".join(found)}


def beside_places(may: Mapping[str, bool]) -> dict[str, int]:
    """The few numbers that stand beside the places of the room, of those this person sees."""
    counts = {}
    if may["support"]:
        counts["outbox"] = failed_messages().count()
    if may["curate"]:
        counts["reviews"] = reviews_to_read().count()
    if may["read_money"]:
        counts["payouts"] = sum(
            each.count()
            for each in (runs_to_approve(), runs_to_give_up(), accounts_to_check(), liftings_to_agree())
        )
        counts["reconciliation"] = Discrepancy.objects.unsettled().count()
    return counts


def everything(*, at: datetime, may: Mapping[str, bool]) -> list[Waiting]:
    """Every kind of thing that can wait, of those this person sees, with its number; most pressing first."""
    orders, outbox = reverse("backoffice:orders"), reverse("backoffice:outbox")
    discrepancies, runs = reverse("backoffice:discrepancies"), reverse("backoffice:payouts")
    proposed = Discrepancy.objects.filter(state=Discrepancy.State.PROPOSED)
    rows = [
        Waiting(
            runs_to_approve().count(),
            _("Payouts to approve"),
            runs,
            _("Planned by one person; another one reads the file and agrees."),
            "read_money",
        ),
        Waiting(
            runs_to_give_up().count(),
            _("Payouts somebody wants to give up"),
            runs,
            _(
                "The file was downloaded; somebody who did not download it makes sure the bank was not given it."
            ),
            "read_money",
        ),
        Waiting(
            cooperatives_the_books_hold_back(at=at) if may["prepare_money"] else 0,
            _("Cooperatives whose books say less is due"),
            reverse("backoffice:plan_run"),
            _("Nothing of theirs is planned until somebody has found out why."),
            "prepare_money",
        ),
        Waiting(
            accounts_to_check().count(),
            _("Payout accounts to check"),
            reverse("backoffice:accounts"),
            _("A cooperative proposed where its money goes; compare it with the papers."),
            "read_money",
        ),
        Waiting(
            liftings_to_agree().count(),
            _("Holds somebody wants to lift"),
            reverse("backoffice:accounts"),
            _("One person asked that a cooperative be paid again; it takes a second one."),
            "read_money",
        ),
        Waiting(
            proposed.count(),
            _("Resolutions to approve"),
            f"{discrepancies}?state=proposed",
            _("Somebody proposed how to settle an exception; it takes a second person."),
            "read_money",
        ),
        Waiting(
            Discrepancy.objects.filter(state=Discrepancy.State.OPEN).count(),
            _("Exceptions to settle"),
            discrepancies,
            _kinds_of_exceptions(),
            "read_money",
        ),
        Waiting(
            refunds_past_due(at=at).count(),
            _("Refunds past their legal day"),
            f"{orders}?show=refunds_past_due",
            _("The customer should have had the money back by now."),
            "support",
        ),
        Waiting(
            failed_refunds().count(),
            _("Refunds that failed"),
            f"{orders}?show=refunds_failed",
            _("Try again, or pay by bank transfer."),
            "support",
        ),
        Waiting(
            late_payments().count(),
            _("Late payments on their way back"),
            f"{orders}?show=late",
            _("Money came after the order was over, twice, or in another amount."),
            "support",
        ),
        Waiting(
            overdue_acceptances(at=at).count(),
            _("Parts not answered in time"),
            f"{orders}?show=overdue",
            _("The cooperative let its deadline pass; the next sweep declines and refunds them."),
            "support",
        ),
        Waiting(
            silent_cash_parcels(at=at).count(),
            _("Cash parcels nobody has heard of"),
            f"{orders}?show=silent",
            _("Ask the carrier: with cash to collect, silence is never taken for delivery."),
            "support",
        ),
        Waiting(
            failed_messages().count(),
            _("Mails that failed"),
            f"{outbox}?show=failed",
            _("Tried as often as mails are tried; look at the address and send again."),
            "support",
        ),
        Waiting(
            reviews_to_read().count(),
            _("Reviews to read"),
            reverse("backoffice:reviews"),
            _("Written by customers whose parcel has arrived; shown once somebody has read them."),
            "curate",
        ),
        Waiting(
            BalanceTransaction.objects.filter(posted_at=None).count(),
            _("Rows of Stripe not booked"),
            reverse("backoffice:reconciliation") + "#quarantine",
            _("In quarantine: a kind we do not know, or what it is about is missing."),
            "read_money",
        ),
        Waiting(
            StripeEvent.objects.filter(state=StripeEvent.State.FAILED).count(),
            _("Messages from Stripe that failed"),
            reverse("backoffice:reconciliation") + "#quarantine",
            _("Kept as they came; the balance import does not depend on them."),
            "read_money",
        ),
    ]
    return [each for each in rows if may[each.permission]]
