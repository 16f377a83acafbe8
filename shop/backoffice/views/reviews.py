"""Reviews customers wrote: reading them before others do, showing them or saying why not."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from shop.backoffice import looks
from shop.backoffice.forms import ReviewReasonForm
from shop.backoffice.scope import CURATE, confirm, operator_required, show
from shop.core import clock
from shop.core.errors import Refused
from shop.fulfilment import reviewing
from shop.fulfilment.models import Review

PER_PAGE = 20
_State = Review.State
_KINDS = {_State.WAITING: "wait", _State.APPROVED: "ok", _State.DECLINED: ""}


@operator_required(CURATE)
def reviews(request: HttpRequest) -> HttpResponse:
    """Those nobody has read first, the oldest first; the others by what was decided."""
    wanted = request.GET.get("show", "")
    shown = wanted if wanted in _State.values else _State.WAITING.value
    counts = dict(Review.objects.order_by().values_list("state").annotate(number=Count("pk")))
    found = Review.objects.filter(state=shown).select_related(
        "listing__cooperative", "order_line__product__parent", "order_line__order"
    )
    order = ("written_at", "pk") if shown == _State.WAITING else ("-decided_at", "-pk")
    page = Paginator(found.order_by(*order), PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "backoffice/reviews.html",
        "reviews",
        {
            "chips": [
                {"name": f"{name} ({counts.get(code, 0)})", "url": f"?show={code}", "on": code == shown}
                for code, name in (
                    (_State.WAITING.value, _("To be read")),
                    (_State.APPROVED.value, _("Shown")),
                    (_State.DECLINED.value, _("Not shown")),
                )
            ],
            "shown": shown,
            "page": page,
            "rows": [_row(each) for each in page],
            "query": f"show={shown}",
        },
    )


def _row(review: Review) -> dict[str, Any]:
    return {
        "review": review,
        "title": review.order_line.shown_title,
        "state": looks.state(review.state, review.get_state_display())
        | {"kind": _KINDS[_State(review.state)]},
        "can_approve": review.state != _State.APPROVED,
        "can_decline": review.state != _State.DECLINED,
    }


@operator_required(CURATE, "POST")
def approve_review(request: HttpRequest, reference: str) -> HttpResponse:
    """Show it with the good."""
    found = get_object_or_404(Review, reference=reference)
    try:
        reviewing.approve(review=found, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The review is shown with the good."))
    return redirect("backoffice:reviews")


@operator_required(CURATE, "GET", "POST")
def decline_review(request: HttpRequest, reference: str) -> HttpResponse:
    """Not to be shown, with the reason its writer reads."""
    found = get_object_or_404(Review.objects.select_related("listing"), reference=reference)
    form = ReviewReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            reviewing.decline(
                review=found, by=request.user, reason=form.cleaned_data["reason"], at=clock.now()
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The review is not shown. Its writer reads why on her order."))
        return redirect("backoffice:reviews")
    return confirm(
        request,
        "reviews",
        heading=_("Do not show this review"),
        said=[f"« {found.words} »", _("A review is not hidden for being unkind: say which rule it breaks.")],
        form=form,
        submit=_("Do not show it"),
        back="../../",
        impossible=_("It is not shown already.") if found.state == _State.DECLINED else "",
    )
