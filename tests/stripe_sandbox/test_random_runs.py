"""Random lives of an account, against a second opinion on its money. A seed replays a failing one."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal

import pytest
import stripe

from fixtures.stripe_sandbox import Sandbox, books, client_for, controls
from tests.stripe_sandbox.conftest import MORNING, balance_of


def euros(dirhams):
    return int((dirhams * Decimal("0.0925")).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def fee(settled):
    return int((settled * Decimal("0.029") + 30).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class Life:
    """One random life; ``ours`` and ``theirs`` are what the balances ought to be, deposits included."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.sandbox = Sandbox(seed=seed, send=lambda *_: 200)
        controls.set_clock(self.sandbox, {"frozen_at": MORNING})
        self.client = client_for(self.sandbox)
        account = self.client.v1.accounts.create(
            {"country": "MA", "capabilities": {"transfers": {"requested": True}}}
        )
        self.account = account.id
        controls.capability(self.sandbox, {"account": self.account})
        self.ours = self.theirs = 0
        self.charges, self.transfers, self.history = [], [], []

    def charge(self):
        amount = self.random.randint(100, 500_000)
        intent = self.client.v1.payment_intents.create(
            {"amount": amount, "currency": "mad", "payment_method": "pm_card_visa", "confirm": True}
        )
        self.charges.append(intent.latest_charge)
        self.ours += euros(amount) - fee(euros(amount))

    def refund(self):
        amount = self.random.randint(1, 300_000)
        self.client.v1.refunds.create({"charge": self.random.choice(self.charges), "amount": amount})
        self.ours -= euros(amount)

    def dispute(self):
        charge = self.client.v1.charges.retrieve(self.random.choice(self.charges))
        controls.dispute(self.sandbox, {"charge": charge.id})
        self.ours -= euros(charge.amount_captured - charge.amount_refunded) + 1500

    def transfer(self):
        amount = self.random.randint(1, 10_000)
        transfer = self.client.v1.transfers.create(
            {
                "amount": amount, "currency": "eur", "destination": self.account,
                "source_transaction": self.random.choice(self.charges),
            }
        )  # fmt: skip
        self.transfers.append(transfer.id)
        self.ours -= amount
        self.theirs += amount

    def reverse(self):
        amount = self.random.randint(1, 5_000)
        self.client.v1.transfers.reversals.create(self.random.choice(self.transfers), {"amount": amount})
        self.ours += amount
        self.theirs -= amount

    def wait(self):
        controls.advance(self.sandbox, {"seconds": self.random.randint(1, 3 * 86_400)})

    def step(self):
        move = self.random.choice(
            [self.charge, self.charge, self.refund, self.dispute, self.transfer, self.reverse, self.wait]
        )
        try:
            move()
            self.history.append(move.__name__)
        except (stripe.StripeError, books.BooksBroken, IndexError, controls.StripeError) as error:
            assert not isinstance(error, books.BooksBroken)
            self.history.append(f"{move.__name__} refused")

    def deposits(self, options=None):
        return self.client.v1.payouts.list({"limit": 100}, options).data

    def holds(self):
        """Both balances, with what was paid out of them, agree with the second opinion."""
        for account, expected in ((None, self.ours), (self.account, self.theirs)):
            options = {"stripe_account": account} if account else None
            left = sum(sum(each) for each in balance_of(self.client, account).values())
            assert left + sum(each.amount for each in self.deposits(options)) == expected, self.history

    def deposits_hold(self):
        for options in (None, {"stripe_account": self.account}):
            for deposit in self.deposits(options):
                rows = self.client.v1.balance_transactions.list({"payout": deposit.id, "limit": 100}, options)
                assert sum(each.net for each in rows.auto_paging_iter()) == 0
                assert deposit.amount > 0
        books.check(self.sandbox.store)


@pytest.mark.parametrize("seed", range(5))
def test_after_every_step_the_balance_is_what_it_ought_to_be(seed):
    life = Life(seed)

    for _ in range(60):
        life.step()
        life.holds()

    life.deposits_hold()
    assert len({each for each in life.history if "refused" not in each}) >= 5, life.history
    life.sandbox.close()


def test_the_same_seed_lives_the_same_life():
    def live():
        life = Life(3)
        for _ in range(40):
            life.step()
        rows = [tuple(row) for row in life.sandbox.store.rows("select * from balance_transaction")]
        life.sandbox.close()
        return life.history, rows

    assert live() == live()
