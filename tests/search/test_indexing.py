"""The index follows whatever changes a listing, and only that; it says what is there."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.core.loading import get_model

from catalogue import prices, publishing, stock
from catalogue.models import LabelClaim, Product
from shop.search import indexing, triggers
from shop.search.models import Entry, Spelling, Tag, Waiting
from tests.factories import (
    NOW,
    CertificationFactory,
    CooperativeFactory,
    ListingFactory,
    RegionFactory,
    mad,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def honey():
    """A listing in a category under another, with a label, indexed."""
    category = get_model("catalogue", "Category")
    food = category.add_root(name="Food", name_fr="Épicerie", slug="food", code="food")
    sweet = category.objects.get(pk=food.pk).add_child(name_fr="Miels", name="Miels", slug="honey", code="h")
    certification = CertificationFactory(
        cooperative=CooperativeFactory(name="Jbel Nahla", slug="nahla", women_only=True),
        valid_from=date(2026, 2, 1),
        valid_until=date(2027, 3, 31),
    )
    listing = ListingFactory(
        title_fr="Miel de thym",
        title_ar="عسل الزعتر",
        title_en="Thyme honey",
        description_fr="Récolté au printemps",
        cooperative=certification.cooperative,
        claims=[certification],
        origin_region=RegionFactory(code="MA-01"),
        price="95.50",
        stock=3,
    )
    get_model("catalogue", "ProductCategory").objects.create(product=listing, category=sweet)
    indexing.refresh()
    return listing


def waiting():
    return list(Waiting.objects.values_list("listing_id", flat=True).distinct())


def test_an_entry_says_what_a_listing_is(honey):
    entry = Entry.objects.get()

    assert entry.listing_id == honey.pk
    assert (entry.price_minor, entry.in_stock, entry.women_led) == (9_550, True, True)
    assert (entry.region, entry.cooperative, entry.sent_from) == ("MA-01", "nahla", "MA-07")
    assert (entry.sold_from, entry.sold_until) == (date(2026, 2, 1), date(2027, 3, 31))
    assert entry.title == "miel thym عسل زعتر thym thyme honey"
    assert {"jbel", "nahla", "epiceri", "miel", "igp"} <= set(entry.names.split())
    assert entry.text.split()[0] == "recolt"
    assert set(Tag.objects.values_list("code", flat=True)) == {"c:food", "c:honey", "l:igp"}
    assert Spelling.objects.get(word="thym").goods == 1


def _certification(listing):
    return listing.label_claims.get().certification


CHANGES = {
    "its name": lambda listing: Product.objects.filter(pk=listing.pk).update(title_fr="Miel"),
    "its price": lambda listing: prices.change(listing=listing, price=mad("10.00")),
    "withdrawn": lambda listing: publishing.withdraw(listing=listing),
    "its maker's name": lambda listing: type(listing.cooperative).objects.update(name_fr="Nahla"),
    "its maker's state": lambda listing: type(listing.cooperative).objects.update(state="suspended"),
    "its label's name": lambda listing: type(_certification(listing).label).objects.update(name_fr="IGP"),
    "its certification": lambda listing: type(_certification(listing)).objects.update(state="revoked"),
    "its claim": lambda listing: LabelClaim.objects.all().delete(),
    "its category's name": lambda listing: (
        get_model("catalogue", "Category").objects.filter(slug="food").update(name_fr="Manger")
    ),
    "its categories": lambda listing: get_model("catalogue", "ProductCategory").objects.all().delete(),
    "its region's name": lambda listing: type(listing.origin_region).objects.update(name_fr="Nord"),
    "sold out": lambda listing: stock.reserve(
        quantities={listing.stockrecords.get().pk: 3}, about="T-1", at=NOW
    ),
    "its stock record": lambda listing: get_model("partner", "StockRecord").objects.update(price=7),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_what_is_said_of_a_listing_makes_it_wait(honey, change):
    assert waiting() == []

    change(Product.objects.get(pk=honey.pk))

    assert waiting() == [honey.pk]
    assert indexing.refresh() == 1
    assert waiting() == []


def test_a_reservation_that_leaves_some_costs_the_index_nothing(honey):
    record = honey.stockrecords.get()

    stock.reserve(quantities={record.pk: 2}, about="T-1", at=NOW)
    stock.receive(quantities={record.pk: 5}, at=NOW)

    assert waiting() == []


def test_without_its_trigger_the_change_would_be_missed(honey):
    # The control: it is the trigger that does it.
    triggers.run(connection, triggers.taken_away(connection.vendor))
    Product.objects.filter(pk=honey.pk).update(title_fr="Miel")

    assert waiting() == []


def test_what_leaves_the_shelf_leaves_the_index_with_its_words(honey):
    publishing.withdraw(listing=Product.objects.get(pk=honey.pk))
    indexing.refresh()

    assert not Entry.objects.exists()
    assert not Tag.objects.exists()
    assert set(Spelling.objects.values_list("goods", flat=True)) == {0}


def test_a_listing_that_is_deleted_leaves_the_index(honey):
    other = ListingFactory(stock=0)
    indexing.refresh()
    get_model("partner", "StockRecord").objects.filter(product=other).delete()
    Product.objects.filter(pk=other.pk).delete()

    indexing.refresh()

    assert list(Entry.objects.values_list("listing", flat=True)) == [honey.pk]


def test_a_claim_that_nobody_verified_keeps_a_listing_out(honey):
    type(_certification(honey)).objects.update(state="submitted")
    indexing.refresh()

    assert not Entry.objects.exists()


def becomes_variant(listing, parent):
    listing.parent, listing.structure, listing.variant = parent, "child", listing.reference
    listing.save()


def test_a_listing_with_variants_is_one_entry_with_their_least_price_and_any_stock():
    parent = ListingFactory(title="Oil", stock=0)
    get_model("partner", "StockRecord").objects.filter(product=parent).delete()
    Product.objects.filter(pk=parent.pk).update(structure="parent")
    for number, (price, left) in enumerate((("30.00", 0), ("80.00", 2), ("120.00", 1))):
        child = ListingFactory(
            title=f"Oil {number}", price=price, stock=left, cooperative=parent.cooperative, gross_weight_g=300
        )
        becomes_variant(child, parent)

    indexing.refresh()

    entry = Entry.objects.get()
    assert entry.listing_id == parent.pk
    assert (entry.price_minor, entry.in_stock, entry.weight_g) == (8_000, True, 300)


def test_a_variant_s_stock_makes_its_listing_wait():
    parent, child = ListingFactory(stock=0), ListingFactory(stock=1)
    Product.objects.filter(pk=parent.pk).update(structure="parent")
    becomes_variant(child, parent)
    indexing.refresh()

    stock.reserve(quantities={child.stockrecords.get().pk: 1}, about="T-1", at=NOW)

    assert waiting() == [parent.pk]


def test_the_version_grows_only_when_the_index_changes(honey):
    before = indexing.version()
    indexing.refresh()
    assert indexing.version() == before

    prices.change(listing=honey, price=mad("10.00"))
    indexing.refresh()
    assert indexing.version() == before + 1


def test_made_anew_it_is_the_same(honey):
    ListingFactory(title="Rug")
    indexing.refresh()
    columns = [each.name for each in Entry._meta.fields]
    entries, known = (
        list(Entry.objects.order_by("pk").values(*columns)),
        list(Spelling.objects.order_by("word").values("word", "goods")),
    )
    Entry.objects.filter(pk=honey.pk).update(price_minor=1, title="")

    said = StringIO()
    call_command("index", "--all", stdout=said)

    assert said.getvalue() == "2 listings on the shelves\n"
    assert list(Entry.objects.order_by("pk").values(*columns)) == entries
    assert list(Spelling.objects.order_by("word").values("word", "goods")) == known


def test_the_command_works_off_what_waits(honey):
    prices.change(listing=honey, price=mad("10.00"))
    said = StringIO()

    call_command("index", stdout=said)

    assert said.getvalue() == "1 listings indexed anew\n"
    assert Entry.objects.get().price_minor == 1_000


def test_a_batch_costs_the_same_for_three_and_for_thirty():
    maker = CooperativeFactory()

    def cost(number):
        for _ in range(number):
            ListingFactory(cooperative=maker)
        with CaptureQueriesContext(connection) as queries:
            indexing.refresh()
        return len(queries)

    cost(1)
    # A statement more where the words of thirty do not fit into one.
    assert cost(30) <= cost(3) + 1


def test_a_tie_tells_no_id_and_moments_are_exact():
    assert indexing.tie("DEMO-001") == indexing.tie("DEMO-001") != indexing.tie("DEMO-002")
    assert 0 <= indexing.tie("L-0001") < 2**63
    assert indexing.microseconds(NOW + timedelta(microseconds=1)) - indexing.microseconds(NOW) == 1
