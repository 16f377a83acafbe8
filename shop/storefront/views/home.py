"""The first page: what is there today, from whom, and how a price is shared."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from oscar.core.loading import get_model

from catalogue.models import Product
from cooperatives.models import Cooperative, Label
from shop.core import clock
from shop.design import numbers
from shop.search import finding
from shop.search.finding import Wanted
from shop.storefront import cards
from shop.storefront.views.labels import kinds_of_labels
from shop.storefront.views.makers import region_tiles

Category = get_model("catalogue", "Category")
ProductCategory = get_model("catalogue", "ProductCategory")


ON_A_PAGE = 24
#: The great picture of the first page and the four beside it.
FIRST_SCREEN = 5


def home(request: HttpRequest) -> HttpResponse:
    """What is there today: new goods, how a price is shared, regions, labels, one cooperative."""
    on = clock.today()
    newest = list(
        finding.sorted_by(finding.find(wanted=Wanted(in_stock=True), on=on), "newest").for_cards(on=on)[
            :ON_A_PAGE
        ]
    )
    newest = _first_screen_first(newest)
    goods, makers = finding.size(finding.find(wanted=Wanted(), on=on))
    chosen = _cooperative_of(on)
    theirs = (
        list(finding.find(wanted=Wanted(cooperative=chosen.slug), on=on).order_by("-id").for_cards(on=on)[:3])
        if chosen
        else []
    )
    terms = cards.terms_for([*newest, *theirs], on)
    shown = cards.cards(newest, terms=terms)
    example = next((each for each in newest if cards.price_of(each)), None)
    people = Cooperative.objects.selling().aggregate(all=Sum("members_count"), women=Sum("women_count"))
    return render(
        request,
        "storefront/home.html",
        {
            "season": season_heading(on),
            "families": _families(on),
            "big": shown[0] if shown else None,
            "big_listing": newest[0] if newest else None,
            "beside": shown[1:FIRST_SCREEN],
            "new": shown[FIRST_SCREEN : FIRST_SCREEN + 8],
            "example": example,
            "parts": cards.parts_of(example, terms) if example else None,
            "goods": goods,
            "makers": makers,
            "people": people,
            "regions": region_tiles(on),
            "kinds": kinds_of_labels(),
            "cooperative": chosen,
            "theirs": cards.cards(theirs, terms=terms),
        },
    )


def _first_screen_first(newest: list[Product]) -> list[Product]:
    """The newest goods, with those of the first screen in front: five of five cooperatives.

    The great picture is of what the fewest may carry: the rarest sign of origin. The next four carry a
    label where they can.
    """
    if not newest:
        return []
    signs = {
        each.pk: [
            claim.certification.label_id
            for claim in each.valid_claims
            if claim.certification.label.kind == Label.Kind.LEGAL_SIGN
        ]
        for each in newest
    }
    carried = Counter(label for labels in signs.values() for label in labels)
    great = min(
        newest,
        key=lambda each: (
            min((carried[label] for label in signs[each.pk]), default=len(newest) + 1),
            not each.valid_claims,
            -cards.left_of(each),
        ),
    )
    first, makers = [great], {great.cooperative_id}
    for each in sorted(newest, key=lambda each: not each.valid_claims):
        if len(first) < FIRST_SCREEN and each.cooperative_id not in makers:
            first.append(each)
            makers.add(each.cooperative_id)
    return first + [each for each in newest if each not in first]


def season_heading(on: date) -> str:
    """A heading that is true today: early, mid or late in which month."""
    month = numbers.day_text(on, style="month").split(numbers.NBSP)[0]
    if on.day <= 10:
        text = _("Early %(month)s at the cooperatives")
    elif on.day <= 20:
        text = _("Mid %(month)s at the cooperatives")
    else:
        text = _("Late %(month)s at the cooperatives")
    return text % {"month": month}


def _cooperative_of(on: date) -> Cooperative | None:
    """The cooperative of the day, each in its turn."""
    keys = list(
        Cooperative.objects.selling().filter(listings__isnull=False).distinct().values_list("pk", flat=True)
    )
    if not keys:
        return None
    return Cooperative.objects.select_related("region").get(pk=sorted(keys)[on.toordinal() % len(keys)])


def _families(on: date) -> list[dict[str, Any]]:
    """The kinds of goods for the rail, each with a picture of the good that has been there longest."""
    longest = (
        ProductCategory.objects.filter(
            category=OuterRef("pk"), product__in=finding.find(wanted=Wanted(), on=on).values("pk")
        )
        .order_by("product")
        .values("product")[:1]
    )
    kinds = list(
        Category.objects.filter(is_public=True)
        .annotate(shown=Subquery(longest))
        .exclude(shown=None)
        .order_by("path")[:12]
    )
    pictured = (
        Product.objects.filter(pk__in=[each.shown for each in kinds]).prefetch_related("images").in_bulk()
    )
    return [
        {
            "url": reverse("storefront:category", args=[each.slug]),
            "name": each.name,
            "picture": _small(cards.picture(pictured[each.shown])),
        }
        for each in kinds
    ]


def _small(picture: dict[str, Any]) -> dict[str, Any]:
    """The smallest rendition, for a rail of 84 pixels."""
    src, webp = (picture.get(each, "").split(" ")[0] for each in ("srcset", "webp"))
    return {"src": src or picture["src"], "webp": webp}
