"""One good: its page, and the drawing that stands for it."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import pgettext
from moneyed import Money
from oscar.core.loading import get_model

from catalogue.models import Product, ProductImage
from cooperatives.models import Certification, Label
from shop.checkout import estimating
from shop.checkout.filling import MOST_OF_ONE
from shop.core import clock
from shop.core.money import half_up
from shop.design import plates
from shop.storefront import cards
from shop.storefront.crumbs import shop_crumb
from shop.storefront.views import gone

Category = get_model("catalogue", "Category")
ProductCategory = get_model("catalogue", "ProductCategory")

#: Food that keeps no longer than this spoils quickly: it cannot be sent back.
PERISHABLE_MONTHS = 1
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
    """The page of a listing on sale; ``wrong`` says why ``typed`` of it were not put into the basket."""
    on = clock.today()
    found = (
        Product.objects.on_sale(on=on)
        .filter(slug=slug, parent=None)
        .select_related("cooperative__region", "origin_region", "origin_province")
        .prefetch_related(
            "stockrecords",
            Prefetch("images", queryset=ProductImage.objects.filter(state=ProductImage.State.READY)),
        )
        .first()
    )
    if found is None:
        return gone.of_listing(request, slug)
    cooperative = found.cooperative
    certifications = (
        Certification.objects.valid_on(on)
        .filter(Q(claims__listing=found) | Q(cooperative=cooperative, label__scope=Label.Scope.COOPERATIVE))
        .select_related("label")
        .distinct()
        .order_by("label__kind", "label__code")
    )
    near = list(
        Product.objects.on_sale(on=on)
        .filter(Q(cooperative=cooperative) | Q(family=found.family), parent=None)
        .exclude(pk=found.pk)
        .order_by("-date_created", "-id")
        .for_cards(on=on)[:8]
    )
    near.sort(key=lambda each: each.cooperative_id != cooperative.pk)
    near = near[:4]
    terms = cards.terms_for([found, *near], on)
    kind = Category.objects.filter(productcategory__product=found).order_by("path").first()
    price, left = cards.price_of(found), cards.left_of(found)
    estimate = estimating.estimates(parcels=[(cooperative, found.gross_weight_g)], on=on).get(cooperative.pk)
    per, per_unit = _per(found, price)
    return render(
        request,
        "storefront/listing.html",
        {
            "listing": found,
            "cooperative": cooperative,
            "cooperative_url": reverse("storefront:cooperative", args=[cooperative.slug]),
            "price": price,
            "per": per,
            "per_unit": per_unit,
            "parts": cards.parts_of(found, terms),
            "pictures": [cards.as_picture(each, alt="") for each in found.images.all()]
            or [cards.picture(found)],
            "drawn": all(each.is_drawing for each in found.images.all()),
            "left": left,
            "stock": cards.stock_state(left),
            "quantities": range(1, min(left, 10, MOST_OF_ONE) + 1),
            "estimate": estimate,
            "perishable": 0 < found.shelf_life_months <= PERISHABLE_MONTHS,
            "labels": [cards.proof(each, demo=cooperative.is_demo) for each in certifications],
            "near": cards.cards(near, terms=terms),
            "seller": cards.identity(cooperative),
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
