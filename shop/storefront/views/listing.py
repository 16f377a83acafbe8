"""One good: its page, its variants, its pictures large, and the drawing that stands for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from moneyed import Money
from oscar.core.loading import get_model

from catalogue import showing
from catalogue.models import Product, ProductImage, variants_shown
from catalogue.showing import Shown
from cooperatives.models import Certification, Cooperative, Label
from shop.checkout import estimating
from shop.checkout.filling import MOST_OF_ONE
from shop.core import clock
from shop.core.money import half_up
from shop.core.prepared import Prepared
from shop.design import plates
from shop.fulfilment import quoting, reviewing
from shop.storefront import cards, destinations, reviews
from shop.storefront.crumbs import shop_crumb
from shop.storefront.views import gone

Category = get_model("catalogue", "Category")
ProductCategory = get_model("catalogue", "ProductCategory")

#: Food that keeps no longer than this spoils quickly: it cannot be sent back.
PERISHABLE_MONTHS = 1
#: How many goods of the same cooperative, and how many like it of others, are shown below.
OF_THE_SAME, ALIKE = 4, 4
#: How many reviews stand on the page itself.
REVIEWS = 3
_UNIT = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*(kg|g|ml|cl|l)\s*$", re.IGNORECASE)
_PER = {
    "g": ("kilo", 1000),
    "kg": ("kilo", 1),
    "ml": ("litre", 1000),
    "cl": ("litre", 100),
    "l": ("litre", 1),
}


def listing(request: HttpRequest, slug: str) -> HttpResponse:
    """One good: what it is, what it costs and who gets how much, its proofs, its seller."""
    return listing_page(request, slug)


def listing_page(
    request: HttpRequest, slug: str, *, wrong: str = "", typed: str = "", status: int = 200
) -> HttpResponse:
    """The page of a listing on sale; ``wrong`` says why ``typed`` of it were not put into the basket.

    Of a listing with variants one is chosen: the one the address or the form names, else the first there is.
    """
    on = clock.today()
    found = _found(slug, on=on)
    if found is None:
        return gone.of_listing(request, slug)
    cooperative = found.cooperative
    chosen = _chosen(request, found)
    own, alike = _near(found, on=on)
    terms = cards.terms_for([found, *own, *alike], on)
    kind = next(iter(_KIND.records(listing=found.pk)), None)
    price, left = cards.price_of(chosen), cards.left_of(chosen)
    per, per_unit = _per(chosen, price)
    pictures = _pictures(found, chosen)
    return render(
        request,
        "storefront/listing.html",
        {
            "listing": found,
            "chosen": chosen,
            "variants": _choices(found, chosen),
            "cooperative": cooperative,
            "cooperative_url": reverse("storefront:cooperative", args=[cooperative.slug]),
            "price": price,
            "per": per,
            "per_unit": per_unit,
            "parts": cards.parts_of(chosen, terms),
            "pictures": pictures,
            "drawn": all(each["drawn"] for each in pictures),
            "left": left,
            "stock": cards.stock_state(left),
            "quantities": range(1, min(left, 10, MOST_OF_ONE) + 1),
            "delivery": _delivery(request, cooperative, chosen, on=on),
            "perishable": 0 < chosen.shelf_life_months <= PERISHABLE_MONTHS,
            "labels": [cards.proof(each, demo=cooperative.is_demo) for each in _certifications(found, on=on)],
            "map": _map(found),
            "own": cards.cards(own, terms=terms),
            "alike": cards.cards(alike, terms=terms),
            "seller": cards.identity(cooperative),
            "reviews": reviews.shown(reviewing.newest(listing=found, limit=REVIEWS)),
            "wrong": wrong,
            "typed": typed,
            "crumbs": [
                shop_crumb(),
                *(
                    [{"name": kind.name, "url": reverse("storefront:category", args=[kind.slug])}]
                    if kind
                    else []
                ),
                {"name": found.get_title()},
            ],
        },
        status=status,
    )


def _found(slug: str, *, on: date) -> Product | None:
    """The listing on sale with its variants; None when there is none of this name."""
    found: Product | None = next(iter(_FOUND.records(slug=slug, on=on)), None)
    if found is not None:
        found.variants = _VARIANTS.records(listing=found.pk)  # type: ignore[attr-defined]
        for each in found.variants:
            each.parent = found
    return found


def _ask_found(*, language: str, slug: str, on: date) -> QuerySet[Product]:
    found = Product.objects.on_sale(on=on).filter(slug=slug).with_stock()
    return found.select_related("cooperative__region", "origin_region", "origin_province")[:1]


def _ask_variants(*, language: str, listing: int) -> QuerySet[Product]:
    return variants_shown().filter(parent=listing)


def _ask_kind(*, language: str, listing: int) -> QuerySet[Any]:
    return Category.objects.filter(productcategory__product=listing).order_by("path")[:1]


def _ask_images(*, language: str, listings: list[int]) -> QuerySet[ProductImage]:
    return ProductImage.objects.filter(product__in=listings, state=ProductImage.State.READY)


def _ask_certified(*, language: str, listing: int, cooperative: int, on: date) -> QuerySet[Certification]:
    whole = Q(cooperative=cooperative, label__scope=Label.Scope.COOPERATIVE)
    return (
        Certification.objects.valid_on(on)
        .filter(Q(claims__listing=listing) | whole)
        .select_related("label")
        .distinct()
        .order_by("label__kind", "label__code")
    )


def _ask_near(
    *, language: str, listing: int, cooperative: int, family: str, on: date
) -> tuple[QuerySet[Any, Any], ...]:
    others = Product.objects.on_sale(on=on).exclude(pk=listing).order_by("-date_created", "-id")
    same = others.filter(cooperative=cooperative)[:OF_THE_SAME]
    like = others.filter(family=family).exclude(cooperative=cooperative)[:ALIKE]
    return showing.facts(same, language), showing.facts(like, language)


_FOUND, _VARIANTS, _KIND = Prepared(_ask_found), Prepared(_ask_variants), Prepared(_ask_kind)
_IMAGES, _CERTIFIED, _NEAR = Prepared(_ask_images), Prepared(_ask_certified), Prepared(_ask_near)


def _chosen(request: HttpRequest, found: Product) -> Product:
    """The variant this page speaks of; the listing itself when it has none."""
    if not found.has_variants:
        return found
    named = request.POST.get("variant") or request.GET.get("variant") or ""
    for each in found.variants:
        if each.reference == named:
            return each
    there = [each for each in found.variants if cards.left_of(each)]
    return next(iter(there or found.variants), found)


def _choices(found: Product, chosen: Product) -> list[dict[str, Any]]:
    """Every variant as a chip; what is sold out can be seen but not chosen."""
    if not found.has_variants:
        return []
    several = cards.has_several_prices(found)
    return [
        {
            "name": each.variant,
            "url": "" if not cards.left_of(each) else each.get_absolute_url(),
            "price": cards.price_of(each) if several else None,
            "here": each == chosen,
        }
        for each in found.variants
    ]


def _certifications(found: Product, *, on: date) -> list[Certification]:
    """What is certified today of this good, and of everything its cooperative makes."""
    return _CERTIFIED.records(listing=found.pk, cooperative=found.cooperative_id, on=on)


def _near(found: Product, *, on: date) -> tuple[list[Shown], list[Shown]]:
    """Other goods of the same cooperative, and goods of the same family made by others; newest first."""
    # What is of no family is like nothing else.
    family = found.family or "none of all"
    rows = _NEAR.rows(listing=found.pk, cooperative=found.cooperative_id, family=family, on=on)
    near = showing.completed(rows, on=on)
    own = [each for each in near if each.cooperative_id == found.cooperative_id]
    return own, [each for each in near if each.cooperative_id != found.cooperative_id]


def _pictures(found: Product, chosen: Product) -> list[dict[str, Any]]:
    """The pictures of a listing and of its variants, those of the chosen one first; a drawn plate when there
    is none. Each keeps its number, by which it is opened large."""
    shown = _numbered(found)
    if not shown:
        return [cards.plate(found) | {"number": 0, "url": "", "drawn": True}]
    made = [
        cards.as_picture(each, alt=_picture_alt(found, each, number, len(shown)))
        | {
            "number": number,
            "url": reverse("storefront:picture", args=[found.slug, number]),
            "drawn": each.is_drawing,
            "of_chosen": chosen != found and each.product_id == chosen.pk,
        }
        for number, each in enumerate(shown, start=1)
    ]
    return sorted(made, key=lambda each: not each["of_chosen"])


def _numbered(found: Product) -> list[ProductImage]:
    """The listing's own pictures, then those of its variants in their order."""
    places = {found.pk: 0, **{each.pk: at for at, each in enumerate(_variants(found), start=1)}}
    images = _IMAGES.records(listings=list(places))
    return sorted(images, key=lambda each: (places[each.product_id], each.display_order, each.pk))


def _variants(found: Product) -> Sequence[Product]:
    return found.variants if found.has_variants else ()


def _picture_alt(found: Product, image: ProductImage, number: int, of: int) -> str:
    """What a picture shows, as far as is known: which variant, or which of how many."""
    for each in _variants(found):
        if each.pk == image.product_id:
            return str(each.get_title())
    if of == 1:
        return str(found.get_title())
    return _("%(title)s, picture %(number)s of %(of)s") % {
        "title": found.get_title(),
        "number": number,
        "of": of,
    }


def _delivery(request: HttpRequest, cooperative: Cooperative, chosen: Product, *, on: date) -> dict[str, Any]:
    """Bringing one of it to her town, or as long as no town is known roughly anywhere."""
    parcels = [(cooperative, chosen.gross_weight_g)]
    place = destinations.of(request)
    if place is None:
        return {"estimate": estimating.estimates(parcels=parcels, on=on).get(cooperative.pk)}
    return {
        "place": place.name,
        "offer": quoting.offers(parcels=parcels, region=place.region, on=on).get(cooperative.pk),
    }


def _map(found: Product) -> list[dict[str, Any]]:
    """The twelve regions as small tiles, the one it comes from marked."""
    here = found.origin_region_id or found.cooperative.region_id
    return [{"code": code, "here": code == here} for code in (f"MA-{each:02d}" for each in range(1, 13))]


def _per(found: Product, price: Money | None) -> tuple[Money | None, str]:
    """The price of a kilo or litre, where the unit says how much is in it."""
    fits = _UNIT.match(found.unit_fr or "")
    if not fits or price is None:
        return None, ""
    name, step = _PER[fits[2].lower()]
    amount = Decimal(fits[1].replace(",", "."))
    if not amount:
        return None, ""
    per = half_up(price.amount * step / amount, price.currency)
    return per, pgettext("price per", "kilo") if name == "kilo" else pgettext("price per", "litre")


def picture(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One picture as large as there is, on a page of its own: with the one before, the next, and the way back."""
    found = _found(slug, on=clock.today())
    if found is None:
        raise Http404
    shown = _numbered(found)
    if not 1 <= number <= len(shown):
        raise Http404
    image = shown[number - 1]

    def at(place: int) -> str:
        inside = 1 <= place <= len(shown)
        return reverse("storefront:picture", args=[found.slug, place]) if inside else ""

    return render(
        request,
        "storefront/picture.html",
        {
            "listing": found,
            "picture": cards.as_picture(image, alt=_picture_alt(found, image, number, len(shown))),
            "drawn": image.is_drawing,
            "number": number,
            "of": len(shown),
            "before": at(number - 1),
            "after": at(number + 1),
            "crumbs": [
                shop_crumb(),
                {"name": found.get_title(), "url": found.get_absolute_url()},
                {"name": _("Picture %(number)s") % {"number": number}},
            ],
        },
    )


def plate(request: HttpRequest, reference: str) -> HttpResponse:
    """The drawn plate of a listing without pictures; ``not`` names the ground of the one beside it."""
    found = get_object_or_404(Product.objects.only("reference", "family"), reference=reference)
    beside = request.GET.get("not", "")
    previous = plates.Variation(ground=beside) if beside in plates.LIGHT_GROUNDS else None
    drawing, form = plates.drawing_for(found.family)
    varied = plates.variation_for(found.reference, previous)
    svg = plates.render_svg(drawing, replace(varied, form=form))
    response = HttpResponse(svg, content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=604800"
    return response
