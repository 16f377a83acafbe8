"""Fills the stock shop with the goods that ours is seeded with, and prints the address of the largest branch.

python -m tests.benchmarks.stock_oscar.fill 1000
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
from pathlib import Path
from typing import Any

#: Read as files: their own loader needs the tables of our shop.
PLACES = Path(__file__).resolve().parents[3] / "fixtures" / "morocco"


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, packed or not, by heading."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    return list(csv.DictReader(text.splitlines()))


def fill(goods: int) -> str:
    """The same tree, makers, goods, prices and stock as ``manage.py seed --seed 1``; the category's address."""
    from oscar.core.loading import get_model

    from fixtures.seeding import inventing
    from fixtures.seeding.inventing import Place

    iso = {row["code"]: row["iso_3166_2"] for row in rows(PLACES / "regions.csv")}
    names = {
        row["iso_3166_2"]: (row["name_fr"], row["name_ar"], row["name_en"])
        for row in rows(PLACES / "regions.csv")
    }
    places = [
        Place(row["name_fr"], row["name_ar"], row["province_code"], iso[row["region_code"]])
        for row in sorted(rows(PLACES / "communes.csv.gz"), key=lambda row: row["code"])
    ]
    category = get_model("catalogue", "Category")
    branches: dict[str, Any] = {}
    for each in inventing.categories(names):
        values = {"name": each.names[0], "slug": each.code}
        branches[each.code] = (
            category.objects.get(pk=branches[each.above].pk).add_child(**values)
            if each.above
            else category.add_root(**values)
        )
    makers = inventing.makers(seed=1, places=places)
    partners = [get_model("partner", "Partner").objects.create(name=each.names[0]) for each in makers]
    kind = get_model("catalogue", "ProductClass").objects.create(name="Good")
    product, record = get_model("catalogue", "Product"), get_model("partner", "StockRecord")
    stands = get_model("catalogue", "ProductCategory")
    invented = [inventing.good(seed=1, number=number, makers=makers) for number in range(1, goods + 1)]
    made = product.objects.bulk_create(
        [
            product(title=each.titles[0], slug=each.slug, product_class=kind, upc=str(each.number))
            for each in invented
        ],
        batch_size=500,
    )
    pairs = list(zip(invented, made, strict=True))
    stands.objects.bulk_create(
        [
            stands(
                product=each,
                category=branches.get(
                    inventing.branch_code(
                        good.family, good.family.kinds[good.kind], makers[good.maker].place.region
                    )
                )
                or branches[inventing.kind_code(good.family, good.family.kinds[good.kind])],
            )
            for good, each in pairs
        ]
    )
    record.objects.bulk_create(
        [
            record(
                product=each,
                partner=partners[good.maker],
                partner_sku=each.upc,
                price_currency="MAD",
                price=good.price,
                num_in_stock=good.stock,
            )
            for good, each in pairs
        ]
    )
    return str(category.objects.get(slug="larder").get_absolute_url())


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.stock_oscar.settings"
    import django

    django.setup()
    print(fill(int(sys.argv[1])))
