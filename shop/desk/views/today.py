"""The first page: what waits, then money, then stock."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cooperatives.models import Cooperative
from shop.core import clock
from shop.desk import looks, money, waiting
from shop.desk.scope import CHOSEN, at_desk, cooperative_of, frame


@at_desk
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """What waits for you today."""
    cooperative = cooperative_of(request)
    at = clock.now()
    around = frame(request, cooperative, "today")
    sums = money.sums_of(cooperative=cooperative, at=at) if around["may"]["see_money"] else None
    return render(
        request,
        "desk/today.html",
        around
        | {
            "at": at,
            "tasks": waiting.tasks_of(cooperative=cooperative, may=around["may"], at=at, sums=sums),
            "sums": sums,
            "low": [looks.listing_row(each) for each in waiting.low_stock(cooperative=cooperative)],
        },
    )


@at_desk
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Work for another of one's cooperatives from now on."""
    own = Cooperative.objects.of(request.user)
    cooperative = get_object_or_404(own, code=request.POST.get("cooperative", ""))
    request.session[CHOSEN] = cooperative.code
    messages.success(request, _("You now work for %(name)s.") % {"name": cooperative.name})
    return redirect("desk:today")
