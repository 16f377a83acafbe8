"""Finding listings: which fit, in which order, and what each further choice would find.

A page is one statement on the index, its counts another, whatever the number of listings. What is shown is
then asked of the listings themselves, so a good whose certificate ended a second ago is not there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Subquery
from django.utils.translation import get_language
from oscar.core.loading import get_model

from catalogue.models import LabelClaim, ListingQuerySet, Product
from shop.search.engines import engine
from shop.search.engines.port import Matching, Query
from shop.search.models import Entry

RELEVANCE, NEWEST, CHEAPEST, DEAREST = "relevance", "newest", "cheapest", "dearest"
#: Beyond so many, counts are not worth their price: a page says "more than", and choices go without.
COUNTED = 1_000
#: So many matches of a search are ranked; of more than that, no ranking is worth much.
RANKED = 1_000
#: Choices of one kind that are offered.
OFFERED = 24
_LARGEST = 2**63 - 1
_CURSOR = re.compile(r"(-?[0-9a-z]{1,13})\.([0-9a-z]{1,13})")


@dataclass(frozen=True)
class Wanted:
    """What a visitor asks for. Choices of one kind widen each other, kinds narrow each other.

    ``regions`` and ``labels`` are codes, ``categories`` and ``cooperatives`` slugs; a category means all that lies below
    it. Prices are in minor units. ``reach`` is {region goods are sent from, or "" for all: heaviest parcel in
    grams}, from ``quoting.reach``; None does not ask where goods are brought.
    """

    text: str = ""
    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    cooperative: str = ""
    cooperatives: tuple[str, ...] = ()
    price_from: int | None = None
    price_to: int | None = None
    in_stock: bool = False
    women_led: bool = False
    reach: dict[str, int] | None = field(default=None, hash=False)
    sort: str = NEWEST


@dataclass(frozen=True)
class Place:
    """A place in a sorted list: after it, or before it."""

    key: int
    tie: int
    before: bool = False

    def __str__(self) -> str:
        return f"{_base36(self.key)}.{_base36(self.tie)}"


@dataclass(frozen=True)
class Page:
    """The ids of the listings of one page, and the places where the neighbouring pages start."""

    ids: list[int]
    following: Place | None = None
    previous: Place | None = None


@dataclass(frozen=True)
class Choice:
    """One more thing to ask for. ``goods`` is None where there are too many to count."""

    code: str
    name: str
    goods: int | None
    #: So many levels below the first that is offered; only kinds of goods lie below one another.
    below: int = 0


@dataclass
class Facets:
    """What stands behind each choice, given all else that was asked; and how much there is in all."""

    goods: int = 0
    makers: int | None = None
    is_more: bool = False
    regions: list[Choice] = field(default_factory=list)
    labels: list[Choice] = field(default_factory=list)
    categories: list[Choice] = field(default_factory=list)
    cooperatives: list[Choice] = field(default_factory=list)
    in_stock: int | None = None
    women_led: int | None = None
    cheapest: int | None = None
    dearest: int | None = None


def place(text: str, *, before: bool = False) -> Place | None:
    """The place an address names; None for one that no page of ours has written."""
    read = _CURSOR.fullmatch(text)
    if read is None:
        return None
    key, tie = (int(each, 36) for each in read.groups())
    return Place(key, tie, before) if abs(key) <= _LARGEST and tie <= _LARGEST else None


def page(*, wanted: Wanted, query: Query | None, on: date, size: int, at: Place | None = None) -> Page:
    """One page of the listings on sale that day which fit. Costs the same wherever in the list it is.

    ``query`` is ``wanted.text`` understood (``spelling.understand``). One statement.
    """
    statement, params = _page_statement(wanted, query, on, size, at)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows = cursor.fetchall()
    backwards = at is not None and at.before
    is_more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    if not rows:
        return Page([])
    first, last = (
        Place(int(row[1]), int(row[2]), before) for row, before in ((rows[0], True), (rows[-1], False))
    )
    return Page(
        [row[0] for row in rows],
        following=last if is_more or backwards else None,
        previous=first if (is_more if backwards else at is not None) else None,
    )


def listings(ids: Sequence[int], *, on: date) -> list[Product]:
    """The listings themselves, with all a card shows, in this order; those no longer on sale are left out."""
    found = {each.pk: each for each in Product.objects.on_sale(on=on).filter(pk__in=ids).for_cards(on=on)}
    return [found[each] for each in ids if each in found]


def facets(
    *,
    wanted: Wanted,
    query: Query | None,
    on: date,
    below: str | None = None,
    fixed: Collection[str] = (),
) -> Facets:
    """What each further choice would find, and how much there is in all. One statement.

    ``below`` is the path of the category whose children are offered; None offers the upper two levels.
    ``fixed`` are the kinds in which the page itself has chosen: there other choices are not offered.
    """
    statement, params = _facets_statement(wanted, query, on, below, fixed)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows = cursor.fetchall()
    return _read_facets(rows)


def find(*, wanted: Wanted, on: date) -> ListingQuerySet:
    """The listings on sale that day which fit, unsorted; for pages that ask for few and without words."""
    listings: ListingQuerySet = Product.objects.on_sale(on=on).filter(parent=None)
    if wanted.regions:
        listings = listings.filter(origin_region__in=wanted.regions)
    if wanted.labels:
        claims = LabelClaim.objects.valid_on(on).filter(certification__label__code__in=wanted.labels)
        listings = listings.filter(Exists(claims.filter(listing=OuterRef("pk"))))
    if wanted.cooperative:
        listings = listings.filter(cooperative__slug=wanted.cooperative)
    if wanted.in_stock:
        listings = listings.filter(Exists(Entry.objects.filter(pk=OuterRef("pk"), in_stock=True)))
    return listings


def sorted_by(listings: ListingQuerySet, sort: str) -> ListingQuerySet:
    """Newest first, or by price; the id settles ties."""
    if sort in (CHEAPEST, DEAREST):
        price = Entry.objects.filter(pk=OuterRef("pk")).values("price_minor")
        sign = "" if sort == CHEAPEST else "-"
        return listings.annotate(lowest=Subquery(price)).order_by(f"{sign}lowest", "-id")
    return listings.order_by("-date_created", "-id")


def size(listings: ListingQuerySet) -> tuple[int, int]:
    """How many listings, of how many cooperatives."""
    found = listings.aggregate(goods=Count("pk"), cooperatives=Count("cooperative", distinct=True))
    return found["goods"], found["cooperatives"]


# The statements


@dataclass
class _Sql:
    """A piece of a statement and what goes into it, in the order of its marks."""

    join: str = ""
    where: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)

    def add(self, condition: str, *params: Any) -> None:
        self.where.append(condition)
        self.params += params


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _fitting(wanted: Wanted, on: date, matching: Matching | None, *, without: str = "") -> _Sql:
    """The conditions on ``search_entry e``; ``without`` leaves out what was asked of one kind."""
    sql = _Sql()
    if matching is not None:
        sql.join = matching.join
        sql.add(matching.where, *matching.where_params)
    sql.add("e.sold_from <= %s AND e.sold_until >= %s", on, on)
    if wanted.regions and without != "region":
        sql.add(f"e.region IN ({_marks(wanted.regions)})", *wanted.regions)
    makers = (*wanted.cooperatives, *([wanted.cooperative] if wanted.cooperative else []))
    if makers and without != "cooperative":
        sql.add(f"e.cooperative IN ({_marks(makers)})", *makers)
    for kind, prefix, chosen in (("category", "c:", wanted.categories), ("label", "l:", wanted.labels)):
        codes = [prefix + each for each in chosen] if without != kind else []
        if codes and matching is not None:
            sql.add(
                "EXISTS (SELECT 1 FROM search_tag t WHERE t.entry_id = e.listing_id "
                f"AND t.code IN ({_marks(codes)}))",
                *codes,
            )
        elif len(codes) == 1:
            # A row for each entry at most. Read from its tags, a small kind among many goods costs its own size.
            sql.join += f" JOIN search_tag {kind} ON {kind}.entry_id = e.listing_id"
            sql.add(f"{kind}.code = %s", *codes)
        elif codes:
            sql.add(
                f"e.listing_id IN (SELECT t.entry_id FROM search_tag t WHERE t.code IN ({_marks(codes)}))",
                *codes,
            )
    if wanted.price_from is not None:
        sql.add("e.price_minor >= %s", wanted.price_from)
    if wanted.price_to is not None:
        sql.add("e.price_minor <= %s", wanted.price_to)
    if wanted.in_stock:
        sql.add("e.in_stock")
    if wanted.women_led:
        sql.add("e.women_led")
    if wanted.reach is not None:
        _add_reach(sql, wanted.reach)
    return sql


def _add_reach(sql: _Sql, reach: dict[str, int]) -> None:
    """What some carrier brings there: by the region it is sent from and its weight."""
    anywhere = reach.get("", -1)
    by_weight: dict[int, list[str]] = {}
    for region, heaviest in sorted(reach.items()):
        if heaviest > anywhere:
            by_weight.setdefault(heaviest, []).append(region)
    ways = [f"(e.weight_g <= %s AND e.sent_from IN ({_marks(regions)}))" for regions in by_weight.values()]
    params = [each for heaviest, regions in by_weight.items() for each in (heaviest, *regions)]
    sql.add(f"({' OR '.join(['e.weight_g <= %s', *ways])})", anywhere, *params)


def _page_statement(
    wanted: Wanted, query: Query | None, on: date, size: int, at: Place | None
) -> tuple[str, list[Any]]:
    matching = engine().matching(query) if query is not None else None
    if wanted.sort == RELEVANCE and matching is not None:
        return _ranked_statement(wanted, matching, on, size, at)
    sql = _fitting(wanted, on, matching)
    # A list of one category or label is read from its tags, which stand in the order of the list.
    leading = next((each for each in ("category", "label") if f"search_tag {each} " in sql.join), "e")
    key = f"{leading}.{'price_minor' if wanted.sort in (CHEAPEST, DEAREST) else 'created_us'}"
    ascending = (wanted.sort == CHEAPEST) != (at is not None and at.before)
    if at is not None:
        sql.add(f"({key}, {leading}.tie) {'>' if ascending else '<'} (%s, %s)", at.key, at.tie)
    way = "ASC" if ascending else "DESC"
    return (
        f"SELECT e.listing_id, {key}, {leading}.tie FROM search_entry e {sql.join} WHERE {' AND '.join(sql.where)} "
        f"ORDER BY {key} {way}, {leading}.tie {way} LIMIT %s",
        [*sql.params, size + 1],
    )


def _ranked_statement(
    wanted: Wanted, matching: Matching, on: date, size: int, at: Place | None
) -> tuple[str, list[Any]]:
    sql = _fitting(wanted, on, matching)
    params = [*matching.score_params, *sql.params, RANKED]
    after, way = "", "DESC"
    if at is not None:
        way = "ASC" if at.before else "DESC"
        after = f"WHERE (score, tie) {'>' if at.before else '<'} (%s, %s) "
        params += [at.key, at.tie]
    return (
        f"SELECT listing_id, score, tie FROM (SELECT e.listing_id, {matching.score} AS score, e.tie AS tie "
        f"FROM search_entry e {sql.join} WHERE {' AND '.join(sql.where)} LIMIT %s) ranked "
        f"{after}ORDER BY score {way}, tie {way} LIMIT %s",
        [*params, size + 1],
    )


def _named(table: str, column: str) -> str:
    """A name in the reader's language, in French where it has none."""
    language = (get_language() or "fr")[:2]
    own = f"{table}.{column}_{language if language in ('fr', 'ar', 'en') else 'fr'}"
    return f"COALESCE(NULLIF({own}, ''), {table}.{column}_fr)"


def _facets_statement(
    wanted: Wanted, query: Query | None, on: date, below: str | None, fixed: Collection[str]
) -> tuple[str, list[Any]]:
    """One ``WITH`` for what fits, one more for every kind that has choices already, each of at most so many rows."""
    matching = engine().matching(query) if query is not None else None
    kinds = {
        "region": wanted.regions,
        "label": wanted.labels,
        "category": wanted.categories,
        "cooperative": wanted.cooperatives,
    }
    kinds |= dict.fromkeys(fixed, ())
    sets, params = [], []
    for name in ("fitting", *(kind for kind, chosen in kinds.items() if chosen)):
        sql = _fitting(wanted, on, matching, without=name)
        sets.append(
            f"{name}_set AS MATERIALIZED (SELECT e.listing_id, e.region, e.cooperative, e.in_stock, e.women_led, "
            f"e.price_minor FROM search_entry e {sql.join} WHERE {' AND '.join(sql.where)} LIMIT %s)"
        )
        params += [*sql.params, COUNTED + 1]

    def of(kind: str) -> str:
        return f"{kind if kinds.get(kind) else 'fitting'}_set"

    def counts(kind: str, what: str) -> str:
        return f"SELECT {what} AS code, count(*) AS goods FROM {of(kind)} GROUP BY {what}"

    # Tags and totals once for each set: the kinds in which nothing is chosen share theirs.
    for name in dict.fromkeys((of("label"), of("category"))):
        # IN, not JOIN: SQLite would read all tags first, to know which of them may fit.
        sets.append(
            f"{name}_tags AS MATERIALIZED (SELECT t.code, count(*) AS goods FROM search_tag t "
            f"WHERE t.entry_id IN (SELECT listing_id FROM {name}) GROUP BY t.code)"
        )
    for name in dict.fromkeys(of(kind) for kind in kinds):
        sets.append(f"{name}_total AS MATERIALIZED (SELECT count(*) AS goods FROM {name})")

    def tagged(kind: str, prefix: str) -> str:
        return f"SELECT substr(code, 3) AS code, goods FROM {of(kind)}_tags WHERE substr(code, 1, 2) = '{prefix}'"

    def total(kind: str) -> str:
        return f"(SELECT goods FROM {of(kind)}_total)"

    depth, start = (2, "") if below is None else (len(below) // _step() + 1, below)
    selects = [
        "SELECT 'all', '', '', count(*), count(DISTINCT cooperative), '' FROM fitting_set",
        "SELECT 'stock', '', '', COALESCE(SUM(CASE WHEN in_stock THEN 1 ELSE 0 END), 0), 0, '' FROM fitting_set",
        "SELECT 'women', '', '', COALESCE(SUM(CASE WHEN women_led THEN 1 ELSE 0 END), 0), 0, '' FROM fitting_set",
        "SELECT 'price', '', '', COALESCE(MIN(price_minor), 0), COALESCE(MAX(price_minor), 0), '' FROM fitting_set",
        f"SELECT 'region', r.code, {_named('r', 'name')}, COALESCE(n.goods, 0), {total('region')}, '' "
        f"FROM core_region r LEFT JOIN ({counts('region', 'region')}) n ON n.code = r.code",
        f"SELECT 'label', l.code, {_named('l', 'short_name')}, COALESCE(n.goods, 0), {total('label')}, '' "
        f"FROM cooperatives_label l LEFT JOIN ({tagged('label', 'l:')}) n ON n.code = l.code",
        f"SELECT 'cooperative', k.slug, {_named('k', 'name')}, n.goods, {total('cooperative')}, '' "
        f"FROM (SELECT code, goods FROM ({counts('cooperative', 'cooperative')}) every ORDER BY goods DESC, code "
        f"LIMIT {OFFERED}) n JOIN cooperatives_cooperative k ON k.slug = n.code",
        f"SELECT 'category', c.slug, {_named('c', 'name')}, COALESCE(n.goods, 0), {total('category')}, c.path "
        f"FROM (SELECT slug, name_fr, name_ar, name_en, path FROM catalogue_category "
        f"WHERE is_public AND depth {'=' if below is not None else '<='} %s AND substr(path, 1, %s) = %s "
        f"ORDER BY path LIMIT 200) c LEFT JOIN ({tagged('category', 'c:')}) n ON n.code = c.slug ORDER BY 1, 6, 2",
    ]
    return (
        f"WITH {', '.join(sets)} {' UNION ALL '.join(selects)}",
        [*params, depth, len(start), start],
    )


def _step() -> int:
    return int(get_model("catalogue", "Category").steplen)


def _read_facets(rows: list[Any]) -> Facets:
    facets = Facets()
    tops = min((len(path) for *_, path in rows if path), default=0)
    for kind, code, name, goods, of, path in rows:
        goods, of = int(goods), int(of)
        countable = of <= COUNTED
        if kind == "all":
            facets.goods, facets.makers = goods, of
        elif kind == "stock":
            facets.in_stock = goods
        elif kind == "women":
            facets.women_led = goods
        elif kind == "price":
            facets.cheapest, facets.dearest = goods, of
        else:
            choices = {
                "region": facets.regions,
                "label": facets.labels,
                "category": facets.categories,
                "cooperative": facets.cooperatives,
            }[kind]
            below = (len(path) - tops) // _step() if path else 0
            choices.append(Choice(code, name, goods if countable else None, below))
    if facets.goods > COUNTED:
        facets.goods, facets.is_more = COUNTED, True
        facets.makers = facets.in_stock = facets.women_led = facets.cheapest = facets.dearest = None
    return facets


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    sign, number = ("-", -number) if number < 0 else ("", number)
    written = ""
    while number:
        number, rest = divmod(number, 36)
        written = digits[rest] + written
    return sign + (written or "0")
