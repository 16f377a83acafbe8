"""A clean shop has no breach; each invariant, broken by hand, is found and ends ``manage.py audit`` with 1."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from catalogue import stock
from shop.backoffice import auditing
from shop.core import outbox
from shop.core.money import zero
from shop.fulfilment import deciding, delivering
from shop.fulfilment.models import Shipment
from shop.ledger import accounts, journal
from shop.ledger.journal import Move
from shop.ledger.models import JournalEntry
from shop.payments import paying, payouts, refunding
from shop.payments.models import BalanceTransaction, Refund
from shop.payments.stripe import importing
from tests.checkout.buying import basket_of, place
from tests.factories import (
    CertificationFactory,
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    dispatched,
    order_of,
    voucher,
)
from tests.payments.conftest import shop  # noqa: F401 - the fixture
from tests.payments.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def lived(shop: Shop) -> Shop:  # noqa: F811
    """A shop that has seen most of what happens.

    By card: one part paid out and then given back in part, one declined, one late payment. In cash: one part
    at the door, one waiting. A second payout nets what the first cooperative owes. Two with a voucher: the
    shop's, given back in part, and a cooperative's.
    """
    shop.listen()
    maker = OperatorFactory(roles=["finance_maker"])
    approver = OperatorFactory(roles=["finance_approver"])
    a, b = CooperativeFactory(code="A"), CooperativeFactory(code="B")
    for each in (a, b):
        PayoutAccountFactory(cooperative=each)
        MemberFactory(cooperative=each)
    certification = CertificationFactory(cooperative=a)
    oil = ListingFactory(cooperative=a, price="300.00", stock=9, claims=[certification])
    platter = ListingFactory(cooperative=b, price="340.00", stock=9)

    def pay_out() -> None:
        run = payouts.plan(by=maker, at=shop.at)
        payouts.approve(run=run, by=approver, at=shop.at)
        payouts.hand_over(batch=run.batch, at=shop.at)
        for payout in run.payouts.all():
            payouts.arrive(payout=payout, line=f"line-{payout.reference}", on=shop.at.date(), at=shop.at)

    order = shop.paid_order((oil, 2), (platter, 1))
    part_a, part_b = order.supplier_orders.order_by("reference")
    deciding.decline(supplier_order=part_b, by=None, reason="sold_out", at=shop.at)
    refunding.refund_ended_parts(at=shop.at)
    shop.released(part_a)
    pay_out()
    refunding.request(
        supplier_order=part_a,
        reason=Refund.Reason.WITHDRAWN,
        lines={part_a.lines.get(): 1},
        with_delivery=False,
        by=maker,
        at=shop.at,
    )
    for refund in Refund.objects.all():
        refunding.send(refund=refund, at=shop.at)
    (again,) = shop.paid_order((oil, 2)).supplier_orders.all()
    shop.released(again)
    pay_out()
    late = shop.late_payment()
    stock.free(quantities=paying.reserved_by(late), about=late.number, at=shop.at)
    for refund in Refund.objects.filter(state=Refund.State.REQUESTED):
        refunding.send(refund=refund, at=shop.at)

    for listing in (oil, platter):
        cash = order_of((listing, 1), method="cash", at=shop.at)
        paying.settle_cash(order=cash, at=shop.at)
    at_the_door = oil.stockrecords.get().line_set.latest("pk").order.supplier_orders.get()
    deciding.accept(supplier_order=at_the_door, by=None, at=shop.at)
    delivering.record_delivery(
        shipment=dispatched(at_the_door, at=shop.at), proof=Shipment.Proof.CUSTOMER, at=shop.at
    )
    with_voucher = place(
        basket_of((ListingFactory(cooperative=a, price="200.00", stock=9), 2)),
        at=shop.at,
        voucher=voucher().code,
    )
    shop.card_pays(with_voucher)
    paying.confirm(payment=shop.payment_of(with_voucher), at=shop.at)
    (sold,) = with_voucher.supplier_orders.all()
    refunding.request(
        supplier_order=sold,
        reason=Refund.Reason.CLAIM,
        lines={sold.lines.get(): 1},
        with_delivery=False,
        by=maker,
        at=shop.at,
    )
    given = place(
        basket_of((ListingFactory(cooperative=b, price="200.00", stock=9), 1)),
        at=shop.at,
        voucher=voucher(cooperative=b, most_uses_each=1).code,
    )
    shop.card_pays(given)
    paying.confirm(payment=shop.payment_of(given), at=shop.at)
    shop.hear()
    importing.import_balance(at=shop.at)
    while outbox.sweep(at=shop.at):
        pass
    shop.wait(hours=2)
    return shop


def broken(at) -> set[tuple[str, str]]:
    """What the audit finds, as (invariant, check)."""
    return {
        (each.invariant, f"{each.name} {each.about}".strip())
        for each in auditing.audit(at=at)
        if not each.holds
    }


def audit_command() -> tuple[int, dict]:
    """``manage.py audit --json``: its exit code and its report."""
    written = io.StringIO()
    try:
        call_command("audit", "--json", stdout=written)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(written.getvalue())
    return 0, json.loads(written.getvalue())


def plant(statement: str, *, guarded: tuple[str, ...] = ()) -> None:
    """Break something by hand. ``guarded`` tables, which refuse to be broken, give way to a copy without
    guards that lies in front of them until the test ends."""
    main = "public" if connection.vendor == "postgresql" else "main"
    with connection.cursor() as cursor:
        for table in guarded:
            cursor.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {main}.{table}")
        cursor.execute(statement)
        assert cursor.rowcount > 0, "nothing was broken"


def test_a_shop_that_has_lived_has_no_breach(lived):
    code, report = audit_command()

    assert [each for each in report["findings"] if each["breaches"]] == []
    assert (code, report["holds"], report["breaches"]) == (0, True, 0)
    assert {each["invariant"] for each in report["findings"]} == {f"I{number}" for number in range(1, 9)}


def test_an_empty_shop_has_no_breach():
    assert audit_command()[0] == 0


def test_an_entry_that_moved_nothing_is_no_breach(lived):
    before = broken(lived.at)

    journal.post(
        event="supplier-order:none:free",
        kind=JournalEntry.Kind.RELEASE,
        effective_on=lived.at.date(),
        memo="given away",
        moves=[Move(debit=accounts.bank("MAD"), credit=accounts.commission("MAD"), amount=zero())],
    )

    assert broken(lived.at) == before == set()


ENTRY = "(SELECT MIN(id) FROM ledger_journalentry)"
A, B = (f"(SELECT id FROM cooperatives_cooperative WHERE code = '{code}')" for code in "AB")
PARTNER_B = "(SELECT partner_id FROM cooperatives_cooperative WHERE code = 'B')"
STOCK = "(SELECT MIN(id) FROM partner_stockrecord)"
LEDGER = ("ledger_journalentry", "ledger_posting", "ledger_account")
PART = "(SELECT MIN(id) FROM fulfilment_supplierorder)"
EVENT = "(SELECT 'supplier-order:' || reference || ':{}' FROM fulfilment_supplierorder WHERE {})"

#: (invariant, check, statement that breaks it, tables that would refuse)
BREACHES = [
    (
        "I4",
        "an order's lines cost less by exactly what its voucher took off",
        "UPDATE vouchers_redemption SET amount_minor = amount_minor - 1 WHERE funded_by = 'platform'",
        (),
    ),
    (
        "I4",
        "a part's line carries what the voucher took off, on the side of the one who bears it",
        "UPDATE vouchers_redemption SET funded_by = 'platform', cooperative_id = NULL"
        " WHERE funded_by = 'cooperative'",
        (),
    ),
    (
        "I4",
        "a refund gives the customer what she had paid, and the shop what its voucher had",
        "UPDATE payments_refund SET discount_minor = 0 WHERE discount_minor > 0",
        (),
    ),
    (
        "I4",
        "what the shop's vouchers cost is what the booked parts took off less what refunds returned",
        "UPDATE ledger_posting SET amount_minor = amount_minor + 1 WHERE debit_id ="
        " (SELECT id FROM ledger_account WHERE kind = 'voucher_cost')",
        LEDGER,
    ),
    (
        "I4",
        "a voucher counts its living uses, and no customer has more than she may",
        "UPDATE vouchers_voucher SET used = used + 1",
        (),
    ),
    (
        "I4",
        "an order that came to nothing holds no use of a voucher",
        "UPDATE vouchers_redemption SET given_back_at = taken_at WHERE funded_by = 'cooperative'",
        (),
    ),
    (
        "I1",
        "a posting is positive, has two accounts and one currency",
        "UPDATE ledger_posting SET amount_minor = -5 WHERE id = (SELECT MIN(id) FROM ledger_posting)",
        ("ledger_posting",),
    ),
    (
        "I1",
        "a posting is positive, has two accounts and one currency",
        "UPDATE ledger_posting SET currency = 'USD' WHERE id = (SELECT MIN(id) FROM ledger_posting)",
        ("ledger_posting",),
    ),
    (
        "I1",
        "per currency all balances add up to nothing",
        "UPDATE ledger_posting SET debit_id = (SELECT id FROM ledger_account WHERE code = 'stripe_balance:EUR')"
        " WHERE id = (SELECT MIN(id) FROM ledger_posting WHERE currency = 'MAD')",
        ("ledger_posting",),
    ),
    (
        "I2",
        "stock on hand and reserved are never below zero, nor more reserved than on hand",
        f"UPDATE partner_stockrecord SET num_in_stock = -1 WHERE id = {STOCK}",
        ("partner_stockrecord",),
    ),
    (
        "I2",
        "stock equals its movements",
        f"UPDATE partner_stockrecord SET num_in_stock = num_in_stock + 1 WHERE id = {STOCK}",
        (),
    ),
    (
        "I2",
        "what is reserved waits for a payment, or for its cooperative to send it",
        "UPDATE order_line SET quantity = quantity + 1 WHERE id = (SELECT MIN(order_line_id) FROM"
        " fulfilment_supplierorderline l JOIN fulfilment_supplierorder s ON s.id = l.supplier_order_id"
        " WHERE s.state = 'placed')",
        (),
    ),
    (
        "I3",
        "each charge at Stripe belongs to one order, or waits as a late payment with its refund",
        "UPDATE payments_payment SET stripe_charge_id = 'ch_other' WHERE id = (SELECT MIN(id) FROM payments_payment)",
        (),
    ),
    (
        "I3",
        "each charge at Stripe belongs to one order, or waits as a late payment with its refund",
        "UPDATE payments_latepayment SET refund_id = NULL",
        (),
    ),
    (
        "I3",
        "each payment of an order stands on the Stripe balance, as far as that is imported",
        "DELETE FROM payments_balancetransaction WHERE source_id ="
        " (SELECT stripe_charge_id FROM payments_payment WHERE id = (SELECT MIN(id) FROM payments_payment))",
        (),
    ),
    (
        "I3",
        "an order is confirmed exactly when it is paid or collected at the door",
        "UPDATE order_order SET confirmed_at = NULL WHERE id = (SELECT MIN(id) FROM order_order)",
        (),
    ),
    (
        "I3",
        "no charge is counted for two orders",
        "UPDATE payments_payment SET stripe_charge_id = 'ch_same' WHERE state = 'paid'",
        (),
    ),
    (
        "I4",
        "an order's total is its lines and its delivery",
        "UPDATE order_order SET total_incl_tax = total_incl_tax + 0.01 WHERE id = (SELECT MIN(id) FROM order_order)",
        (),
    ),
    (
        "I4",
        "a confirmed order's total is its supplier orders",
        f"UPDATE fulfilment_supplierorder SET goods_minor = goods_minor + 1 WHERE id = {PART}",
        ("fulfilment_supplierorder",),
    ),
    (
        "I4",
        "what was asked is what the order costs",
        "UPDATE payments_payment SET amount_minor = amount_minor + 1 WHERE id = (SELECT MIN(id) FROM payments_payment)",
        (),
    ),
    (
        "I4",
        "a supplier order is the sum of its lines, to the centime",
        "UPDATE fulfilment_supplierorderline SET solidarity_minor = solidarity_minor + 1"
        f" WHERE supplier_order_id = {PART}",
        (),
    ),
    (
        "I4",
        "refunds of an order are all counted, and stay within what was paid",
        "UPDATE payments_payment SET refunded_minor = 0 WHERE refunded_minor > 0",
        (),
    ),
    (
        "I4",
        "no line gives back more than it was",
        "UPDATE payments_refundline SET quantity = 99",
        (),
    ),
    (
        "I4",
        "what Stripe captured is what a confirmed order costs, and nothing once it has ended",
        "UPDATE ledger_posting SET amount_minor = amount_minor - 1 WHERE entry_id ="
        " (SELECT MIN(id) FROM ledger_journalentry WHERE kind = 'card_payment')",
        ("ledger_posting",),
    ),
    (
        "I4",
        "the delivery of a part is what was quoted for it",
        "UPDATE fulfilment_deliveryquote SET gross_minor = 1, net_minor = 1, vat_minor = 0",
        (),
    ),
    (
        "I5",
        "what a cooperative is owed is its sales less refunds and payouts",
        "UPDATE payments_refund SET goods_minor = goods_minor + 1 WHERE stage = 'held'",
        (),
    ),
    (
        "I5",
        "nobody is paid more than was ever due",
        "UPDATE ledger_posting SET amount_minor = amount_minor * 2 WHERE entry_id IN"
        " (SELECT id FROM ledger_journalentry WHERE kind = 'payout_sent')",
        ("ledger_posting",),
    ),
    (
        "I5",
        "no supplier order stands in two live payouts",
        "UPDATE payments_payoutitem SET supplier_order_id = (SELECT MIN(supplier_order_id) FROM payments_payoutitem)",
        ("payments_payoutitem",),
    ),
    (
        "I5",
        "a payout is the sum of its items less what it netted",
        "UPDATE payments_payoutitem SET share_minor = share_minor + 1",
        (),
    ),
    (
        "I6",
        "an event is posted once",
        "INSERT INTO ledger_journalentry SELECT * FROM ledger_journalentry WHERE kind = 'release'",
        ("ledger_journalentry",),
    ),
    (
        "I6",
        "each supplier order paid by card is posted when confirmed",
        "DELETE FROM ledger_journalentry WHERE event = " + EVENT.format("confirmed", f"id = {PART}"),
        ("ledger_journalentry",),
    ),
    (
        "I6",
        "a supplier order paid at the door is posted exactly when it has arrived",
        "DELETE FROM ledger_journalentry WHERE kind = 'cash_collected'",
        ("ledger_journalentry",),
    ),
    (
        "I6",
        "a supplier order is released in the books exactly when it is released",
        "UPDATE fulfilment_supplierorder SET state = 'delivered' WHERE state = 'released'",
        (),
    ),
    (
        "I6",
        "a supplier order is released in the books exactly when it is released",
        "UPDATE fulfilment_supplierorder SET state = 'released' WHERE state = 'declined'",
        (),
    ),
    (
        "I6",
        "each balance transaction said to be posted is posted, and no other",
        "UPDATE payments_balancetransaction SET posted_at = NULL WHERE category = 'charge'",
        (),
    ),
    (
        "I6",
        "each refund of a supplier order is posted",
        "DELETE FROM ledger_journalentry WHERE kind = 'refund'",
        ("ledger_journalentry",),
    ),
    (
        "I6",
        "each payout by bank that was sent or arrived is posted, for its amount",
        "UPDATE payments_payout SET state = 'paid', amount_minor = amount_minor + 1, netted_minor = netted_minor - 1"
        " WHERE netted_minor > 0",
        (),
    ),
    (
        "I6",
        "what a payout settled is posted exactly while it stands",
        "DELETE FROM ledger_posting WHERE entry_id IN (SELECT id FROM ledger_journalentry WHERE kind = 'netting')",
        ("ledger_posting",),
    ),
    (
        "I7",
        "a promised message is delivered within a day, or somebody knows that it failed",
        "UPDATE core_outboxmessage SET state = 'waiting', delivered_at = NULL, due_at = '2020-01-01 00:00:00+00:00'"
        " WHERE id = (SELECT MIN(id) FROM core_outboxmessage)",
        (),
    ),
    (
        "I7",
        "what is delivered says when, and what says when is delivered",
        "UPDATE core_outboxmessage SET delivered_at = NULL WHERE id = (SELECT MIN(id) FROM core_outboxmessage)",
        (),
    ),
    (
        "I7",
        "no message is promised twice",
        "UPDATE core_outboxmessage SET key = 'the same'",
        ("core_outboxmessage",),
    ),
    (
        "I7",
        "a webhook that was kept is handled within a day, and once",
        "UPDATE payments_stripeevent SET state = 'waiting', handled_at = NULL,"
        " received_at = '2020-01-01 00:00:00+00:00' WHERE id = (SELECT MIN(id) FROM payments_stripeevent)",
        (),
    ),
    (
        "I8",
        "a line of a supplier order is its cooperative's own",
        f"UPDATE order_line SET cooperative_id = {B} WHERE cooperative_id = {A}",
        (),
    ),
    (
        "I8",
        "a claim rests on the cooperative's own certification",
        f"UPDATE cooperatives_certification SET cooperative_id = {B}",
        (),
    ),
    (
        "I8",
        "stock lies with the listing's own cooperative",
        f"UPDATE partner_stockrecord SET partner_id = {PARTNER_B}",
        (),
    ),
    (
        "I8",
        "an order's line is taken from its cooperative's own stock",
        f"UPDATE order_line SET partner_id = {PARTNER_B} WHERE cooperative_id = {A}",
        (),
    ),
    (
        "I8",
        "a payout pays its cooperative's own supplier orders",
        f"UPDATE payments_payout SET cooperative_id = {B}",
        ("payments_payout",),
    ),
    (
        "I8",
        "a refund gives back its own supplier order's lines",
        "UPDATE payments_refundline SET line_id = (SELECT MAX(id) FROM fulfilment_supplierorderline)",
        ("payments_refundline",),
    ),
    (
        "I8",
        "what belongs to a cooperative names nothing of another payments.Payout.account",
        f"UPDATE cooperatives_payoutaccount SET cooperative_id = {B}, version = id + 1000",
        (),
    ),
    (
        "I8",
        "what belongs to a cooperative names nothing of another order.Line.product",
        f"UPDATE catalogue_product SET cooperative_id = {B} WHERE cooperative_id = {A}",
        (),
    ),
]


def test_every_planted_breach_is_found_and_ends_the_command_with_1(lived):
    unseen = []
    for invariant, check, statement, guarded in BREACHES:
        assert broken(lived.at) == set()

        with transaction.atomic():
            plant(statement, guarded=guarded)
            code, report = audit_command()
            transaction.set_rollback(True)

        found = {
            (each["invariant"], f"{each['name']} {each['about']}".strip())
            for each in report["findings"]
            if each["rows"]
        }
        if (invariant, check) not in found or code != 1 or report["holds"] or not report["breaches"]:
            unseen.append((invariant, check, statement))

    assert unseen == []


def test_every_check_with_a_life_of_its_own_has_its_planted_breach(lived):
    planted = {(invariant, check) for invariant, check, _, _ in BREACHES}

    fixed = {(each.invariant, each.name) for each in auditing.checks(at=lived.at) if not each.about}

    assert fixed - planted == set()


@pytest.mark.parametrize("table", auditing._APPEND_ONLY)
def test_a_lifted_guard_of_the_books_is_found(table):
    assert audit_command()[0] == 0

    name = f"{table}_keeps_all" if connection.vendor == "postgresql" else f"{table}_refuses_delete"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DROP TRIGGER {name} ON {table}" if connection.vendor == "postgresql" else f"DROP TRIGGER {name}"
        )
    code, report = audit_command()

    assert code == 1
    (finding,) = [each for each in report["findings"] if each["breaches"]]
    assert finding["invariant"] == "I1"
    assert finding["rows"] == [{"table": table, "guard": name}]


def test_a_charge_that_has_just_come_is_no_breach_yet_and_is_one_an_hour_later(lived):
    young = BalanceTransaction.objects.filter(category="charge").latest("created_at")
    BalanceTransaction.objects.filter(pk=young.pk).update(
        source_id="ch_not_known_yet", created_at=lived.at - timedelta(minutes=5)
    )

    soon, later = broken(lived.at), broken(lived.at + timedelta(hours=2))

    name = "each charge at Stripe belongs to one order, or waits as a late payment with its refund"
    assert ("I3", name) not in soon
    assert ("I3", name) in later


def test_the_command_tells_people_what_it_found(lived):
    plant(f"UPDATE partner_stockrecord SET num_in_stock = num_in_stock + 1 WHERE id = {STOCK}")

    written = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("audit", stdout=written)

    assert ended.value.code == 1
    assert "1 ! I2  stock equals its movements" in written.getvalue()
    assert "1 breaches" in written.getvalue()
