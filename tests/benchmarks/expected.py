"""What a replay of the order files must come to, worked out from the files alone.

Nothing of the shop is imported here, so that the shop cannot agree with itself. Run alone it prints the
totals and holds them against the ``oracle.json`` that lies beside the files:

    python tests/benchmarks/expected.py FOLDER

Rules, told once more in ``docs/benchmarks.md``. A *part* is what one seller has in one order. Its fee is 10 % of
its goods with 20 % VAT inside, its solidarity contribution 1 %; each is rounded half up once. Freight is with
20 % VAT. What became of a part follows from its order's status and dates (``_fate``).
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
FEE = Decimal("0.10")
SOLIDARITY = Decimal("0.01")
VAT = Decimal("0.20")

#: How far a part of an order in that status got. No order that has items is only ``created``.
REACHED = {
    "approved": "placed",
    "processing": "accepted",
    "invoiced": "accepted",
    "shipped": "dispatched",
    "delivered": "released",
    "unavailable": "declined",
}


@dataclass(frozen=True)
class Sums:
    """Amounts in the currency's units. ``payable`` became due to the seller, ``given_back`` to the customer."""

    items: int = 0
    goods: Decimal = NOTHING
    freight: Decimal = NOTHING
    freight_vat: Decimal = NOTHING
    fee: Decimal = NOTHING
    fee_vat: Decimal = NOTHING
    solidarity: Decimal = NOTHING
    share: Decimal = NOTHING
    payable: Decimal = NOTHING
    given_back: Decimal = NOTHING

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Sums)))


@dataclass(frozen=True)
class Part:
    """What one seller has in one order, and what became of it."""

    order: str
    seller: str
    state: str
    sums: Sums


@dataclass
class Expected:
    """Everything a replay is held against. ``parts`` by (order, seller)."""

    parts: dict[tuple[str, str], Part] = field(default_factory=dict)
    orders: dict[str, Sums] = field(default_factory=dict)
    sellers: dict[str, Sums] = field(default_factory=dict)
    total: Sums = field(default_factory=Sums)
    #: Orders whose payments in the file are not price + freight, and by how much in all.
    paid_otherwise: int = 0
    paid_on_top: Decimal = NOTHING

    @property
    def sellers_per_order(self) -> dict[str, int]:
        """``{"1": orders with one seller, …}``, as the oracle writes it."""
        sizes = Counter(Counter(order for order, _ in self.parts).values())
        return {str(size): sizes[size] for size in sorted(sizes)}

    def top_sellers(self, count: int) -> list[dict[str, object]]:
        """Those who sold for most, as the oracle writes them."""
        first = sorted(self.sellers.items(), key=lambda each: (-each[1].goods, each[0]))[:count]
        return [
            {"seller_id": seller, "items": sums.items, "price": str(sums.goods), "freight": str(sums.freight)}
            for seller, sums in first
        ]


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of one of the files."""
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def half_up(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def net_of(gross: Decimal) -> Decimal:
    return half_up(gross / (1 + VAT))


def expected(folder: Path, orders: Iterable[str] | None = None) -> Expected:
    """Work everything out, for all orders that have items or for those named."""
    chosen = None if orders is None else set(orders)
    goods: dict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    freight: dict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    items: Counter[tuple[str, str]] = Counter()
    for row in rows(folder, "order_items"):
        if chosen is None or row["order_id"] in chosen:
            key = (row["order_id"], row["seller_id"])
            goods[key] += Decimal(row["price"])
            freight[key] += Decimal(row["freight_value"])
            items[key] += 1
    with_items = {order for order, _ in items}
    fates = {row["order_id"]: _fate(row) for row in rows(folder, "orders") if row["order_id"] in with_items}

    found = Expected()
    for key in sorted(items):
        part = _part(key, items[key], goods[key], freight[key], *fates[key[0]])
        found.parts[key] = part
        found.orders[part.order] = found.orders.get(part.order, Sums()) + part.sums
        found.sellers[part.seller] = found.sellers.get(part.seller, Sums()) + part.sums
        found.total += part.sums
    _compare_payments(found, folder)
    return found


def _part(
    key: tuple[str, str], items: int, goods: Decimal, freight: Decimal, state: str, goes_back: bool
) -> Part:
    fee = half_up(goods * FEE)
    solidarity = half_up(goods * SOLIDARITY)
    share = goods - fee - solidarity
    sums = Sums(
        items=items,
        goods=goods,
        freight=freight,
        freight_vat=freight - net_of(freight),
        fee=fee,
        fee_vat=fee - net_of(fee),
        solidarity=solidarity,
        share=share,
        payable=share if state == "released" else NOTHING,
        given_back=goods + freight if goes_back else NOTHING,
    )
    return Part(order=key[0], seller=key[1], state=state, sums=sums)


def _fate(order: dict[str, str]) -> tuple[str, bool]:
    """How far an order's parts got, and whether its money went back.

    A cancelled order is cancelled before anybody accepts it, unless the file says that it had left or had
    arrived; then it stays there and its money goes back all the same.
    """
    status = order["order_status"]
    if status != "canceled":
        return REACHED[status], status == "unavailable"
    if order["order_delivered_customer_date"]:
        return "delivered", True
    return ("dispatched" if order["order_delivered_carrier_date"] else "cancelled"), True


def _compare_payments(found: Expected, folder: Path) -> None:
    paid: dict[str, Decimal] = defaultdict(lambda: NOTHING)
    for row in rows(folder, "order_payments"):
        paid[row["order_id"]] += Decimal(row["payment_value"])
    for order, sums in found.orders.items():
        difference = paid[order] - sums.goods - sums.freight
        found.paid_on_top += difference
        found.paid_otherwise += difference != 0


def differences(found: Expected, folder: Path) -> list[str]:
    """Where the totals are not those of ``oracle.json``; empty when all agree."""
    oracle = json.loads((folder / "oracle.json").read_text(encoding="utf-8"))
    top = oracle["top_sellers_by_price"]
    pairs = {
        "orders_with_items": (len(found.orders), oracle["orders_with_items"]),
        "items": (found.total.items, oracle["items"]),
        "sellers": (len(found.sellers), oracle["sellers"]),
        "sellers_per_order": (found.sellers_per_order, oracle["sellers_per_order"]),
        "sum_price": (str(found.total.goods), oracle["sum_price"]),
        "sum_freight": (str(found.total.freight), oracle["sum_freight"]),
        "top_sellers_by_price": (found.top_sellers(len(top)), top),
        "orders_mismatch": (found.paid_otherwise, oracle["orders_mismatch"]),
    }
    return [f"{name}: {ours}, not {theirs}" for name, (ours, theirs) in pairs.items() if ours != theirs]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    folder = Path(arguments[0])
    found = expected(folder)
    print(f"{len(found.orders)} orders, {len(found.parts)} parts, {len(found.sellers)} sellers")
    for each in fields(Sums):
        print(f"{each.name:12} {getattr(found.total, each.name):>14}")
    print(
        f"apart: payments exceed price and freight by {found.paid_on_top} over {found.paid_otherwise} orders"
    )
    wrong = differences(found, folder)
    print("\n".join(wrong) if wrong else "the totals are those of oracle.json")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
