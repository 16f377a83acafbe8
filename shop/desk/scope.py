"""Whom a person acts for at the desk, and what she may do there.

What belongs to another cooperative is answered as if it did not exist; what her role does not allow is
refused openly.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache

from catalogue.models import Product
from cooperatives.models import Cooperative, Member
from shop.fulfilment.models import SupplierOrder

CHOSEN = "desk_cooperative"

FILL_ORDERS = "cooperatives.fill_orders"
EDIT_LISTINGS = "cooperatives.edit_listings"
SEE_MONEY = "cooperatives.see_money"
MANAGE_PEOPLE = "cooperatives.manage_people"
#: The role that was made for it; an owner may do everything.
_ROLE_FOR = {
    FILL_ORDERS: Member.Role.ORDERS,
    EDIT_LISTINGS: Member.Role.LISTINGS,
    SEE_MONEY: Member.Role.FINANCE,
    MANAGE_PEOPLE: Member.Role.OWNER,
}


class NotHerRole(PermissionDenied):
    """Her role in this cooperative does not allow it."""

    def __init__(self, permission: str, cooperative: Cooperative) -> None:
        self.permission, self.cooperative = permission, cooperative
        super().__init__(permission)


def at_desk(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the desk: signed in, never kept by a cache."""

    @wraps(view)
    @never_cache
    @login_required
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotHerRole as refusal:
            return _not_her_role(request, refusal)

    return page


def _not_her_role(request: HttpRequest, refusal: NotHerRole) -> HttpResponse:
    """Says which role it takes and who can give it."""
    cooperative = refusal.cooperative
    current = Member.objects.current().filter(cooperative=cooperative).select_related("user")
    own = current.filter(user=request.user).first()
    return render(
        request,
        "desk/not_your_role.html",
        frame(request, cooperative)
        | {
            "own_role": own.get_role_display() if own else "",
            "needed_role": Member.Role(_ROLE_FOR[refusal.permission]).label,
            "needs_owner": refusal.permission == MANAGE_PEOPLE,
            "owners": [str(each.user) for each in current.filter(role=Member.Role.OWNER).order_by("pk")],
        },
        status=403,
    )


def cooperative_of(request: HttpRequest, permission: str = "") -> Cooperative:
    """The cooperative she works for now: the one she chose, else the first of hers. 404 when she has none."""
    own = Cooperative.objects.of(request.user).order_by("code")
    chosen = request.session.get(CHOSEN, "")
    cooperative = (own.filter(code=chosen).first() if chosen else None) or own.first()
    if cooperative is None:
        raise Http404
    require(request, permission, cooperative)
    return cooperative


def part_of(request: HttpRequest, reference: str, permission: str = "") -> SupplierOrder:
    """A supplier order of one of her cooperatives; 404 for any other, 403 when her role does not allow it."""
    parts = SupplierOrder.objects.of(request.user).select_related(
        "order__shipping_address", "cooperative", "carrier"
    )
    supplier_order = get_object_or_404(parts, reference=reference)
    require(request, permission, supplier_order.cooperative)
    return supplier_order


def listing_of(request: HttpRequest, reference: str, permission: str = "") -> Product:
    """A listing of one of her cooperatives; 404 for any other, 403 when her role does not allow it."""
    listings = Product.objects.filter(cooperative__in=Cooperative.objects.of(request.user))
    listing = get_object_or_404(
        listings.select_related("cooperative", "parent").prefetch_related(
            "stockrecords", "images", "parent__images"
        ),
        reference=reference,
    )
    require(request, permission, listing.cooperative)
    return listing


def require(request: HttpRequest, permission: str, cooperative: Cooperative) -> None:
    """403 unless her role in this cooperative allows it."""
    if permission and not request.user.has_perm(permission, cooperative):
        raise NotHerRole(permission, cooperative)


def frame(request: HttpRequest, cooperative: Cooperative, place: str = "") -> dict[str, Any]:
    """What every page of the desk shows around its content, and what she may do."""
    user = request.user
    return {
        "cooperative": cooperative,
        "desk_place": place,
        "other_cooperatives": Cooperative.objects.of(user).exclude(pk=cooperative.pk).exists(),
        "may": {
            "fill_orders": user.has_perm(FILL_ORDERS, cooperative),
            "edit_listings": user.has_perm(EDIT_LISTINGS, cooperative),
            "see_money": user.has_perm(SEE_MONEY, cooperative),
            "manage_people": user.has_perm(MANAGE_PEOPLE, cooperative),
        },
    }
