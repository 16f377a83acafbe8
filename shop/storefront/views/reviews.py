"""Reviews: all of a listing, and writing one about a good that has arrived."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from catalogue.models import Product
from shop.core import clock
from shop.core.errors import Refused
from shop.fulfilment import reviewing
from shop.fulfilment.models import Review
from shop.storefront import cards, reviews
from shop.storefront.crumbs import shop_crumb
from shop.storefront.forms import ReviewForm
from shop.storefront.views.orders import order_or_404

PER_PAGE = 20


@require_GET
def listing_reviews(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything customers said of a good on sale, the newest first."""
    found = Product.objects.on_sale(on=clock.today()).filter(slug=slug).select_related("cooperative").first()
    if found is None:
        raise Http404
    page = Paginator(Review.objects.shown(listing=found), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "storefront/reviews.html",
        {
            "listing": found,
            "page": page,
            "number": page.paginator.count,
            "rows": reviews.rows(page),
            "crumbs": [
                shop_crumb(),
                {"name": found.get_title(), "url": found.get_absolute_url()},
                {"name": _("Reviews")},
            ],
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: Any, number: str, reference: str) -> HttpResponse:
    """Write what she thinks of one good of her order; only once its parcel has arrived."""
    order = order_or_404(request, number)
    line = (
        order.lines.filter(product__reference=reference)
        .select_related("order", "product__parent", "supplier_line__supplier_order__order")
        .first()
    )
    if line is None or not hasattr(line, "supplier_line"):
        raise Http404
    part = line.supplier_line.supplier_order
    track = reverse("storefront:track", args=[order.number]) + f"#{part.reference}"
    offered = reviews.of_line(part, line)
    if request.method != "POST" and (offered is None or "url" not in offered):
        messages.info(request, offered["said"] if offered else str(reviewing.NotDeliveredYet()))
        return redirect(track)
    form = ReviewForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                reviewing.write(
                    order_line=line,
                    stars=int(form.cleaned_data["stars"]),
                    words=form.cleaned_data["words"],
                    language=get_language() or order.language,
                    at=clock.now(),
                )
            except reviewing.WordsRefused as refusal:
                form.add_error("words", str(refusal))
            except reviewing.EnoughForToday as refusal:
                form.add_error(None, str(refusal))
                status = 429
            except Refused as refusal:
                messages.error(request, str(refusal))
                return redirect(track)
            else:
                messages.success(request, _("Thank you for your review. We read it before it is shown."))
                return redirect(track)
    return render(
        request,
        "storefront/review.html",
        {
            "form": form,
            "line": line,
            "part": part,
            "picture": cards.pictures_of([line.product_id]).get(line.product_id),
            "track_url": track,
            "crumbs": [
                {"name": _("Your orders"), "url": reverse("storefront:account")},
                {"name": order.number, "url": reverse("storefront:track", args=[order.number])},
                {"name": _("Your review")},
            ],
        },
        status=status,
    )
