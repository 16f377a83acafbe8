"""Listings: what is for sale, for how much, how many are left."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from moneyed import MAD, Money

from catalogue import prices, publishing, stock
from catalogue.models import Product
from cooperatives import terms
from shop.core import clock
from shop.core.errors import Refused
from shop.desk import looks
from shop.desk.forms import PriceForm, StockForm
from shop.desk.scope import EDIT_LISTINGS, at_desk, cooperative_of, frame, listing_of
from shop.pricing.fees import fees

PER_PAGE = 30


@at_desk
@require_GET
def listings(request: HttpRequest) -> HttpResponse:
    """All goods of the cooperative with their stock; of a listing with variants each by itself."""
    cooperative = cooperative_of(request)
    own = (
        Product.objects.filter(cooperative=cooperative)
        .exclude(structure=Product.PARENT)
        .select_related("parent")
        .prefetch_related("stockrecords", "images", "parent__images")
        .order_by("reference")
    )
    page = Paginator(own, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/listings.html",
        frame(request, cooperative, "listings")
        | {"page": page, "rows": [looks.listing_row(each) for each in page]},
    )


def _page(
    request: HttpRequest,
    listing: Product,
    *,
    price_form: PriceForm | None = None,
    stock_form: StockForm | None = None,
) -> HttpResponse:
    row = looks.listing_row(listing)
    at = clock.now()
    parts = None
    if row["price"]:
        in_force = terms.terms_on(cooperative=listing.cooperative, on=clock.day_of(at))
        kept = fees(goods=row["price"], terms=in_force)
        parts = {
            "coop": kept.producer_share,
            "shop": kept.commission_net,
            "vat": kept.commission_vat,
            "fund": kept.solidarity,
            "sum": kept.goods,
        }
    claims = listing.on_shelf.label_claims.select_related("certification__label")
    record = next(iter(listing.stockrecords.all()), None)
    wrong = bool((price_form and price_form.errors) or (stock_form and stock_form.errors))
    return render(
        request,
        "desk/listing.html",
        frame(request, listing.cooperative, "listings")
        | {
            "row": row,
            "listing": listing,
            "parts": parts,
            "claims": claims,
            "variants": [
                looks.listing_row(each)
                for each in listing.children.select_related("parent")
                .prefetch_related("stockrecords", "images", "parent__images")
                .order_by("-priority", "pk")
            ]
            if listing.has_variants
            else [],
            "movements": record.movements.order_by("-pk")[:10] if record else [],
            "price_form": price_form
            or PriceForm(initial={"price": _typed(row["price"]) if row["price"] else ""}),
            "stock_form": stock_form or StockForm(initial={"quantity": row["left"], "seen": row["left"]}),
        },
        status=422 if wrong else 200,
    )


def _priced(request: HttpRequest, reference: str) -> Product:
    """A good of hers with a price and stock of its own; one with variants has neither."""
    good = listing_of(request, reference, EDIT_LISTINGS)
    if good.has_variants:
        raise Http404
    return good


def _typed(price: Money) -> str:
    """A price as people type it: with a comma, but for those who read English."""
    text = f"{price.amount:.2f}"
    return text if get_language() == "en" else text.replace(".", ",")


@at_desk
@require_GET
def listing(request: HttpRequest, reference: str) -> HttpResponse:
    """One good: its price and who receives what of it, its stock, whether it is shown."""
    return _page(request, listing_of(request, reference))


@at_desk
@require_POST
def price(request: HttpRequest, reference: str) -> HttpResponse:
    """Change what customers pay."""
    good = _priced(request, reference)
    form = PriceForm(request.POST)
    if not form.is_valid():
        return _page(request, good, price_form=form)
    try:
        prices.change(listing=good, price=Money(form.cleaned_data["price"], MAD))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The new price holds from now on. Orders already placed keep theirs."))
    return redirect("desk:listing", reference)


@at_desk
@require_POST
def stock_count(request: HttpRequest, reference: str) -> HttpResponse:
    """Say how many can be sold. What is more was received, what is less is written off."""
    good = _priced(request, reference)
    form = StockForm(request.POST)
    if not form.is_valid():
        return _page(request, good, stock_form=form)
    record = next(iter(good.stockrecords.all()), None)
    change = form.cleaned_data["quantity"] - form.cleaned_data["seen"]
    at = clock.now()
    try:
        if record is not None and change > 0:
            stock.receive(quantities={record.pk: change}, at=at)
        elif record is not None and change < 0:
            stock.write_off(quantities={record.pk: -change}, at=at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The stock of “%(title)s” is up to date.") % {"title": good.get_title()})
    return redirect("desk:today" if request.POST.get("back") == "today" else "desk:listings")


@at_desk
@require_POST
def publish(request: HttpRequest, reference: str) -> HttpResponse:
    """Put a good on the shelf."""
    good = listing_of(request, reference, EDIT_LISTINGS)
    try:
        publishing.publish(listing=good, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("“%(title)s” is on the shelf.") % {"title": good.get_title()})
    return redirect("desk:listing", reference)


@at_desk
@require_POST
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    """Take a good off the shelf."""
    good = listing_of(request, reference, EDIT_LISTINGS)
    try:
        publishing.withdraw(listing=good)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request,
            _("“%(title)s” is off the shelf. Orders under way go on.") % {"title": good.get_title()},
        )
    return redirect("desk:listing", reference)
