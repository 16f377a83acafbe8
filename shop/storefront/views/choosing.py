"""The basket: what is in it, by cooperative, and how it changes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from moneyed import MAD, Money

from catalogue.models import Product
from cooperatives.models import Cooperative
from cooperatives.terms import NoFeeTerms, terms_of
from shop.checkout import estimating, filling, middleware
from shop.checkout.filling import Content
from shop.core import clock
from shop.core.errors import Refused
from shop.core.money import total
from shop.core.prepared import Prepared
from shop.core.requests import token_or_own_page
from shop.design.numbers import money_text
from shop.pricing.fees import fees
from shop.storefront import cards, shelves, vouchering
from shop.storefront.forms import quantity_from
from shop.storefront.views.listing import listing_page
from shop.storefront.views.orders import waiting_for

#: What somebody types or pastes as a code, at most.
_LONGEST_CODE = 60


def basket(request: HttpRequest) -> HttpResponse:
    """What she has chosen, grouped by who makes it."""
    return basket_page(request)


def basket_page(
    request: Any,
    *,
    wrong: str = "",
    wrong_at: str = "",
    typed: str = "",
    code: str = "",
    wrong_code: str = "",
    status: int = 200,
) -> HttpResponse:
    """The basket; ``wrong`` says what could not be done, ``wrong_at`` to which listing (a slug) and ``typed``
    which quantity of it was refused; ``code`` is a voucher's that was refused and ``wrong_code`` why."""
    at = clock.now()
    contents = filling.contents(basket=request.basket, at=at)
    request.basket_count = sum(each.quantity for each in contents)
    parts = group(contents, at)
    for line in [each for part in parts for each in part["lines"] if typed and each["slug"] == wrong_at]:
        line["typed"] = typed
    voucher = vouchering.chosen(request, contents, at)
    goods = total([each.amount for each in contents], MAD)
    can_go_on = bool(contents) and not any(each.problem for each in contents)
    return render(
        request,
        "storefront/basket.html",
        {
            "parts": parts,
            "pieces": request.basket_count,
            "goods": goods,
            "voucher": voucher,
            "left": goods - voucher.amount,
            "code": code,
            "wrong_code": wrong_code,
            "delivery_from": total([each["estimate"].least for each in parts if each["estimate"]], MAD),
            "shared": _shared(contents, voucher.for_goods(contents), at),
            "shared_sum": _("Price of the goods, the shop's voucher included")
            if voucher.reduction and voucher.reduction.is_by_shop
            else "",
            "can_go_on": can_go_on,
            "wrong": wrong,
            "wrong_at": wrong_at,
            "unpaid": [] if parts else waiting_for(request, at),
            "newest_picture": None if parts else shelves.newest_picture(on=clock.day_of(at)),
        },
        status=status,
    )


def group(contents: list[Content], at: Any) -> list[dict[str, Any]]:
    """The goods of a basket by cooperative, as ``design/_basket_box.html`` shows them."""
    pictures = cards.pictures_of(each.listing.pk for each in contents) if contents else {}
    makers: dict[Cooperative, list[Content]] = {}
    for each in contents:
        makers.setdefault(each.listing.cooperative, []).append(each)
    weights = [
        (maker, sum(each.listing.gross_weight_g * each.quantity for each in theirs))
        for maker, theirs in makers.items()
    ]
    estimated = estimating.estimates(parcels=weights, on=clock.day_of(at)) if weights else {}
    parts = []
    for maker, theirs in sorted(makers.items(), key=lambda each: each[0].code):
        parts.append(
            {
                "name": maker.name,
                "url": reverse("storefront:cooperative", args=[maker.slug]),
                "place": maker.place,
                "lines": [_line(each, pictures[each.listing.pk]) for each in theirs],
                "estimate": estimated.get(maker.pk),
                "cooperative": maker,
                "goods": total([each.amount for each in theirs], MAD),
            }
        )
    return parts


def _line(content: Content, picture: dict[str, Any]) -> dict[str, Any]:
    listing, left = content.listing, content.left
    line: dict[str, Any] = {
        "title": listing.get_title(),
        "url": listing.get_absolute_url() if content.on_sale else "",
        "picture": picture,
        "amount": content.amount,
        # A variant told apart by its contents has them in its name.
        "unit": "" if listing.unit == listing.variant else listing.unit or "",
        "each": content.price,
        "quantity": content.quantity,
        "slug": listing.slug,
        "choices": range(1, min(left, 10) + 1) if content.quantity <= 10 and left >= content.quantity else (),
        "most": min(left, filling.MOST_OF_ONE),
        "can_change": content.on_sale and left > 0,
        "was": content.seen if content.price_changed and content.on_sale else None,
    }
    if not content.on_sale:
        line["state"] = {"kind": "bad", "text": _("No longer on sale: take it out")}
    elif not left:
        line["state"] = {"kind": "bad", "text": _("Sold out: take it out")}
    elif left < content.quantity:
        said = ngettext(
            "Only %(left)s left: choose a smaller quantity",
            "Only %(left)s left: choose a smaller quantity",
            left,
        )
        line["state"] = {"kind": "wait", "text": said % {"left": left}}
    return line


def _shared(contents: list[Content], prices: list[Money], at: Any) -> dict[str, Any] | None:
    """What becomes of the goods' price, added up over the cooperatives as the books will do it. ``prices`` are
    what each line sells for."""
    makers = {each.listing.cooperative for each in contents}
    try:
        in_force = terms_of(cooperatives=makers, on=clock.day_of(at)) if makers else {}
    except NoFeeTerms:
        return None
    kept = [
        fees(
            goods=total(
                [
                    price
                    for each, price in zip(contents, prices, strict=True)
                    if each.listing.cooperative_id == maker.pk
                ],
                MAD,
            ),
            terms=in_force[maker.pk],
        )
        for maker in makers
    ]
    if not kept:
        return None
    return {
        "coop": total([each.producer_share for each in kept], MAD),
        "shop": total([each.commission_net for each in kept], MAD),
        "vat": total([each.commission_vat for each in kept], MAD),
        "fund": total([each.solidarity for each in kept], MAD),
        "sum": total([each.goods for each in kept], MAD),
    }


@token_or_own_page
@require_POST
def basket_add(request: Any, slug: str) -> HttpResponse:
    """Put a good into the basket."""
    listing = _named(slug, request.POST.get("variant", ""))
    if listing is None:
        raise Http404
    typed = request.POST.get("quantity", "1")
    try:
        quantity = quantity_from(typed)
        filling.add(basket=middleware.own(request), listing=listing, quantity=quantity, at=clock.now())
    except filling.NotOnSale as refusal:
        return _in_place(request, basket_page(request, wrong=str(refusal), status=409))
    except filling.ChooseVariant as refusal:
        return _in_place(request, listing_page(request, slug, wrong=str(refusal), status=400))
    except filling.QuantityRefused as refusal:
        return _in_place(request, listing_page(request, slug, wrong=str(refusal), typed=typed, status=400))
    except Refused as refusal:
        return _in_place(request, listing_page(request, slug, wrong=str(refusal), typed=typed, status=409))
    request.basket_count += quantity
    said = _("“%(title)s” is in your basket.") % {"title": listing.get_title()}
    if request.htmx:
        context = {"text": said, "basket_count": request.basket_count}
        return render(request, "storefront/_added.html", context)
    messages.success(request, said)
    return redirect("storefront:basket")


def _in_place(request: Any, page: HttpResponse) -> HttpResponse:
    """A script asked for one line and gets a page that says what is wrong: its middle takes the old one's place."""
    if not request.htmx:
        return page
    page["HX-Retarget"] = page["HX-Reselect"] = "#main"
    page["HX-Reswap"] = "outerHTML"
    return page


def _named(slug: str, variant: str) -> Product | None:
    """The listing of that name, or the variant of it that is named too."""
    listing: Product | None = next(iter(_NAMED.records(slug=slug)), None)
    if listing is None or not listing.has_variants or not variant:
        return listing
    found = Product.objects.select_related("cooperative", "parent")
    return found.filter(parent=listing, reference=variant).first()


def _ask_named(*, language: str, slug: str) -> QuerySet[Product]:
    return Product.objects.select_related("cooperative").filter(slug=slug, parent=None)[:1]


_NAMED = Prepared(_ask_named)


@require_POST
def basket_update(request: Any, line: str) -> HttpResponse:
    """Another quantity of a good in this basket, or none. ``line`` is the listing's slug: a line of another
    basket cannot even be named."""
    in_basket = Product.objects.filter(slug=line, basket_lines__basket=request.basket.pk)
    listing = in_basket.select_related("parent").first()
    if listing is None:
        raise Http404
    typed = request.POST.get("quantity", "")
    try:
        if "remove" in request.POST:
            filling.remove(basket=request.basket, listing=listing)
            messages.success(request, _("“%(title)s” was taken out.") % {"title": listing.get_title()})
        else:
            quantity = quantity_from(typed)
            filling.change(basket=request.basket, listing=listing, quantity=quantity, at=clock.now())
    except filling.QuantityRefused as refusal:
        return basket_page(request, wrong=str(refusal), wrong_at=line, typed=typed, status=400)
    except Refused as refusal:
        return basket_page(request, wrong=str(refusal), wrong_at=line, typed=typed, status=409)
    return redirect("storefront:basket")


@require_POST
def use_voucher(request: Any) -> HttpResponse:
    """A voucher's code for this basket; or, with ``remove``, none any more."""
    if "remove" in request.POST:
        vouchering.forget(request)
        messages.success(request, _("The voucher was taken away."))
        return redirect("storefront:basket")
    at, typed = clock.now(), request.POST.get("code", "")[:_LONGEST_CODE]
    contents = filling.contents(basket=request.basket, at=at)
    if not contents:
        return redirect("storefront:basket")
    try:
        used = vouchering.choose(request, contents, typed, at)
    except vouchering.TooManyTries as refusal:
        return basket_page(request, code=typed, wrong_code=str(refusal), status=429)
    except Refused as refusal:
        return basket_page(request, code=typed, wrong_code=str(refusal), status=422)
    messages.success(
        request, _("%(amount)s come off your goods.") % {"amount": money_text(used.amount, style="short")}
    )
    return redirect("storefront:basket")
