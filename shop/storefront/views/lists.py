"""Lists of goods and their filters. Everything shown is on sale today."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from oscar.core.loading import get_model

from cooperatives.models import Label
from shop.core import clock
from shop.core.models import Region
from shop.search import finding
from shop.search.finding import Wanted
from shop.search.words import MOST_LETTERS
from shop.storefront import cards
from shop.storefront.crumbs import shop_crumb
from shop.storefront.views.makers import region_intro

Category = get_model("catalogue", "Category")
ProductCategory = get_model("catalogue", "ProductCategory")


ON_A_PAGE = 24
#: When nothing fits, so many goods are shown instead, found by so many of her longer words.
INSTEAD, WORDS_TRIED, LETTERS_THAT_SAY_SOMETHING = 3, 3, 3
SORT_NAMES = {
    "newest": gettext_lazy("Newest first"),
    "cheapest": gettext_lazy("Price: lowest first"),
    "dearest": gettext_lazy("Price: highest first"),
}


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
    every = list(Region.objects.all())
    here = next((each for each in every if each.code == code), None)
    if here is None:
        raise Http404
    crumbs = [{"name": _("Regions"), "url": reverse("storefront:regions")}, {"name": here.name}]
    # Above the first page only: whoever turns pages or filters is looking for goods.
    intro = None if request.GET else region_intro(here, among=every, on=clock.today())
    return _list(request, title=here.name, base=Wanted(regions=(here.code,)), crumbs=crumbs, intro=intro)


def _list(
    request: HttpRequest,
    *,
    title: str,
    base: Wanted,
    crumbs: list[dict[str, str]],
    lead: str = "",
    tree: list[Any] | None = None,
    branches: Iterable[Any] = (),
    intro: dict[str, Any] | None = None,
) -> HttpResponse:
    """A list with its filters. ``base`` is what the page itself stands for and cannot be taken away.

    ``intro`` stands above the goods; its ``template`` says what else it needs.
    """
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
        "intro": intro,
        "search_query": text,
        "goods": goods,
        "makers": makers,
        "cards": cards.cards(shown, terms=cards.terms_for(shown, on)),
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
        "crumbs": [shop_crumb(), *(crumbs or [{"name": title}])],
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
            return cards.cards(found, terms=cards.terms_for(found, on)), word
    return [], ""
