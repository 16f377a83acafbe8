"""How many queries a page costs: the same for 60 listings and for 10,000."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.core.loading import get_model

from catalogue.models import Product
from shop.payments import paying
from tests.checkout.buying import casablanca
from tests.factories import (
    CertificationFactory,
    CooperativeFactory,
    ListingFactory,
    RegionFactory,
    UserFactory,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def few():
    """Some dozens of listings of six cooperatives in three regions, some with labels."""
    category = get_model("catalogue", "Category").add_root(name="Food", slug="food", code="food")
    made = []
    for number in range(6):
        certification = CertificationFactory(
            cooperative=CooperativeFactory(region=RegionFactory(code=f"MA-0{number % 3 + 1}"))
        )
        for _each in range(10):
            listing = ListingFactory(
                cooperative=certification.cooperative,
                origin_region=certification.cooperative.region,
                claims=[certification] if number % 2 else (),
                stock=20,
            )
            get_model("catalogue", "ProductCategory").objects.create(product=listing, category=category)
            made.append(listing)
    return made


@pytest.fixture
def many(few):
    """The same shelves with 10,000 listings."""
    first = few[0]
    records = get_model("partner", "StockRecord")
    kept = first.stockrecords.get()
    extra = [
        Product(
            reference=f"M-{number:05d}",
            slug=f"m-{number:05d}",
            title=f"Good {number}",
            title_fr=f"Produit {number}",
            product_class=first.product_class,
            cooperative=few[number % 60].cooperative,
            origin_region=few[number % 60].origin_region,
            family="miel",
            gross_weight_g=500,
            date_created=first.date_created,
        )
        for number in range(9_940)
    ]
    made = Product.objects.bulk_create(extra, batch_size=500)
    Product.objects.filter(pk__in=Product.objects.filter(reference__startswith="M-").values("pk")).update(
        state=Product.State.PUBLISHED
    )
    records.objects.bulk_create(
        [
            records(
                product=each,
                partner_id=kept.partner_id,
                partner_sku=each.reference,
                price_currency="MAD",
                price=10 + number % 500,
                num_in_stock=5,
            )
            for number, each in enumerate(made)
        ],
        batch_size=500,
    )
    return made


def queries_of(act) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as queries:
        response = act()
    return response.status_code, len(queries)


def pages_of(visitor, listing):
    return {
        "list": lambda: visitor.get("listings"),
        "filtered": lambda: visitor.get(
            "listings", query={"region": "MA-01", "stock": "1", "sort": "cheapest", "q": "o"}
        ),
        "last": lambda: visitor.get("listings", query={"page": "2"}),
        "category": lambda: visitor.get("category", "food"),
        "region": lambda: visitor.get("region", "MA-01"),
        "listing": lambda: visitor.get("listing", listing.slug),
        "home": lambda: visitor.get("home"),
        "label": lambda: visitor.get("label", "igp"),
        "cooperative": lambda: visitor.get("cooperative", listing.cooperative.slug),
    }


BUDGETS = {"home": 22, "region": 17}


def counted(visitor, listing) -> dict[str, int]:
    found = {}
    for name, act in pages_of(visitor, listing).items():
        status, number = queries_of(act)
        assert status == 200, name
        assert number <= BUDGETS.get(name, 15), f"{name}: {number}"
        found[name] = number
    return found


def test_pages_cost_the_same_for_sixty_and_for_ten_thousand_listings(now, few, request):
    with_sixty = counted(Visitor(), few[0])
    request.getfixturevalue("many")

    with_many = counted(Visitor(), few[0])
    assert all(with_many[name] <= number for name, number in with_sixty.items()), (with_sixty, with_many)
    assert Product.objects.count() == 10_000


def test_signed_in_visitors_keep_to_the_same_budgets(now, few):
    counted(Visitor(user=UserFactory()), few[0])


@pytest.fixture
def eight_lines(now, few):
    visitor = Visitor()
    for each in (*few[:3], *few[10:13], *few[20:22]):
        visitor.add(each)
    return visitor


def test_a_basket_of_eight_lines_costs_at_most_25_queries(eight_lines):
    status, number = queries_of(lambda: eight_lines.get("basket"))

    assert status == 200
    assert number <= 25


def test_placing_an_order_of_three_cooperatives_and_eight_lines_costs_at_most_60(eight_lines, monkeypatch):
    monkeypatch.setattr(paying, "page_for", lambda **_: "https://pay.example/")
    casablanca()
    eight_lines.work_out()
    form = eight_lines.answers() | {"terms": "on"} | eight_lines.shown()

    status, number = queries_of(lambda: eight_lines.post("place", **form))

    assert status == 302
    assert number <= 60, number
