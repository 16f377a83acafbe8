"""The whole way of the money, as a bookkeeper would tell it: to the bank, from Stripe, from the carrier."""

from __future__ import annotations

import json
import urllib.request
from datetime import timedelta
from typing import Any

import pytest

from cooperatives.models import PayoutAccount
from shop.core.errors import Unavailable
from shop.ledger import balances
from shop.payments.models import Payout
from shop.reconciliation import fetching, importing, proving, resolving, tasks
from shop.reconciliation.errors import NoBankConnection
from shop.reconciliation.models import Match, StatementLine
from tests.factories import ListingFactory, placed
from tests.reconciliation.world import World, bank, eur, exceptions, mad, stands, the


def tell(sandbox: Any, path: str, **values: Any) -> Any:
    """Press a button of the sandbox."""
    body = json.dumps(values).encode()
    request = urllib.request.Request(
        sandbox.url + path, data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def the_chain(world: World, sandbox: Any) -> tuple[list[Payout], str]:
    """Two payouts, a deposit in euros and a parcel's cash, all brought to bank and carrier."""
    world.released("600.00")
    world.released("340.00")
    deposit = world.deposit(eur("89.24"))
    parcel = world.cash_parcel("1000.00")
    run = world.approved()
    fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)
    fetching.announce_deposit(deposit=deposit)
    fetching.announce_parcel(shipment=parcel)
    tell(sandbox, f"/parcels/{parcel.tracking_number}/delivered")
    fetching.fetch_remittance(carrier=parcel.carrier, by=world.maker, at=world.at)
    return list(run.payouts.order_by("pk")), parcel.carrier.code


def unexplained() -> dict[str, str]:
    return {each.account: str(each.unexplained) for each in proving.proofs() if not each.holds}


def test_everything_matches_and_nothing_differs_by_a_centime(world, sandbox):
    payouts, carrier = the_chain(world, sandbox)
    assert [each.amount for each in payouts] == [mad("534.00"), mad("302.60")]
    assert stands("payout_in_flight", payouts[0].cooperative.code) == mad("534.00")
    assert stands("cod_receivable", carrier) == mad("1000.00")
    assert stands("deposit_transit", currency="EUR") == eur("89.24")

    world.wait(days=4)
    file = fetching.fetch_statement(by=world.maker, at=world.at)
    run = world.match()

    assert (run.matched, run.doubtful) == (4, 0)
    assert exceptions() == []
    # 963,42 of the deposit (89,24 EUR at 10,7958), 970,00 of the carrier, less 534,00 and 302,60
    assert file.closing == bank() == mad("1096.82")
    assert stands("payout_in_flight", payouts[0].cooperative.code) == mad(0)
    assert stands("deposit_transit", currency="EUR") == eur(0)
    assert stands("cod_receivable", carrier) == mad(0)
    assert stands("carrier_fee") == mad("25.00")
    assert stands("vat_input") == mad("5.00")
    assert stands("fx_position", currency="EUR") == eur("89.24")
    assert stands("fx_position", currency="MAD") == mad("-963.42")
    assert sorted(Match.objects.values_list("subject", flat=True)) == [
        "deposit",
        "payout",
        "payout",
        "remittance",
    ]
    assert {each.state for each in Payout.objects.all()} == {"paid"}
    assert all(each.is_exact for each in proving.proofs())
    assert set(balances.sums_by_currency().values()) == {0}


def test_a_rejection_a_fee_and_a_twin_are_three_exceptions_and_two_persons_bring_the_difference_to_nothing(
    world, sandbox
):
    world.released("600.00")
    world.released("340.00")
    run = world.approved()
    first, second = run.payouts.order_by("pk")
    tell(sandbox, "/_sandbox/faults", kind="rejection", reference=second.reference, reason="AC04")
    tell(sandbox, "/_sandbox/faults", kind="twin", reference=first.reference)
    fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)

    world.wait(days=4)
    tell(sandbox, "/_sandbox/faults", kind="fee", amount=2500)
    fetching.fetch_statement(by=world.maker, at=world.at)
    fetching.fetch_status(batch=run.batch, at=world.at)
    world.match()

    assert exceptions() == ["bank_fee", "duplicate", "payout_rejected"]
    assert the("duplicate").subject_reference == first.reference
    assert the("payout_rejected").subject_reference == second.reference
    assert [the(each).suggestion for each in exceptions()] == [
        "book_bank_fee",
        "set_aside_duplicate",
        "put_back_to_payable",
    ]
    proof = world.proof("bank:main:MAD")
    assert (proof.books, proof.statement) == (mad("-534.00"), mad("-1093.00"))
    assert (proof.difference, proof.explained, proof.unexplained) == (mad(559), mad(559), mad(0))
    assert unexplained() == {}

    for kind in exceptions():
        discrepancy = the(kind)
        resolution = resolving.propose(
            discrepancy=discrepancy,
            action=discrepancy.suggestion,
            reason="as the bank's advice says",
            by=world.maker,
            at=world.at,
        )
        resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    assert exceptions() == []
    proof = world.proof("bank:main:MAD")
    assert proof.is_exact and proof.books == mad("-1093.00")
    assert stands("bank_fee") == mad("25.00")
    assert stands("suspense", "bank") == mad("534.00")
    assert stands("payout_in_flight", second.cooperative.code) == mad(0)
    assert stands("producer_payable", second.cooperative.code) == mad("302.60")
    held = second.cooperative.payout_accounts.filter(closed_at=None).get()
    assert held.rail == PayoutAccount.Rail.HOLD
    second.refresh_from_db()
    assert (second.state, second.failure) == ("rejected", "AC04")
    assert not second.items.filter(is_live=True).exists()
    assert unexplained() == {}
    assert set(balances.sums_by_currency().values()) == {0}


def test_a_payout_that_comes_back_is_due_again_and_its_account_is_held(world, sandbox):
    world.released("600.00")
    run = world.approved()
    (payout,) = run.payouts.all()
    tell(sandbox, "/_sandbox/faults", kind="return", reference=payout.reference, reason="AC04")
    fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)

    world.wait(days=3)
    fetching.fetch_statement(by=world.maker, at=world.at)
    world.match()
    world.wait(days=3)
    fetching.fetch_statement(by=world.maker, at=world.at)
    world.match()

    payout.refresh_from_db()
    assert payout.state == "rejected"
    assert bank() == mad(0)
    assert stands("producer_payable", payout.cooperative.code) == mad("534.00")
    assert exceptions() == ["payout_returned"]
    assert unexplained() == {}


def test_a_short_remittance_leaves_the_rest_with_the_carrier(world, sandbox):
    first, second = world.cash_parcel("1000.00"), world.cash_parcel("500.00")
    for parcel in (first, second):
        fetching.announce_parcel(shipment=parcel)
        tell(sandbox, f"/parcels/{parcel.tracking_number}/delivered")
    tell(sandbox, "/_sandbox/faults", kind="short_remittance", amount=10000)
    tell(sandbox, "/_sandbox/faults", kind="unknown_parcel", amount=15000)

    fetching.fetch_remittance(carrier=first.carrier, by=world.maker, at=world.at)
    world.wait(days=3)
    fetching.fetch_statement(by=world.maker, at=world.at)
    world.match()

    assert exceptions() == ["cod_short", "cod_unknown"]
    assert (the("cod_short").amount, the("cod_short").subject_reference) == (mad(100), first.reference)
    assert the("cod_unknown").amount == mad(150)
    assert stands("cod_receivable", first.carrier.code) == mad(100)
    assert stands("suspense", first.carrier.code) == mad(-150)  # owed to somebody we do not know
    # collected 900 + 500 + 150 = 1 550; fee 22,50 + 12,50 + 3,75 = 38,75, VAT on each 4,50 + 2,50 + 0,75
    assert bank() == mad("1503.50")
    assert unexplained() == {}
    assert world.proof(f"cod_receivable:{first.carrier.code}:MAD").is_exact


def test_the_same_remittance_again_is_the_one_we_have(world, sandbox):
    parcel = world.cash_parcel("1000.00")
    fetching.announce_parcel(shipment=parcel)
    tell(sandbox, f"/parcels/{parcel.tracking_number}/delivered")

    first = fetching.fetch_remittance(carrier=parcel.carrier, by=world.maker, at=world.at)
    again = fetching.fetch_remittance(carrier=parcel.carrier, by=world.maker, at=world.at)

    assert first.pk == again.pk
    assert (first.collected, first.net) == (mad("1000.00"), mad("970.00"))
    assert first.lines.get().shipment == parcel


def test_a_batch_whose_answer_was_lost_is_handed_over_once(world, sandbox):
    world.released("600.00")
    run = world.approved()
    content = run.batch.pain001.open("rb").read()
    request = urllib.request.Request(sandbox.url + "/batches", data=content)
    request.add_header("Content-Type", "application/xml")
    urllib.request.urlopen(request, timeout=10).read()  # the bank has it, we never heard

    fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)
    world.wait(days=4)
    fetching.fetch_statement(by=world.maker, at=world.at)
    world.match()

    assert StatementLine.objects.count() == 1
    assert bank() == mad("-534.00")
    assert exceptions() == []


def test_the_banks_report_is_kept_once_and_tells_its_batch(world, sandbox):
    world.released("600.00")
    run = world.approved()
    (payout,) = run.payouts.all()
    tell(sandbox, "/_sandbox/faults", kind="rejection", reference=payout.reference, reason="AC01")
    fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)
    world.wait(days=4)

    (first,) = fetching.fetch_status(batch=run.batch, at=world.at)
    (again,) = fetching.fetch_status(batch=run.batch, at=world.at)

    assert first.pk == again.pk
    assert first.detail["reason"] == "AC01"
    assert importing.StatementFile.objects.filter(kind="status").count() == 1


def test_one_refused_parcel_does_not_hold_up_the_others(world, sandbox, monkeypatch):
    listing = ListingFactory(price="970.00", stock=9, at=world.at - timedelta(days=100))
    first, second = (
        placed((listing, 1), at=world.at, to="dispatched", method="cash")[0].shipments.get() for _ in range(2)
    )
    announce, told = fetching.announce_parcel, []

    def announce_all_but_the_first(*, shipment):
        told.append(shipment.pk)
        if shipment.pk == first.pk:
            raise fetching.BankRefused("XX", "unknown")
        return announce(shipment=shipment)

    monkeypatch.setattr(fetching, "announce_parcel", announce_all_but_the_first)

    assert fetching.announce_waiting() == 1
    assert sorted(told) == [first.pk, second.pk]


def test_bank_and_carrier_are_told_and_the_carriers_word_comes_back(world, sandbox):
    listing = ListingFactory(price="970.00", at=world.at - timedelta(days=100))
    (part,) = placed((listing, 1), at=world.at, to="dispatched", method="cash")
    (parcel,) = part.shipments.all()
    world.deposit(eur("89.24"))

    assert fetching.announce_waiting() == 2
    tell(sandbox, f"/parcels/{parcel.tracking_number}/delivered")
    world.wait(hours=1)
    taken = fetching.fetch_tracking(carrier=parcel.carrier, at=world.at)
    again = fetching.fetch_tracking(carrier=parcel.carrier, at=world.at)

    assert (taken.delivered, again.delivered) == ([parcel.tracking_number], [])
    assert stands("cod_receivable", parcel.carrier.code) == mad("1000.00")
    assert fetching.announce_waiting() == 1  # the parcel has arrived


def test_without_a_connected_bank_people_carry_the_files(world, settings):
    settings.BANK_SANDBOX_URL = ""

    with pytest.raises(NoBankConnection):
        fetching.fetch_statement(by=world.maker, at=world.at)
    tasks.talk_to_the_sandbox()


def test_a_bank_that_does_not_answer_is_asked_again_later(world, settings):
    settings.BANK_SANDBOX_URL = "http://127.0.0.1:9"

    with pytest.raises(Unavailable):
        fetching.fetch_statement(by=world.maker, at=world.at)
    tasks.talk_to_the_sandbox()
    assert not StatementLine.objects.exists()
