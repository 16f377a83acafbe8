"""What a page may ask of the database: so many statements, the same for a small shop and for one ten times as large.

Compared are the statements themselves without their values, not only how many they are. Sizes of thousands are
asked the same questions by ``make bench``, see docs/benchmarks.md.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.core.loading import get_model

from catalogue.models import LabelClaim, Product, StockMovement
from shop.core import freshness
from shop.payments import paying
from tests.benchmarks.pages import normalised
from tests.checkout.buying import casablanca
from tests.factories import (
    NOW,
    CertificationFactory,
    CooperativeFactory,
    ListingFactory,
    RegionFactory,
    UserFactory,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

#: Whether lists ask the index of listings, or count all goods themselves.
INDEXED = any(apps.get_app_config("search").get_models())
#: Whether a listing may come in variants.
VARIES = any(field.name == "variant" for field in Product._meta.get_fields())

BUDGETS = {
    "list": 12,
    "category": 12,
    "region": 12 if INDEXED else 15,
    "listing": 14,
    "filtered": 8 if INDEXED else 15,
    "last": 15,
    "home": 22,
    "label": 15,
    "cooperative": 15,
}
ADDING, MOST_OF_ONE = 20, 3
#: A signed-in visitor's session and account.
WHO_SHE_IS = 2
#: Tables that hold more than 10,000 rows in a large shop. Whoever reads them says how many rows, or which.
BIG = (
    "catalogue_product", "catalogue_productcategory", "catalogue_productimage", "catalogue_labelclaim",
    "catalogue_stockmovement", "partner_stockrecord", "search_entry", "search_tag", "search_spelling",
    "order_order", "order_line", "basket_basket", "basket_line", "fulfilment_supplierorder",
)  # fmt: skip
_READS_BIG = re.compile(rf'(?:FROM|JOIN)\s+"?(?:{"|".join(BIG)})"?(?![a-z_"])', re.IGNORECASE)
#: Rows named one by one: by their own key, their listing's, basket's or slug.
_NAMES_ROWS = re.compile(
    r'"?\b(?:id|slug|reference|product_id|listing_id|entry_id|stockrecord_id|basket_id|parent_id)"?\s*(?:= \*|IN \()'
)


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
    """The same shelves with ten times as many listings, alike in every way."""
    records, stands = get_model("partner", "StockRecord"), get_model("catalogue", "ProductCategory")
    category = get_model("catalogue", "Category").objects.get(slug="food")
    like = [few[number % 60] for number in range(540)]
    made = Product.objects.bulk_create(
        Product(
            reference=f"M-{number:05d}",
            slug=f"m-{number:05d}",
            title=f"Huile d'argane {number}",
            title_fr=f"Huile d'argane {number}",
            product_class=each.product_class,
            cooperative=each.cooperative,
            origin_region=each.origin_region,
            family=each.family,
            unit_fr="250 ml",
            gross_weight_g=500,
            state=Product.State.PUBLISHED,
        )
        for number, each in enumerate(like)
    )
    stands.objects.bulk_create(stands(product=each, category=category) for each in made)
    stocked = records.objects.bulk_create(
        records(
            product=each,
            partner=each.cooperative.partner,
            partner_sku=each.reference,
            price_currency="MAD",
            price=10 + number % 500,
            num_in_stock=5,
        )
        for number, each in enumerate(made)
    )
    StockMovement.objects.bulk_create(
        StockMovement(stockrecord=each, kind=StockMovement.Kind.RECEIVED, quantity=5, moved_at=NOW)
        for each in stocked
    )
    LabelClaim.objects.bulk_create(
        LabelClaim(listing=each, certification=claim.certification)
        for each, old in zip(made, like, strict=True)
        for claim in old.label_claims.select_related("certification")
    )
    return made


def asked_by(act) -> tuple[int, list[str]]:
    """The status of an answer and the statements it took, without their values."""
    with CaptureQueriesContext(connection) as queries:
        response = act()
    return response.status_code, [normalised(each["sql"]) for each in queries.captured_queries]


def queries_of(act) -> tuple[int, int]:
    status, statements = asked_by(act)
    return status, len(statements)


def pages_of(visitor, listing):
    return {
        "list": lambda: visitor.get("listings"),
        "filtered": lambda: visitor.get(
            "listings",
            query={"region": "MA-02", "label": "igp", "category": "food", "sort": "cheapest", "q": "huile"},
        ),
        "last": lambda: visitor.get("listings", query={"page": "2"}),
        "category": lambda: visitor.get("category", "food"),
        "region": lambda: visitor.get("region", "MA-01"),
        "listing": lambda: visitor.get("listing", listing.slug),
        "home": lambda: visitor.get("home"),
        "label": lambda: visitor.get("label", "igp"),
        "cooperative": lambda: visitor.get("cooperative", listing.cooperative.slug),
    }


def repeated(statements: list[str]) -> list[str]:
    """What a page asks again and again, where once would do."""
    return [f"{times} times: {each}" for each, times in Counter(statements).items() if times > MOST_OF_ONE]


def reads_a_whole_table(statement: str) -> bool:
    """Whether a large shop would have it read, or count, every row of a big table."""
    return (
        statement.startswith(("SELECT", "WITH"))
        and bool(_READS_BIG.search(statement))
        and " LIMIT " not in statement
        and not _NAMES_ROWS.search(statement)
    )


def asked(visitor, listing, *, besides: int = 0) -> dict[str, list[str]]:
    """What every page asks; within its budget."""
    found = {}
    for name, act in pages_of(visitor, listing).items():
        act()  # what a process learns once is not the page's
        status, found[name] = asked_by(act)
        assert status == 200, name
        assert len(found[name]) <= BUDGETS[name] + besides, (name, len(found[name]), found[name])
        assert repeated(found[name]) == [], name
    return found


def test_pages_ask_the_same_of_a_shop_ten_times_as_large(now, few, request):
    small = asked(Visitor(), few[0])
    request.getfixturevalue("many")

    large = asked(Visitor(), few[0])

    assert Product.objects.count() == 600
    assert large == small


def test_signed_in_visitors_keep_to_the_same_budgets(now, few):
    asked(Visitor(user=UserFactory()), few[0], besides=WHO_SHE_IS)


@pytest.mark.skipif(not INDEXED, reason="lists count all goods until the index of listings stands")
@pytest.mark.parametrize("page", BUDGETS)
def test_no_page_reads_a_whole_table(now, few, page):
    _status, statements = asked_by(pages_of(Visitor(), few[0])[page])

    assert [each for each in statements if reads_a_whole_table(each)] == []


@pytest.mark.parametrize(
    ("statement", "is_whole"),
    [
        ('SELECT COUNT(*) AS "n" FROM "catalogue_product" WHERE "catalogue_product"."state" = *', True),
        ('SELECT "id" FROM "partner_stockrecord"', True),
        ('SELECT "id" FROM "catalogue_product" ORDER BY "id" DESC LIMIT *', False),
        ('SELECT "id" FROM "partner_stockrecord" WHERE "partner_stockrecord"."product_id" IN (*)', False),
        ('SELECT "id" FROM "catalogue_product" WHERE "catalogue_product"."slug" = *', False),
        ('SELECT "id" FROM "catalogue_productclass"', False),
        ('SELECT "id" FROM "cooperatives_feeterms"', False),
    ],
)
def test_control_a_statement_that_reads_a_whole_table_is_known(statement, is_whole):
    assert reads_a_whole_table(statement) == is_whole


def test_control_a_statement_asked_again_and_again_is_known():
    assert repeated(["SELECT * FROM a"] * 4) == ["4 times: SELECT * FROM a"]
    assert repeated(["SELECT * FROM a"] * 3) == []


def test_values_make_no_other_statement():
    one = normalised("SELECT 'it''s', 12 FROM a  WHERE id IN (1, 2, 3)")

    assert one == normalised("SELECT 'no', 7 FROM a WHERE id IN (44)")
    assert one != normalised("SELECT 'no', 7 FROM b WHERE id IN (44)")


def test_a_finished_page_asks_nothing(now, few, settings):
    settings.PAGE_CACHE_SECONDS = 60
    freshness.pages().clear()
    for name in ("list", "category", "region", "listing", "home", "label", "cooperative"):
        pages_of(Visitor(), few[0])[name]()

        status, number = queries_of(pages_of(Visitor(), few[0])[name])

        assert (status, number) == (200, 0), name
    freshness.pages().clear()


@pytest.mark.skipif(not VARIES, reason="listings do not come in variants yet")
def test_a_listing_with_fifty_variants_asks_what_one_with_two_asks(now, few):
    two, fifty = (_with_variants(few[0], number) for number in (2, 50))

    for each in (two, fifty):
        assert len(asked_by(lambda each=each: Visitor().get("listing", each.slug))[1]) <= BUDGETS["listing"]

    assert (
        asked_by(lambda: Visitor().get("listing", fifty.slug))[1]
        == asked_by(lambda: Visitor().get("listing", two.slug))[1]
    )


def _with_variants(like: Product, number: int) -> Product:
    """A listing that comes in so many contents."""
    listing = ListingFactory(cooperative=like.cooperative, origin_region=like.origin_region, stock=0)
    listing.stockrecords.all().delete()
    Product.objects.filter(pk=listing.pk).update(structure=Product.PARENT, varies_by="contents")
    records = get_model("partner", "StockRecord")
    for at in range(number):
        variant = Product.objects.create(
            reference=f"{listing.reference}-{at}",
            slug=f"{listing.slug}-{at}",
            structure=Product.CHILD,
            parent=listing,
            cooperative=like.cooperative,
            variant_fr=f"{at + 1} l",
            gross_weight_g=500,
            state=Product.State.PUBLISHED,
        )
        records.objects.create(
            product=variant,
            partner=like.cooperative.partner,
            partner_sku=variant.reference,
            price_currency="MAD",
            price=10 + at,
            num_in_stock=0,
        )
    return Product.objects.get(pk=listing.pk)


def test_adding_to_a_basket_of_fifty_lines_asks_what_adding_to_one_of_two_asks(now, few):
    visitor = Visitor()
    for each in few[:2]:
        visitor.add(each)

    status, to_two = asked_by(lambda: visitor.add(few[2]))
    for each in few[3:50]:
        visitor.add(each)
    _status, to_fifty = asked_by(lambda: visitor.add(few[50]))

    assert status == 302
    assert len(to_two) <= ADDING
    assert to_fifty == to_two
    assert repeated(to_fifty) == []


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
