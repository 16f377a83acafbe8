"""The Stripe balance in the books: row by row, whatever the order, with or without webhooks."""

import random
from datetime import timedelta

import pytest
from moneyed import Money

from shop.ledger import balances
from shop.ledger.errors import DifferentEntry
from shop.ledger.models import JournalEntry
from shop.payments import refunding, tasks
from shop.payments.models import BalanceTransaction, Deposit, ImportWatermark
from shop.payments.stripe import gateway, importing, posting
from shop.payments.stripe.errors import NotAtStripe
from tests.factories import ListingFactory, mad, order_of
from tests.payments.shop import FAILING_REFUND_CARD, stands

pytestmark = pytest.mark.django_db


def eur(amount):
    return Money(amount, "EUR")


def test_a_payment_is_booked_in_both_currencies_with_stripes_fee(shop):
    order = order_of((ListingFactory(price="485.00"), 2))
    shop.card_pays(order)

    imported = shop.import_balance()

    assert (imported.new, imported.booked, imported.quarantined) == (1, 1, 0)
    row = BalanceTransaction.objects.get()
    assert (row.category, row.amount, row.fee, row.net) == ("charge", eur("92.50"), eur("2.98"), eur("89.52"))
    assert str(row.exchange_rate) == "0.0925000000"
    assert stands("customer_funds") == mad("1000.00")
    assert stands("fx_position") == mad("1000.00")
    assert stands("stripe_balance", currency="EUR") == eur("89.52")
    assert stands("psp_fee", currency="EUR") == eur("2.98")
    assert JournalEntry.objects.get().event == f"stripe:{row.stripe_id}"


def test_importing_again_books_nothing_again(shop):
    shop.paid_order()
    before = JournalEntry.objects.count()

    imported = shop.import_balance()

    assert (imported.new, imported.booked) == (0, 0)
    assert JournalEntry.objects.count() == before


def test_a_shop_whose_stripe_settles_in_dirhams_needs_no_exchange(shop):
    shop.press("settings", settlement_currency="mad")
    shop.paid_order((ListingFactory(price="485.00"), 2))

    assert stands("stripe_balance") == shop.at_stripe("MAD") == mad("967.76")
    assert stands("fx_position") == mad(0)


def test_each_import_looks_two_days_behind_the_newest_row(shop, monkeypatch):
    asked = []
    ask = gateway.list_balance_transactions
    monkeypatch.setattr(
        gateway,
        "list_balance_transactions",
        lambda *, created_gte: asked.append(created_gte) or ask(created_gte=created_gte),
    )

    shop.paid_order()
    shop.import_balance()
    shop.wait(days=30)
    shop.import_balance()

    start = BalanceTransaction.objects.order_by("created_at")[0].created_at
    newest = BalanceTransaction.objects.order_by("created_at").last().created_at
    assert asked == [None, start - timedelta(hours=48), start - timedelta(hours=48)]
    assert ImportWatermark.objects.get(name="stripe-balance").reached_at == newest > start


def test_what_is_mirrored_holds_nothing_personal(shop):
    shop.paid_order(email="salma@example.ma")

    raw = str(BalanceTransaction.objects.get().raw)

    assert "salma" not in raw
    assert "4242" not in raw
    assert "billing_details" not in raw


def test_a_dispute_waits_in_quarantine_until_somebody_decides(shop):
    shop.paid_order()
    shop.press("dispute", charge=shop.things("charge")[0]["id"])

    imported = shop.import_balance()

    assert imported.quarantined == 1
    row = BalanceTransaction.objects.get(posted_at=None)
    assert row.category == "dispute"
    assert row.quarantine == "Nobody has said how this kind of row is booked."
    assert shop.import_balance().booked == 0
    assert stands("stripe_balance", currency="EUR") + row.net == shop.at_stripe()


def test_a_payment_of_nobody_we_know_waits_in_quarantine(shop):
    order = order_of((ListingFactory(), 1))
    shop.card_pays(order)
    row = gateway.list_balance_transactions()[0]
    source = {**row.raw["source"], "metadata": {"order": "T-NOBODY"}}
    stranger = gateway.BalanceRow(**{**row.__dict__, "raw": {**row.raw, "source": source}})

    importing.take(rows=[stranger], at=shop.at)
    booked = importing.book_waiting(at=shop.at)

    assert booked == 0
    assert BalanceTransaction.objects.get().quarantine
    assert JournalEntry.objects.count() == 0


def test_a_fee_of_its_own_is_booked(shop):
    shop.paid_order()
    with shop.sandbox.store.step():
        from fixtures.stripe_sandbox import books

        world = shop.sandbox.world
        books.record(
            world,
            account=world.platform,
            amount=-125,
            currency="eur",
            type="stripe_fee",
            category="fee",
            source=None,
        )

    shop.import_balance()

    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
    assert JournalEntry.objects.filter(kind="stripe_fee").count() == 1


def test_a_deposit_is_mirrored_with_its_contents(shop):
    shop.paid_order((ListingFactory(price="485.00"), 2))
    shop.wait(days=3)

    shop.import_balance()

    deposit = Deposit.objects.get()
    assert deposit.amount == eur("89.52")
    assert stands("deposit_transit", currency="EUR") == eur("89.52")
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe() == eur("0.00")

    shop.wait(days=2)
    shop.import_balance()

    deposit.refresh_from_db()
    assert (deposit.status, deposit.is_reconciled) == ("paid", True)
    assert deposit.trace_id.startswith("SBX")
    assert sum(each.net_minor for each in deposit.contents.all()) == 0
    assert deposit.contents.count() == 2


def test_a_deposit_the_bank_sent_back_is_on_the_balance_again(shop):
    shop.paid_order((ListingFactory(price="485.00"), 2))
    shop.wait(days=3)
    shop.import_balance()
    with shop.sandbox.store.step():
        from fixtures.stripe_sandbox.resources import payouts
        from fixtures.stripe_sandbox.world import Call

        call = Call(shop.sandbox.world, shop.sandbox.world.platform)
        payouts.fail(call, payouts.found(call, Deposit.objects.get().stripe_id))

    shop.import_balance()

    assert Deposit.objects.get().status == "failed"
    assert stands("deposit_transit", currency="EUR") == eur("0.00")
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe() == eur("89.52")


def a_busy_week(shop):
    """Payments, a refund, one that fails, a deposit, a late payment; returns every row of the balance."""
    orders = [shop.confirmed_order((ListingFactory(price="150.00"), 2)) for _ in range(3)]
    failing = shop.confirmed_order(card=FAILING_REFUND_CARD)
    shop.late_payment()
    for order in (orders[0], failing):
        refunding.request(
            supplier_order=order.supplier_orders.get(),
            reason="claim",
            lines=None,
            with_delivery=True,
            by=None,
            at=shop.at,
        )
    tasks.send_refunds()
    shop.wait(days=3)
    assert BalanceTransaction.objects.count() == 0
    return gateway.list_balance_transactions()


def everything():
    """Every balance the books have, except what stands at nothing."""
    return {code: amount for code, amount in balances.balances().items() if amount}


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_any_repetition_of_the_same_rows_gives_the_same_books(shop, seed):
    """Rows come shuffled, in heaps, again and again; the books end as if they had come once and in order."""
    rows = a_busy_week(shop)
    assert {each.category for each in rows} == {"charge", "refund", "refund_failure", "payout"}
    chance = random.Random(seed)
    from django.db import transaction

    from shop.payments.models import Refund

    def imported(heaps):
        """The books after these heaps, on a ground where none of these rows is booked; then undone."""
        ground = transaction.savepoint()
        for heap in heaps:
            importing.take(rows=heap, at=shop.at)
            importing.book_waiting(at=shop.at)
        found = everything(), sorted(Refund.objects.values_list("reference", "state"))
        assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
        assert not BalanceTransaction.objects.filter(posted_at=None).exists()
        transaction.savepoint_rollback(ground)
        return found

    def heaps_of(rows):
        heaps = [chance.choices(rows, k=chance.randint(1, len(rows))) for _ in range(4)]
        rest = list(rows)
        chance.shuffle(rest)
        return [*heaps, *([each] for each in rest)]

    assert imported(heaps_of(rows)) == imported([rows])


def test_a_row_that_cannot_be_booked_yet_does_not_keep_the_others_waiting(shop, monkeypatch):
    shop.card_pays(order_of((ListingFactory(), 1)))
    shop.card_pays(order_of((ListingFactory(), 1)))
    rows = gateway.list_balance_transactions()
    importing.take(rows=rows, at=shop.at)
    original = posting.post

    def post(*, row):
        if row.stripe_id == rows[0].id:
            raise posting.Quarantined("not today")
        original(row=row)

    with monkeypatch.context() as patch:
        patch.setattr(posting, "post", post)
        assert importing.book_waiting(at=shop.at) == 1
    assert BalanceTransaction.objects.get(posted_at=None).quarantine == "not today"

    assert importing.book_waiting(at=shop.at) == 1
    assert not BalanceTransaction.objects.filter(posted_at=None).exists()
    assert not BalanceTransaction.objects.exclude(quarantine="").exists()


def test_a_worker_killed_between_writing_down_and_booking_loses_nothing(shop, monkeypatch):
    from tests.payments.shop import killed

    shop.card_pays(order_of((ListingFactory(), 1)))

    with killed(monkeypatch, importing, "book_waiting"):
        shop.import_balance()
    assert BalanceTransaction.objects.filter(posted_at=None).count() == 1

    shop.import_balance()

    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()


@pytest.mark.parametrize(
    "error", [ValueError("an amount below nothing"), DifferentEntry("stripe:txn_1", "one", "another")]
)
def test_a_row_the_books_do_not_take_waits_in_quarantine_and_the_others_are_booked(shop, monkeypatch, error):
    for _ in range(2):
        shop.card_pays(order_of((ListingFactory(), 1)))
    real = posting.post
    posted = []

    def post(*, row):
        posted.append(row.pk)
        if len(posted) == 1:
            raise error
        real(row=row)

    monkeypatch.setattr(posting, "post", post)

    imported = shop.import_balance()

    assert (imported.new, imported.booked, imported.quarantined) == (2, 1, 1)
    assert BalanceTransaction.objects.get(posted_at=None).quarantine == str(error)


def test_a_deposit_stripe_does_not_know_keeps_no_other_waiting(shop, monkeypatch):
    for each in ("po_gone", "po_here"):
        Deposit.objects.create(
            stripe_id=each,
            status="pending",
            currency="EUR",
            amount_minor=100,
            created_at=shop.at,
            arrives_on=shop.at.date(),
        )
    read = []

    def read_deposit(*, deposit, at):
        read.append(deposit)
        if deposit == "po_gone":
            raise NotAtStripe("no such payout")
        return deposit

    monkeypatch.setattr(importing, "import_deposit", read_deposit)

    assert importing.import_deposits(at=shop.at) == 1
    assert read == ["po_gone", "po_here"]
