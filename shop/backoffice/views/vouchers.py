"""Vouchers: those of the shop, which finance issues and ends, and those that cooperatives give themselves."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from shop.backoffice.scope import PREPARE_MONEY, READ_MONEY, confirm, operator_required, show
from shop.core import clock
from shop.vouchers import codes, issuing, telling
from shop.vouchers.forms import EndForm, VoucherForm
from shop.vouchers.models import Voucher

PER_PAGE = 30


@operator_required(READ_MONEY)
def vouchers(request: HttpRequest) -> HttpResponse:
    """Every voucher with what it came to, the newest first."""
    found = Voucher.objects.select_related("cooperative")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "backoffice/vouchers.html",
        "vouchers",
        {"page": page, "rows": telling.rows(page, on=clock.day_of(clock.now()))},
    )


@operator_required(PREPARE_MONEY, "GET", "POST")
def issue_voucher(request: HttpRequest) -> HttpResponse:
    """A new voucher that the shop bears."""
    at = clock.now()
    form = VoucherForm(
        request.POST if request.method == "POST" else None, initial={"valid_from": clock.day_of(at)}
    )
    if request.method == "POST" and form.is_valid():
        voucher = form.issue(by=request.user, at=at)
        if voucher:
            messages.success(
                request, _("Issued. Its code is %(code)s.") % {"code": codes.grouped(voucher.code)}
            )
            return redirect("backoffice:vouchers")
    return confirm(
        request,
        "vouchers",
        heading=_("A new voucher"),
        said=[
            _(
                "The shop bears it: the cooperatives receive as much as ever, the difference is a cost of ours."
            ),
            _("What it promises is never changed. It can be ended on another day, or switched off."),
        ],
        form=form,
        submit=_("Issue it"),
        back=reverse("backoffice:vouchers"),
    )


@operator_required(PREPARE_MONEY, "GET", "POST")
def end_voucher(request: HttpRequest, reference: str) -> HttpResponse:
    """A voucher ends: after a last day, or at once."""
    voucher = get_object_or_404(Voucher, reference=reference)
    at = clock.now()
    form = EndForm(
        request.POST if request.method == "POST" else None,
        initial={"day": voucher.valid_until or clock.day_of(at)},
    )
    if request.method == "POST" and form.is_valid() and form.end(voucher=voucher, by=request.user, at=at):
        messages.success(request, _("The voucher ends as you said."))
        return redirect("backoffice:vouchers")
    return confirm(
        request,
        "vouchers",
        heading=_("End the voucher %(code)s") % {"code": codes.grouped(voucher.code)},
        said=[_("Orders already placed keep what it took off.")],
        form=form,
        submit=_("End it"),
        back=reverse("backoffice:vouchers"),
        impossible="" if voucher.is_active else str(issuing.AlreadyOff()),
    )
