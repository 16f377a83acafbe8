"""The pages that are measured, by name, and how to know each. Run as a program it counts their queries.

DATABASE_URL=… python -m tests.benchmarks.pages        # JSON: {page: [normalised SQL, …]}
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from urllib.parse import urlencode

from fixtures.seeding import inventing
from tests.benchmarks.serving import Ask

#: The largest branch that the seeded tree has.
BRANCH = "s-larder"
ON_A_PAGE = 24
CARD = b'<div class="card'


@dataclass(frozen=True)
class Chosen:
    """What of the seeded shop the pages are about; the same at every size."""

    slug: str
    search: str
    #: which page of the list is the deep one, and the place in the list where it begins
    last_page: int
    deep: str


def cards(least: int, most: int = 200):
    """A page with so many goods on it. Kept pages come packed; their length stands for them."""

    def is_right(status: int, body: bytes) -> bool:
        return status == 200 and least <= unpacked(body).count(CARD) <= most

    return is_right


def unpacked(body: bytes) -> bytes:
    """The page, however it was sent."""
    if body[:2] == b"\x1f\x8b":
        import gzip

        return gzip.decompress(body)
    if b"<html" in body[:2000]:
        return body
    import brotli

    try:
        return brotli.decompress(body)
    except brotli.error:
        return body


def asks(chosen: Chosen) -> dict[str, Ask]:
    """Every measured page."""
    listing = f"/fr/goods/{chosen.slug}/"
    add = Ask(
        f"/fr/basket/add/{chosen.slug}/",
        lambda status, body: status == 302,
        method="POST",
        body=b"quantity=1",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"},
    )
    return {
        "category": Ask(f"/fr/kinds/{BRANCH}/", cards(ON_A_PAGE)),
        "listing": Ask(listing, lambda status, body: status == 200 and b"/fr/basket/add/" in unpacked(body)),
        "search, three facets": Ask(f"/fr/goods/?{chosen.search}", cards(1)),
        "home": Ask("/fr/", cards(4)),
        "page 1": Ask("/fr/goods/", cards(ON_A_PAGE)),
        "deep page": Ask(f"/fr/goods/?after={chosen.deep}", cards(ON_A_PAGE)),
        "add to basket": add,
    }


def choose() -> Chosen:
    """A listing on sale, a search that finds it, and how far the list goes. Asks the database that is configured."""
    from catalogue.models import Product
    from shop.core import clock
    from shop.search import finding

    on_sale = Product.objects.on_sale(on=clock.today())
    found = (
        on_sale.filter(
            reference__startswith="S1-", label_claims__isnull=False, stockrecords__num_in_stock__gt=5
        )
        .order_by("reference")
        .first()
    )
    assert found is not None
    search = {
        "q": found.title_fr.split()[0],
        "region": found.origin_region_id,
        "category": f"s-{next(each.root for each in inventing.FAMILIES if each.drawn_as == found.family)}",
        "label": found.label_claims.first().certification.label.code,
    }
    number = min(1000, on_sale.count() // ON_A_PAGE)
    # One long page up to where the deep one begins: walking there would take a thousand requests.
    before = finding.page(
        wanted=finding.Wanted(), query=None, on=clock.today(), size=ON_A_PAGE * (number - 1)
    )
    return Chosen(found.slug, urlencode(search), number, str(before.following))


_SAVEPOINT = re.compile(r'"s\d+_x\d+"')
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b|%s|\?")
_LIST = re.compile(r"\((?:\s*\*\s*,?)+\)")


def normalised(statement: str) -> str:
    """SQL without its values: the same question about other rows is the same statement."""
    return _LIST.sub("(*)", _LITERAL.sub("*", _SAVEPOINT.sub("*", " ".join(statement.split()))))


def count() -> dict[str, list[str]]:
    """The statements that each page asks, without a cache."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    found = {}
    for name, ask in asks(choose()).items():
        client = Client(
            headers={"accept-encoding": "identity"} | {k.lower(): v for k, v in ask.headers.items()}
        )
        for _warming in range(2):
            with CaptureQueriesContext(connection) as queries:
                if ask.method == "POST":
                    answer = Client().post(ask.path, {"quantity": "1"})
                else:
                    answer = client.get(ask.path)
        assert ask.is_right(answer.status_code, answer.content), (name, answer.status_code)
        found[name] = [normalised(each["sql"]) for each in queries.captured_queries]
    return found


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.cold_settings"
    import django

    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS.append("testserver")
    chosen = choose()
    print(
        json.dumps({"chosen": [chosen.slug, chosen.search, chosen.last_page, chosen.deep], "pages": count()})
    )
