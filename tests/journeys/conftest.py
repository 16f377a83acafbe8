"""A whole shop: Stripe's stand-in in this process, the bank's and the carrier's on a thread, one clock."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.bank_sandbox import running
from shop.payments import batches, payouts, transferring
from shop.payments.models import Deposit, Payout, PayoutRun
from shop.payments.stripe import contract, importing
from shop.reconciliation import fetching, matching, proving
from tests.factories import OperatorFactory
from tests.payments.conftest import shop  # noqa: F401 - the fixture
from tests.payments.shop import Shop


class House:
    """What the people of a journey keep doing, in few words."""

    def __init__(self, stripe: Shop, bank: Any) -> None:
        self.shop = stripe
        self.bank = bank
        self.maker = OperatorFactory(email="nadia@tadamon.example", roles=["finance_maker"])
        self.checker = OperatorFactory(email="youssef@tadamon.example", roles=["finance_approver"])

    @property
    def at(self) -> Any:
        return self.shop.at

    def tell_bank(self, path: str, **values: Any) -> Any:
        """Press a button of the bank's or carrier's page."""
        request = urllib.request.Request(
            self.bank.url + path,
            data=json.dumps(values).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def pay_out(self) -> list[Payout]:
        """One operator plans, another approves; the file goes to the bank, transfers to Stripe."""
        run: PayoutRun = payouts.plan(by=self.maker, at=self.at)
        payouts.approve(run=run, by=self.checker, at=self.at)
        run.refresh_from_db()
        if hasattr(run, "batch"):
            batches.download(batch=run.batch, by=self.checker, at=self.at, format="csv")
            fetching.hand_over(batch=run.batch, by=self.checker, at=self.at)
        for payout in run.payouts.filter(rail="stripe"):
            transferring.send(payout=payout, at=self.at)
        return list(run.payouts.order_by("reference"))

    def stripe_deposits(self) -> None:
        """Stripe pays its balance into our bank, and both sides hear of it."""
        self.shop.press("payout")
        self.shop.wait(days=4)
        importing.import_balance(at=self.at)
        for deposit in Deposit.objects.all():
            fetching.announce_deposit(deposit=deposit)

    def read_the_statement(self) -> matching.Run:
        """Days later the bank's statement is read and matched."""
        self.shop.wait(days=4)
        fetching.fetch_statement(by=self.maker, at=self.at)
        return matching.match_new(at=self.at)

    def unexplained(self) -> dict[str, str]:
        """Accounts with a difference nobody can explain; empty when all is well."""
        return {each.account: str(each.unexplained) for each in proving.proofs() if not each.holds}


@pytest.fixture(autouse=True)
def _every_call_keeps_the_contract() -> Iterator[None]:
    with contract.checking():
        yield


@pytest.fixture
def house(db: None, shop: Shop, settings: Any, tmp_path: Any) -> Iterator[House]:  # noqa: F811
    with running(tmp_path / "bank.sqlite3", seed=1, system_now=lambda: shop.at) as bank:
        settings.BANK_SANDBOX_URL = bank.url
        yield House(shop, bank)
