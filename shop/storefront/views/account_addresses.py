"""Her address book."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from shop.addresses.models import UserAddress
from shop.core.errors import Refused
from shop.customers import addressing
from shop.storefront.crumbs import account_crumbs
from shop.storefront.forms import AddressForm, answers_of
from shop.storefront.views.ordering import towns_of


@never_cache
@login_required
def addresses(request: Any) -> HttpResponse:
    """All of them, the default first."""
    return render(
        request,
        "storefront/account_addresses.html",
        {
            "addresses": addressing.of(user=request.user),
            "here": "addresses",
            "crumbs": account_crumbs(_("Addresses")),
        },
    )


@never_cache
@login_required
def address_new(request: Any) -> HttpResponse:
    """Write a new one."""
    return _form(request, None)


@never_cache
@login_required
def address(request: Any, mark: str) -> HttpResponse:
    """Change one that is there."""
    return _form(request, _hers(request, mark))


def _hers(request: Any, mark: str) -> UserAddress:
    found = addressing.named(user=request.user, mark=mark)
    if found is None:
        raise Http404
    return found


def _form(request: Any, kept: UserAddress | None) -> HttpResponse:
    user = request.user
    first = {"name": user.get_full_name(), "phone": str(user.phone or "")}
    form = AddressForm(
        request.POST or None, user=user, initial=answers_of(kept) if kept is not None else first
    )
    wrong = ""
    if request.method == "POST" and form.is_valid():
        try:
            addressing.keep(
                user=user,
                place=form.address,
                instead_of=kept,
                is_default=form.cleaned_data["is_default"],
            )
        except Refused as refusal:
            wrong = str(refusal)
        else:
            messages.success(request, _("The address is kept."))
            return redirect("storefront:addresses")
    title = _("Change the address") if kept else _("New address")
    return render(
        request,
        "storefront/account_address.html",
        {
            "form": form,
            "wrong": wrong,
            "title": title,
            "towns": towns_of(form["region"].value() or ""),
            "here": "addresses",
            "crumbs": account_crumbs(
                title, parent={"name": _("Addresses"), "url": reverse("storefront:addresses")}
            ),
        },
        status=409 if wrong else 422 if form.errors else 200,
    )


@login_required
@require_POST
def address_remove(request: Any, mark: str) -> HttpResponse:
    """Take one out of the book."""
    addressing.remove(address=_hers(request, mark))
    messages.success(request, _("The address is removed. Orders on their way there keep it."))
    return redirect("storefront:addresses")


@login_required
@require_POST
def address_default(request: Any, mark: str) -> HttpResponse:
    """The checkout begins with this one."""
    addressing.make_default(address=_hers(request, mark))
    messages.success(request, _("The checkout now begins with this address."))
    return redirect("storefront:addresses")
