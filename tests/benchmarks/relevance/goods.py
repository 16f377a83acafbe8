"""A thousand invented listings beside the demonstration's sixty, for judging a search among many like goods.

Every listing is a kind of good from a place by a maker, so what it *is* can be said in tags, and a judgement
can be made by meaning: nobody looks at what an engine returned. The same every time.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from oscar.core.loading import get_model

from catalogue.models import Product
from cooperatives.models import Cooperative
from shop.core.models import Region

HERE = Path(__file__).resolve().parent

#: (tags, category of the demonstration, fr, ar, en). Some are made *of* what others are: a soap with honey is no honey.
KINDS = [
    ("honey orange-blossom food sweet", "honey-and-sweets", "Miel de fleur d'oranger", "عسل زهر الليمون", "Orange blossom honey"),
    ("honey eucalyptus food sweet", "honey-and-sweets", "Miel d'eucalyptus", "عسل الكاليبتوس", "Eucalyptus honey"),
    ("honey thyme food sweet", "honey-and-sweets", "Miel de thym sauvage", "عسل الزعتر البري", "Wild thyme honey"),
    ("honey euphorbia food sweet", "honey-and-sweets", "Miel d'euphorbe", "عسل الدغموس", "Euphorbia honey"),
    ("soap honey-made care", "care", "Savon au miel", "صابون بالعسل", "Honey soap"),
    ("soap black-soap beldi olive-made care", "care", "Savon noir à l'eucalyptus", "صابون بلدي بالكاليبتوس", "Black soap with eucalyptus"),
    ("candle beeswax home", "home", "Bougie en cire d'abeille", "شمعة من شمع النحل", "Beeswax candle"),
    ("oil olive food", "oils", "Huile d'olive", "زيت الزيتون", "Olive oil"),
    ("olives preserve food", "spices-and-herbs", "Olives vertes cassées", "زيتون أخضر مكسر", "Cracked green olives"),
    ("oil argan food", "oils", "Huile d'argan torréfiée", "زيت أركان محمص", "Toasted argan oil"),
    ("oil argan care cosmetic", "care", "Huile d'argan pour le visage", "زيت أركان للوجه", "Argan oil for the face"),
    ("amlou almond-made food sweet spread", "oils", "Amlou aux cacahuètes", "أملو بالفول السوداني", "Peanut amlou"),
    ("dates fruit food", "dates-and-nuts", "Dattes Bouskri", "تمور بوسكري", "Bouskri dates"),
    ("figs fruit dried food", "dates-and-nuts", "Figues sèches", "تين مجفف", "Dried figs"),
    ("almonds nuts food", "dates-and-nuts", "Amandes douces", "لوز حلو", "Sweet almonds"),
    ("walnuts nuts food", "dates-and-nuts", "Noix entières", "جوز كامل", "Whole walnuts"),
    ("couscous grain food", "couscous-and-grains", "Couscous complet", "كسكس كامل", "Wholemeal couscous"),
    ("couscous barley belboula grain food", "couscous-and-grains", "Couscous d'orge belboula", "كسكس البلبولة", "Barley couscous"),
    ("lentils pulse grain food", "couscous-and-grains", "Lentilles vertes", "عدس أخضر", "Green lentils"),
    ("cheese goat milk food", "couscous-and-grains", "Fromage de chèvre affiné", "جبن ماعز معتق", "Aged goat cheese"),
    ("spice cumin food", "spices-and-herbs", "Cumin en grains", "كمون حبوب", "Cumin seeds"),
    ("spice ras-el-hanout food", "spices-and-herbs", "Ras el hanout", "راس الحانوت", "Ras el hanout"),
    ("spice paprika food", "spices-and-herbs", "Piment doux moulu", "تحميرة مطحونة", "Sweet paprika"),
    ("herb verbena food plant", "spices-and-herbs", "Verveine séchée", "لويزة مجففة", "Dried verbena"),
    ("herb mint food plant tea", "spices-and-herbs", "Menthe séchée pour le thé", "نعناع مجفف للشاي", "Dried mint for tea"),
    ("salt food", "spices-and-herbs", "Gros sel de saline", "ملح خشن", "Coarse salt"),
    ("rose rosewater care food", "care", "Eau de rose distillée", "ماء الورد المقطر", "Distilled rose water"),
    ("rose cream care cosmetic", "care", "Crème à la rose", "كريم الورد", "Rose cream"),
    ("ghassoul clay-care care", "care", "Ghassoul en poudre", "غسول مطحون", "Ghassoul powder"),
    ("henna care plant", "care", "Henné naturel", "حناء طبيعية", "Natural henna"),
    ("tagine pottery clay home", "pottery", "Tajine émaillé", "طاجين مزجج", "Glazed tagine"),
    ("bowl pottery home", "pottery", "Bol en terre cuite", "زلافة من الطين", "Clay bowl"),
    ("plate pottery home", "pottery", "Assiette peinte", "صحن ملون", "Painted plate"),
    ("carpet wool berber home", "carpets-and-cloth", "Tapis berbère en laine", "زربية أمازيغية من الصوف", "Berber wool rug"),
    ("blanket wool cloth textile home", "carpets-and-cloth", "Couverture en laine", "غطاء من الصوف", "Wool blanket"),
    ("cushion wool textile home", "carpets-and-cloth", "Coussin en laine tissé", "وسادة صوف منسوجة", "Woven wool cushion"),
    ("djellaba wool textile", "carpets-and-cloth", "Djellaba en laine", "جلابة من الصوف", "Wool djellaba"),
    ("basket palm-leaf home", "baskets-and-leather", "Panier en palmier doum", "سلة من الدوم", "Palm leaf basket"),
    ("slippers leather", "baskets-and-leather", "Babouches en cuir", "بلغة من الجلد", "Leather slippers"),
    ("bag leather", "baskets-and-leather", "Sac en cuir", "حقيبة جلدية", "Leather bag"),
    ("jewel silver bracelet", "jewellery", "Bracelet en argent", "سوار فضي", "Silver bracelet"),
    ("jewel necklace amber", "jewellery", "Collier d'ambre", "عقد من العنبر", "Amber necklace"),
]  # fmt: skip

#: (region, tag, fr, ar, en)
PLACES = [
    ("MA-01", "rif ouezzane", "Ouezzane", "وزان", "Ouezzane"),
    ("MA-02", "oriental berkane", "Berkane", "بركان", "Berkane"),
    ("MA-03", "fes sefrou", "Sefrou", "صفرو", "Sefrou"),
    ("MA-04", "rabat khemisset", "Khémisset", "الخميسات", "Khemisset"),
    ("MA-05", "beni-mellal azilal", "Azilal", "أزيلال", "Azilal"),
    ("MA-06", "casablanca settat", "Settat", "سطات", "Settat"),
    ("MA-07", "marrakech chichaoua", "Chichaoua", "شيشاوة", "Chichaoua"),
    ("MA-08", "draa zagora", "Zagora", "زاكورة", "Zagora"),
    ("MA-09", "souss tiznit", "Tiznit", "تيزنيت", "Tiznit"),
    ("MA-10", "guelmim tan-tan", "Tan-Tan", "طانطان", "Tan-Tan"),
    ("MA-11", "laayoune tarfaya", "Tarfaya", "طرفاية", "Tarfaya"),
    ("MA-12", "dakhla", "Dakhla", "الداخلة", "Dakhla"),
]
#: (tag, fr, ar, en): how makers are called; one of each in every place. Every third is of women only.
MAKERS = [
    ("tawada", "Tawada", "تاوادا", "Tawada"),
    ("al-amal", "Al Amal", "الأمل", "Al Amal"),
]
SINCE = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Good:
    """What a listing is, in tags."""

    slug: str
    tags: frozenset[str] = field(default_factory=frozenset)


def load() -> list[Good]:
    """Write the invented listings, and say what every listing of the shop is. The demonstration is loaded before."""
    makers = _makers()
    categories = {each.code: each for each in get_model("catalogue", "Category").objects.all()}
    kind = get_model("catalogue", "ProductClass").objects.get(slug="good")
    listings, tags = [], {}
    for number, (each, maker) in enumerate(itertools.product(KINDS, makers), start=1):
        words, _, *names = each
        place = next(place for place in PLACES if place[0] == maker.region_id)
        reference = f"JUDGED-{number:04d}"
        listing = Product(
            reference=reference,
            slug=reference.lower(),
            product_class=kind,
            cooperative=maker,
            title=f"{names[0]} de {place[2]}",
            title_fr=f"{names[0]} de {place[2]}",
            title_ar=f"{names[1]} من {place[3]}",
            title_en=f"{names[2]} from {place[4]}",
            description_fr="Préparé par les membres de la coopérative, en petites quantités.",
            description_ar="يحضره أعضاء التعاونية بكميات صغيرة.",
            description_en="Prepared by the members of the cooperative, in small quantities.",
            origin_region_id=maker.region_id,
            gross_weight_g=500,
            family="miel",
        )
        listings.append((listing, categories[each[1]]))
        women = ["women"] if maker.women_only else []
        tags[reference] = frozenset([*words.split(), *place[1].split(), *women, f"maker-{maker.slug}"])
    Product.objects.bulk_create((listing for listing, _ in listings), batch_size=200)
    _put_on_shelves(listings)
    return [*_of_the_demonstration(), *(Good(each.slug, tags[each.reference]) for each, _ in listings)]


def _makers() -> list[Cooperative]:
    partners = get_model("partner", "Partner").objects
    made = []
    for number, (place, name) in enumerate(itertools.product(PLACES, MAKERS)):
        code = f"J{number:02d}-{name[0]}"
        made.append(
            Cooperative.objects.create(
                code=code[:12],
                slug=f"{name[0]}-{place[4].lower()}",
                partner=partners.create(code=code.lower(), name=name[1]),
                name_fr=f"Coopérative {name[1]} {place[2]}",
                name_ar=f"تعاونية {name[2]} {place[3]}",
                name_en=f"{name[3]} Cooperative {place[4]}",
                region=Region.objects.get(code=place[0]),
                place_fr=place[2],
                place_ar=place[3],
                place_en=place[4],
                women_only=number % 3 == 0,
                created_at=SINCE,
            )
        )
    return made


def _put_on_shelves(listings: list[tuple[Product, Any]]) -> None:
    """Published, priced and in stock; written in bulk, because a thousand activities would take a minute."""
    for number, (each, _) in enumerate(listings):
        each.date_created = SINCE + timedelta(minutes=number)
    Product.objects.bulk_update([each for each, _ in listings], ["date_created"], batch_size=200)
    Product.objects.filter(reference__startswith="JUDGED-").update(state=Product.State.PUBLISHED)
    get_model("catalogue", "ProductCategory").objects.bulk_create(
        (
            get_model("catalogue", "ProductCategory")(product=each, category=category)
            for each, category in listings
        ),
        batch_size=200,
    )
    record = get_model("partner", "StockRecord")
    record.objects.bulk_create(
        (
            record(
                product=each,
                partner_id=each.cooperative.partner_id,
                partner_sku=each.reference,
                price_currency="MAD",
                price=Decimal(20 + number % 180),
                num_in_stock=5,
            )
            for number, (each, _) in enumerate(listings)
        ),
        batch_size=200,
    )


def _of_the_demonstration() -> Iterator[Good]:
    with (HERE / "demo_goods.csv").open(encoding="utf-8") as file:
        written = {row["reference"]: row["is"].split() for row in csv.DictReader(file)}
    shown = Product.objects.filter(reference__in=written).select_related("cooperative")
    for each in shown.prefetch_related("label_claims__certification__label"):
        labels = [claim.certification.label.code for claim in each.label_claims.all()]
        women = ["women"] if each.cooperative.women_only else []
        yield Good(
            each.slug,
            frozenset([*written[each.reference], *labels, *women, f"maker-{each.cooperative.slug}"]),
        )
