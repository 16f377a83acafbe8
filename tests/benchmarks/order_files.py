"""The order files as the replay reads them: real orders of a marketplace of small sellers.

The files are for tests only and non-commercial; nothing of them is ever kept in this repository.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

#: Where the files are when no argument says so.
FOLDER_VARIABLE = "TADAMON_ORDER_FILES"
NEEDED = ("orders", "order_items", "order_payments", "customers", "sellers", "products")

#: The files know Brazilian states; each stands for one of the twelve regions, busy ones for busy ones.
REGION_OF = {
    "SP": "MA-06", "RJ": "MA-04", "MG": "MA-07", "RS": "MA-01", "PR": "MA-03", "SC": "MA-01",
    "BA": "MA-05", "GO": "MA-05", "DF": "MA-04", "ES": "MA-02", "PE": "MA-09", "CE": "MA-09",
    "PA": "MA-08", "MT": "MA-08", "MS": "MA-03", "MA": "MA-10", "PB": "MA-02", "PI": "MA-08",
    "RN": "MA-10", "AL": "MA-09", "SE": "MA-07", "TO": "MA-11", "RO": "MA-11", "AM": "MA-12",
    "AC": "MA-12", "AP": "MA-12", "RR": "MA-11",
}  # fmt: skip

#: A card payment is made within the reservation, whatever the file's own means of payment took.
TO_PAY = timedelta(minutes=29)
#: A cooperative answers within its two days.
TO_ANSWER = timedelta(hours=47)


@dataclass(frozen=True)
class Item:
    """One piece of one product."""

    product: str
    seller: str
    price: Decimal
    freight: Decimal


@dataclass(frozen=True)
class Dates:
    """When each step happens. A step never comes before the one it follows."""

    placed: datetime
    paid: datetime
    answered: datetime
    left: datetime
    arrived: datetime


@dataclass(frozen=True)
class FileOrder:
    """One order with its items. ``reached`` says how far it came: has it left, has it arrived."""

    id: str
    status: str
    region: str
    items: tuple[Item, ...]
    dates: Dates
    has_left: bool
    has_arrived: bool

    @property
    def sellers(self) -> list[str]:
        return sorted({each.seller for each in self.items})


@dataclass(frozen=True)
class OrderFiles:
    """Orders in the order in which they were placed, and what is known of sellers and products."""

    orders: list[FileOrder]
    region_of_seller: dict[str, str]
    weight_of_product: dict[str, int]


def missing(folder: Path) -> list[str]:
    """Which of the needed files are not there."""
    return [each for each in NEEDED if not (folder / f"{each}.csv.gz").is_file()]


def read(folder: Path) -> OrderFiles:
    """Every order that has items. Times are taken as UTC."""
    items: dict[str, list[Item]] = defaultdict(list)
    for row in _rows(folder, "order_items"):
        items[row["order_id"]].append(
            Item(
                product=row["product_id"],
                seller=row["seller_id"],
                price=Decimal(row["price"]),
                freight=Decimal(row["freight_value"]),
            )
        )
    state = {row["customer_id"]: row["customer_state"] for row in _rows(folder, "customers")}
    orders = [
        FileOrder(
            id=row["order_id"],
            status=row["order_status"],
            region=REGION_OF[state[row["customer_id"]]],
            items=tuple(items[row["order_id"]]),
            dates=_dates(row),
            has_left=bool(row["order_delivered_carrier_date"]),
            has_arrived=bool(row["order_delivered_customer_date"]),
        )
        for row in _rows(folder, "orders")
        if row["order_id"] in items
    ]
    return OrderFiles(
        orders=sorted(orders, key=lambda each: (each.dates.placed, each.id)),
        region_of_seller={
            row["seller_id"]: REGION_OF[row["seller_state"]] for row in _rows(folder, "sellers")
        },
        # Some products weigh nothing in the file; our listings have to weigh something.
        weight_of_product={
            row["product_id"]: max(1, int(float(row["product_weight_g"] or 0)))
            for row in _rows(folder, "products")
        },
    )


def some(orders: Sequence[FileOrder], *, count: int, seed: int) -> list[FileOrder]:
    """Every order with several sellers, and others drawn by the seed, in their order; ``count`` in all."""
    chosen = {each.id for each in orders if len(each.sellers) > 1}
    others = sorted(each.id for each in orders if each.id not in chosen)
    chosen.update(random.Random(seed).sample(others, max(0, count - len(chosen))))
    return [each for each in orders if each.id in chosen]


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _dates(row: dict[str, str]) -> Dates:
    """A missing moment is the next one known, the promised day when none is; a reversed one waits its turn."""

    def moment(*columns: str) -> datetime:
        known = next(row[each] for each in columns if row[each])
        return datetime.fromisoformat(known).replace(tzinfo=UTC)

    placed = moment("order_purchase_timestamp")
    approved = moment("order_approved_at", "order_purchase_timestamp")
    paid = min(max(placed, approved), placed + TO_PAY)
    answered = min(max(paid, approved), paid + TO_ANSWER)
    arrives = ("order_delivered_customer_date", "order_estimated_delivery_date")
    left = max(answered, moment("order_delivered_carrier_date", *arrives))
    return Dates(
        placed=placed,
        paid=paid,
        answered=answered,
        left=left,
        arrived=max(left, moment(*arrives)),
    )
