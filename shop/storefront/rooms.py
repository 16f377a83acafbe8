"""The rooms a person works in besides being a customer, and what was looked for where nothing was found."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cooperatives.models import Cooperative

OFFICE = "backoffice.enter"
#: As many letters of a broken address are offered to the search.
SOUGHT_LETTERS = 60


def of(user: Any) -> list[dict[str, str]]:
    """Her rooms, the operators' first, as notices; none for a customer."""
    if not user.is_authenticated:
        return []
    found = []
    if user.has_perm(OFFICE):
        found.append(
            {
                "said": _("You work here as an operator."),
                "url": reverse("backoffice:today"),
                "link": _("To the back office"),
            }
        )
    if Cooperative.objects.of(user).exists():
        found.append(
            {
                "said": _("You act for a cooperative."),
                "url": reverse("desk:today"),
                "link": _("To the cooperatives' desk"),
            }
        )
    return found


#: What the pieces of an address stand for, in each room: a heading, and the place it would be listed at.
_SOUGHT = {
    "backoffice": {
        "orders": (gettext_lazy("There is no order of this reference"), "orders"),
        "parts": (gettext_lazy("There is no part of an order of this reference"), "orders"),
        "parcels": (gettext_lazy("There is no parcel of this reference"), "orders"),
        "refunds": (gettext_lazy("There is no refund of this reference"), "orders"),
        "outbox": (gettext_lazy("There is no mail of this reference"), "outbox"),
        "payouts": (gettext_lazy("There is no payout or run of this reference"), "payouts"),
        "accounts": (gettext_lazy("There is no cooperative of this code"), "accounts"),
        "lines": (gettext_lazy("There is no statement line of this reference"), "lines"),
        "exceptions": (gettext_lazy("There is no exception of this reference"), "discrepancies"),
        "entries": (gettext_lazy("The books hold no entry of this name"), "reconciliation"),
        "vouchers": (gettext_lazy("There is no voucher of this reference"), "vouchers"),
        "files": (gettext_lazy("There is no file of this digest"), "files"),
    },
    "desk": {
        "orders": (gettext_lazy("Your cooperative has no order of this reference"), "orders"),
        "listings": (gettext_lazy("Your cooperative has no good of this reference"), "listings"),
        "vouchers": (gettext_lazy("Your cooperative has no voucher of this reference"), "vouchers"),
        "statements": (gettext_lazy("Your cooperative has no statement of this reference"), "money"),
    },
    "storefront": {
        "goods": (gettext_lazy("This good is not on sale"), "listings"),
        "cooperatives": (gettext_lazy("We do not know this cooperative"), "cooperatives"),
        "regions": (gettext_lazy("There is no region of this name"), "regions"),
        "labels": (gettext_lazy("There is no label of this name"), "labels"),
        "orders": (gettext_lazy("We do not find this order among yours"), "account"),
        "parts": (gettext_lazy("We do not find this part of an order among yours"), "account"),
        "parcels": (gettext_lazy("We do not find this parcel among yours"), "account"),
    },
}
_HINTS = {
    "backoffice": gettext_lazy("The reference may have a typing error. Look for it in its list."),
    "desk": gettext_lazy(
        "The reference may have a typing error, or belong to another cooperative than the ones you act for."
    ),
}
_ORDERS = gettext_lazy("The reference may have a typing error, or you are signed in as somebody else.")


def not_found_in(request: HttpRequest) -> dict[str, Any]:
    """What a page says that finds nothing: ``heading``, ``hint`` and ``ways`` back within the same room.

    Who may not enter a room reads nothing of what is in it.
    """
    pieces = request.path_info.strip("/").split("/")
    room = pieces[0] if pieces[0] in ("backoffice", "desk") else "storefront"
    user = request.user
    if room == "backoffice" and not user.has_perm(OFFICE):
        return {}
    if room == "desk" and not (user.is_authenticated and Cooperative.objects.of(user).exists()):
        return _not_a_member(user)
    heading, place = next(
        (_SOUGHT[room][each] for each in reversed(pieces[1:-1]) if each in _SOUGHT[room]), (None, "")
    )
    cut_off = _("The link was cut off on the way, or mistyped.")
    if heading is None:
        return {"search": True} if room == "storefront" else {"hint": cut_off, "ways": [_start(room)]}
    hint = _HINTS.get(room, {"account": _ORDERS, "listings": ""}.get(place, cut_off))
    ways = [{"url": reverse(f"{room}:{place}"), "link": _("Back to the list")}]
    found: dict[str, Any] = {}
    if room == "storefront" and place == "account":
        ways = [{"url": reverse("storefront:account"), "link": _("See my orders")}]
    elif room == "storefront":
        found = {"search": True, "sought": _words_in(pieces[-1])}
    else:
        ways.append(_start(room))
    return {"heading": heading, "hint": hint, "ways": ways, **found}


def _words_in(slug: str) -> str:
    """What was probably looked for: ``miel-de-thym`` said in words, to be searched for."""
    return " ".join(re.findall(r"[^\W\d_]{2,}", slug))[:SOUGHT_LETTERS]


def _start(room: str) -> dict[str, str]:
    name = _("To the back office") if room == "backoffice" else _("To the cooperatives' desk")
    return {"url": reverse(f"{room}:today"), "link": name}


def _not_a_member(user: Any) -> dict[str, Any]:
    """The desk, asked for by somebody who acts for no cooperative."""
    if not user.is_authenticated:
        return {}
    others = [{"url": each["url"], "link": each["link"]} for each in of(user)]
    account = {"url": reverse("storefront:account"), "link": _("To my account")}
    return {
        "heading": _("You act for no cooperative"),
        "hint": _(
            "This is where members of cooperatives work. An owner of yours can add you, by the address you signed in with."
        ),
        "ways": [*others, account],
    }
