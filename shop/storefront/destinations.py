"""Where a visitor wants her goods: chosen once, remembered, so that every listing can say when it comes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.http import HttpResponse
from oscar.core.loading import get_model

from shop.core.models import Commune, Region
from shop.orders.models import Order

#: Holds the code of a commune or of a region; nothing else about her.
COOKIE = "destination"
_KEPT_S = 180 * 24 * 3600
_CODE = re.compile(r"(MA-[0-9]{2})|([0-9.]{2,16})")


@dataclass(frozen=True)
class Destination:
    """A town, or a region as a whole when no town was named."""

    region: str
    name: str


def of(request: Any) -> Destination | None:
    """What she chose, else where her account's address or her last order is; None when nothing is known."""
    code = request.COOKIES.get(COOKIE, "")
    if fits := _CODE.fullmatch(code):
        return _region(fits[1]) if fits[1] else _town(code)
    if request.user.is_authenticated:
        return _of_account(request.user)
    return None


def keep(response: HttpResponse, code: str) -> None:
    """Remember the code of a commune or region in this browser."""
    response.set_cookie(
        COOKIE, code, max_age=_KEPT_S, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
    )


def _town(code: str) -> Destination | None:
    found = Commune.objects.filter(code=code).select_related("province").first()
    return Destination(region=found.province.region_id, name=found.name) if found else None


def _region(code: str) -> Destination | None:
    found = Region.objects.filter(code=code).first()
    return Destination(region=found.code, name=found.name) if found else None


def _of_account(user: Any) -> Destination | None:
    """Her own address for deliveries, else where her last order went; one query."""
    own = (
        get_model("address", "UserAddress")
        .objects.filter(user=user)
        .exclude(region_code="")
        .annotate(rank=Case(When(is_default_for_shipping=True, then=0), default=1), at=F("pk"))
        .order_by()
    )
    ordered = (
        Order.objects.filter(user=user)
        .exclude(shipping_address__region_code="")
        .annotate(rank=Value(2), at=F("pk"))
        .order_by()
    )
    found = (
        own.values_list("rank", "at", "region_code", "line4")
        .union(
            ordered.values_list("rank", "at", "shipping_address__region_code", "shipping_address__line4"),
            all=True,
        )
        .order_by("rank", "-at")
        .first()
    )
    return Destination(region=found[2], name=found[3] or found[2]) if found and found[2] else None
