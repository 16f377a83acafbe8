"""Pages that are text, the language switch, and what stands there when something is wrong."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import is_valid_path, reverse, translate_url
from django.utils.cache import patch_vary_headers
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, get_language_from_request, gettext_lazy, override
from django.utils.translation import gettext as _

from shop.design.numbers import language_of
from shop.people.middleware import keep_language
from shop.storefront import rooms

PAGES = {
    "how-we-work": gettext_lazy("How we work and share the price"),
    "terms": gettext_lazy("Terms of sale"),
    "withdrawal": gettext_lazy("Withdrawal and refunds"),
    "privacy": gettext_lazy("Personal data"),
    "legal": gettext_lazy("Contact and legal notice"),
}


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?")


def page(request: HttpRequest, slug: str) -> HttpResponse:
    """One of the texts, written in the reader's language, not translated sentence by sentence."""
    if slug not in PAGES:
        raise Http404
    language = language_of(get_language())
    return render(
        request,
        "storefront/page.html",
        {
            "title": PAGES[slug],
            "text": f"storefront/pages/{slug.replace('-', '_')}_{language}.html",
            "others": [
                {"name": title, "url": reverse("storefront:page", args=[each])}
                for each, title in PAGES.items()
                if each != slug
            ],
            "crumbs": [{"name": _("Shop"), "url": reverse("storefront:home")}, {"name": PAGES[slug]}],
            "return_days": settings.RETURN_WINDOW_DAYS,
            "acceptance_hours": settings.ACCEPTANCE_HOURS,
            "reservation_minutes": settings.CARD_RESERVATION_MINUTES,
        },
    )


def language(request: HttpRequest, code: str) -> HttpResponse:
    """Read on in another language: the same page, and this language from now on."""
    if code not in dict(settings.LANGUAGES):
        raise Http404
    next_url = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        next_url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        next_url = "/"
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
    return render(request, "404.html", context, status=404)


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
