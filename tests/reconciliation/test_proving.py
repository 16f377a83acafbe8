"""Books against the outside, account by account: what differs, why, and what nobody can explain."""

from __future__ import annotations

from datetime import date

import pytest

from shop.ledger import accounts, entries
from shop.ledger.journal import Move
from shop.payments.models import BalanceTransaction
from shop.reconciliation import proving, resolving
from shop.reconciliation.actions import Action
from tests.factories import PayoutAccountFactory
from tests.reconciliation.test_importing import remittance
from tests.reconciliation.world import L, World, eur, mad, the

DAY = date(2026, 11, 24)


def test_without_any_statement_there_is_nothing_to_compare(world: World):
    proof = world.proof("bank:main:MAD")

    assert (proof.books, proof.statement, proof.holds) == (mad(0), None, True)


def test_lines_not_settled_yet_explain_the_difference_exactly(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference), L("-25.00", "FRAIS"), L("70.00", "INCONNU"))

    before = world.proof("bank:main:MAD")
    world.match()
    after = world.proof("bank:main:MAD")

    assert (before.difference, before.explained, before.unexplained) == (mad(489), mad(489), mad(0))
    assert (after.difference, after.explained, after.unexplained) == (mad(-45), mad(-45), mad(0))
    assert [(each.reference, each.amount) for each in after.items] == [
        ("L-2026-000002", mad("25.00")),
        ("L-2026-000003", mad("-70.00")),
    ]
    assert after.as_of == DAY


def test_an_entry_that_no_line_shows_is_an_unexplained_difference(world: World):
    world.import_csv(L("70.00", "INCONNU"))
    world.match()
    entries.record_adjustment(
        approval="X-1",
        effective_on=DAY,
        memo="cash found in a drawer",
        actor="somebody",
        moves=[Move(accounts.bank("MAD"), accounts.rounding("MAD"), mad("3.00"))],
    )

    proof = world.proof("bank:main:MAD")

    assert (proof.unexplained, proof.holds) == (mad("3.00"), False)
    stray = [each for each in proving.drill(account="bank:main:MAD") if each.statement is None]
    assert [(each.books, each.entries) for each in stray] == [(mad("3.00"), ("adjustment:X-1",))]


def test_a_first_statement_that_opens_with_money_is_explained_until_it_is_booked(world: World):
    world.import_csv(L("10.00", "A"), opening=mad("500.00"))
    world.match()
    proof = world.proof("bank:main:MAD")
    assert (proof.difference, proof.unexplained) == (mad(-510), mad(0))

    resolution = resolving.propose(
        discrepancy=the("statement_gap"),
        action=Action.ADJUST,
        reason="opening balance of the account",
        details={"debit": "bank:main:MAD", "credit": "suspense:opening:MAD"},
        by=world.maker,
        at=world.at,
    )
    resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    proof = world.proof("bank:main:MAD")
    assert (proof.books, proof.difference, proof.unexplained) == (mad(500), mad(-10), mad(0))


def test_the_balance_at_stripe_is_the_sum_of_its_own_rows(world: World):
    world.deposit(eur("89.24"))
    assert world.proof("stripe_balance:EUR").is_exact

    BalanceTransaction.objects.create(
        stripe_id="txn_lost",
        category="charge",
        kind="charge",
        source_id="ch",
        currency="EUR",
        amount_minor=1000,
        fee_minor=33,
        net_minor=967,
        created_at=world.at,
        raw={},
        imported_at=world.at,
        posted_at=world.at,  # said to be booked, and is not
    )

    proof = world.proof("stripe_balance:EUR")
    assert (proof.unexplained, proof.holds) == (eur("-9.67"), False)
    (row,) = [each for each in proving.drill(account="stripe_balance:EUR") if each.books != each.statement]
    assert (row.reference, row.books, row.statement) == ("txn_lost", eur(0), eur("9.67"))


def test_a_deposit_is_on_its_way_until_the_bank_shows_it(world: World):
    world.deposit(mad("89.24"))
    proof = world.proof("deposit_transit:MAD")
    assert (proof.books, proof.statement, proof.is_exact) == (mad("89.24"), mad("89.24"), True)

    world.import_csv(L("89.24", "STRIPE TRC4N9K2M7Q81X"))
    world.match()

    proof = world.proof("deposit_transit:MAD")
    assert (proof.books, proof.is_exact) == (mad(0), True)
    (row,) = proving.drill(account="deposit_transit:MAD")
    assert (row.books, row.statement, row.line) == (mad("89.24"), mad("89.24"), "L-2026-000001")
    assert row.entries == (
        "stripe:txn_payout_po_1TadamonDeposit",
        "deposit:po_1TadamonDeposit:arrived",
    )


def test_a_deposit_stripe_has_not_listed_yet_is_a_known_difference(world: World):
    deposit = world.deposit(mad("89.24"))
    deposit.pk, deposit.stripe_id, deposit.trace_id = None, "po_later", "TRCLATER00001"
    deposit.save()

    proof = world.proof("deposit_transit:MAD")

    assert (proof.difference, proof.unexplained) == (mad("-89.24"), mad(0))
    assert [each.reference for each in proof.items] == ["po_later"]


def test_cash_is_followed_by_parcel_to_the_banks_line(world: World):
    first, second = world.cash_parcel("1000.00"), world.cash_parcel("500.00")
    remittance(world, first)
    world.import_csv(L("1000.00", "BORDEREAU REM-2026-0001"))
    world.match()

    proof = world.proof("cod_receivable:rihla:MAD")
    rows = proving.drill(account=proof.account)

    assert (proof.books, proof.statement) == (mad(500), mad(500))
    assert [(each.reference, each.books, each.statement, each.line) for each in rows] == [
        (first.reference, mad(1000), mad(1000), ""),
        (second.reference, mad(500), mad(500), ""),
        ("REM-2026-0001", mad(-1000), mad(-1000), "L-2026-000001"),
    ]


def test_the_rows_of_a_carrier_add_up_to_its_proof_before_and_after_its_money_comes(world: World):
    first, second = world.cash_parcel("205.00"), world.cash_parcel("75.00")

    def added_up() -> tuple[object, object]:
        rows = proving.drill(account="cod_receivable:rihla:MAD")
        return tuple(
            sum((amount for amount in column if amount is not None), mad(0))
            for column in ([each.books for each in rows], [each.statement for each in rows])
        )

    remittance(world, first, cash="205,00")
    remittance(world, second, ref="REM-2026-0002", cash="75,00")
    proof = world.proof("cod_receivable:rihla:MAD")
    assert (proof.books, proof.statement) == (mad(280), mad(280))
    assert added_up() == (mad(280), mad(280))

    world.import_csv(L("205.00", "BORDEREAU REM-2026-0001"))
    world.match()
    proof = world.proof("cod_receivable:rihla:MAD")
    assert (proof.books, proof.statement) == (mad(75), mad(75))
    assert added_up() == (mad(75), mad(75))


def test_what_cooperatives_are_owed_is_their_parts_less_what_they_were_paid(world: World):
    part = world.released("600.00")
    cooperative = part.cooperative
    account = f"cooperative:{cooperative.code}:MAD"
    assert (world.proof(account).books, world.proof(account).is_exact) == (mad("534.00"), True)

    (payout,) = world.sent("340.00")[:1]  # both go out in one run
    assert payout.cooperative == cooperative
    assert (world.proof(account).books, world.proof(account).is_exact) == (mad("534.00"), True)
    world.import_csv(L("-534.00", e2e=payout.reference))
    world.match()

    assert (world.proof(account).books, world.proof(account).is_exact) == (mad(0), True)
    assert proving.drill(account=account)[-1].entries == (f"payout:{payout.reference}:debited",)
    assert all(each.holds for each in proving.proofs())


def test_a_cooperative_whose_books_were_touched_beside_its_parts_shows_it(world: World):
    cooperative = world.released("600.00").cooperative
    entries.record_netting(
        payout="PO-NONE", cooperative=cooperative.code, effective_on=DAY, amount=mad("1.00")
    )
    entries.record_release(
        supplier_order="T-NONE-1",
        order="T-NONE",
        cooperative=cooperative.code,
        effective_on=DAY,
        share=mad("2.00"),
        commission_net=mad(0),
        commission_vat=mad(0),
    )
    assert world.proof(f"cooperative:{cooperative.code}:MAD").is_exact  # from one pocket to another

    entries.record_payout_returned(
        payout="PO-NONE", cooperative=cooperative.code, line="L", effective_on=DAY, amount=mad("5.00")
    )

    assert world.proof(f"cooperative:{cooperative.code}:MAD").unexplained == mad("5.00")


def test_every_account_has_a_proof_and_every_proof_a_drill(world: World):
    world.sent("600.00")
    world.deposit(eur("89.24"))
    world.cash_parcel("1000.00")

    found = proving.proofs()

    assert [each.account.partition(":")[0] for each in found] == [
        "stripe_balance",
        "deposit_transit",
        "bank",
        "cod_receivable",
        "payouts_in_flight",
        "cooperative",
        "cooperative",
    ]
    for each in found:
        assert proving.prove(account=each.account) == each
        assert isinstance(proving.drill(account=each.account), list)
        assert str(each.title)
    with pytest.raises(KeyError):
        proving.prove(account="cooperative:NOBODY:MAD")


@pytest.mark.parametrize("many", [1, 12])
def test_proofs_cost_the_same_number_of_questions_however_many_cooperatives(
    world: World, many, django_assert_max_num_queries
):
    for _ in range(many):
        PayoutAccountFactory(cooperative=world.released("600.00").cooperative, version=2)

    with django_assert_max_num_queries(45):
        proving.proofs()
