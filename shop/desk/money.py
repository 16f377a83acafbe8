"""What the books and the payouts say of one cooperative's money. Only reads."""

from __future__ import annotations

from dataclasses import dataclass

from moneyed import MAD, Money

from cooperatives.models import Cooperative
from shop.core.money import total, zero
from shop.ledger import accounts
from shop.ledger.balances import balances
from shop.payments.models import Payout


@dataclass(frozen=True)
class Sums:
    """Where a cooperative's money stands now."""

    held: Money
    payable: Money
    on_its_way: Money
    owed_to_us: Money
    paid: Money

    @property
    def next_payout(self) -> Money:
        """What the next payout brings: what is due less what earlier refunds left owing."""
        return max(self.payable - self.owed_to_us, zero(self.payable.currency))


def sums_of(*, cooperative: Cooperative) -> Sums:
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
    )
