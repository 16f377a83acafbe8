"""Her account: orders, what it knows of her, how pages look; and the ways of a guest to her order."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from catalogue.models import Product
from shop.checkout import filling, finding_again, middleware
from shop.core import clock
from shop.core.errors import Refused
from shop.customers import owning
from shop.orders import links
from shop.people.middleware import keep_language, keep_theme
from shop.people.models import Theme
from shop.storefront import following, rooms
from shop.storefront.crumbs import account_crumbs
from shop.storefront.forms import FindOrderForm, PersonForm
from shop.storefront.views.orders import order_or_404, remember, waiting_for

_ORDERS = 20


@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Her orders; for everybody else the ways to an order."""
    return account_page(request)


def account_page(
    request: Any, *, form: FindOrderForm | None = None, wrong: str = "", status: int = 200
) -> HttpResponse:
    """The orders, or what a guest finds in their place; ``wrong`` says why a link did not open one."""
    context: dict[str, Any] = {
        "form": form or FindOrderForm(),
        "wrong": wrong,
        "rooms": rooms.of(request.user),
        "unpaid": waiting_for(request, clock.now()),
        "here": "account",
        "crumbs": account_crumbs(),
    }
    if request.user.is_authenticated:
        found = owning.orders_of(user=request.user).order_by("-date_placed", "-pk")
        page = Paginator(found.prefetch_related("supplier_orders", "lines__product__parent"), _ORDERS)
        context["page"] = shown = page.get_page(request.GET.get("page"))
        context["orders"] = _rows(list(shown))
    return render(request, "storefront/account.html", context, status=status)


def _rows(orders: list[Any]) -> list[dict[str, Any]]:
    bought = {line.product_id for order in orders for line in order.lines.all()}
    for_sale = set(
        Product.objects.buyable(on=clock.today()).filter(pk__in=bought).values_list("pk", flat=True)
    )
    rows = []
    for order in orders:
        lines = list(order.lines.all())
        for line in lines:
            line.order = order  # fetched already; its title asks for the language
        rows.append(
            {
                "number": order.number,
                "url": reverse("storefront:track", args=[order.number]),
                "at": order.date_placed,
                "total": order.total,
                "said": following.headline(order, list(order.supplier_orders.all())),
                "goods": lines[:3],
                "more": len(lines) - 3,
                "again": any(line.product_id in for_sale for line in lines),
            }
        )
    return rows


@require_POST
def order_again(request: Any, number: str) -> HttpResponse:
    """Put what is still on sale of an order into the basket, as many as there are."""
    order = order_or_404(request, number)
    basket, at = middleware.own(request), clock.now()
    came, missing = 0, []
    for line in order.lines.select_related("product__cooperative", "order").order_by("pk"):
        if line.product is None:
            missing.append(line.title)
            continue
        try:
            came += _put_in(basket, line, at)
        except Refused:
            missing.append(line.shown_title)
    request.basket_count += came
    if came:
        said = ngettext("%(number)s good is in your basket.", "%(number)s goods are in your basket.", came)
        messages.success(request, said % {"number": came})
    if missing:
        messages.warning(
            request,
            _("Not to be had now: %(goods)s.") % {"goods": pgettext("between two facts", ", ").join(missing)},
        )
    return redirect("storefront:basket")


def _put_in(basket: Any, line: Any, at: Any) -> int:
    """As many as she bought, or as are left."""
    try:
        filling.add(basket=basket, listing=line.product, quantity=line.quantity, at=at)
    except filling.NotSoMany as refusal:
        inside = filling.contents(basket=basket, at=at)
        has = sum(each.quantity for each in inside if each.listing.pk == line.product_id)
        if refusal.left <= has:
            raise
        filling.add(basket=basket, listing=line.product, quantity=refusal.left - has, at=at)
        return int(refusal.left - has)
    return int(line.quantity)


# What the account knows of her


@never_cache
@login_required
def account_details(request: Any) -> HttpResponse:
    """Her name and phone; the language and the looks of pages; ways to e-mail, password and second factor."""
    user = request.user
    form = PersonForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        user.first_name, user.last_name = form.cleaned_data["first_name"], form.cleaned_data["last_name"]
        user.phone = form.cleaned_data["phone"]
        user.save(update_fields=["first_name", "last_name", "phone"])
        messages.success(request, _("Your details are kept."))
        return redirect("storefront:account_details")
    return details_page(request, form=form, status=422 if form.errors else 200)


def details_page(request: Any, *, form: PersonForm, wrong: str = "", status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "wrong": wrong,
        "themes": [("", _("as your device")), *Theme.choices],
        "here": "account_details",
        "crumbs": account_crumbs(_("Details")),
    }
    return render(request, "storefront/account_details.html", context, status=status)


@login_required
@require_POST
def account_looks(request: Any) -> HttpResponse:
    """From now on pages and mails speak this language, and pages look so, wherever she signs in."""
    user = request.user
    language, theme = request.POST.get("language", user.language), request.POST.get("theme", user.theme)
    if language not in dict(settings.LANGUAGES):
        said = _("Choose French, Arabic or English.")
        return details_page(request, form=PersonForm(user=user), wrong=said, status=400)
    if theme not in ("", *Theme.values):
        said = _("Choose light, dark, or as your device.")
        return details_page(request, form=PersonForm(user=user), wrong=said, status=400)
    changes_language = language != get_language()
    user.language, user.theme = language, theme
    user.save(update_fields=["language", "theme"])
    page = reverse("storefront:account_details")
    response = redirect(f"/{language}/" + page.split("/", 2)[2] if changes_language else page)
    keep_language(response, language)
    keep_theme(response, theme)
    return response


# A guest's ways to her order


@never_cache
@require_GET
def track_guest(request: Any, token: str) -> HttpResponse:
    """A signed link opens an order without an account; the address then no longer carries the token."""
    try:
        order = links.read(token=token)
    except links.LinkRefused as refusal:
        return account_page(request, wrong=str(refusal), status=404)
    remember(request, order)
    return redirect("storefront:track", number=order.number)


@never_cache
@require_POST
def link_again(request: Any) -> HttpResponse:
    """A guest asks for her link once more. The answer is the same whether or not there is such an order."""
    form = FindOrderForm(request.POST)
    if not form.is_valid():
        return account_page(request, form=form, status=422)
    finding_again.send_link(
        number=form.cleaned_data["number"], email=form.cleaned_data["email"], at=clock.now()
    )
    messages.success(
        request,
        _("If there is such an order, a new link is on its way to this address. It takes a minute or two."),
    )
    return redirect("storefront:account")
