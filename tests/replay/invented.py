"""A handful of invented orders in the shape of the order files: one of each fate, and each trap of dates."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

COLUMNS = {
    "orders": "order_id customer_id order_status order_purchase_timestamp order_approved_at "
    "order_delivered_carrier_date order_delivered_customer_date order_estimated_delivery_date",
    "order_items": "order_id order_item_id product_id seller_id price freight_value",
    "order_payments": "order_id payment_type payment_value",
    "customers": "customer_id customer_state",
    "sellers": "seller_id seller_state",
    "products": "product_id product_weight_g",
}

# name: (status, placed, approved, left, arrived, promised)
ORDERS = {
    "two-sellers": ("delivered", "03-01 10:00", "03-01 10:10", "03-03 09:00", "03-06 12:00", "03-20 00:00"),
    "dearer": ("delivered", "03-09 10:00", "03-09 10:05", "03-10 09:00", "03-12 12:00", "03-25 00:00"),
    "no-dates": ("delivered", "03-02 08:00", "03-02 08:01", "", "", "03-22 00:00"),
    "reversed": ("delivered", "03-04 08:00", "03-07 08:00", "03-05 08:00", "03-04 09:00", "03-24 00:00"),
    "approved": ("approved", "03-05 08:00", "03-05 08:20", "", "", "03-25 00:00"),
    "processing": ("processing", "03-05 09:00", "03-12 09:00", "", "", "03-25 00:00"),
    "invoiced": ("invoiced", "03-05 10:00", "03-05 11:00", "", "", "03-25 00:00"),
    "shipped": ("shipped", "03-06 08:00", "03-06 08:20", "03-08 08:00", "", "03-25 00:00"),
    "given-up": ("canceled", "03-06 09:00", "03-06 09:20", "", "", "03-25 00:00"),
    "lost": ("canceled", "03-06 10:00", "03-06 10:20", "03-09 08:00", "", "03-25 00:00"),
    "sent-back": ("canceled", "03-06 11:00", "03-06 11:20", "03-09 08:00", "03-11 08:00", "03-25 00:00"),
    "sold-out": ("unavailable", "03-07 08:00", "03-07 08:20", "", "", "03-25 00:00"),
    "empty": ("created", "03-07 09:00", "", "", "", "03-25 00:00"),
}

# order: [(product, seller, price, freight)]; a price of .005 × 10 % rounds up, one seller is in several orders
ITEMS = {
    "two-sellers": [
        ("oil", "s1", "600.00", "30.00"),
        ("dates", "s2", "170.00", "15.00"),
        ("dates", "s2", "170.00", "15.00"),
    ],
    "dearer": [("oil", "s1", "620.05", "0.00")],
    "no-dates": [("soap", "s3", "12.95", "7.39")],
    "reversed": [("soap", "s3", "12.95", "7.40"), ("oil", "s1", "600.00", "22.22")],
    "approved": [("dates", "s2", "170.00", "15.01")],
    "processing": [("dates", "s2", "170.00", "15.02")],
    "invoiced": [("soap", "s3", "12.95", "7.41")],
    "shipped": [("soap", "s3", "12.95", "7.42")],
    "given-up": [("oil", "s1", "600.00", "30.00"), ("soap", "s3", "12.95", "1.00")],
    "lost": [("dates", "s2", "170.00", "15.03")],
    "sent-back": [("dates", "s2", "170.00", "15.04")],
    "sold-out": [("oil", "s1", "600.00", "30.01")],
}


def write(folder: Path) -> Path:
    """Write the files into a folder and return it."""
    orders = [
        (name, f"c-{name}", status, *(f"2018-{each}:00" if each else "" for each in moments))
        for name, (status, *moments) in ORDERS.items()
    ]
    items = [
        (order, number, *item)
        for order, bought in ITEMS.items()
        for number, item in enumerate(bought, start=1)
    ]
    payments = [
        (order, "credit_card", sum((float(price) + float(freight)) for _, _, price, freight in bought))
        for order, bought in ITEMS.items()
    ]
    payments = [(order, kind, f"{paid:.2f}") for order, kind, paid in payments]
    payments += [("shipped", "voucher", "0.50"), ("empty", "not_defined", "0.00")]
    rows = {
        "orders": orders,
        "order_items": items,
        "order_payments": payments,
        "customers": [
            (f"c-{name}", state) for name, state in zip(ORDERS, ["SP", "RJ", "AM"] * 5, strict=False)
        ],
        "sellers": [("s1", "SP"), ("s2", "BA"), ("s3", "PR")],
        "products": [("oil", "500"), ("dates", "1000.0"), ("soap", "")],
    }
    for name, columns in COLUMNS.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns.split())
            writer.writerows(rows[name])
    return folder
