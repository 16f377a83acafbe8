"""Lists of goods, their filters and searches. Everything shown is on sale today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from moneyed import MAD, Money
from oscar.core.loading import get_model

from catalogue.showing import shown as shown_on
from cooperatives.models import Cooperative
from shop.core import clock
from shop.core.models import Region
from shop.core.money import from_minor, to_minor
from shop.core.prepared import Prepared, in_language
from shop.design import numbers
from shop.fulfilment import quoting
from shop.search import finding, suggesting, understanding
from shop.search.engines.port import Query
from shop.search.finding import Choice, Facets, Page, Place, Wanted
from shop.search.understanding import Understood
from shop.storefront import cards, narrowing, shelves
from shop.storefront.crumbs import shop_crumb
from shop.storefront.narrowing import Asked, query_of
from shop.storefront.views.makers import region_intro

Category = get_model("catalogue", "Category")

ON_A_PAGE = 24
#: Choices of one kind that stand open; the others are folded up under them.
FIRST = 7
#: Where fewer than this have all of her words, goods that have some of them follow.
FEW, ALSO = 6, 9
#: When nothing fits, so many goods are shown instead, and so many kinds to go on with.
INSTEAD, KINDS_TO_GO_ON_WITH = 6, 8
SORT_NAMES = {
    finding.RELEVANCE: gettext_lazy("Closest first"),
    finding.NEWEST: gettext_lazy("Newest first"),
    finding.CHEAPEST: gettext_lazy("Price: lowest first"),
    finding.DEAREST: gettext_lazy("Price: highest first"),
}
#: The words of the facets for what an address calls otherwise.
_FACETS = {"region": "regions", "category": "categories", "label": "labels", "maker": "cooperatives"}


def listings(request: HttpRequest) -> HttpResponse:
    """All goods, narrowed by what the address asks for."""
    return goods_list(request, title=_("All goods"), base=Wanted(), crumbs=[])


def category(request: HttpRequest, slug: str) -> HttpResponse:
    """The goods of one category and of those below it."""
    row = next(iter(_CATEGORY.rows(slug=slug)), None)
    if row is None:
        raise Http404
    path, name, description = row
    step = Category.steplen
    paths = [path[:end] for end in range(step, len(path), step)]
    above = Category.objects.filter(path__in=paths, is_public=True).order_by("path") if paths else []
    crumbs = [{"name": each.name, "url": reverse("storefront:category", args=[each.slug])} for each in above]
    return goods_list(
        request,
        title=name,
        lead=description,
        base=Wanted(categories=(slug,)),
        crumbs=[*crumbs, {"name": name}],
        below=path,
    )


def _category(*, language: str, slug: str) -> QuerySet[Any, Any]:
    here = Category.objects.filter(slug=slug, is_public=True).rewrite(False)
    return here.values_list("path", in_language("name", language), in_language("description", language))


_CATEGORY = Prepared(_category)


def region(request: HttpRequest, code: str) -> HttpResponse:
    """The goods that come from one region."""
    every = list(Region.objects.all())
    here = next((each for each in every if each.code == code), None)
    if here is None:
        raise Http404
    crumbs = [{"name": _("Regions"), "url": reverse("storefront:regions")}, {"name": here.name}]
    # Above the first page only: whoever turns pages or filters is looking for goods.
    intro = None if request.GET else region_intro(here, among=every, on=clock.today())
    return goods_list(request, title=here.name, base=Wanted(regions=(here.code,)), crumbs=crumbs, intro=intro)


def suggest(request: HttpRequest) -> HttpResponse:
    """What she may be typing, as a piece of a page; empty when there is nothing to say."""
    text = narrowing.read(request).text
    found = suggesting.suggest(text=text, on=clock.today())
    to_list = reverse("storefront:listings")

    def search(words: str) -> dict[str, str]:
        return {"name": words, "url": f"{to_list}?{urlencode({'q': words})}"}

    return render(
        request,
        "storefront/_suggestions.html",
        {
            "words": [search(each) for each in found.words],
            "kinds": [
                {"name": each.name, "url": reverse("storefront:category", args=[each.slug])}
                for each in found.categories
            ],
            "makers": [
                {"name": cards.short_name(each), "url": reverse("storefront:cooperative", args=[each.slug])}
                for each in found.cooperatives
            ],
            "goods": [
                {
                    "name": each.get_title(),
                    "url": each.get_absolute_url(),
                    "by": cards.short_name(each.cooperative),
                }
                for each in found.goods
            ],
            "instead": search(found.instead) if found.instead else None,
        },
    )


@dataclass
class _Found:
    """One look at the index: the page, its counts, and how the words were read."""

    wanted: Wanted
    understood: Understood
    page: Page
    facets: Facets
    is_first: bool
    #: How else her words can be read, where neither way finds a good with all of them.
    otherwise: Understood | None = None

    @property
    def corrected(self) -> str:
        return self.understood.corrected


def goods_list(
    request: HttpRequest,
    *,
    title: str,
    base: Wanted,
    crumbs: list[dict[str, str]],
    lead: str = "",
    below: str | None = None,
    intro: dict[str, Any] | None = None,
) -> HttpResponse:
    """A list with its filters. ``base`` is what the page itself stands for and cannot be taken away.

    ``below`` is the path of the category it shows; ``intro`` is what the page has to say above its goods:
    ``{"template": …}`` and what that needs.
    """
    on = clock.today()
    fixed = tuple(kind for kind, own in (("region", base.regions), ("category", base.categories)) if own)
    asked = narrowing.read(request, fixed=fixed)
    at, is_odd_page = _place(request)
    found = _look(asked, base, on, at, below, fixed)
    facets = found.facets
    others = _also(found, on)
    listed = {each.pk: each for each in shown_on([*found.page.ids, *others], on=on)}
    shown, also = ([listed[each] for each in ids if each in listed] for ids in (found.page.ids, others))
    terms = cards.terms_for([*shown, *also], on)
    names = _names(facets)
    context = {
        "title": _("Results for “%(text)s”") % {"text": asked.text} if asked.text else title,
        "lead": lead,
        "intro": intro,
        "search_query": asked.text,
        "corrected": found.corrected if facets.goods else "",
        "goods": facets.goods,
        "is_more": facets.is_more,
        "makers": facets.makers,
        "cards": cards.cards(shown, terms=terms),
        "also": cards.cards(also, terms=terms),
        "pages": _pages(request, found.page),
        "is_further": not found.is_first,
        "sort": found.wanted.sort,
        "sorts": [
            {"code": code, "name": name}
            for code, name in SORT_NAMES.items()
            if code != finding.RELEVANCE or found.understood.query is not None
        ],
        "chips": _chips(request, asked, names),
        "branches": [
            {
                "name": each.name,
                "url": reverse("storefront:category", args=[each.code]),
                "count": each.goods,
                "is_counted": each.goods is not None,
            }
            for each in (facets.categories if below is not None else ())
            if each.goods is None or each.goods
        ],
        "groups": _groups(facets, asked, fixed),
        "switches": _switches(facets, asked),
        "prices": _prices(asked, facets),
        "ships": _ships(asked, facets),
        "kept": _kept(request, asked),
        "crumbs": [shop_crumb(), *(crumbs or [{"name": title}])],
        "asked": bool(asked.number),
        # Of the whole shop: a region may be dearer to send from, and says so on each good.
        "delivery_from": None if asked.number or base.regions else shelves.delivery_from(on=on),
        "asked_number": asked.number,
        "notices": _notices(asked, is_odd_page or (at is not None and found.is_first)),
    }
    if not facets.goods:
        context |= _help(found, asked, on)
    return render(request, "storefront/list.html", context)


# Looking


def _look(
    asked: Asked,
    base: Wanted,
    on: date,
    at: Place | None,
    below: str | None,
    fixed: tuple[str, ...],
) -> _Found:
    """The page that was asked for. What no choice is called is left out, and the rest looked for again."""
    understood = understanding.read(asked.text)
    found = _once(asked, base, understood, on, at, below, fixed)
    if _leave_out_unknown(asked, found.facets):
        found = _once(asked, base, understood, on, at, below, fixed)
    if not found.page.ids and at is not None:
        found = _once(asked, base, understood, on, None, below, fixed)
    if not found.page.ids and understood.query is not None:
        other = understanding.otherwise(understood)
        if other is not None:
            again = _once(asked, base, other, on, None, below, fixed)
            found = again if again.page.ids else replace(found, otherwise=other)
    return found


def _once(
    asked: Asked,
    base: Wanted,
    understood: Understood,
    on: date,
    at: Place | None,
    below: str | None,
    fixed: tuple[str, ...],
) -> _Found:
    wanted = _wanted(asked, base, on)
    query = understood.query
    if asked.text and query is None:
        # Nothing she typed says anything: no list is an answer to it.
        page = Page([])
    else:
        page = finding.page(wanted=wanted, query=query, on=on, size=ON_A_PAGE, at=at)
    facets = finding.facets(wanted=wanted, query=query, on=on, below=below, fixed=fixed)
    if asked.text and query is None:
        facets.goods, facets.makers = 0, 0
    return _Found(wanted, understood, page, facets, is_first=at is None)


def _wanted(asked: Asked, base: Wanted, on: date) -> Wanted:
    sort = asked.sort if asked.sort in SORT_NAMES else ""
    usual = finding.RELEVANCE if asked.text else finding.NEWEST
    if sort == finding.RELEVANCE and not asked.text:
        sort = ""
    return replace(
        base,
        text=asked.text,
        regions=base.regions or asked.choices["region"],
        categories=base.categories or asked.choices["category"],
        labels=asked.choices["label"],
        cooperatives=asked.choices["maker"],
        price_from=_minor(asked.price_from),
        price_to=_minor(asked.price_to),
        in_stock="stock" in asked.switches,
        women_led="women" in asked.switches,
        reach=quoting.reach(region=asked.ships, on=on) if asked.ships else None,
        sort=sort or usual,
    )


def _leave_out_unknown(asked: Asked, facets: Facets) -> bool:
    """Take out of what is asked what nothing is called; whether there was such a thing.

    Few kinds and makers are offered at once, so of these the others are looked up, once.
    """
    unknown = False
    for kind, offered in _FACETS.items():
        choices: list[Choice] = getattr(facets, offered)
        others = [each for each in asked.choices[kind] if each not in {choice.code for choice in choices}]
        if others and kind in ("category", "maker"):
            model = (
                Category.objects.filter(is_public=True)
                if kind == "category"
                else Cooperative.objects.selling()
            )
            there = {each.slug: each.name for each in model.filter(slug__in=others)}
            choices += [Choice(slug, name, 0) for slug, name in there.items()]
            others = [each for each in others if each not in there]
        for code in others:
            asked.leave_out(kind, code)
            unknown = True
    if asked.ships and asked.ships not in {each.code for each in facets.regions}:
        asked.leave_out_ships()
        unknown = True
    return unknown


def _place(request: HttpRequest) -> tuple[Place | None, bool]:
    """The place in the list the address names, and whether it names one that does not exist."""
    for key in ("after", "before"):
        if typed := request.GET.get(key, ""):
            at = finding.place(typed, before=key == "before")
            return at, at is None
    return None, request.GET.get("page", "1") != "1"


def _minor(price: Any) -> int | None:
    return None if price is None else to_minor(Money(price, MAD))


def _also(found: _Found, on: date) -> list[int]:
    """Goods that have some of her words, where hardly any has all of them; within the filters."""
    query = found.understood.query
    if query is None or len(query.words) < 2 or not 0 < found.facets.goods < FEW:
        return []
    wanted = replace(found.wanted, sort=finding.RELEVANCE)
    some = replace(query, any_of=True)
    page = finding.page(wanted=wanted, query=some, on=on, size=ALSO + len(found.page.ids))
    return [each for each in page.ids if each not in found.page.ids][:ALSO]


# Showing


def _names(facets: Facets) -> dict[str, dict[str, str]]:
    return {
        kind: {each.code: each.name for each in getattr(facets, offered)} for kind, offered in _FACETS.items()
    }


def _pages(request: HttpRequest, page: Page) -> dict[str, str]:
    """The addresses of the neighbouring pages."""
    pages = {}
    if page.previous is not None:
        pages["previous"] = f"?{query_of(request, before=str(page.previous))}"
        pages["first"] = f"?{query_of(request)}" if query_of(request) else request.path
    if page.following is not None:
        pages["following"] = f"?{query_of(request, after=str(page.following))}"
    return pages


def _chips(request: HttpRequest, asked: Asked, names: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """What is asked for, each with the address that leaves it out."""

    def chip(name: str, **changes: Any) -> dict[str, Any]:
        query = query_of(request, **changes)
        return {"name": name, "url": f"?{query}" if query else request.path, "off": True}

    chips = [chip(_("“%(text)s”") % {"text": asked.text}, q=None)] if asked.text else []
    for kind, codes in asked.choices.items():
        for code in codes:
            rest = [each for each in codes if each != code]
            chips.append(chip(names[kind].get(code, code), **{kind: rest or None}))
    if asked.price_from is not None or asked.price_to is not None:
        chips.append(chip(_price_text(asked), **{"from": None, "to": None}))
    for switch in narrowing.SWITCHES:
        if switch in asked.switches:
            chips.append(chip(_switch_name(switch), **{switch: None}))
    if asked.ships:
        where = names["region"].get(asked.ships) or asked.ships
        chips.append(chip(_("Delivered to %(region)s") % {"region": where}, ships=None))
    return chips


def _price_text(asked: Asked) -> str:
    low, high = (
        numbers.money_text(Money(each, MAD), style="short") if each is not None else ""
        for each in (asked.price_from, asked.price_to)
    )
    if low and high:
        return _("%(low)s to %(high)s") % {"low": low, "high": high}
    return _("From %(price)s") % {"price": low} if low else _("Up to %(price)s") % {"price": high}


def _switch_name(switch: str) -> str:
    return {"stock": _("In stock"), "women": _("Women’s cooperative")}[switch]


def _groups(facets: Facets, asked: Asked, fixed: tuple[str, ...]) -> list[dict[str, Any]]:
    """The groups of choices: those that would find something, and those that are on."""
    groups = []
    for kind, offered in _FACETS.items():
        if kind in fixed:
            continue
        on = asked.choices[kind]
        choices = [
            {
                "code": each.code,
                "name": each.name,
                "count": each.goods,
                "on": each.code in on,
                "is_below": bool(each.below),
            }
            for each in getattr(facets, offered)
            if each.goods is None or each.goods or each.code in on
        ]
        if kind != "category":  # which stand in the order of their tree
            choices.sort(key=lambda each: -(each["count"] or 0))
        if kind == "maker":
            choices = [each | {"name": cards.bare_name(each["name"])} for each in choices[: finding.OFFERED]]
        # Those that are on stand with the first, wherever they come.
        first = [each for at, each in enumerate(choices) if at < FIRST or each["on"]]
        groups.append(
            {
                "key": kind,
                "name": narrowing.name_of(kind),
                "choices": first,
                "more": [each for each in choices if each not in first],
            }
        )
    return groups


def _switches(facets: Facets, asked: Asked) -> dict[str, dict[str, Any]]:
    counts = {"stock": facets.in_stock, "women": facets.women_led}
    switches = {
        each: {"key": each, "name": _switch_name(each), "count": counts[each], "on": each in asked.switches}
        for each in narrowing.SWITCHES
    }
    return {key: each for key, each in switches.items() if each["on"] or each["count"] != 0}


def _prices(asked: Asked, facets: Facets) -> dict[str, Any]:
    """What stands in the two fields, and between which prices the goods of this list are."""
    low, high = facets.cheapest, facets.dearest
    return {
        "low": _plain(asked.price_from),
        "high": _plain(asked.price_to),
        "least": from_minor(low, "MAD") if low is not None and high else None,
        "most": from_minor(high, "MAD") if high else None,
    }


def _plain(price: Any) -> str:
    return "" if price is None else f"{price.normalize():f}"


def _ships(asked: Asked, facets: Facets) -> dict[str, Any]:
    """The regions goods may be brought to."""
    places = [
        {"code": each.code, "name": each.name, "on": each.code == asked.ships} for each in facets.regions
    ]
    return {"on": asked.ships, "places": places}


def _kept(request: HttpRequest, asked: Asked) -> dict[str, list[tuple[str, str]]]:
    """What a form of the page carries along: the filters keep words and order, the order keeps the filters."""
    words = [("q", asked.text)] if asked.text else []
    filters = [(kind, code) for kind, codes in asked.choices.items() for code in codes]
    filters += [(key, value) for key in ("from", "to") if (value := request.GET.get(key, "")[:20])]
    filters += [(each, "1") for each in sorted(asked.switches)]
    filters += [("ships", asked.ships)] if asked.ships else []
    sort = [("sort", asked.sort)] if asked.sort in SORT_NAMES else []
    return {"filters": [*words, *sort], "sort": [*words, *filters]}


def _notices(asked: Asked, is_odd_page: bool) -> list[str]:
    """What of the address was left out."""
    notices = []
    if is_odd_page:
        notices.append(_("That page of the list does not exist; this is the first one."))
    if asked.odd:
        comma = pgettext("between two facts", ", ")
        notices.append(
            _("Left out, because nothing here is called so: %(what)s.") % {"what": comma.join(asked.odd[:5])}
        )
    if asked.sort and asked.sort not in SORT_NAMES:
        notices.append(_("There is no such order; the list stands in its usual one."))
    return notices


def _help(found: _Found, asked: Asked, on: date) -> dict[str, Any]:
    """When nothing fits: goods that even one of her words finds, else new ones; and kinds to go on with."""
    query = understanding.any_of(found.otherwise or found.understood)
    shown, instead_for = _instead(query, on), ""
    if shown:
        instead_for = " ".join(each.text for each in found.understood.words)
    else:
        shown = _instead(None, on)
    kinds = Category.objects.filter(is_public=True, depth=1).order_by("path")[:KINDS_TO_GO_ON_WITH]
    return {
        "instead": cards.cards(shown, terms=cards.terms_for(shown, on)),
        "instead_for": asked.text if instead_for else "",
        "kinds": [
            {"name": each.name, "url": reverse("storefront:category", args=[each.slug])} for each in kinds
        ],
        "says_nothing": bool(asked.text) and found.understood.query is None,
    }


def _instead(query: Query | None, on: date) -> list[Any]:
    sort = finding.RELEVANCE if query is not None else finding.NEWEST
    wanted = Wanted(in_stock=True, sort=sort)
    page = finding.page(wanted=wanted, query=query, on=on, size=INSTEAD)
    return shown_on(page.ids, on=on)
