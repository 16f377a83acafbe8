"""The seeded shop: the same for the same seed, sound in its books, and never beside a real one."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count
from oscar.core.loading import get_model

from catalogue.models import Product, StockMovement
from cooperatives.models import Certification, Cooperative
from fixtures.seeding import filling, inventing
from fixtures.seeding.inventing import Place
from shop.backoffice import auditing
from shop.core import clock
from tests.factories import ListingFactory, order_of

PLACES = [
    Place(f"Lieu {number}", f"مكان {number}", "01.511", f"MA-{number % 12 + 1:02d}") for number in range(120)
]


def seed(**options) -> str:
    out = StringIO()
    call_command("seed", stdout=out, **options)
    return out.getvalue()


def test_the_same_seed_invents_the_same_goods_and_another_seed_others():
    makers = inventing.makers(seed=1, places=PLACES)
    again = inventing.makers(seed=1, places=PLACES)
    others = inventing.makers(seed=2, places=PLACES)

    first, second, other = (
        [inventing.good(seed=number, number=each, makers=found) for each in range(1, 201)]
        for number, found in ((1, makers), (1, again), (2, others))
    )

    assert first == second
    assert [each.titles for each in first] != [each.titles for each in other]
    assert len({each.slug for each in first}) == 200


def test_a_seeded_shop_has_300_makers_in_12_regions_and_800_branches_four_deep():
    makers = inventing.makers(seed=1, places=PLACES)
    regions = {each.region: (each.region, each.region, each.region) for each in PLACES}
    branches = inventing.categories(regions)
    above = {each.code: each.above for each in branches}

    assert len({each.code for each in makers}) == 300
    assert {each.place.region for each in makers} == set(regions)
    assert len(above) == len(branches) == 800
    assert all(each.above == "" or each.above in above for each in branches)
    assert {_depth(each, above) for each in above} == {1, 2, 3, 4}
    assert any(each.lapsed for maker in makers for each in maker.certifications)


def _depth(code: str, above: dict[str, str]) -> int:
    return 1 if not above[code] else 1 + _depth(above[code], above)


def test_one_good_in_ten_is_sold_out_and_prices_have_a_long_tail():
    makers = inventing.makers(seed=1, places=PLACES)
    goods = [inventing.good(seed=1, number=each, makers=makers) for each in range(1, 2001)]
    prices = sorted(each.price for each in goods)

    assert 160 <= sum(not each.stock for each in goods) <= 240
    assert prices[0] >= 1
    assert prices[1000] < 150
    assert prices[-1] > 3000


@pytest.mark.django_db
def test_seeding_fills_the_shelves_soundly_and_again_adds_nothing(monkeypatch):
    monkeypatch.setitem(filling.SIZES, "S", 60)
    monkeypatch.setitem(filling.SIZES, "M", 80)

    assert "60 listings added" in seed(size="S")
    assert "nothing was added" in seed(size="S")
    assert "20 listings added" in seed(size="M")

    listings = Product.objects.filter(reference__startswith="S1-")
    assert listings.count() == 80
    assert Cooperative.objects.count() == 300
    category = get_model("catalogue", "Category")
    assert category.objects.count() == 800
    assert category.find_problems() == ([], [], [], [], [])
    on_sale = Product.objects.on_sale(on=clock.today())
    lapsed = listings.filter(label_claims__certification__valid_until__lt=clock.today())
    assert set(listings) - set(on_sale) == set(lapsed)
    assert Certification.objects.filter(valid_until__lt=clock.today()).exists()
    stocked = get_model("partner", "StockRecord").objects.filter(num_in_stock__gt=0).count()
    assert StockMovement.objects.count() == stocked
    assert len(set(listings.values_list("date_created"))) == 2
    assert listings.values("cooperative").annotate(n=Count("pk")).count() > 30
    assert [each for each in auditing.audit(at=clock.now()) if each.breaches] == []


@pytest.mark.django_db
def test_invented_goods_do_not_go_beside_real_orders_unless_meant(monkeypatch):
    monkeypatch.setitem(filling.SIZES, "S", 1)
    order_of((ListingFactory(), 1))

    with pytest.raises(CommandError, match="There are orders here"):
        seed(size="S")
    assert not Product.objects.filter(reference__startswith="S1-").exists()

    seed(size="S", yes_i_mean_it=True)
    assert Product.objects.filter(reference__startswith="S1-").count() == 1


@pytest.mark.django_db
def test_invented_goods_do_not_go_into_production_unless_meant(settings):
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="production"):
        seed(size="S")
    assert not Cooperative.objects.exists()
