"""Where her goods are to go: asked once, on a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shop.core.requests import own_address, token_or_own_page
from shop.storefront import destinations
from shop.storefront.crumbs import shop_crumb
from shop.storefront.forms import DestinationForm


@token_or_own_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def destination(request: Any) -> HttpResponse:
    """Choose a town, or a region as a whole; then back to where she came from."""
    back = _back(request)
    form = DestinationForm(request.POST or None)
    if form.is_bound and form.is_valid():
        response = redirect(back)
        destinations.keep(response, form.cleaned_data["code"])
        messages.success(request, _("Delivery is now shown for %(place)s.") % {"place": form.place})
        return response
    return render(
        request,
        "storefront/destination.html",
        {
            "form": form,
            "back": back,
            "here": destinations.of(request),
            "crumbs": [shop_crumb(), {"name": _("Where to deliver")}],
        },
        status=422 if form.errors else 200,
    )


def _back(request: Any) -> str:
    """Where she came from, within this shop; else all goods."""
    named = request.POST.get("next") or request.GET.get("next") or ""
    return own_address(request, named) or reverse("storefront:listings")
