"""What templates of the desk show of listings and parts. Reads what was fetched; changes nothing."""

from __future__ import annotations

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from moneyed import Money

from catalogue.models import Product, ProductImage
from shop.fulfilment.models import SupplierOrder, SupplierOrderLine

State = SupplierOrder.State
KINDS = {
    State.PLACED: "wait",
    State.ACCEPTED: "wait",
    State.DELIVERED: "ok",
    State.RELEASED: "ok",
    State.DECLINED: "bad",
    State.CANCELLED: "bad",
    State.REFUSED: "bad",
}


def state_of(supplier_order: SupplierOrder) -> dict[str, str]:
    """The coloured word for where a part stands, as those say it who have to act."""
    state = State(supplier_order.state)
    own_words = {State.PLACED: _("to answer"), State.ACCEPTED: _("to pack")}
    return {"kind": KINDS.get(state, ""), "text": capfirst(own_words.get(state) or str(state.label))}


def stations_of(supplier_order: SupplierOrder, days: dict[str, str]) -> list[dict[str, str]]:
    """A part's way as ``design/_path.html`` draws it; ``days`` say when each station was reached."""
    names = {
        "placed": _("Ordered"),
        "accepted": _("Accepted"),
        "dispatched": _("On its way"),
        "delivered": _("Delivered"),
        "released": _("Money due"),
    }
    order = list(names)
    ended = supplier_order.state in (State.DECLINED, State.CANCELLED, State.REFUSED)
    reached = max(place for place, name in enumerate(order) if days.get(name))
    is_under_way = not ended and supplier_order.state != State.RELEASED
    stations = []
    for place, name in enumerate(order):
        if ended and place > reached:
            break
        state = "next" if not days.get(name) else "now" if is_under_way and place == reached else "done"
        stations.append({"name": names[name], "state": state, "said": days.get(name, "")})
    if ended:
        stations.append(
            {
                "name": capfirst(supplier_order.get_state_display()),
                "state": "stopped",
                "said": days.get("ended", ""),
            }
        )
    return stations


def title_of(line: SupplierOrderLine) -> str:
    """What was ordered, in the reader's language; as frozen when the listing is gone."""
    return line.title_said


def line_row(line: SupplierOrderLine) -> dict[str, Any]:
    """One line of a part. Needs ``order_line.product`` with its images."""
    listing = line.order_line.product
    return {
        "line": line,
        "title": title_of(line),
        "unit": line.unit_said,
        "picture": picture_of(listing) if listing else None,
    }


def listing_row(listing: Product) -> dict[str, Any]:
    """A listing with its price, what is left and its picture. Needs ``stockrecords`` and ``images``
    (of a variant its listing's too)."""
    record = next(iter(listing.stockrecords.all()), None)
    left = max(record.net_stock_level, 0) if record else 0
    return {
        "listing": listing,
        "price": Money(record.price, record.price_currency) if record and record.price is not None else None,
        "left": left,
        "on_hand": (record.num_in_stock or 0) if record else 0,
        "reserved": (record.num_allocated or 0) if record else 0,
        "kind": "bad" if left <= 2 else "wait" if left <= 5 else "ok",
        "left_said": capfirst(ngettext("%(left)s left", "%(left)s left", left) % {"left": left})
        if left
        else _("Sold out"),
        "picture": picture_of(listing),
    }


def picture_of(listing: Product) -> dict[str, Any] | None:
    """Its first prepared picture, if it has one; of a variant without one its listing's."""
    for image in listing.images.all():
        if image.state == ProductImage.State.READY:
            return {"src": image.src, "width": image.width, "height": image.height, "alt": ""}
    return picture_of(listing.on_shelf) if listing.parent_id else None
