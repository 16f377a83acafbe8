"""What others show of us: the card of a shared page, and the feeds of new goods."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import strip_tags
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalogue.models import Product
from cooperatives.models import Cooperative
from shop.core import clock
from shop.design import numbers
from shop.storefront import cards, share_cards
from shop.storefront.found import absolute

#: A card is looked up again after a day; its address changes with what it says.
CARD_SECONDS = 24 * 3600
FEED_SECONDS = 15 * 60
IN_A_FEED = 30


@require_safe
def share_card(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """The picture a messenger shows of a page."""
    found = share_cards.find(kind, key, on=clock.today())
    if found is None:
        raise Http404
    card, pictures = found
    etag = f'"{card.digest(pictures)}"'
    response = get_conditional_response(request, etag=etag)
    if not isinstance(response, HttpResponseNotModified):
        try:
            response = HttpResponse(share_cards.jpeg(card, pictures), content_type="image/jpeg")
        except share_cards.CardsBusy:
            return HttpResponse(status=503, headers={"Retry-After": "5"})
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={CARD_SECONDS}"
    return response


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """The newest goods of all cooperatives."""
    return _feed(
        title=_("New goods at Tadamon"),
        subtitle=_("What the cooperatives of Morocco have put on sale most recently."),
        page=reverse("storefront:home"),
        here=request.path,
        goods=Product.objects.on_sale(on=clock.today()),
    )


@require_safe
def cooperative_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest goods of one cooperative that sells."""
    maker = Cooperative.objects.selling().filter(slug=slug).first()
    if maker is None:
        raise Http404
    return _feed(
        title=_("New goods of %(maker)s") % {"maker": maker.name},
        subtitle="",
        page=reverse("storefront:cooperative", args=[maker.slug]),
        here=request.path,
        goods=Product.objects.on_sale(on=clock.today()).filter(cooperative=maker),
    )


def _feed(*, title: str, subtitle: str, page: str, here: str, goods: Any) -> HttpResponse:
    newest = list(goods.order_by("-date_created", "-id").for_cards(on=clock.today())[:IN_A_FEED])
    made = Atom1Feed(
        title=title,
        subtitle=subtitle,
        link=absolute(page),
        description=subtitle,
        language=get_language(),
        feed_url=absolute(here),
        feed_guid=absolute(page),
    )
    for each in newest:
        made.add_item(
            title=each.get_title(),
            link=absolute(each.get_absolute_url()),
            description=_sentence(each),
            author_name=each.cooperative.name,
            pubdate=each.published_at or each.date_created,
            updateddate=each.date_updated,
            unique_id=absolute(each.get_absolute_url()),
        )
    response = HttpResponse(made.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={FEED_SECONDS}"
    return response


def _sentence(listing: Product) -> str:
    """What it is, then what it costs."""
    price = cards.price_of(listing)
    said = [strip_tags(listing.description or ""), numbers.money_text(price) if price is not None else ""]
    return " · ".join(each for each in said if each)
