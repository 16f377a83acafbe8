"""What stood here once and is not sold today: what it was, why it is gone where everybody may know, the way on.

Answered as "gone" (410), so that search engines forget it and people are not left alone. What never stood
here is not found (404).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from catalogue.models import Product
from cooperatives.models import Certification, Cooperative, Label
from shop.core import clock
from shop.design import numbers
from shop.storefront import cards
from shop.storefront.crumbs import shop_crumb

GONE = 410
#: So many goods are offered instead, found among so many of the newest that fit.
INSTEAD, LOOKED_AT = 4, 24
#: So many cooperatives of the same region.
NEIGHBOURS = 6


def of_listing(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of a listing that was on sale and is not today; a variant leads to the good it belongs to.

    Raises Http404 for what was never shown.
    """
    found = (
        Product.objects.filter(slug=slug)
        .select_related("cooperative__region", "parent")
        .prefetch_related("images")
        .first()
    )
    if found is not None and found.parent is not None:
        return HttpResponsePermanentRedirect(found.get_absolute_url())
    if found is None or found.published_at is None:
        raise Http404
    on = clock.today()
    cooperative, sells = found.cooperative, found.cooperative.state == Cooperative.State.ACTIVE
    heading = _("%(name)s is no longer on sale") % {"name": found.get_title()}
    return _gone(
        request,
        heading=heading,
        said=_why(found, on),
        note=_("Have you ordered it? Your order goes on, and stays in your account."),
        picture=cards.picture(found),
        crumbs=[shop_crumb(), {"name": found.get_title()}],
        groups=_alternatives(found, on=on),
        ways=[
            *(
                [
                    {
                        "url": reverse("storefront:cooperative", args=[cooperative.slug]),
                        "link": _("All goods of this cooperative"),
                    }
                ]
                if sells
                else []
            ),
            {"url": reverse("storefront:listings"), "link": _("See all goods")},
        ],
    )


def of_cooperative(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of a cooperative that does not sell here today, with others of its region.

    Whether it left or was suspended is nobody's business. Raises Http404 for one that was never here.
    """
    found = Cooperative.objects.select_related("region").filter(slug=slug).first()
    if found is None:
        raise Http404
    on = clock.today()
    neighbours = list(Cooperative.objects.selling().filter(region=found.region).order_by("code")[:NEIGHBOURS])
    goods = Product.objects.on_sale(on=on).filter(origin_region=found.region)
    region = {"name": found.region.name, "url": reverse("storefront:region", args=[found.region.code])}
    return _gone(
        request,
        heading=_("%(name)s does not sell here today") % {"name": found.name},
        said=_("Its goods are not on sale at present."),
        note=_("Have you ordered from it? Your orders stay in your account, with all their papers."),
        crumbs=[
            shop_crumb(),
            {"name": _("Cooperatives"), "url": reverse("storefront:cooperatives")},
            {"name": found.name},
        ],
        makers=[
            {
                "name": each.name,
                "place": each.place,
                "url": reverse("storefront:cooperative", args=[each.slug]),
            }
            for each in neighbours
        ],
        makers_title=_("Cooperatives of the region %(region)s") % {"region": found.region.name},
        groups=_groups([(_("Goods of the region %(region)s") % {"region": found.region.name}, goods)], on=on),
        ways=[
            {"url": reverse("storefront:cooperatives"), "link": _("See the cooperatives")},
            {"url": region["url"], "link": _("Goods of the region")},
        ],
    )


def status_of_label(label: Label, *, held: bool, on: date) -> int:
    """Gone when it was held once and nobody holds it today; else as usual."""
    lapsed = Certification.objects.filter(label=label, state=Certification.State.VERIFIED, valid_until__lt=on)
    return 200 if held or not lapsed.exists() else GONE


def _why(found: Product, on: date) -> str:
    """In plain words, where the reason is everybody's to know; else only that it is so."""
    if found.cooperative.state != Cooperative.State.ACTIVE:
        return _("It is not sold here at present.")
    if found.state == Product.State.WITHDRAWN:
        return _("Its cooperative has taken it off the shelf.")
    lapsed = (
        Certification.objects.filter(
            claims__listing=found, state=Certification.State.VERIFIED, valid_until__lt=on
        )
        .select_related("label")
        .order_by("-valid_until")
        .first()
    )
    if lapsed is not None:
        return _(
            "It carries the label %(label)s, and the certificate for it lapsed on %(day)s. "
            "It is shown again once a new certificate has been checked."
        ) % {"label": lapsed.label.short_name, "day": numbers.day_text(lapsed.valid_until)}
    return _("It is not sold here at present.")


def _alternatives(found: Product, *, on: date) -> list[dict[str, Any]]:
    """In stock: goods of the same cooperative, then others of the same kind."""
    others = Product.objects.on_sale(on=on).exclude(pk=found.pk)
    wanted = [(_("From the same cooperative"), others.filter(cooperative=found.cooperative))]
    if found.family:
        akin = others.filter(family=found.family).exclude(cooperative=found.cooperative)
        wanted.append((_("Of the same kind"), akin))
    return _groups(wanted, on=on)


def _groups(wanted: list[tuple[str, QuerySet[Product]]], *, on: date) -> list[dict[str, Any]]:
    """Headings with the newest goods that can be bought; a heading with none is left out."""
    found = []
    for name, goods in wanted:
        newest = goods.order_by("-date_created", "-id").for_cards(on=on)[:LOOKED_AT]  # type: ignore[attr-defined]
        there = [each for each in newest if cards.left_of(each) > 0][:INSTEAD]
        if there:
            found.append((name, there))
    terms = cards.terms_for([each for _name, there in found for each in there], on)
    return [{"name": name, "cards": cards.cards(there, terms=terms)} for name, there in found]


def _gone(request: HttpRequest, **context: Any) -> HttpResponse:
    return render(request, "storefront/gone.html", {"gone": True, **context}, status=GONE)
