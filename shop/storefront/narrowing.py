"""What an address of a list asks for, read with patience: what makes no sense is left out and said."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from shop.search.words import DIGITS, MOST_LETTERS

#: So many choices of one kind are read, and letters of one: no page of ours writes more.
MOST_CHOICES, MOST_CODE = 30, 100
#: A price nobody asks: ten million dirhams.
DEAREST = Decimal(10_000_000)
#: What may be asked for more than once, and what stands for itself.
KINDS = ("region", "category", "label", "maker")
SWITCHES = ("stock", "women")


@dataclass
class Asked:
    """The filters of an address. ``odd`` names those that were left out, in words for the visitor."""

    text: str = ""
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    price_from: Decimal | None = None
    price_to: Decimal | None = None
    switches: frozenset[str] = frozenset()
    ships: str = ""
    sort: str = ""
    odd: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        """How many filters are on."""
        prices = (self.price_from, self.price_to)
        return (
            sum(len(each) for each in self.choices.values())
            + any(each is not None for each in prices)
            + len(self.switches)
            + bool(self.ships)
        )

    def leave_out(self, kind: str, code: str) -> None:
        """Nothing is called so; say it."""
        self.choices[kind] = tuple(each for each in self.choices[kind] if each != code)
        self.odd.append(f"{name_of(kind)} {_shortened(code)}")

    def leave_out_ships(self) -> None:
        """There is no such region to bring goods to; say it."""
        self.odd.append(f"{_('Delivery to')} {_shortened(self.ships)}")
        self.ships = ""


def name_of(kind: str) -> str:
    return {
        "region": _("Region"),
        "category": _("Kind"),
        "label": _("Label"),
        "maker": _("Cooperative"),
    }[kind]


def read(request: HttpRequest, *, fixed: tuple[str, ...] = ()) -> Asked:
    """What the address asks for; of ``fixed`` kinds the page itself is one, and no other is read."""
    given = request.GET
    asked = Asked(text=" ".join(given.get("q", "")[: 4 * MOST_LETTERS].split())[:MOST_LETTERS].strip())
    for kind in KINDS:
        codes = [] if kind in fixed else [each for each in given.getlist(kind) if each]
        asked.choices[kind] = tuple(dict.fromkeys(each[:MOST_CODE] for each in codes))[:MOST_CHOICES]
    asked.price_from, asked.price_to = (_price(given.get(each, ""), asked) for each in ("from", "to"))
    if None not in (asked.price_from, asked.price_to) and asked.price_from > asked.price_to:  # type: ignore[operator]
        asked.price_from, asked.price_to = asked.price_to, asked.price_from
    asked.switches = frozenset(each for each in SWITCHES if given.get(each) == "1")
    asked.ships = given.get("ships", "")[:MOST_CODE]
    asked.sort = given.get("sort", "")
    return asked


def _price(typed: str, asked: Asked) -> Decimal | None:
    """Dirhams as people type them: with a comma, a space, in Arabic digits."""
    typed = typed.strip()[:20]
    if not typed:
        return None
    plain = "".join(typed.translate(DIGITS).split()).replace("\u066b", ".").replace(",", ".")
    try:
        price = Decimal(plain)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or not 0 <= price <= DEAREST:
        asked.odd.append(f"{_('Price')} {_shortened(typed)}")
        return None
    return price.quantize(Decimal("0.01"))


def _shortened(code: str) -> str:
    return pgettext("a word as it was typed", "“%(typed)s”") % {
        "typed": code if len(code) <= 30 else code[:29] + "…"
    }


def query_of(request: HttpRequest, **changes: Any) -> str:
    """The query string with some keys changed; ``None`` takes one away, and so does being empty."""
    query = request.GET.copy()
    for key in ("after", "before", "page"):
        query.pop(key, None)
    for key, value in changes.items():
        query.pop(key, None)
        if value is not None:
            query.setlist(key, value if isinstance(value, list) else [value])
    for key in list(query):
        kept = [each for each in query.getlist(key) if each]
        query.setlist(key, kept) if kept else query.pop(key)
    return query.urlencode()
