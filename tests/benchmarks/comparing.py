"""Holds what the shop wrote against what the files alone say, to the centavo: part by part, order by order,
seller by seller, in the frozen amounts and in the books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum

from shop.fulfilment.models import SupplierOrder
from shop.orders.models import Line, Order
from shop.payments.models import Payout
from tests.benchmarks.expected import Expected, Part, net_of
from tests.benchmarks.replaying import Replayed

_BALANCES = """
    SELECT {what}, kind, SUM(minor) FROM (
        SELECT e.supplier_order, e."order", a.kind, a.owner, p.amount_minor AS minor FROM ledger_posting p
        JOIN ledger_journalentry e ON e.id = p.entry_id JOIN ledger_account a ON a.id = p.credit_id
        UNION ALL
        SELECT e.supplier_order, e."order", a.kind, a.owner, -p.amount_minor FROM ledger_posting p
        JOIN ledger_journalentry e ON e.id = p.entry_id JOIN ledger_account a ON a.id = p.debit_id
    ) sides GROUP BY {what}, kind
"""

_FROZEN = {
    "goods_minor": "goods",
    "delivery_minor": "freight",
    "delivery_vat_minor": "freight_vat",
    "commission_minor": "fee",
    "commission_vat_minor": "fee_vat",
    "solidarity_minor": "solidarity",
    "producer_share_minor": "share",
}


def differences(*, found: Expected, replayed: Replayed) -> list[str]:
    """Every amount, count or state that is not as expected; empty when all agree."""
    return [
        *_parts(found, replayed),
        *_orders(found, replayed),
        *_sellers(found, replayed),
        *_totals(found),
    ]


def _parts(found: Expected, replayed: Replayed) -> Iterator[str]:
    frozen = {each["reference"]: each for each in SupplierOrder.objects.values()}
    books = _balances("supplier_order")
    if len(frozen) != len(found.parts):
        yield f"{len(frozen)} supplier orders, not {len(found.parts)}"
    for key, part in found.parts.items():
        reference = replayed.references.get(key, "")
        row = frozen.get(reference)
        if row is None:
            yield f"no supplier order for {key}"
            continue
        wanted: dict[str, Any] = {
            column: _minor(getattr(part.sums, name)) for column, name in _FROZEN.items()
        }
        wanted["state"] = part.state
        for column, value in wanted.items():
            if row[column] != value:
                yield f"{reference} {column}: {row[column]}, not {value}"
        for kind, value in _in_the_books(part).items():
            if books[reference][kind] != value:
                yield f"{reference} on {kind}: {books[reference][kind]}, not {value}"


def _in_the_books(part: Part) -> dict[str, int]:
    """Credits less debits of each kind of account that one part must have come to."""
    sums = part.sums
    released, gone = part.state == "released", bool(sums.given_back)
    fee_net = sums.fee - sums.fee_vat
    kept = Decimal(0) if gone else Decimal(1)
    return {
        kind: _minor(amount)
        for kind, amount in {
            "customer_funds": -(sums.goods + sums.freight),
            "producer_held": Decimal(0) if released or gone else sums.share,
            "producer_payable": sums.payable,
            "producer_receivable": Decimal(0),
            "commission_held": Decimal(0) if released or gone else sums.fee,
            "commission": fee_net if released else Decimal(0),
            "vat_output": kept * sums.freight_vat + (sums.fee_vat if released else 0),
            "shipping_income": kept * net_of(sums.freight),
            "solidarity_fund": kept * sums.solidarity,
            "refund_payable": sums.given_back,
        }.items()
    }


def _orders(found: Expected, replayed: Replayed) -> Iterator[str]:
    books = _balances('"order"')
    totals = {
        number: _minor(total) for number, total in Order.objects.values_list("number", "total_incl_tax")
    }
    paid = dict(Order.objects.values_list("number", "payment__amount_minor"))
    for order, sums in found.orders.items():
        number = replayed.numbers[order]
        wanted = _minor(sums.goods + sums.freight)
        for what, ours in (("total", totals[number]), ("payment", paid[number])):
            if ours != wanted:
                yield f"{number} {what}: {ours}, not {wanted}"
        for kind, what in (("customer_funds", "not assigned"), ("refund_payable", "still owed")):
            if books[number][kind]:
                yield f"{number}: {books[number][kind]} {what}"


def _sellers(found: Expected, replayed: Replayed) -> Iterator[str]:
    books = _balances("owner")
    sold = _by_code(SupplierOrder.objects, "goods_minor")
    delivered = _by_code(SupplierOrder.objects, "delivery_minor")
    fees = _by_code(SupplierOrder.objects, "commission_minor")
    taxes = _by_code(SupplierOrder.objects, "commission_vat_minor")
    sent = _by_code(Payout.objects.filter(state=Payout.State.PAID), "amount_minor")
    held: dict[str, Decimal] = defaultdict(Decimal)
    for part in found.parts.values():
        if part.state in ("placed", "accepted", "dispatched", "delivered") and not part.sums.given_back:
            held[part.seller] += part.sums.share
    for seller, sums in found.sellers.items():
        code = replayed.codes[seller]
        for what, ours, wanted in (
            ("goods", sold[code], sums.goods),
            ("freight", delivered[code], sums.freight),
            ("fee", fees[code], sums.fee),
            ("VAT on the fee", taxes[code], sums.fee_vat),
            ("paid out", sent[code], sums.payable),
            ("held", books[code]["producer_held"], held[seller]),
            ("payable", books[code]["producer_payable"], Decimal(0)),
            ("in flight", books[code]["payout_in_flight"], Decimal(0)),
            ("owed by it", books[code]["producer_receivable"], Decimal(0)),
        ):
            if ours != _minor(wanted):
                yield f"{code} {what}: {ours}, not {_minor(wanted)}"


def _totals(found: Expected) -> Iterator[str]:
    """The figures of the oracle, asked of the shop's tables alone."""
    parts = Counter(SupplierOrder.objects.order_by().values_list("order", flat=True)).values()
    sizes = Counter(parts)
    pieces = {
        row["cooperative"]: row["items"]
        for row in Line.objects.order_by().values("cooperative").annotate(items=Sum("quantity"))
    }
    sums = SupplierOrder.objects.aggregate(goods=Sum("goods_minor"), freight=Sum("delivery_minor"))
    best = sorted(
        (
            (row["goods"], row["freight"], pieces[row["cooperative"]])
            for row in SupplierOrder.objects.order_by()
            .values("cooperative")
            .annotate(goods=Sum("goods_minor"), freight=Sum("delivery_minor"))
        ),
        key=lambda each: -each[0],
    )[:5]
    for what, ours, wanted in (
        ("orders with items", Order.objects.count(), len(found.orders)),
        ("items", Line.objects.aggregate(all=Sum("quantity"))["all"], found.total.items),
        ("sellers", len(pieces), len(found.sellers)),
        ("sellers per order", {str(size): sizes[size] for size in sorted(sizes)}, found.sellers_per_order),
        ("sum of prices", sums["goods"], _minor(found.total.goods)),
        ("sum of freight", sums["freight"], _minor(found.total.freight)),
        (
            "top sellers",
            best,
            [
                (_minor(Decimal(each["price"])), _minor(Decimal(each["freight"])), each["items"])
                for each in found.top_sellers(5)
            ],
        ),
    ):
        if ours != wanted:
            yield f"{what}: {ours}, not {wanted}"


def _balances(what: str) -> Mapping[str, Mapping[str, int]]:
    """Credits less debits: ``{reference: {kind of account: minor units}}``."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES.format(what=what))
        for name, kind, minor in cursor.fetchall():
            found[name][kind] = int(minor)
    return found


def _by_code(rows: Any, column: str) -> Counter[str]:
    summed = rows.order_by().values("cooperative__code").annotate(minor=Sum(column))
    return Counter({row["cooperative__code"]: int(row["minor"]) for row in summed})


def _minor(amount: Decimal) -> int:
    minor = amount * 100
    if minor != int(minor):
        raise ValueError(f"{amount} is not whole centavos")
    return int(minor)
