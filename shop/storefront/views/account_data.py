"""Her data: taken along in one file, or removed. Both ask for her password once more."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shop.core import clock
from shop.core.errors import Refused
from shop.customers import erasing, exporting
from shop.design.numbers import language_of
from shop.people.models import User
from shop.storefront.crumbs import account_crumbs


@never_cache
@login_required
def data(request: Any) -> HttpResponse:
    """What she may do with what we hold of her."""
    waiting = erasing.waiting_of(user=request.user)
    context = {
        "waiting": waiting,
        "open": erasing.open_orders(user=request.user) if waiting else [],
        "here": "data",
        "crumbs": account_crumbs(_("Your data")),
    }
    return render(request, "storefront/account_data.html", context)


@never_cache
@login_required
@require_POST
@reauthentication_required
def export(request: Any) -> HttpResponse:
    """Everything, as one file. Made on request, so it is a form; asked for her password first, it goes on by itself."""
    if not ratelimit.consume(request, action="export", user=request.user):
        return ratelimit.respond_429(request)
    at = clock.now()
    file = exporting.export(user=request.user, language=language_of(get_language()), at=at)
    response = HttpResponse(file, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="tadamon-{clock.day_of(at).isoformat()}.zip"'
    return response


@never_cache
@login_required
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: Any) -> HttpResponse:
    """What an erasure takes and what it leaves, then one button."""
    user = User.objects.get(pk=request.user.pk)
    wrong = ""
    if request.method == "POST":
        try:
            erasure = erasing.ask(user=user, at=clock.now())
        except Refused as refusal:
            wrong = str(refusal)
        else:
            if erasure.done_at is None:
                messages.success(request, _("Your data will be erased as soon as your last order is over."))
                return redirect("storefront:data")
            logout(request)
            context = {"erasure": erasure, "crumbs": account_crumbs(_("Erased"), of_account=False)}
            return render(request, "storefront/account_erased.html", context)
    elif erasing.works_here(user=user):
        wrong = str(erasing.WorksHere())
    context = {
        "wrong": wrong,
        "open": erasing.open_orders(user=user),
        "crumbs": account_crumbs(
            _("Erase"), parent={"name": _("Your data"), "url": reverse("storefront:data")}
        ),
    }
    return render(request, "storefront/account_erase.html", context, status=409 if wrong else 200)


@login_required
@require_POST
def keep_account(request: Any) -> HttpResponse:
    """She keeps her account after all."""
    if erasing.take_back(user=request.user):
        messages.success(request, _("Your account stays."))
    return redirect("storefront:data")
