"""What templates need to say amounts, days and references, and to draw bars and roads.

``{% load design %}``. Everything that formats comes from :mod:`shop.design.numbers`.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django import forms, template
from django.conf import settings
from django.forms import BoundField
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from moneyed import Money

from shop.core.money import from_minor
from shop.design import moulds, numbers
from shop.design.moulds import Fixed

register = template.Library()

#: What a bar or a road is drawn on; CSS stretches it to the width at hand.
BAR_WIDTH, BAR_JOINT, BAR_LEAST = 1000, 3, 10
ROAD_TILES, ROAD_TILE, ROAD_JOINT = 24, 17, 3

_LEFT_TO_RIGHT_WIDGETS = (forms.EmailInput, forms.URLInput, forms.PasswordInput)


# --- amounts, days, references ---------------------------------------------------------------


def _amount(amount: Money | dict[str, Any]) -> Money:
    """An amount as templates get it: Money, or whole minor units from a mail's stored context."""
    return from_minor(amount["minor"], amount["currency"]) if isinstance(amount, dict) else amount


def _day(value: date | datetime | str) -> date | datetime:
    """A day or moment as templates get it; mails keep theirs as ISO text."""
    if not isinstance(value, str):
        return value
    return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)


@register.filter
def money(amount: Money | dict[str, Any] | None, style: str = "full") -> SafeString | str:
    """``{{ price|money }}`` 150,00 MAD; ``|money:"short"`` 150 MAD; ``|money:"bare"`` 150,00.

    Takes Money, or the ``{"minor": 15000, "currency": "MAD"}`` of a mail's context.
    """
    if amount is None or amount == "":
        return ""
    amount = _amount(amount)
    return _money(amount.amount, amount.currency.code, style, numbers.language_of())


@lru_cache(maxsize=4096)
def _money(amount: Decimal, currency: str, style: str, language: str) -> SafeString:
    """A list shows the same few amounts again and again; nothing but its arguments goes in."""
    text = numbers.money_text(Money(amount, currency), language, style=style)
    if text.startswith(numbers.LRM):
        # The mark would turn the whole piece left-to-right and put the currency on the wrong side.
        return format_html('<bdi dir="{}">{}</bdi>', "ltr" if style == "bare" else "rtl", text)
    return format_html("<bdi>{}</bdi>", text)


@register.filter
def money_text(amount: Money | dict[str, Any] | None, style: str = "full") -> str:
    """The same amount without mark-up, for text mails, titles and attributes."""
    return "" if amount is None or amount == "" else numbers.money_text(_amount(amount), style=style)


@register.filter
def number(value: Decimal | int | str | None) -> SafeString | str:
    """``{{ count|number }}``: grouped thousands, at most three decimals."""
    if value is None or value == "":
        return ""
    return _number(Decimal(value), numbers.language_of())


@lru_cache(maxsize=4096)
def _number(value: Decimal, language: str) -> SafeString:
    return format_html("<bdi>{}</bdi>", numbers.number_text(value, language, decimals=None))


@register.filter
def day(value: date | datetime | str | None, style: str = "long") -> str:
    """``{{ on|day }}``; styles ``weekday``, ``near``, ``month``, ``short``."""
    return numbers.day_text(_day(value), style=style) if value else ""


@register.filter
def hour(value: datetime | str | None) -> str:
    """``{{ at|hour }}``: the time of day in Casablanca."""
    return numbers.hour_text(_day(value)) if value else ""


@register.filter
def moment(value: datetime | str | None, style: str = "long") -> str:
    """``{{ at|moment }}``: day and time in Casablanca; styles as ``day``."""
    return numbers.moment_text(_day(value), style=style) if value else ""


@register.simple_tag
def date_range(start: date | str | None, end: date | str | None, style: str = "between") -> str:
    """``{% date_range from to %}`` for a promise, ``{% date_range from to "span" %}`` for a period."""
    if not start or not end:
        return numbers.day_text(_day(start or end)) if start or end else ""
    return numbers.date_range_text(_day(start), _day(end), style=style)


@register.simple_tag
def demo_mode() -> bool:
    """Whether this is the demonstration shop; mails have no request to tell them."""
    return bool(getattr(settings, "DEMO_MODE", False))


@register.filter
def ref(value: object) -> SafeString | str:
    """A reference, phone number, mail address or bank key: always left to right."""
    if value is None or value == "":
        return ""
    return format_html('<bdi dir="ltr" class="num">{}</bdi>', value)


@register.filter
def mail(value: object) -> SafeString | str:
    """A mail address in a narrow column: as ``ref``, and broken after its "@" or before a dot, not in a word."""
    name, at, domain = str(value or "").rpartition("@")
    if not at:
        return ref(value)
    pieces = format_html_join("", "<wbr>{}", ((each,) for each in re.split(r"(?=\.)", domain)))
    return format_html('<bdi dir="ltr" class="num">{}@{}</bdi>', name, pieces)


@register.filter
def isolated(value: object) -> str:
    """As ``ref``, for sentences without mark-up: kept in one piece by characters nobody sees."""
    return numbers.isolated(str(value)) if value not in (None, "") else ""


@register.filter
def phone(value: object) -> SafeString | str:
    """``{{ phone|phone }}``: 06 61 23 45 67, always left to right."""
    return ref(numbers.phone_text(str(value))) if value else ""


@register.filter
def share_percent(part: Decimal | Money, whole: Money | None = None) -> SafeString | str:
    """``{{ rate|share_percent }}`` for a share of one, ``{{ part|share_percent:whole }}`` for two amounts."""
    if part is None or part == "":
        return ""
    if isinstance(part, Money):
        if not whole or not whole.amount:
            return ""
        part = part.amount / whole.amount
    return format_html("<bdi>{}</bdi>", numbers.percent_text(Decimal(part)))


# --- frames ----------------------------------------------------------------------------------

#: What the parts of a frame compare or filter, and what they only print.
_COMPARED, _PRINTED = ("theme",), ("search_query", "basket_count", "demo_mode", "stripe_sandbox")


@register.simple_tag(takes_context=True)
def poured(context: Context, template: str) -> SafeString:
    """A part of a page's frame that is the same on every page but for a few words; see ``moulds``."""
    request, legal = context.get("request"), context.get("shop_legal") or {}
    values: dict[str, Any] = {each: context.get(each) or "" for each in _PRINTED}
    values |= {each: Fixed(context.get(each) or "") for each in _COMPARED}
    values["shop_legal"] = {key: Fixed(each) for key, each in legal.items()}
    # As the filter that stands on it would have it: it leaves marks as they are.
    values["request"] = {"get_full_path": quote(request.get_full_path(), safe="/")} if request else None
    return moulds.pour(template, values)


# --- goods -----------------------------------------------------------------------------------


@register.simple_tag
def card(card: dict[str, Any], eager: bool | str = False, level: str = "h3") -> SafeString:
    """One good on its shelf, as ``_card.html`` draws it; prices are Money."""
    made = card | {
        "price": money(card["price"], "short"),
        "share": money(card.get("share"), "bare"),
        "seals": [{"shape": Fixed(each["shape"]), "name": each["name"]} for each in card.get("seals") or ()],
    }
    return moulds.pour(
        "design/_card.html",
        {
            "card": made,
            "eager": Fixed(eager) if isinstance(eager, str) else eager,
            "level": Fixed(level or "h3"),
        },
    )


@register.simple_tag
def shelf(cards: list[dict[str, Any]], eager_first: int | str = 0, level: str = "h3") -> SafeString:
    """Goods side by side, of which the first few show their pictures at once."""
    at_once = int(eager_first or 0)
    return format_html_join(
        "\n",
        "<li>{}</li>",
        (
            (card(each, ((True if at == 0 else "too") if at < at_once else False), level),)
            for at, each in enumerate(cards)
        ),
    )


# --- drawn figures ---------------------------------------------------------------------------


def bar_pieces(
    amounts: list[tuple[str, Decimal]], *, total: Decimal | None = None
) -> list[dict[str, object]]:
    """Lay amounts side by side on a bar of ``BAR_WIDTH``, each at least 1 % wide, parted by joints.

    Returns ``{"name", "x", "width"}`` for every amount above zero. Given a ``total`` larger than the
    sum, the rest of the bar stays empty.
    """
    shown = [(name, Decimal(amount)) for name, amount in amounts if amount and Decimal(amount) > 0]
    whole = max(total or Decimal(0), sum((amount for _, amount in shown), Decimal(0)))
    if not shown or not whole:
        return []
    widths = [
        max(
            BAR_LEAST,
            int((amount / whole * BAR_WIDTH).quantize(Decimal(1), ROUND_HALF_UP)),
        )
        for _, amount in shown
    ]
    over = sum(widths) - BAR_WIDTH
    if over > 0 or (total is None and over):
        widths[widths.index(max(widths))] -= over
    pieces: list[dict[str, object]] = []
    x = 0
    for index, ((name, _), width) in enumerate(zip(shown, widths, strict=True)):
        joint = BAR_JOINT if index < len(shown) - 1 else 0
        pieces.append({"name": name, "x": x, "width": width - joint})
        x += width
    return pieces


@register.inclusion_tag("design/_bar.html")
def price_bar(coop: Money, shop: Money, vat: Money, fund: Money) -> dict[str, object]:
    """The four parts of a price as one bar. The list of amounts stands under it and says the same."""
    parts = [("coop", coop), ("shop", shop), ("vat", vat), ("fund", fund)]
    return {"pieces": bar_pieces([(name, amount.amount) for name, amount in parts if amount is not None])}


@register.inclusion_tag("design/_bar.html")
def gauge(done: int, other: int = 0, left: int = 0, label: str = "") -> dict[str, object]:
    """How much of a counted whole is done (green), done by hand (blue) and left (saffron)."""
    counts = [("coop", done), ("shop", other), ("fund", left)]
    return {
        "pieces": bar_pieces([(name, Decimal(count)) for name, count in counts]),
        "gauge": True,
        "label": label,
    }


@register.inclusion_tag("design/_road.html")
def road(part: Decimal | float | int, label: str = "") -> dict[str, object]:
    """The way of a parcel as 24 tiles; ``part`` is 0 at the village and 1 at the customer's town."""
    part = min(max(Decimal(str(part or 0)), Decimal(0)), Decimal(1))
    done = int(part * ROAD_TILES)
    step = ROAD_TILE + ROAD_JOINT
    tiles = [
        {
            "x": index * step,
            "state": "done" if index < done else "now" if index == done and part > 0 else "next",
        }
        for index in range(ROAD_TILES)
    ]
    return {
        "tiles": tiles,
        "tile": ROAD_TILE,
        "width": ROAD_TILES * step - ROAD_JOINT,
        "label": label,
    }


# --- forms -----------------------------------------------------------------------------------


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """The control of a form field with our classes, its direction and what describes it.

    ``aria-describedby`` names the hint and, after a refusal, the error; Django adds
    ``aria-invalid`` itself.
    """
    widget = field.field.widget
    # Only allauth sets one, and it says the label again.
    widget.attrs.pop("placeholder", None)
    attrs: dict[str, str] = {}
    if not isinstance(widget, (forms.CheckboxInput, forms.RadioSelect, forms.FileInput)):
        attrs["class"] = f"{widget.attrs.get('class', '')} field".strip()
    input_type = getattr(widget, "input_type", "")
    if isinstance(widget, _LEFT_TO_RIGHT_WIDGETS) or input_type in (
        "tel",
        "number",
        "date",
        "time",
    ):
        attrs.setdefault("dir", widget.attrs.get("dir", "ltr"))
    described = [f"{field.auto_id}_hint"] if field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}_error")
    if described and not field.field.widget.attrs.get("aria-describedby"):
        attrs["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attrs)


@register.filter
def kind(field: BoundField) -> str:
    """What sort of control a field is: ``tick``, ``choices``, ``ticks``, ``file`` or ``plain``."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxSelectMultiple):
        return "ticks"
    if isinstance(widget, forms.RadioSelect):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "tick"
    if isinstance(widget, forms.FileInput):
        return "file"
    return "plain"
