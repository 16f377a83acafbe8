"""Pages that are text, the language switch, and what stands there when something is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.paginator import Paginator
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import is_valid_path, reverse, translate_url
from django.utils.cache import patch_vary_headers
from django.utils.encoding import iri_to_uri
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_from_request, gettext_lazy, override
from django.utils.translation import gettext as _
from moneyed import MAD, Money

from cooperatives.models import Cooperative, FeeTerms
from shop.checkout.middleware import COUNT_COOKIE
from shop.core import clock
from shop.core.money import from_minor
from shop.core.requests import own_address
from shop.design.context import THEME_COOKIE
from shop.design.numbers import language_of, percent_text
from shop.fulfilment.models import DeliveryRate
from shop.payments.refunding import DAYS_TO_PAY
from shop.people.middleware import keep_language
from shop.pricing.fees import fees
from shop.storefront import cards, destinations, rooms
from shop.storefront.crumbs import shop_crumb


@dataclass(frozen=True)
class Text:
    """A page that is text, and the day its present version holds from."""

    title: Any
    changed_on: date = date(2026, 11, 28)


PAGES = {
    "how-we-work": Text(gettext_lazy("How we work and share the price")),
    "delivery": Text(gettext_lazy("Delivery and returns")),
    "payment": Text(gettext_lazy("Payment")),
    "terms": Text(gettext_lazy("Terms of sale")),
    "withdrawal": Text(gettext_lazy("Withdrawal and refunds")),
    "privacy": Text(gettext_lazy("Personal data")),
    "legal": Text(gettext_lazy("Contact and legal notice")),
}
#: What the page on personal data says of each cookie: name, what for, how long. There are no others.
COOKIES = (
    (
        settings.SESSION_COOKIE_NAME,
        gettext_lazy("knows your basket and your account again from page to page"),
        gettext_lazy("two weeks"),
    ),
    (
        settings.CSRF_COOKIE_NAME,
        gettext_lazy("makes sure that a form comes from you"),
        gettext_lazy("one year"),
    ),
    (settings.LANGUAGE_COOKIE_NAME, gettext_lazy("the language you read"), gettext_lazy("one year")),
    (COUNT_COOKIE, gettext_lazy("the number beside the basket"), gettext_lazy("30 days")),
    (THEME_COOKIE, gettext_lazy("light or dark pages, if you chose"), gettext_lazy("one year")),
    (
        destinations.COOKIE,
        gettext_lazy("the place you asked delivery for, if you named one"),
        gettext_lazy("180 days"),
    ),
    (
        "messages",
        gettext_lazy("the sentence that follows what you did, such as “added to the basket”"),
        gettext_lazy("until the next page"),
    ),
)
#: The price that the page on sharing tells apart.
EXAMPLE = Money(150, MAD)
#: So many sellers on one page.
SELLERS_ON_A_PAGE = 60

_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")


def page(request: HttpRequest, slug: str) -> HttpResponse:
    """One of the texts, written in the reader's language, not translated sentence by sentence."""
    if slug not in PAGES:
        raise Http404
    language = language_of(get_language())
    on = clock.today()
    text = render_to_string(
        f"storefront/pages/{slug.replace('-', '_')}_{language}.html",
        {
            "return_days": settings.RETURN_WINDOW_DAYS,
            "acceptance_hours": settings.ACCEPTANCE_HOURS,
            "reservation_minutes": settings.CARD_RESERVATION_MINUTES,
            "refund_days": DAYS_TO_PAY,
            "guest_link_days": settings.GUEST_LINK_DAYS,
            "shown_days": settings.CUSTOMER_SHOWN_DAYS,
            **(_sharing(on) if slug == "how-we-work" else {}),
            "delivery": _delivery(on) if slug == "delivery" else None,
            "cookies": [{"name": each[0], "what": each[1], "how_long": each[2]} for each in COOKIES],
        },
        request,
    )
    text, sections = _numbered(text)
    return render(
        request,
        "storefront/page.html",
        {
            "title": PAGES[slug].title,
            "text": text,
            "sections": sections,
            "changed_on": PAGES[slug].changed_on,
            "others": other_pages(slug),
            "crumbs": [shop_crumb(), {"name": PAGES[slug].title}],
        },
    )


def sellers(request: HttpRequest) -> HttpResponse:
    """Who sells here, each with what the law wants told of a seller."""
    found = Cooperative.objects.selling().order_by("code")
    page = Paginator(found, SELLERS_ON_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "storefront/sellers.html",
        {
            "page": page,
            "sellers": [
                {
                    "name": each.name,
                    "url": reverse("storefront:cooperative", args=[each.slug]),
                    "rows": cards.identity(each)[1:],
                }
                for each in page.object_list
            ],
            "others": other_pages(""),
            "crumbs": [shop_crumb(), {"name": _("Legal identity of the sellers")}],
        },
    )


def other_pages(here: str) -> list[dict[str, Any]]:
    """The other texts, for the foot of one."""
    return [
        {"name": each.title, "url": reverse("storefront:page", args=[slug])}
        for slug, each in PAGES.items()
        if slug != here
    ]


def _numbered(text: str) -> tuple[SafeString, list[dict[str, str]]]:
    """The text with an anchor on each heading, and its table of contents.

    Anchors are numbers: a link to a section leads to the same one in every language.
    """
    sections: list[dict[str, str]] = []

    def anchor(found: re.Match[str]) -> str:
        sections.append({"anchor": f"s{len(sections) + 1}", "name": mark_safe(found[1].strip())})
        return f'<h2 id="{sections[-1]["anchor"]}">{found[1]}</h2>'

    return mark_safe(_HEADING.sub(anchor, text)), sections


def _sharing(on: date) -> dict[str, Any]:
    """How a price is shared today, by the general terms; nothing while none are in force."""
    terms = FeeTerms.objects.on(on).filter(cooperative=None).first()
    if terms is None:
        return {}
    shared = fees(goods=EXAMPLE, terms=terms)
    return {
        "commission_rate": percent_text(terms.commission_rate),
        "solidarity_rate": percent_text(terms.solidarity_rate),
        "example": EXAMPLE,
        "parts": {
            "coop": shared.producer_share,
            "shop": shared.commission_net,
            "vat": shared.commission_vat,
            "fund": shared.solidarity,
            "sum": EXAMPLE,
        },
    }


def _delivery(on: date) -> dict[str, Any] | None:
    """What a light parcel costs at least, and in how many working days parcels arrive."""
    found = DeliveryRate.objects.in_force(on=on).aggregate(
        least=Min("price_minor"), days_least=Min("days_least"), days_most=Max("days_most")
    )
    if found["least"] is None:
        return None
    return {**found, "least": from_minor(found["least"], "MAD")}


def language(request: HttpRequest, code: str) -> HttpResponse:
    """Read on in another language: the same page, and this language from now on."""
    if code not in dict(settings.LANGUAGES):
        raise Http404
    next_url = own_address(request, request.GET.get("next", "")) or "/"
    translated = translate_url(next_url, code)
    if translated == next_url and not next_url.startswith(f"/{code}/"):
        with override(code):
            translated = reverse("storefront:home") if next_url == "/" else next_url
    response = HttpResponseRedirect(translated)
    keep_language(response, code)
    return response


def root(request: HttpRequest) -> HttpResponse:
    """``/`` leads to the language chosen before, else to the one the browser asks for."""
    response = HttpResponseRedirect(f"/{language_of(get_language_from_request(request))}/")
    patch_vary_headers(response, ("Cookie", "Accept-Language"))
    response["Cache-Control"] = "private, no-store"
    return response


def bad_request(request: HttpRequest, exception: Any) -> HttpResponse:
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Any) -> HttpResponse:
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Any) -> HttpResponse:
    """What was looked for, and ways back within the room it was looked for in.

    An address in a language we do not speak leads to the same page in the one the browser asks for.
    """
    elsewhere = _in_a_language_of_ours(request)
    if elsewhere:
        return HttpResponseRedirect(elsewhere)
    context = rooms.not_found_in(request) if hasattr(request, "user") else {}
    in_shop = not request.path_info.startswith(("/desk/", "/backoffice/"))
    return render(request, "404.html", {**context, "in_shop": in_shop}, status=404)


def _in_a_language_of_ours(request: HttpRequest) -> str:
    """For ``/de/goods/`` or ``/fr-ma/goods/`` the page it means, query and all; else nothing."""
    code, _slash, rest = request.path_info.lstrip("/").partition("/")
    if (
        request.method not in ("GET", "HEAD")
        or not _LANGUAGE.fullmatch(code)
        or code in dict(settings.LANGUAGES)
    ):
        return ""
    base = code.lower().partition("-")[0]
    if base not in LANG_INFO and code.lower() not in LANG_INFO:
        return ""
    ours = base if base in dict(settings.LANGUAGES) else language_of(get_language_from_request(request))
    path = f"/{ours}/{rest}"
    if not is_valid_path(path) and not is_valid_path(f"{path}/"):
        return ""
    query = request.META.get("QUERY_STRING", "")
    return iri_to_uri(f"{quote(path)}{'?' if query else ''}{query}")


def server_error(request: HttpRequest) -> HttpResponse:
    """Uses nothing that may be what broke: no context, no database."""
    return HttpResponse(render_to_string("500.html"), status=500)
