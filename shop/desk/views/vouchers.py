"""Vouchers a cooperative gives on its own goods, at its own cost."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cooperatives import packing as offering
from cooperatives.models import Cooperative
from shop.core import clock
from shop.core.errors import Refused
from shop.desk.scope import EDIT_LISTINGS, at_desk, cooperative_of, frame, require
from shop.vouchers import codes, telling
from shop.vouchers.forms import EndForm, PackingForm, VoucherForm
from shop.vouchers.models import Voucher

PER_PAGE = 30


@at_desk
@require_GET
def vouchers(request: HttpRequest) -> HttpResponse:
    """What the cooperative gives and gave, the newest first."""
    return _page(request, cooperative_of(request, EDIT_LISTINGS))


def _page(request: HttpRequest, cooperative: Cooperative, packing: PackingForm | None = None) -> HttpResponse:
    """``packing`` is a form that was refused."""
    found = Voucher.objects.of(request.user).filter(cooperative=cooperative)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/vouchers.html",
        frame(request, cooperative, "listings")
        | {
            "page": page,
            "rows": telling.rows(page, on=clock.day_of(clock.now())),
            "packing": packing or PackingForm(initial={"price": cooperative.gift_packing}),
        },
        status=422 if packing else 200,
    )


@at_desk
@require_POST
def gift_packing(request: HttpRequest) -> HttpResponse:
    """What the cooperative asks for packing a parcel as a gift, from now on; empty when it does not."""
    cooperative = cooperative_of(request, EDIT_LISTINGS)
    form = PackingForm(request.POST)
    if not form.is_valid():
        return _page(request, cooperative, form)
    try:
        offered = offering.offer(cooperative=cooperative, price=form.cleaned_data["price"])
    except Refused as refusal:
        form.add_error("price", str(refusal))
        return _page(request, cooperative, form)
    messages.success(
        request,
        _("Customers can now ask you to pack a gift.")
        if offered.gift_packing
        else _("You no longer offer gift packing."),
    )
    return redirect("desk:vouchers")


@at_desk
@require_http_methods(["GET", "POST"])
def issue_voucher(request: HttpRequest) -> HttpResponse:
    """A new voucher on the cooperative's own goods."""
    cooperative = cooperative_of(request, EDIT_LISTINGS)
    at = clock.now()
    form = VoucherForm(
        request.POST if request.method == "POST" else None, initial={"valid_from": clock.day_of(at)}
    )
    if request.method == "POST" and form.is_valid():
        voucher = form.issue(by=request.user, at=at, cooperative=cooperative)
        if voucher:
            messages.success(
                request, _("Issued. Its code is %(code)s.") % {"code": codes.grouped(voucher.code)}
            )
            return redirect("desk:vouchers")
    return render(
        request,
        "desk/ask.html",
        frame(request, cooperative, "listings")
        | {
            "heading": _("A new voucher"),
            "said": _(
                "It is for your own goods, and you bear it: you sell for less, and commission is of the less."
            ),
            "consequences": [
                _("What it promises is never changed. It can be ended on another day, or switched off.")
            ],
            "form": form,
            "action": reverse("desk:issue_voucher"),
            "submit": _("Issue it"),
            "back_url": reverse("desk:vouchers"),
        },
        status=422 if form.errors else 200,
    )


@at_desk
@require_http_methods(["GET", "POST"])
def end_voucher(request: HttpRequest, reference: str) -> HttpResponse:
    """A voucher of hers ends: after a last day, or at once. Another cooperative's does not exist here."""
    voucher = get_object_or_404(
        Voucher.objects.of(request.user).select_related("cooperative"), reference=reference
    )
    cooperative = voucher.cooperative
    assert cooperative is not None
    require(request, EDIT_LISTINGS, cooperative)
    at = clock.now()
    form = EndForm(
        request.POST if request.method == "POST" else None,
        initial={"day": voucher.valid_until or clock.day_of(at)},
    )
    if request.method == "POST" and form.is_valid() and form.end(voucher=voucher, by=request.user, at=at):
        messages.success(request, _("The voucher ends as you said."))
        return redirect("desk:vouchers")
    return render(
        request,
        "desk/ask.html",
        frame(request, cooperative, "listings")
        | {
            "heading": _("End the voucher %(code)s") % {"code": codes.grouped(voucher.code)},
            "said": _("Orders already placed keep what it took off."),
            "form": form,
            "action": reverse("desk:end_voucher", args=[voucher.reference]),
            "submit": _("End it"),
            "back_url": reverse("desk:vouchers"),
        },
        status=422 if form.errors else 200,
    )
