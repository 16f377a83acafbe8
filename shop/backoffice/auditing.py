"""The audit: what must always be true, asked of the tables in plain SQL.

It shares no code with the activities it checks: no manager, no property, no rounding of ours. One statement
for each check, the same on SQLite and PostgreSQL; each row it returns is a breach. Names are in English, marked
for whoever shows them to a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils.translation import gettext_noop as _

#: A promised message, or a webhook that was kept, may wait this long before the audit calls it lost.
OUTBOX_PATIENCE = timedelta(hours=24)
#: Stripe's money and its order find each other within minutes, in whichever order they become known.
MEETING_PATIENCE = timedelta(hours=1)
#: Breaches shown for each check; the count is always whole.
SHOWN = 20


@dataclass(frozen=True)
class Check:
    """One invariant's part: a statement that returns a row for each breach."""

    invariant: str
    name: str
    sql: str
    values: tuple[Any, ...] = ()
    about: str = ""


@dataclass
class Finding:
    """What one check found."""

    invariant: str
    name: str
    breaches: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    about: str = ""

    @property
    def holds(self) -> bool:
        return self.breaches == 0


# A decimal column of Oscar's as whole centimes.
def _centimes(column: str) -> str:
    return f"CAST(ROUND({column} * 100) AS BIGINT)"


_APPEND_ONLY = (
    "ledger_account",
    "ledger_journalentry",
    "ledger_posting",
    "catalogue_stockmovement",
    "fulfilment_orderevent",
)

_BOOKS = (
    Check(
        "I1",
        _("a posting is positive, has two accounts and one currency"),
        """
        SELECT p.id AS posting, p.currency, p.amount_minor
        FROM ledger_posting p
        JOIN ledger_account d ON d.id = p.debit_id
        JOIN ledger_account c ON c.id = p.credit_id
        WHERE p.amount_minor <= 0 OR p.debit_id = p.credit_id
           OR d.currency <> p.currency OR c.currency <> p.currency
        """,
    ),
    Check(
        "I1",
        _("per currency all balances add up to nothing"),
        """
        SELECT currency, SUM(amount_minor) AS difference FROM (
            SELECT a.currency, p.amount_minor FROM ledger_posting p JOIN ledger_account a ON a.id = p.debit_id
            UNION ALL
            SELECT a.currency, -p.amount_minor FROM ledger_posting p JOIN ledger_account a ON a.id = p.credit_id
        ) sides GROUP BY currency HAVING SUM(amount_minor) <> 0
        """,
    ),
)

_STOCK = (
    Check(
        "I2",
        _("stock on hand and reserved are never below zero, nor more reserved than on hand"),
        """
        SELECT id AS stock_record, num_in_stock, num_allocated FROM partner_stockrecord
        WHERE COALESCE(num_in_stock, 0) < 0 OR COALESCE(num_allocated, 0) < 0
           OR COALESCE(num_allocated, 0) > COALESCE(num_in_stock, 0)
        """,
    ),
    Check(
        "I2",
        _("stock equals its movements"),
        """
        SELECT s.id AS stock_record, s.num_in_stock, s.num_allocated, m.on_hand, m.reserved
        FROM partner_stockrecord s
        LEFT JOIN (
            SELECT stockrecord_id,
                   SUM(CASE kind WHEN 'received' THEN quantity WHEN 'returned' THEN quantity
                                 WHEN 'sold' THEN -quantity WHEN 'written_off' THEN -quantity ELSE 0 END) AS on_hand,
                   SUM(CASE kind WHEN 'reserved' THEN quantity WHEN 'freed' THEN -quantity
                                 WHEN 'sold' THEN -quantity ELSE 0 END) AS reserved
            FROM catalogue_stockmovement GROUP BY stockrecord_id
        ) m ON m.stockrecord_id = s.id
        WHERE COALESCE(s.num_in_stock, 0) <> COALESCE(m.on_hand, 0)
           OR COALESCE(s.num_allocated, 0) <> COALESCE(m.reserved, 0)
        """,
    ),
    Check(
        "I2",
        _("what is reserved waits for a payment, or for its cooperative to send it"),
        """
        SELECT s.id AS stock_record, s.num_allocated, COALESCE(w.quantity, 0) AS waiting
        FROM partner_stockrecord s
        LEFT JOIN (
            SELECT l.stockrecord_id, SUM(l.quantity) AS quantity
            FROM order_line l JOIN order_order o ON o.id = l.order_id
            LEFT JOIN fulfilment_supplierorderline sl ON sl.order_line_id = l.id
            LEFT JOIN fulfilment_supplierorder so ON so.id = sl.supplier_order_id
            WHERE (o.confirmed_at IS NULL AND o.ended_at IS NULL) OR so.state IN ('placed', 'accepted')
            GROUP BY l.stockrecord_id
        ) w ON w.stockrecord_id = s.id
        WHERE COALESCE(s.num_allocated, 0) <> COALESCE(w.quantity, 0)
        """,
    ),
)

_PAYMENTS = (
    Check(
        "I3",
        _("an order is confirmed exactly when it is paid or collected at the door"),
        """
        SELECT o.number, p.state FROM order_order o
        LEFT JOIN payments_payment p ON p.order_id = o.id
        WHERE (o.confirmed_at IS NOT NULL AND COALESCE(p.state, '') NOT IN ('paid', 'on_delivery'))
           OR (o.confirmed_at IS NULL AND COALESCE(p.state, '') IN ('paid', 'on_delivery'))
        """,
    ),
    Check(
        "I3",
        _("no charge is counted for two orders"),
        """
        SELECT stripe_charge_id, COUNT(*) AS payments FROM payments_payment
        WHERE stripe_charge_id <> '' GROUP BY stripe_charge_id HAVING COUNT(*) > 1
        """,
    ),
)

# How many orders a charge is counted for, and how many late payments with their refund (one of another amount
# waits until its order is over).
_ORDERS_OF_CHARGE = """
    (SELECT COUNT(*) FROM payments_payment p WHERE p.stripe_charge_id = b.source_id AND p.state = 'paid')
    + (SELECT COUNT(*) FROM payments_latepayment l JOIN payments_payment p ON p.id = l.payment_id
       WHERE l.stripe_charge_id = b.source_id
         AND (l.refund_id IS NOT NULL OR (l.reason = 'differs' AND p.state = 'awaiting')))
"""


def _charges(at: datetime) -> tuple[Check, ...]:
    return (
        Check(
            "I3",
            _("each charge at Stripe belongs to one order, or waits as a late payment with its refund"),
            f"""
            SELECT b.stripe_id, b.source_id, {_ORDERS_OF_CHARGE} AS orders FROM payments_balancetransaction b
            WHERE b.category IN ('charge', 'payment')
              AND ({_ORDERS_OF_CHARGE} > 1 OR ({_ORDERS_OF_CHARGE} = 0 AND b.created_at < %s))
            """,
            (at - MEETING_PATIENCE,),
        ),
        Check(
            "I3",
            _("each payment of an order stands on the Stripe balance, as far as that is imported"),
            """
            SELECT o.number, p.stripe_charge_id FROM payments_payment p JOIN order_order o ON o.id = p.order_id
            WHERE p.state = 'paid'
              AND NOT EXISTS (SELECT 1 FROM payments_balancetransaction b WHERE b.source_id = p.stripe_charge_id)
              AND EXISTS (SELECT 1 FROM payments_balancetransaction b
                          WHERE b.created_at > p.paid_at AND b.imported_at > p.paid_at AND b.created_at < %s)
            """,
            (at - MEETING_PATIENCE,),
        ),
    )


_ORDERS = (
    Check(
        "I4",
        _("an order's total is its lines and its delivery"),
        f"""
        SELECT o.number, {_centimes("o.total_incl_tax")} AS total,
               COALESCE(l.goods, 0) + {_centimes("o.shipping_incl_tax")} AS parts
        FROM order_order o
        LEFT JOIN (SELECT order_id, SUM({_centimes("line_price_incl_tax")}) AS goods
                   FROM order_line GROUP BY order_id) l ON l.order_id = o.id
        WHERE {_centimes("o.total_incl_tax")} <> COALESCE(l.goods, 0) + {_centimes("o.shipping_incl_tax")}
        """,
    ),
    Check(
        "I4",
        _("a confirmed order's total is its supplier orders"),
        f"""
        SELECT o.number, {_centimes("o.total_incl_tax")} AS total, COALESCE(s.parts, 0) AS parts
        FROM order_order o
        LEFT JOIN (SELECT order_id, SUM(goods_minor - discount_by_shop_minor + delivery_minor) AS parts
                   FROM fulfilment_supplierorder GROUP BY order_id) s ON s.order_id = o.id
        WHERE o.confirmed_at IS NOT NULL AND {_centimes("o.total_incl_tax")} <> COALESCE(s.parts, 0)
        """,
    ),
    Check(
        "I4",
        _("what was asked is what the order costs"),
        f"""
        SELECT o.number, {_centimes("o.total_incl_tax")} AS total, p.amount_minor AS asked
        FROM order_order o JOIN payments_payment p ON p.order_id = o.id
        WHERE {_centimes("o.total_incl_tax")} <> p.amount_minor
        """,
    ),
    Check(
        "I4",
        _("a supplier order is the sum of its lines, to the centime"),
        """
        SELECT s.reference FROM fulfilment_supplierorder s
        LEFT JOIN (SELECT supplier_order_id, SUM(goods_minor) AS goods, SUM(commission_minor) AS commission,
                          SUM(commission_vat_minor) AS vat, SUM(solidarity_minor) AS solidarity,
                          SUM(discount_by_shop_minor) AS by_shop, SUM(discount_by_cooperative_minor) AS by_coop
                   FROM fulfilment_supplierorderline GROUP BY supplier_order_id) l ON l.supplier_order_id = s.id
        WHERE COALESCE(l.goods, 0) <> s.goods_minor OR COALESCE(l.commission, 0) <> s.commission_minor
           OR COALESCE(l.vat, 0) <> s.commission_vat_minor OR COALESCE(l.solidarity, 0) <> s.solidarity_minor
           OR COALESCE(l.by_shop, 0) <> s.discount_by_shop_minor
           OR COALESCE(l.by_coop, 0) <> s.discount_by_cooperative_minor
        """,
    ),
    Check(
        "I4",
        _("refunds of an order are all counted, and stay within what was paid"),
        """
        SELECT o.number, p.amount_minor, p.refunded_minor, COALESCE(r.asked, 0) AS asked
        FROM payments_payment p JOIN order_order o ON o.id = p.order_id
        LEFT JOIN (SELECT payment_id, SUM(amount_minor) AS asked FROM payments_refund
                   WHERE reason <> 'late' GROUP BY payment_id) r ON r.payment_id = p.id
        WHERE COALESCE(r.asked, 0) > p.amount_minor OR COALESCE(r.asked, 0) <> p.refunded_minor
        """,
    ),
    Check(
        "I4",
        _("no line gives back more than it was"),
        """
        SELECT s.reference, l.id AS line FROM fulfilment_supplierorderline l
        JOIN fulfilment_supplierorder s ON s.id = l.supplier_order_id
        JOIN (SELECT line_id, SUM(quantity) AS quantity, SUM(goods_minor) AS goods, SUM(commission_minor) AS fee,
                     SUM(commission_vat_minor) AS vat, SUM(solidarity_minor) AS solidarity,
                     SUM(discount_minor) AS discount
              FROM payments_refundline GROUP BY line_id) r ON r.line_id = l.id
        WHERE r.quantity > l.quantity OR r.goods > l.goods_minor OR r.fee > l.commission_minor
           OR r.vat > l.commission_vat_minor OR r.solidarity > l.solidarity_minor
           OR r.discount > l.discount_by_shop_minor
           OR r.goods - r.discount > l.goods_minor - l.discount_by_shop_minor
        """,
    ),
    Check(
        "I4",
        _("what Stripe captured is what a confirmed order costs, and nothing once it has ended"),
        f"""
        SELECT o.number, {_centimes("o.total_incl_tax")} AS total, c.captured FROM order_order o
        JOIN (SELECT e."order" AS number, SUM(CASE WHEN a.id = p.credit_id THEN p.amount_minor
                                                   ELSE -p.amount_minor END) AS captured
              FROM ledger_journalentry e JOIN ledger_posting p ON p.entry_id = e.id
              JOIN ledger_account a ON a.id IN (p.debit_id, p.credit_id) AND a.kind = 'customer_funds'
              WHERE e.kind IN ('card_payment', 'late_payment') GROUP BY e."order") c ON c.number = o.number
        WHERE (o.confirmed_at IS NOT NULL AND c.captured <> {_centimes("o.total_incl_tax")})
           OR (o.ended_at IS NOT NULL AND c.captured <> 0)
        """,
    ),
    Check(
        "I4",
        _("the delivery of a part is what was quoted for it"),
        """
        SELECT s.reference, s.delivery_minor, q.gross_minor AS quoted FROM fulfilment_supplierorder s
        LEFT JOIN fulfilment_deliveryquote q ON q.order_id = s.order_id AND q.cooperative_id = s.cooperative_id
        WHERE q.id IS NULL OR q.gross_minor <> s.delivery_minor OR q.vat_minor <> s.delivery_vat_minor
        """,
    ),
)

_VOUCHERS = (
    Check(
        "I4",
        _("an order's lines cost less by exactly what its voucher took off"),
        f"""
        SELECT o.number, COALESCE(r.amount_minor, 0) AS voucher, COALESCE(l.off, 0) AS off
        FROM order_order o
        LEFT JOIN vouchers_redemption r ON r.order_id = o.id
        LEFT JOIN (SELECT order_id, SUM({_centimes("line_price_before_discounts_incl_tax")}
                                        - {_centimes("line_price_incl_tax")}) AS off
                   FROM order_line GROUP BY order_id) l ON l.order_id = o.id
        WHERE COALESCE(r.amount_minor, 0) <> COALESCE(l.off, 0)
        """,
    ),
    Check(
        "I4",
        _("a part's line carries what the voucher took off, on the side of the one who bears it"),
        f"""
        SELECT s.reference, l.id AS line FROM fulfilment_supplierorderline l
        JOIN fulfilment_supplierorder s ON s.id = l.supplier_order_id
        JOIN order_line o ON o.id = l.order_line_id
        LEFT JOIN vouchers_redemption r ON r.order_id = s.order_id
        WHERE l.goods_minor + l.discount_by_cooperative_minor
              <> {_centimes("o.line_price_before_discounts_incl_tax")}
           OR l.goods_minor - l.discount_by_shop_minor <> {_centimes("o.line_price_incl_tax")}
           OR (l.discount_by_shop_minor <> 0 AND COALESCE(r.funded_by, '') <> 'platform')
           OR (l.discount_by_cooperative_minor <> 0
               AND (COALESCE(r.funded_by, '') <> 'cooperative' OR r.cooperative_id <> s.cooperative_id))
        """,
    ),
    Check(
        "I4",
        _("a refund gives the customer what she had paid, and the shop what its voucher had"),
        """
        SELECT r.reference FROM payments_refund r
        LEFT JOIN (SELECT refund_id, SUM(goods_minor) AS goods, SUM(discount_minor) AS discount
                   FROM payments_refundline GROUP BY refund_id) l ON l.refund_id = r.id
        WHERE r.supplier_order_id IS NOT NULL
          AND (r.amount_minor <> r.goods_minor - r.discount_minor + r.delivery_minor
            OR COALESCE(l.goods, 0) <> r.goods_minor OR COALESCE(l.discount, 0) <> r.discount_minor)
        """,
    ),
    Check(
        "I4",
        _("what the shop's vouchers cost is what the booked parts took off less what refunds returned"),
        """
        SELECT number, SUM(books) AS books, SUM(facts) AS facts FROM (
            SELECT e."order" AS number,
                   CASE WHEN d.kind = 'voucher_cost' THEN p.amount_minor ELSE -p.amount_minor END AS books,
                   0 AS facts
            FROM ledger_posting p
            JOIN ledger_journalentry e ON e.id = p.entry_id
            JOIN ledger_account d ON d.id = p.debit_id
            JOIN ledger_account c ON c.id = p.credit_id
            WHERE 'voucher_cost' IN (d.kind, c.kind) AND e.kind IN ('confirmation', 'refund')
            UNION ALL
            SELECT o.number, 0, s.discount_by_shop_minor
            FROM fulfilment_supplierorder s JOIN order_order o ON o.id = s.order_id
            WHERE EXISTS (SELECT 1 FROM ledger_journalentry e
                          WHERE e.event = 'supplier-order:' || s.reference || ':confirmed')
            UNION ALL
            SELECT o.number, 0, -r.discount_minor
            FROM payments_refund r
            JOIN fulfilment_supplierorder s ON s.id = r.supplier_order_id
            JOIN order_order o ON o.id = s.order_id
            WHERE EXISTS (SELECT 1 FROM ledger_journalentry e WHERE e.event = 'refund:' || r.reference)
        ) cost GROUP BY number HAVING SUM(books) <> SUM(facts)
        """,
    ),
    Check(
        "I4",
        _("a voucher counts its living uses, and no customer has more than she may"),
        """
        SELECT v.reference, v.used, COALESCE(r.live, 0) AS live FROM vouchers_voucher v
        LEFT JOIN (SELECT voucher_id, COUNT(*) AS live FROM vouchers_redemption
                   WHERE given_back_at IS NULL GROUP BY voucher_id) r ON r.voucher_id = v.id
        WHERE v.used <> COALESCE(r.live, 0) OR COALESCE(r.live, 0) > COALESCE(v.most_uses, v.used)
           OR EXISTS (SELECT 1 FROM vouchers_redemption e
                      WHERE e.voucher_id = v.id AND e.given_back_at IS NULL AND v.most_uses_each IS NOT NULL
                      GROUP BY e.customer HAVING COUNT(*) > v.most_uses_each)
        """,
    ),
    Check(
        "I4",
        _("an order that came to nothing holds no use of a voucher"),
        """
        SELECT o.number FROM vouchers_redemption r JOIN order_order o ON o.id = r.order_id
        WHERE (r.given_back_at IS NULL) <> (
            o.ended_at IS NULL AND (o.confirmed_at IS NULL OR EXISTS (
                SELECT 1 FROM fulfilment_supplierorder s WHERE s.order_id = o.id
                AND s.state NOT IN ('declined', 'cancelled', 'refused'))))
        """,
    ),
)

_COOPERATIVES = (
    Check(
        "I5",
        _("what a cooperative is owed is its sales less refunds and payouts"),
        """
        SELECT code, SUM(books) AS books, SUM(facts) AS facts FROM (
            SELECT a.owner AS code, p.amount_minor AS books, 0 AS facts
            FROM ledger_posting p JOIN ledger_account a ON a.id = p.credit_id
            WHERE a.kind IN ('producer_held', 'producer_payable', 'producer_receivable')
            UNION ALL
            SELECT a.owner, -p.amount_minor, 0 FROM ledger_posting p JOIN ledger_account a ON a.id = p.debit_id
            WHERE a.kind IN ('producer_held', 'producer_payable', 'producer_receivable')
            UNION ALL
            SELECT c.code, 0, s.producer_share_minor
            FROM fulfilment_supplierorder s JOIN cooperatives_cooperative c ON c.id = s.cooperative_id
            WHERE EXISTS (SELECT 1 FROM ledger_journalentry e
                          WHERE e.event = 'supplier-order:' || s.reference || ':confirmed')
            UNION ALL
            SELECT c.code, 0, -(r.goods_minor - r.commission_minor - r.solidarity_minor)
            FROM payments_refund r
            JOIN fulfilment_supplierorder s ON s.id = r.supplier_order_id
            JOIN cooperatives_cooperative c ON c.id = s.cooperative_id
            WHERE EXISTS (SELECT 1 FROM ledger_journalentry e WHERE e.event = 'refund:' || r.reference)
            UNION ALL
            SELECT a.owner, 0, -p.amount_minor
            FROM ledger_posting p
            JOIN ledger_journalentry e ON e.id = p.entry_id
            JOIN ledger_account a ON a.id = p.debit_id
            WHERE a.kind = 'producer_payable' AND e.kind IN ('transfer', 'payout_sent')
            UNION ALL
            SELECT a.owner, 0, p.amount_minor
            FROM ledger_posting p
            JOIN ledger_journalentry e ON e.id = p.entry_id
            JOIN ledger_account a ON a.id = p.credit_id
            WHERE a.kind = 'producer_payable'
              AND e.kind IN ('payout_rejected', 'payout_returned', 'transfer_reversed')
            UNION ALL
            SELECT a.owner, 0, CASE WHEN a.id = p.credit_id THEN p.amount_minor ELSE -p.amount_minor END
            FROM ledger_posting p
            JOIN ledger_journalentry e ON e.id = p.entry_id
            JOIN ledger_account a ON a.id IN (p.debit_id, p.credit_id)
            WHERE a.kind IN ('producer_held', 'producer_payable', 'producer_receivable')
              AND e.kind IN ('adjustment', 'reversal', 'delivery_charged')
        ) owed GROUP BY code HAVING SUM(books) <> SUM(facts)
        """,
    ),
    Check(
        "I5",
        _("nobody is paid more than was ever due"),
        """
        SELECT code, currency, SUM(amount) AS balance FROM (
            SELECT a.owner AS code, a.currency, p.amount_minor AS amount
            FROM ledger_posting p JOIN ledger_account a ON a.id = p.credit_id WHERE a.kind = 'producer_payable'
            UNION ALL
            SELECT a.owner, a.currency, -p.amount_minor
            FROM ledger_posting p JOIN ledger_account a ON a.id = p.debit_id WHERE a.kind = 'producer_payable'
        ) payable GROUP BY code, currency HAVING SUM(amount) < 0
        """,
    ),
    Check(
        "I5",
        _("no supplier order stands in two live payouts"),
        """
        SELECT supplier_order_id, COUNT(*) AS live FROM payments_payoutitem
        WHERE is_live GROUP BY supplier_order_id HAVING COUNT(*) > 1
        """,
    ),
    Check(
        "I5",
        _("a payout is the sum of its items less what it netted"),
        """
        SELECT p.reference, p.shares_minor, i.live, i.planned
        FROM payments_payout p
        LEFT JOIN (
            -- Parts that Stripe refused or took back are not live any more, and not in the sum.
            SELECT pi.payout_id, SUM(pi.share_minor) AS planned,
                   SUM(CASE WHEN pi.is_live THEN pi.share_minor ELSE 0 END) AS live
            FROM payments_payoutitem pi
            GROUP BY pi.payout_id
        ) i ON i.payout_id = p.id
        WHERE (p.state NOT IN ('rejected', 'cancelled') AND p.shares_minor <> COALESCE(i.live, 0))
           OR p.shares_minor > COALESCE(i.planned, 0)
           OR p.shares_minor <> p.netted_minor + p.amount_minor
        """,
    ),
)

_EVENTS = (
    Check(
        "I6",
        _("an event is posted once"),
        "SELECT event, COUNT(*) AS times FROM ledger_journalentry GROUP BY event HAVING COUNT(*) > 1",
    ),
    Check(
        "I6",
        _("each supplier order paid by card is posted when confirmed"),
        """
        SELECT s.reference FROM fulfilment_supplierorder s JOIN order_order o ON o.id = s.order_id
        WHERE o.payment_method = 'card'
          AND NOT EXISTS (SELECT 1 FROM ledger_journalentry e
                          WHERE e.event = 'supplier-order:' || s.reference || ':confirmed')
        """,
    ),
    Check(
        "I6",
        _("a supplier order paid at the door is posted exactly when it has arrived"),
        """
        SELECT s.reference, s.state FROM fulfilment_supplierorder s JOIN order_order o ON o.id = s.order_id
        WHERE o.payment_method = 'cash'
          AND ((s.state IN ('delivered', 'released')) <> EXISTS (
                  SELECT 1 FROM ledger_journalentry e WHERE e.event = 'supplier-order:' || s.reference || ':confirmed')
            OR (s.state IN ('delivered', 'released')) <> EXISTS (
                  SELECT 1 FROM ledger_journalentry e
                  WHERE e.event = 'supplier-order:' || s.reference || ':cash-collected'))
        """,
    ),
    Check(
        "I6",
        _("a supplier order is released in the books exactly when it is released"),
        """
        SELECT s.reference, s.state FROM fulfilment_supplierorder s
        WHERE (s.state = 'released') <> EXISTS (
            SELECT 1 FROM ledger_journalentry e WHERE e.event = 'supplier-order:' || s.reference || ':released')
        """,
    ),
    Check(
        "I6",
        _("each balance transaction said to be posted is posted, and no other"),
        """
        SELECT b.stripe_id FROM payments_balancetransaction b
        WHERE (b.posted_at IS NOT NULL) <> EXISTS (
            SELECT 1 FROM ledger_journalentry e WHERE e.event = 'stripe:' || b.stripe_id)
          AND (b.net_minor <> 0 OR b.posted_at IS NULL)
        """,
    ),
    Check(
        "I6",
        _("each refund of a supplier order is posted"),
        """
        SELECT r.reference FROM payments_refund r
        WHERE r.supplier_order_id IS NOT NULL AND r.stage <> 'none'
          AND NOT EXISTS (SELECT 1 FROM ledger_journalentry e WHERE e.event = 'refund:' || r.reference)
        """,
    ),
    Check(
        "I6",
        _("each payout by bank that was sent or arrived is posted, for its amount"),
        """
        SELECT p.reference, p.state, p.amount_minor FROM payments_payout p
        WHERE p.rail = 'bank'
          AND ((p.state IN ('sent', 'paid') AND p.amount_minor <> COALESCE((
                  SELECT SUM(m.amount_minor) FROM ledger_posting m JOIN ledger_journalentry e ON e.id = m.entry_id
                  WHERE e.event = 'payout:' || p.reference || ':sent'), 0))
            OR (p.state = 'paid' AND p.amount_minor <> COALESCE((
                  SELECT SUM(m.amount_minor) FROM ledger_posting m JOIN ledger_journalentry e ON e.id = m.entry_id
                  WHERE e.event = 'payout:' || p.reference || ':debited'), 0)
               AND p.amount_minor <> COALESCE((
                  SELECT SUM(m.amount_minor) FROM ledger_posting m
                  JOIN ledger_account a ON a.id = m.debit_id
                  JOIN reconciliation_match t ON t.entry_id = m.entry_id
                  WHERE t.subject = 'payout' AND t.subject_reference = p.reference AND t.state = 'confirmed'
                    AND a.kind = 'payout_in_flight'), 0)))
        """,
    ),
    Check(
        "I6",
        _("what a payout settled is posted exactly while it stands"),
        """
        SELECT p.reference, p.state, p.netted_minor FROM payments_payout p
        WHERE CASE WHEN p.state IN ('sent', 'paid') THEN p.netted_minor ELSE 0 END <> COALESCE((
            -- Set off when it settles what is owed, undone when that is owed again.
            SELECT SUM(CASE WHEN a.kind = 'producer_receivable' THEN m.amount_minor ELSE -m.amount_minor END)
            FROM ledger_posting m
            JOIN ledger_journalentry e ON e.id = m.entry_id
            JOIN ledger_account a ON a.id = m.credit_id
            WHERE e.kind = 'netting' AND e.about = p.reference), 0)
        """,
    ),
)

_CROSSINGS = (
    Check(
        "I8",
        _("a line of a supplier order is its cooperative's own"),
        """
        SELECT s.reference, l.id AS line FROM fulfilment_supplierorderline l
        JOIN fulfilment_supplierorder s ON s.id = l.supplier_order_id
        JOIN order_line o ON o.id = l.order_line_id
        WHERE o.cooperative_id <> s.cooperative_id OR o.order_id <> s.order_id
        """,
    ),
    Check(
        "I8",
        _("a claim rests on the cooperative's own certification"),
        """
        SELECT l.id AS claim FROM catalogue_labelclaim l
        JOIN catalogue_product p ON p.id = l.listing_id
        JOIN cooperatives_certification c ON c.id = l.certification_id
        WHERE p.cooperative_id <> c.cooperative_id
        """,
    ),
    Check(
        "I8",
        _("stock lies with the listing's own cooperative"),
        """
        SELECT s.id AS stock_record FROM partner_stockrecord s
        JOIN catalogue_product p ON p.id = s.product_id
        JOIN cooperatives_cooperative c ON c.id = p.cooperative_id
        WHERE s.partner_id <> c.partner_id
        """,
    ),
    Check(
        "I8",
        _("an order's line is taken from its cooperative's own stock"),
        """
        SELECT l.id AS line FROM order_line l
        JOIN partner_stockrecord s ON s.id = l.stockrecord_id
        JOIN cooperatives_cooperative c ON c.id = l.cooperative_id
        WHERE s.partner_id <> c.partner_id OR l.partner_id <> c.partner_id
        """,
    ),
    Check(
        "I8",
        _("a payout pays its cooperative's own supplier orders"),
        """
        SELECT p.reference FROM payments_payoutitem i
        JOIN payments_payout p ON p.id = i.payout_id
        JOIN fulfilment_supplierorder s ON s.id = i.supplier_order_id
        WHERE p.cooperative_id <> s.cooperative_id
        """,
    ),
    Check(
        "I8",
        _("a refund gives back its own supplier order's lines"),
        """
        SELECT r.reference FROM payments_refundline l
        JOIN payments_refund r ON r.id = l.refund_id
        JOIN fulfilment_supplierorderline s ON s.id = l.line_id
        WHERE s.supplier_order_id <> r.supplier_order_id
        """,
    ),
)


def _outbox(at: datetime) -> tuple[Check, ...]:
    return (
        Check(
            "I7",
            _("a promised message is delivered within a day, or somebody knows that it failed"),
            "SELECT id AS message, topic, about FROM core_outboxmessage WHERE state = 'waiting' AND due_at < %s",
            (at - OUTBOX_PATIENCE,),
        ),
        Check(
            "I7",
            _("what is delivered says when, and what says when is delivered"),
            "SELECT id AS message, topic FROM core_outboxmessage WHERE (state = 'delivered') <> (delivered_at IS NOT NULL)",
        ),
        Check(
            "I7",
            _("no message is promised twice"),
            "SELECT key, COUNT(*) AS times FROM core_outboxmessage GROUP BY key HAVING COUNT(*) > 1",
        ),
        Check(
            "I7",
            _("a webhook that was kept is handled within a day, and once"),
            """
            SELECT event_id, kind, state FROM payments_stripeevent
            WHERE (state = 'waiting' AND (received_at < %s OR handled_at IS NOT NULL))
               OR (state IN ('handled', 'ignored') AND handled_at IS NULL)
               OR event_id IN (SELECT event_id FROM payments_stripeevent GROUP BY event_id HAVING COUNT(*) > 1)
            """,
            (at - OUTBOX_PATIENCE,),
        ),
    )


def _cooperative_pairs() -> Iterator[Check]:
    """For every model with a cooperative: whatever else it points at has the same one."""
    owned = {
        model
        for model in apps.get_models()
        if any(
            each.name == "cooperative" and each.is_relation and each.many_to_one
            for each in model._meta.fields
        )
        and not model.__name__.startswith("Historical")
    }
    for model in sorted(owned, key=lambda each: each._meta.label):
        for each in model._meta.fields:
            if each.many_to_one and each.related_model in owned:
                left, right = model._meta.db_table, each.related_model._meta.db_table
                yield Check(
                    "I8",
                    _("what belongs to a cooperative names nothing of another"),
                    f'SELECT a.id FROM "{left}" a JOIN "{right}" b ON b.id = a."{each.column}" '
                    "WHERE a.cooperative_id <> b.cooperative_id",
                    about=f"{model._meta.label}.{each.name}",
                )


def _missing_guards() -> Finding:
    """The append-only triggers are in place: without them the rest proves nothing."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            names = "{0}_keeps_rows {0}_keeps_all"
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
        else:
            names = "{0}_refuses_update {0}_refuses_delete"
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        there = {row[0] for row in cursor.fetchall()}
    rows = [
        {"table": table, "guard": guard}
        for table in _APPEND_ONLY
        for guard in names.format(table).split()
        if guard not in there
    ]
    return Finding("I1", _("the books refuse change and removal"), len(rows), rows)


def checks(*, at: datetime) -> list[Check]:
    """Every check but the one on triggers, in order of invariant."""
    fixed = (
        *_BOOKS,
        *_STOCK,
        *_charges(at),
        *_PAYMENTS,
        *_ORDERS,
        *_VOUCHERS,
        *_COOPERATIVES,
        *_EVENTS,
        *_outbox(at),
        *_CROSSINGS,
    )
    return [*fixed, *_cooperative_pairs()]


def audit(*, at: datetime) -> list[Finding]:
    """Ask every check; a finding for each, with the first breaches as rows."""
    findings = [_missing_guards()]
    with connection.cursor() as cursor:
        for check in checks(at=at):
            cursor.execute(check.sql, check.values)
            assert cursor.description is not None
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            found = Finding(check.invariant, check.name, len(rows), rows[:SHOWN], check.about)
            findings.append(found)
    return findings
