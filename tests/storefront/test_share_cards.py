"""The picture a messenger shows: 1200 × 630, drawn once, kept, drawn anew when what it shows has changed."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from oscar.core.loading import get_model
from PIL import Image

from catalogue import publishing
from catalogue.models import ProductImage
from shop.design import plates
from shop.design import share_cards as drawing
from shop.storefront import share_cards
from tests.factories import CertificationFactory, CooperativeFactory, ListingFactory, RegionFactory
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path):
    files = settings.STORAGES["default"]
    settings.STORAGES = settings.STORAGES | {
        "default": files | {"OPTIONS": files.get("OPTIONS", {}) | {"location": str(tmp_path)}}
    }


@pytest.fixture
def drawn(monkeypatch):
    """How often a card is really drawn."""
    calls = []
    draw = drawing.draw

    def counted(words, pictures, **options):
        calls.append(words.title)
        return draw(words, pictures, **options)

    monkeypatch.setattr(drawing, "draw", counted)
    return calls


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def ink_in(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How many dark points of text lie in a box."""
    return sum(picture.crop(box).convert("L").histogram()[:80])


HONEY = {
    "fr": ("Tadamon", "Miel de thym", "Coopérative Jbel Nahla"),
    "ar": ("تضامن", "عسل الزعتر الجبلي", "تعاونية جبل النحلة"),
}
TEXT_SIDE = {"fr": (640, 0, 1200, 600), "ar": (0, 0, 560, 600)}


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_picture_stands_at_the_start_side_and_the_words_at_the_other(language):
    word, title, maker = HONEY[language]
    plate = plates.rasterise(plates.render_svg("honey", plates.Variation(ground="sky")), 600)

    card = opened(drawing.draw(drawing.Words(language, word, title, said=(maker,)), [plate]))

    wall = (20, 20) if language == "fr" else (1180, 20)
    assert card.size == (1200, 630)
    assert all(abs(a - b) < 12 for a, b in zip(card.getpixel(wall), (0xBF, 0xD2, 0xE4), strict=True))
    assert ink_in(card, TEXT_SIDE[language]) > 2_000


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("times", [1, 8])
def test_the_longest_name_keeps_clear_of_the_price(language, times):
    word, title, maker = HONEY[language]
    long = drawing.Words(
        language, word, " ".join([title] * times), said=(maker, "Chefchaouen"), price="150,00", unit="500 g"
    )
    bare = drawing.Words(language, word, "", price="150,00", unit="500 g")

    card, priced = opened(drawing.draw(long, [])), opened(drawing.draw(bare, []))

    start, top, end, _bottom = TEXT_SIDE[language]
    below = (start, 520, end, 600)
    margin = (1168, top, 1200, 600) if language == "fr" else (0, top, 32, 600)
    assert abs(ink_in(card, below) - ink_in(priced, below)) < 40
    assert ink_in(card, margin) == 0


def test_arabic_letters_are_joined_and_run_from_the_right():
    """Joined, the word is narrower than its letters apart; its first letter stands at the right."""
    joined, apart = (
        opened(drawing.draw(drawing.Words("ar", "تضامن", title), []))
        for title in ("عسل عسل", "ع\u200cس\u200cل ع\u200cس\u200cل")
    )
    title = (0, 80, 560, 170)

    def reach(card):
        dark = card.crop(title).convert("L").point(lambda level: 255 if level < 80 else 0)
        return dark.getbbox()

    assert reach(joined) != reach(apart)
    assert reach(joined)[0] > reach(apart)[0]
    assert abs(reach(joined)[2] - reach(apart)[2]) < 12


def test_a_broken_picture_leaves_its_place_to_the_next():
    good = plates.rasterise(plates.render_svg("honey", plates.Variation(ground="indigo")), 300)

    card = opened(drawing.draw(drawing.Words("fr", "Tadamon", "Miel"), [b"GIF89a nonsense", good]))

    assert all(abs(a - b) < 12 for a, b in zip(card.getpixel((20, 20)), (0x2B, 0x47, 0x8F), strict=True))


def test_four_pictures_stand_as_a_window_with_a_joint():
    grounds = ("sky", "rose", "olive", "indigo")
    four = [
        plates.rasterise(plates.render_svg("honey", plates.Variation(ground=each)), 300) for each in grounds
    ]

    card = opened(drawing.draw(drawing.Words("fr", "Tadamon", "Souss-Massa"), four))

    seen = [card.getpixel(place) for place in ((10, 10), (620, 10), (10, 330), (620, 330))]
    for ground, pixel in zip(grounds, seen, strict=True):
        wall = tuple(int(plates.GROUNDS[ground][0][at : at + 2], 16) for at in (1, 3, 5))
        assert all(abs(a - b) < 12 for a, b in zip(pixel, wall, strict=True)), ground
    assert all(level > 235 for level in card.getpixel((315, 100)))


def test_the_bar_on_a_card_is_that_of_the_page(visitor):
    parts = drawing.parts_of(
        {
            name: share_cards.Money(amount, "MAD")
            for name, amount in (("coop", "133.50"), ("shop", "12.50"), ("vat", "2.50"), ("fund", "1.50"))
        }
    )

    assert parts == (("coop", 0.89), ("shop", 0.0833), ("vat", 0.0167), ("fund", 0.01))


# --- kept, and drawn anew -----------------------------------------------------------------------


def test_a_card_is_drawn_once_and_anew_when_its_price_changes(visitor, drawn):
    honey = ListingFactory(title="Honey", title_en="Honey", price="150.00", reference="H-1")
    address = visitor.url("share_card", "goods", "H-1")

    first, again = visitor.client.get(address), visitor.client.get(address)
    honey.stockrecords.update(price="160.00")
    changed = visitor.client.get(address)

    assert drawn == ["Honey", "Honey"]
    assert first.content == again.content != changed.content
    assert first["ETag"] == again["ETag"] != changed["ETag"]
    assert opened(changed.content).size == (1200, 630)
    # The new one took the place of the old one.
    assert default_storage.listdir("share/en") == ([], ["goods-H-1.jpg"])


def test_who_has_the_card_is_sent_nothing_and_nothing_is_drawn(visitor, drawn):
    ListingFactory(reference="H-1")
    address = visitor.url("share_card", "goods", "H-1")
    etag = visitor.client.head(address)["ETag"]
    drawn.clear()

    answer = visitor.client.get(address, headers={"if-none-match": etag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert drawn == []


def test_each_language_has_its_own_card(now, drawn):
    ListingFactory(reference="H-1", title_fr="Miel", title_ar="عسل", title_en="Honey")

    cards = {Visitor(each).client.get(f"/{each}/share/goods/H-1.jpg").content for each in ("fr", "ar", "en")}

    assert len(cards) == 3
    assert drawn == ["Miel", "عسل", "Honey"]


def test_a_photograph_takes_the_place_of_the_plate(visitor):
    honey = ListingFactory(reference="H-1")
    red = io.BytesIO()
    Image.new("RGB", (600, 400), "#b00020").save(red, "JPEG")
    default_storage.save("pictures/red-600.jpg", ContentFile(red.getvalue()))
    ProductImage.objects.create(
        product=honey,
        state=ProductImage.State.READY,
        stem="red",
        widths="300,600,1200",
        width=1200,
        height=800,
    )

    card = opened(visitor.get("share_card", "goods", "H-1").content)

    assert all(abs(a - b) < 16 for a, b in zip(card.getpixel((315, 315)), (0xB0, 0, 0x20), strict=True))


def test_a_picture_missing_from_the_storage_breaks_no_card(visitor):
    honey = ListingFactory(reference="H-1")
    ProductImage.objects.create(
        product=honey, state=ProductImage.State.READY, stem="lost", widths="600", width=600, height=600
    )

    assert visitor.get("share_card", "goods", "H-1").status_code == 200


@pytest.mark.parametrize(
    ("kind", "key"), [("shop", "tadamon"), ("cooperatives", "jbel"), ("labels", "igp"), ("regions", "MA-01")]
)
def test_shop_cooperatives_labels_and_regions_have_cards(visitor, kind, key):
    certification = CertificationFactory(
        cooperative=CooperativeFactory(slug="jbel", region=RegionFactory(code="MA-01"))
    )
    ListingFactory(cooperative=certification.cooperative, claims=[certification])

    response = visitor.get("share_card", kind, key)

    assert response.status_code == 200
    assert opened(response.content).size == (1200, 630)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("goods", "nothing"),
        ("shop", "nothing"),
        ("nothing", "tadamon"),
        ("labels", "nothing"),
        ("regions", "MA-99"),
        ("cooperatives", "nothing"),
    ],
)
def test_what_is_not_here_has_no_card(visitor, kind, key):
    assert visitor.get("share_card", kind, key).status_code == 404


def test_what_went_off_sale_has_no_card(visitor):
    honey = ListingFactory(reference="H-1")
    publishing.withdraw(listing=honey)

    assert visitor.get("share_card", "goods", "H-1").status_code == 404


def test_while_too_many_are_drawn_the_others_come_again(visitor, monkeypatch, drawn):
    ListingFactory(reference="H-1")
    monkeypatch.setattr(share_cards, "WAIT_SECONDS", 0.01)

    with share_cards._drawing:
        busy = visitor.get("share_card", "goods", "H-1")
    later = visitor.get("share_card", "goods", "H-1")

    assert (busy.status_code, busy["Retry-After"]) == (503, "5")
    assert later.status_code == 200
    assert len(drawn) == 1


def test_the_address_on_a_page_changes_with_what_the_card_says(visitor):
    honey = ListingFactory(reference="H-1", price="150.00")

    def address():
        return re.search(r'og:image" content="([^"]*)"', visitor.get("listing", honey.slug).content.decode())[
            1
        ]

    before = address()
    honey.stockrecords.update(price="160.00")

    assert re.fullmatch(r".*/en/share/goods/H-1\.jpg\?v=[0-9a-f]{8}", before)
    assert address() != before


def test_a_window_of_goods_costs_the_same_few_queries_for_many(visitor, django_assert_max_num_queries):
    for _each in range(12):
        ListingFactory(origin_region=RegionFactory(code="MA-01"))

    with django_assert_max_num_queries(4):
        visitor.get("share_card", "regions", "MA-01")
    assert get_model("catalogue", "Product").objects.count() == 12
