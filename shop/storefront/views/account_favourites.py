"""Favourites: marked on a listing's page, found again on a page of their own, with or without an account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from catalogue.models import Product
from shop.core import clock
from shop.core.errors import Refused
from shop.core.requests import own_address, token_or_own_page
from shop.customers import favourites as favouring
from shop.customers import noticing
from shop.customers.models import Favourite
from shop.storefront import cards, shelves
from shop.storefront.crumbs import account_crumbs


@never_cache
def favourites(request: Any) -> HttpResponse:
    """The list, the last one marked first; what left the shelf is named, so that it can be taken out."""
    on = clock.today()
    marked = _marked(request)
    found = {each.pk: each for each in Product.objects.filter(pk__in=marked).for_cards(on=on)}
    for_sale = set(Product.objects.on_sale(on=on).filter(pk__in=list(found)).values_list("pk", flat=True))
    shown = [found[each] for each in marked if each in for_sale]
    gone = [found[each] for each in marked if each in found and each not in for_sale]
    asks = noticing.of(user=request.user) if request.user.is_authenticated else None
    return render(
        request,
        "storefront/account_favourites.html",
        {
            "rows": [
                {"card": card, "slug": listing.slug}
                for card, listing in zip(
                    cards.cards(shown, terms=cards.terms_for(shown, on)), shown, strict=True
                )
            ],
            "gone": [{"name": each.get_title(), "slug": each.slug} for each in gone],
            "asks": asks is not None and (asks.back_in_stock or asks.cheaper),
            "newest_picture": None if shown else shelves.newest_picture(on=on),
            "here": "favourites",
            "crumbs": account_crumbs(_("Favourites")),
        },
    )


def _marked(request: Any) -> list[int]:
    """Keys of her favourites, the last one marked first."""
    if request.user.is_authenticated:
        return list(Favourite.objects.filter(user=request.user).values_list("listing_id", flat=True))
    references = request.session.get(favouring.SESSION_KEY, [])
    keys = dict(Product.objects.filter(reference__in=references).values_list("reference", "pk"))
    return [keys[each] for each in reversed(references) if each in keys]


@token_or_own_page
@require_POST
def favourite(request: Any, slug: str) -> HttpResponse:
    """Mark a listing, or take the mark away (``off``). Any listing that was ever shown may leave the list."""
    listing = Product.objects.filter(slug=slug, parent=None).exclude(state=Product.State.DRAFT).first()
    if listing is None:
        raise Http404
    off = "off" in request.POST
    wrong = ""
    try:
        _change(request, listing, off)
    except Refused as refusal:
        wrong = str(refusal)
    if request.htmx:
        context = {"listing": listing, "on": not off and not wrong, "wrong": wrong}
        return render(request, "storefront/_favourite.html", context)
    if wrong:
        messages.error(request, wrong)
    elif off:
        messages.success(request, _("“%(title)s” is no longer a favourite.") % {"title": listing.get_title()})
    else:
        messages.success(request, _("“%(title)s” is among your favourites.") % {"title": listing.get_title()})
    return redirect(own_address(request, request.POST.get("next", "")) or listing.get_absolute_url())


def _change(request: Any, listing: Product, off: bool) -> None:
    if request.user.is_authenticated:
        if off:
            favouring.drop(user=request.user, listing=listing)
        else:
            favouring.keep(user=request.user, listing=listing, at=clock.now())
        return
    marked = [each for each in request.session.get(favouring.SESSION_KEY, []) if each != listing.reference]
    if not off and len(marked) >= favouring.MOST:
        raise favouring.TooMany
    request.session[favouring.SESSION_KEY] = marked if off else [*marked, listing.reference]
    if not off:
        request.session.set_expiry(favouring.LIFETIME)
