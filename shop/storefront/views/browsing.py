"""Lists and pages of goods, regions, labels and cooperatives. Everything shown is on sale today."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import Count, OuterRef, Prefetch, Q, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from moneyed import Money
from oscar.core.loading import get_model

from catalogue.models import LabelClaim, Product, ProductImage
from cooperatives.models import Certification, Cooperative, Label
from cooperatives.terms import NoFeeTerms, terms_of
from shop.checkout import estimating
from shop.checkout.filling import MOST_OF_ONE
from shop.core import clock
from shop.core.models import Region
from shop.core.money import half_up
from shop.design import numbers, plates
from shop.pricing.fees import fees
from shop.search import finding
from shop.search.finding import Wanted
from shop.search.words import MOST_LETTERS
from shop.storefront import cards

Category = get_model("catalogue", "Category")
ProductCategory = get_model("catalogue", "ProductCategory")

ON_A_PAGE = 24
#: The great picture of the first page and the four beside it.
FIRST_SCREEN = 5
#: Food that keeps no longer than this spoils quickly: it cannot be sent back.
PERISHABLE_MONTHS = 1
#: When nothing fits, so many goods are shown instead, found by so many of her longer words.
INSTEAD, WORDS_TRIED, LETTERS_THAT_SAY_SOMETHING = 3, 3, 3
SORT_NAMES = {
    "newest": gettext_lazy("Newest first"),
    "cheapest": gettext_lazy("Price: lowest first"),
    "dearest": gettext_lazy("Price: highest first"),
}
_UNIT = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*(kg|g|ml|cl|l)\s*$", re.IGNORECASE)
_PER = {
    "g": ("kilo", 1000),
    "kg": ("kilo", 1),
    "ml": ("litre", 1000),
    "cl": ("litre", 100),
    "l": ("litre", 1),
}


# --- the first page --------------------------------------------------------------------------


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
    terms = _terms([*newest, *theirs], on)
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
            "parts": _parts(example, terms) if example else None,
            "goods": goods,
            "makers": makers,
            "people": people,
            "regions": _tiles(on),
            "kinds": _kinds_of_labels(),
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


def _tiles(on: date) -> list[dict[str, Any]]:
    found = (
        finding.find(wanted=Wanted(), on=on).order_by().values_list("origin_region").annotate(n=Count("pk"))
    )
    counts = {code: goods for code, goods in found if code}
    return [cards.tile(each, count=counts.get(each.code, 0)) for each in Region.objects.all()]


def _kinds_of_labels() -> list[dict[str, Any]]:
    """What the four shapes mean."""
    url = reverse("storefront:labels")
    return [
        {
            "shape": "origin",
            "url": f"{url}#origin",
            "name": _("Sign of origin: PGI, PDO"),
            "said": _("Certified good by good, by an approved body"),
        },
        {
            "shape": "public",
            "url": f"{url}#public",
            "name": _("Public mark"),
            "said": _("Given by a public body, workshop by workshop"),
        },
        {
            "shape": "shop",
            "url": f"{url}#shop",
            "name": _("Label of the shop"),
            "said": _("Granted by our committee, for a time"),
        },
        {
            "shape": "declared",
            "url": f"{url}#declared",
            "name": _("Declared and reviewed"),
            "said": _("Declared by the cooperative, reviewed by its regional centre"),
        },
    ]


# --- lists -----------------------------------------------------------------------------------


def listings(request: HttpRequest) -> HttpResponse:
    """All goods, narrowed by what the address asks for."""
    return _list(request, title=_("All goods"), base=Wanted(), crumbs=[])


def category(request: HttpRequest, slug: str) -> HttpResponse:
    """The goods of one category and of those below it."""
    tree = _categories()
    here = next((each for each in tree if each.slug == slug), None)
    if here is None:
        raise Http404
    above = [each for each in tree if here.path.startswith(each.path) and each.path != here.path]
    crumbs = [{"name": each.name, "url": reverse("storefront:category", args=[each.slug])} for each in above]
    below = [each for each in tree if each.path.startswith(here.path) and each.depth == here.depth + 1]
    return _list(
        request,
        title=here.name,
        lead=here.description,
        base=Wanted(categories=(here.path,)),
        crumbs=[*crumbs, {"name": here.name}],
        tree=tree,
        branches=below,
    )


def region(request: HttpRequest, code: str) -> HttpResponse:
    """The goods that come from one region."""
    here = get_object_or_404(Region, code=code)
    crumbs = [{"name": _("Regions"), "url": reverse("storefront:regions")}, {"name": here.name}]
    return _list(request, title=here.name, base=Wanted(regions=(here.code,)), crumbs=crumbs)


def label(request: HttpRequest, code: str) -> HttpResponse:
    """What a label means, who holds it today, and the goods that carry it."""
    on = clock.today()
    here = get_object_or_404(Label, code=code)
    holders = (
        Certification.objects.valid_on(on)
        .filter(label=here, cooperative__state=Cooperative.State.ACTIVE)
        .select_related("label", "cooperative__region")
        .order_by("cooperative__code")
    )
    carrying = finding.sorted_by(finding.find(wanted=Wanted(labels=(here.code,)), on=on), "newest")
    found = list(carrying.for_cards(on=on)[:ON_A_PAGE])
    return render(
        request,
        "storefront/label.html",
        {
            "label": here,
            "shape": cards.shape(here),
            "holders": [
                {
                    "cooperative": each.cooperative,
                    "url": reverse("storefront:cooperative", args=[each.cooperative.slug]),
                    "proof": cards.proof(each, demo=each.cooperative.is_demo),
                }
                for each in holders
            ],
            "cards": cards.cards(found, terms=_terms(found, on)),
            "crumbs": [
                _shop_crumb(),
                {"name": _("Labels"), "url": reverse("storefront:labels")},
                {"name": here.short_name},
            ],
        },
    )


def _list(
    request: HttpRequest,
    *,
    title: str,
    base: Wanted,
    crumbs: list[dict[str, str]],
    lead: str = "",
    tree: list[Any] | None = None,
    branches: Iterable[Any] = (),
) -> HttpResponse:
    """A list with its filters. ``base`` is what the page itself stands for and cannot be taken away."""
    on = clock.today()
    tree = _categories() if tree is None else tree
    regions = {each.code: each for each in Region.objects.all()}
    labels = {each.code: each for each in Label.objects.all()}
    by_slug = {each.slug: each for each in tree}

    asked_regions = () if base.regions else _known(request.GET.getlist("region"), regions)
    asked_labels = _known(request.GET.getlist("label"), labels)
    asked_kinds = () if base.categories else _known(request.GET.getlist("category"), by_slug)
    sort = request.GET.get("sort", "newest")
    if sort not in SORT_NAMES:
        raise Http404
    text = " ".join(request.GET.get("q", "").split())[:MOST_LETTERS]
    wanted = Wanted(
        text=text,
        regions=base.regions or asked_regions,
        labels=asked_labels,
        categories=tuple(by_slug[each].path for each in asked_kinds) or base.categories,
        in_stock=request.GET.get("stock") == "1",
        sort=sort,
    )
    found = finding.find(wanted=wanted, on=on)
    goods, makers = finding.size(found)
    page = _page(request, finding.sorted_by(found, sort).for_cards(on=on), goods)
    counts = finding.counts(wanted=wanted, on=on)
    shown = list(page.object_list)
    context = {
        "title": _("Results for “%(text)s”") % {"text": text} if text else title,
        "lead": lead,
        "search_query": text,
        "goods": goods,
        "makers": makers,
        "cards": cards.cards(shown, terms=_terms(shown, on)),
        "page": page,
        "query": _query(request, page=None),
        "sort": sort,
        "sorts": [{"code": code, "name": name} for code, name in SORT_NAMES.items()],
        "chips": _chips(request, text, asked_regions, regions, asked_kinds, by_slug, asked_labels, labels),
        "branches": [
            {
                "name": each.name,
                "url": reverse("storefront:category", args=[each.slug]),
                "count": counts.categories.get(each.path, 0),
            }
            for each in branches
        ],
        "groups": [
            *(
                []
                if base.regions
                else [
                    _group("region", _("Region"), asked_regions, _choices(regions.values(), counts.regions))
                ]
            ),
            *(
                []
                if base.categories
                else [_group("category", _("Kind"), asked_kinds, _kinds(tree, counts.categories))]
            ),
            _group("label", _("Label"), asked_labels, _choices(labels.values(), counts.labels)),
        ],
        "stock_only": wanted.in_stock,
        "kept": [("q", text)] if text else [],
        "crumbs": [_shop_crumb(), *(crumbs or [{"name": title}])],
        "asked": bool(asked_regions or asked_kinds or asked_labels or wanted.in_stock),
        "asked_number": len(asked_regions) + len(asked_kinds) + len(asked_labels) + wanted.in_stock,
    }
    if not goods:
        context["instead"], context["instead_for"] = _instead(text, on)
    return render(request, "storefront/list.html", context)


def _known(codes: list[str], known: dict[str, Any]) -> tuple[str, ...]:
    """What was asked for, each once; an address with a code that does not exist leads nowhere."""
    if any(each not in known for each in codes):
        raise Http404
    return tuple(dict.fromkeys(codes))


def _page(request: HttpRequest, found: Any, goods: int) -> Any:
    paginator = Paginator(found, ON_A_PAGE)
    paginator.count = goods  # counted already, together with the cooperatives
    try:
        return paginator.page(request.GET.get("page", "1"))
    except (EmptyPage, PageNotAnInteger) as error:
        raise Http404 from error


def _query(request: HttpRequest, **changes: Any) -> str:
    """The query string with some keys changed; ``None`` takes one away."""
    query = request.GET.copy()
    for key, value in changes.items():
        query.pop(key, None)
        if value is not None:
            query.setlist(key, value if isinstance(value, list) else [value])
    for key in [each for each, value in query.items() if not value]:
        query.pop(key)
    return query.urlencode()


def _chips(request, text, regions, all_regions, kinds, all_kinds, labels, all_labels) -> list[dict[str, Any]]:
    """What is asked for, each with the address that leaves it out."""

    def without(key: str, code: str) -> str:
        rest = [each for each in request.GET.getlist(key) if each != code]
        query = _query(request, **{key: rest or None, "page": None})
        return f"?{query}" if query else request.path

    chips = (
        [
            {
                "name": _("“%(text)s”") % {"text": text},
                "url": without("q", request.GET.get("q", "")),
                "off": True,
            }
        ]
        if text
        else []
    )
    for key, codes, known, attribute in (
        ("region", regions, all_regions, "name"),
        ("category", kinds, all_kinds, "name"),
        ("label", labels, all_labels, "short_name"),
    ):
        chips += [
            {"name": getattr(known[code], attribute), "url": without(key, code), "off": True}
            for code in codes
        ]
    if request.GET.get("stock") == "1":
        chips.append({"name": _("In stock"), "url": without("stock", "1"), "off": True})
    return chips


def _group(key: str, name: str, asked: tuple[str, ...], choices: list[dict[str, Any]]) -> dict[str, Any]:
    """One group of filters: choices that would find something, and those that are on."""
    shown = [
        {**each, "on": each["code"] in asked} for each in choices if each["count"] or each["code"] in asked
    ]
    return {"key": key, "name": name, "choices": shown}


def _choices(known: Iterable[Any], counts: dict[str, int]) -> list[dict[str, Any]]:
    rows = [
        {
            "code": each.code,
            "name": getattr(each, "short_name", "") or each.name,
            "count": counts.get(each.code, 0),
        }
        for each in known
    ]
    return sorted(rows, key=lambda each: -each["count"])


def _kinds(tree: list[Any], counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "code": each.slug,
            "name": each.name,
            "count": counts.get(each.path, 0),
        }
        for each in tree
    ]


def _categories() -> list[Any]:
    """The whole tree of categories, in order: some dozens at most."""
    return list(Category.objects.filter(is_public=True).order_by("path"))


def _instead(text: str, on: date) -> tuple[list[dict[str, Any]], str]:
    """When nothing fits: what one of her words alone finds, and that word; else what just came in."""
    words = [each for each in text.split() if len(each) >= LETTERS_THAT_SAY_SOMETHING][:WORDS_TRIED]
    for word in [*words, ""] if len(words) > 1 else [""]:
        wanted = finding.find(wanted=Wanted(text=word, in_stock=True), on=on)
        found = list(finding.sorted_by(wanted, "newest").for_cards(on=on)[:INSTEAD])
        if found:
            return cards.cards(found, terms=_terms(found, on)), word
    return [], ""


def _terms(listings_: Iterable[Product], on: date) -> dict[int, Any]:
    """The fee terms of these listings' cooperatives; none where none are in force."""
    makers = {each.cooperative_id: each.cooperative for each in listings_}
    try:
        return terms_of(cooperatives=makers.values(), on=on) if makers else {}
    except NoFeeTerms:
        return {}


def _shop_crumb() -> dict[str, str]:
    return {"name": _("Shop"), "url": reverse("storefront:home")}


# --- one listing -----------------------------------------------------------------------------


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
        raise Http404
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
    terms = _terms([found, *near], on)
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
            "parts": _parts(found, terms),
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
                _shop_crumb(),
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


def _parts(found: Product, terms: dict[int, Any]) -> dict[str, Money] | None:
    """What the price becomes, for the bar with four parts."""
    price = cards.price_of(found)
    if price is None or found.cooperative_id not in terms:
        return None
    shared = fees(goods=price, terms=terms[found.cooperative_id])
    return {
        "coop": shared.producer_share,
        "shop": shared.commission_net,
        "vat": shared.commission_vat,
        "fund": shared.solidarity,
        "sum": price,
    }


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


# --- regions, labels, cooperatives ------------------------------------------------------------


def regions(request: HttpRequest) -> HttpResponse:
    """The twelve regions, as a map that is the list."""
    on = clock.today()
    tiles = _tiles(on)
    makers = dict(Cooperative.objects.selling().order_by().values_list("region").annotate(n=Count("pk")))
    return render(
        request,
        "storefront/regions.html",
        {
            "regions": tiles,
            "rows": [{**each, "makers": makers.get(each["code"], 0)} for each in tiles],
            "crumbs": [_shop_crumb(), {"name": _("Regions")}],
        },
    )


def labels(request: HttpRequest) -> HttpResponse:
    """What each label means and who vouches for it."""
    on = clock.today()
    holders = dict(
        Certification.objects.valid_on(on)
        .order_by()
        .values_list("label")
        .annotate(n=Count("cooperative", distinct=True))
    )
    carrying = dict(
        LabelClaim.objects.valid_on(on)
        .filter(listing__in=finding.find(wanted=Wanted(), on=on).values("pk"))
        .order_by()
        .values_list("certification__label")
        .annotate(n=Count("listing", distinct=True))
    )
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in Label.objects.all():
        groups.setdefault(cards.shape(each), []).append(
            {
                "label": each,
                "url": reverse("storefront:label", args=[each.code]),
                "holders": holders.get(each.pk, 0),
                "goods": carrying.get(each.pk, 0),
            }
        )
    return render(
        request,
        "storefront/labels.html",
        {
            "groups": [
                {**kind, "labels": groups[kind["shape"]]}
                for kind in _kinds_of_labels()
                if kind["shape"] in groups
            ],
            "crumbs": [_shop_crumb(), {"name": _("Labels")}],
        },
    )


def cooperatives(request: HttpRequest) -> HttpResponse:
    """Everybody who sells, by region."""
    on = clock.today()
    goods = dict(
        finding.find(wanted=Wanted(), on=on).order_by().values_list("cooperative").annotate(n=Count("pk"))
    )
    rows: dict[Region, list[dict[str, Any]]] = {}
    for each in Cooperative.objects.selling().select_related("region").order_by("region__code", "code"):
        rows.setdefault(each.region, []).append(
            {
                "name": each.name,
                "url": reverse("storefront:cooperative", args=[each.slug]),
                "place": each.place,
                "women_only": each.women_only,
                "goods": goods.get(each.pk, 0),
                "members": each.members_count,
            }
        )
    return render(
        request,
        "storefront/cooperatives.html",
        {
            "groups": [{"region": region, "rows": found} for region, found in rows.items()],
            "number": sum(len(found) for found in rows.values()),
            "crumbs": [_shop_crumb(), {"name": _("Cooperatives")}],
        },
    )


def cooperative(request: HttpRequest, slug: str) -> HttpResponse:
    """Who they are, what they make, what they are certified for, and how to reach them."""
    on = clock.today()
    here = get_object_or_404(Cooperative.objects.selling().select_related("region"), slug=slug)
    found = list(
        finding.sorted_by(finding.find(wanted=Wanted(cooperative=here.slug), on=on), "newest").for_cards(
            on=on
        )[:60]
    )
    terms = _terms(found, on)
    shown = cards.cards(found, terms=terms)
    certifications = Certification.objects.valid_on(on).filter(cooperative=here).select_related("label")
    example = next((each for each in found if cards.price_of(each)), None)
    return render(
        request,
        "storefront/cooperative.html",
        {
            "cooperative": here,
            "cards": shown,
            "banner": [each["picture"] for each in shown[:3]] if len(shown) >= 3 else [],
            "labels": [cards.proof(each, demo=here.is_demo) for each in certifications],
            "facts": _facts(here),
            "seller": cards.identity(here),
            "example": example,
            "parts": _parts(example, terms) if example else None,
            "crumbs": [
                _shop_crumb(),
                {"name": _("Cooperatives"), "url": reverse("storefront:cooperatives")},
                {"name": here.name},
            ],
        },
    )


def _facts(here: Cooperative) -> list[dict[str, Any]]:
    comma = pgettext("between a name and its place", ", ")
    rows = [
        {"name": _("Place"), "value": comma.join(each for each in (here.place, here.region.name) if each)}
    ]
    if here.members_count:
        members = ngettext("%(number)s member", "%(number)s members", here.members_count) % {
            "number": here.members_count
        }
        if here.women_only:
            members = _("%(members)s, all of them women") % {"members": members}
        elif here.women_count:
            members = _("%(members)s, of whom %(women)s women") % {
                "members": members,
                "women": here.women_count,
            }
        rows.append({"name": _("Members"), "value": members})
    if here.founded:
        rows.append({"name": _("Since"), "value": str(here.founded)})
    if here.sector:
        rows.append({"name": _("Works in"), "value": capfirst(_sector(here.sector))})
    return rows


def _sector(sector: str) -> str:
    """The sectors of the register, translated; an unknown one stays as it is."""
    known = {
        "agriculture": _("farming"),
        "agroalimentaire": _("food making"),
        "apiculture": _("beekeeping"),
        "argane": _("argan"),
        "artisanat": _("crafts"),
        "cosmétique naturelle": _("natural care"),
        "plantes aromatiques": _("aromatic plants"),
        "pêche et artisanat": _("fishing and crafts"),
        "safran": _("saffron"),
        "services et réemploi": _("reuse and services"),
        "élevage": _("livestock"),
    }
    return known.get(sector, sector)
