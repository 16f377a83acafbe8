"""What a browser keeps of the shop: its light or dark, an icon to start it by, the last pages to read offline."""

from __future__ import annotations

import json
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language as current_language
from django.utils.translation import get_language_info, gettext, override
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

from shop.core.requests import own_address
from shop.design.context import THEMES
from shop.people.middleware import keep_theme
from shop.people.models import User

#: Stands beside this folder's templates because it is the storefront's own, and is served from the root: a
#: worker serves what lies below its address.
WORKER = Path(__file__).resolve().parent.parent / "worker.js"


@csrf_exempt  # It changes how she sees the shop and nothing else; so no page needs a token for it.
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device has it, in her account too; then back to the page the button stood on."""
    if request.method != "POST":
        return HttpResponseRedirect("/")
    chosen = request.POST.get("theme", "")
    if chosen not in (*THEMES, "system"):
        return HttpResponseBadRequest()
    response = HttpResponseRedirect(own_address(request, request.headers.get("Referer", "")) or "/")
    theme_ = "" if chosen == "system" else chosen
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(theme=theme_)
    keep_theme(response, theme_)
    return response


@cache_control(no_cache=True)
def worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the last pages, with its sentences in every language."""
    words = {}
    for code, _name in settings.LANGUAGES:
        with override(code):
            words[code] = {
                "offline": reverse("storefront:offline"),
                "seen": gettext("Seen on {when}, read offline. Prices and stock may have changed since."),
            }
    text = f"const WORDS = {json.dumps(words, ensure_ascii=False)};\n{WORKER.read_text(encoding='utf-8')}"
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")


@cache_control(max_age=24 * 3600, public=True)
def manifest(request: HttpRequest) -> JsonResponse:
    """How the shop stands among a phone's programs."""
    code = current_language() or settings.LANGUAGE_CODE
    described = {
        "name": gettext("Tadamon"),
        "short_name": gettext("Tadamon"),
        "description": gettext("The shop of the cooperatives of Morocco"),
        "lang": code,
        "dir": "rtl" if get_language_info(code)["bidi"] else "ltr",
        "id": reverse("storefront:home"),
        "start_url": reverse("storefront:home"),
        "scope": "/",
        "display": "minimal-ui",
        "background_color": "#fbfbf9",
        "theme_color": "#fbfbf9",
        "icons": [
            {"src": static("design/mark.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": static("design/icon-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": static("design/icon-512.png"), "sizes": "512x512", "type": "image/png"},
            {
                "src": static("design/icon-512.png"),
                "sizes": "512x512",
                "type": "image/png",
                "purpose": "maskable",
            },
        ],
    }
    return JsonResponse(described, content_type="application/manifest+json")


def offline(request: HttpRequest) -> HttpResponse:
    """What is shown for a page that was not kept; the worker fills in those that were."""
    return render(request, "storefront/offline.html")
