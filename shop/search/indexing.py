"""Keeps the index like the shelves. The table of what waits is the queue; triggers fill it."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from moneyed import MAD, Money
from oscar.core.loading import get_model

from catalogue.models import Product
from cooperatives.models import Certification, Cooperative
from shop.core import freshness
from shop.core.crashpoints import crashpoint
from shop.core.money import to_minor
from shop.design.numbers import LANGUAGES
from shop.search import words
from shop.search.models import Entry, Spelling, Tag, Version, Waiting

logger = logging.getLogger(__name__)

#: So many are indexed in one transaction: on SQLite customers' writes wait for it.
BATCH = 200
ALWAYS, FOR_EVER = date(1, 1, 1), date(9999, 12, 31)
#: Words by which customers look for the makers this marks.
_WOMEN = "femmes women نساء"


def refresh() -> int:
    """Index anew whatever waits, in batches; returns how many listings that were. Safe to repeat."""
    done = 0
    while batch := _refresh_some():
        done += batch
    if done:
        freshness.renew()
        logger.info("index refreshed", extra={"listings": done})
    return done


def rebuild() -> int:
    """Index every listing anew, whatever waits; returns how many are on the shelves."""
    with transaction.atomic():
        _hold()
        Waiting.objects.all().delete()
        Spelling.objects.all().delete()
        Entry.objects.update(spellings="")
    there = Product.objects.filter(parent=None).order_by("pk").values_list("pk", flat=True)
    gone = Entry.objects.exclude(pk__in=there.order_by()).values_list("pk", flat=True)
    ids = [*there, *gone]
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            _hold()
            _write(ids[start : start + BATCH])
    return Entry.objects.count()


def version() -> int:
    """A number that grows whenever the index changes; for whoever keeps something made from it."""
    return Version.objects.filter(pk=1).values_list("number", flat=True).first() or 0


@transaction.atomic
def _refresh_some() -> int:
    if not Waiting.objects.exists():
        return 0
    _hold()
    # Read after taking hold: what another one did meanwhile is done, and what waits now is committed.
    waiting = list(Waiting.objects.order_by("pk").values_list("pk", "listing_id")[: 4 * BATCH])
    ids = list(dict.fromkeys(listing for _, listing in waiting))[:BATCH]
    taken = [key for key, listing in waiting if listing in set(ids)]
    Waiting.objects.filter(pk__in=taken).delete()
    crashpoint("indexing.taken")
    _write(ids)
    return len(ids)


def _hold() -> None:
    """One writer at a time: the row is held until the transaction ends."""
    Version.objects.filter(pk=1).update(number=F("number") + 1)


def _write(ids: list[int]) -> None:
    """Make the entries of these listings what they should be now; those off the shelf lose theirs."""
    before = dict(Entry.objects.filter(pk__in=ids).values_list("pk", "spellings"))
    tree = _Tree()
    made = [each for listing in _on_the_shelf(ids) if (each := _entry(listing, tree)) is not None]
    kept = {entry.listing_id for entry, _ in made}
    Tag.objects.filter(entry__in=ids).delete()
    Entry.objects.filter(pk__in=[each for each in before if each not in kept]).delete()
    Entry.objects.bulk_create(
        [entry for entry, _ in made],
        update_conflicts=True,
        unique_fields=["listing"],
        update_fields=[each.name for each in Entry._meta.fields if not each.primary_key],
    )
    Tag.objects.bulk_create(tag for _, tags in made for tag in tags)
    _count_spellings(before.values(), (entry.spellings for entry, _ in made))


def _on_the_shelf(ids: list[int]) -> Iterable[Product]:
    return (
        Product.objects.filter(
            pk__in=ids,
            parent=None,
            state=Product.State.PUBLISHED,
            is_public=True,
            cooperative__state=Cooperative.State.ACTIVE,
        )
        .select_related("cooperative__region", "cooperative__province", "origin_region", "origin_province")
        .prefetch_related(
            "stockrecords", "children__stockrecords", "categories", "label_claims__certification__label"
        )
    )


class _Tree:
    """The categories by path, with the way from each to its root."""

    def __init__(self) -> None:
        category = get_model("catalogue", "Category")
        self.step = category.steplen
        self.by_path = {each.path: each for each in category.objects.all()}

    def above(self, path: str) -> Iterator[Any]:
        """A category and those above it."""
        for end in range(self.step, len(path) + 1, self.step):
            if path[:end] in self.by_path:
                yield self.by_path[path[:end]]


def _entry(listing: Product, tree: _Tree) -> tuple[Entry, list[Tag]] | None:
    """What the index keeps of one listing; None when a label it claims is certified on no day."""
    certifications = [each.certification for each in listing.label_claims.all()]
    if any(each.state != Certification.State.VERIFIED for each in certifications):
        return None
    cooperative = listing.cooperative
    categories = {each.path: each for leaf in listing.categories.all() for each in tree.above(leaf.path)}
    labels = {each.label.code: each.label for each in certifications}
    variants = [
        each for each in listing.children.all() if each.state == Product.State.PUBLISHED and each.is_public
    ]
    sold = [listing, *variants]
    records = [record for each in sold for record in each.stockrecords.all() if record.price is not None]
    free = [each for each in records if (each.num_in_stock or 0) > (each.num_allocated or 0)]
    title = _in_all(listing, "title")
    names = " ".join(
        [
            _in_all(cooperative, "name"),
            _in_all(cooperative, "place"),
            *(_in_all(each, "name") for each in categories.values()),
            *(_in_all(each, "name") for each in labels.values()),
            *(_in_all(each, "short_name") for each in labels.values()),
            *(
                _in_all(place, "name")
                for place in (listing.origin_region, listing.origin_province, cooperative.province)
                if place
            ),
            _WOMEN if cooperative.women_only else "",
        ]
    )
    entry = Entry(
        listing_id=listing.pk,
        tie=tie(listing.reference),
        created_us=microseconds(listing.date_created),
        price_minor=min((to_minor(Money(each.price, MAD)) for each in free or records), default=0),
        region=listing.origin_region_id or "",
        cooperative=cooperative.slug,
        sent_from=cooperative.region_id,
        weight_g=min((each.gross_weight_g for each in sold if each.gross_weight_g), default=0),
        in_stock=bool(free),
        women_led=cooperative.women_only,
        sold_from=max((each.valid_from for each in certifications), default=ALWAYS),
        sold_until=min((each.valid_until for each in certifications), default=FOR_EVER),
        title=words.normalised(title),
        names=words.normalised(names),
        text=words.normalised(
            " ".join(
                (
                    _in_all(listing, "description"),
                    *(_in_all(each, field) for each in sold for field in ("unit", "variant")),
                )
            )
        ),
        spellings=" ".join(sorted({each.text for each in words.words(f"{title} {names}")})),
    )
    codes = [*(f"c:{each.slug}" for each in categories.values()), *(f"l:{each}" for each in labels)]
    tags = [
        Tag(
            entry_id=listing.pk,
            code=code,
            created_us=entry.created_us,
            price_minor=entry.price_minor,
            tie=entry.tie,
        )
        for code in dict.fromkeys(codes)
    ]
    return entry, tags


def tie(reference: str) -> int:
    """A number of 63 bits made from a reference, so that lists have one order and tell no database id."""
    return int.from_bytes(hashlib.blake2b(reference.encode(), digest_size=8).digest()) >> 1


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _in_all(record: Any, field: str) -> str:
    """A field in every language it has."""
    return " ".join(str(getattr(record, f"{field}_{each}", None) or "") for each in LANGUAGES)


def _count_spellings(before: Iterable[str], after: Iterable[str]) -> None:
    """Each known word, and how many listings are called by it."""
    change: Counter[str] = Counter()
    for each in after:
        change.update(word for word in each.split() if _worth_knowing(word))
    for each in before:
        change.subtract(word for word in each.split() if _worth_knowing(word))
    changed = {word: number for word, number in change.items() if number}
    known = {each.word: each for each in Spelling.objects.filter(word__in=changed)}
    for each in known.values():
        each.goods += changed[each.word]
    Spelling.objects.bulk_update(known.values(), ["goods"])
    Spelling.objects.bulk_create(
        Spelling(word=word, sound=words.sound(word), goods=number)
        for word, number in changed.items()
        if word not in known
    )


def _worth_knowing(word: str) -> bool:
    return 3 <= len(word) <= 80 and not word.isdigit()
