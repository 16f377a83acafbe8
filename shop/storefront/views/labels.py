"""What labels mean, who holds them, and what carries them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from cooperatives.models import Certification, Cooperative, Label
from shop.core import clock
from shop.search import finding
from shop.search.finding import Wanted
from shop.storefront import cards, shelves
from shop.storefront.crumbs import shop_crumb
from shop.storefront.views import gone

ON_A_PAGE = 24


def labels(request: HttpRequest) -> HttpResponse:
    """What each label means and who vouches for it."""
    on = clock.today()
    holders = dict(
        Certification.objects.valid_on(on)
        .filter(cooperative__state=Cooperative.State.ACTIVE)
        .order_by()
        .values_list("label")
        .annotate(n=Count("cooperative", distinct=True))
    )
    carrying = shelves.by_label(on=on)
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in Label.objects.all():
        groups.setdefault(cards.shape(each), []).append(
            {
                "label": each,
                "url": reverse("storefront:label", args=[each.code]),
                "holders": holders.get(each.pk, 0),
                "goods": carrying.get(each.pk, 0),
            }
        )
    return render(
        request,
        "storefront/labels.html",
        {
            "groups": [
                {**kind, "labels": groups[kind["shape"]]}
                for kind in kinds_of_labels()
                if kind["shape"] in groups
            ],
            "crumbs": [shop_crumb(), {"name": _("Labels")}],
        },
    )


def label(request: HttpRequest, code: str) -> HttpResponse:
    """What a label means, who holds it today, and the goods that carry it."""
    on = clock.today()
    here = get_object_or_404(Label, code=code)
    holders = list(
        Certification.objects.valid_on(on)
        .filter(label=here, cooperative__state=Cooperative.State.ACTIVE)
        .select_related("label", "cooperative__region")
        .order_by("cooperative__code")
    )
    carrying = finding.sorted_by(finding.find(wanted=Wanted(labels=(here.code,)), on=on), "newest")
    found = list(carrying.for_cards(on=on)[:ON_A_PAGE])
    return render(
        request,
        "storefront/label.html",
        {
            "label": here,
            "shape": cards.shape(here),
            "checked": how_checked(cards.shape(here)),
            "certifiers": sorted({each.certifier for each in holders}),
            "goods": shelves.by_label(on=on).get(here.pk, 0),
            "holders": [
                {
                    "cooperative": each.cooperative,
                    "url": reverse("storefront:cooperative", args=[each.cooperative.slug]),
                    "proof": cards.proof(each, demo=each.cooperative.is_demo),
                }
                for each in holders
            ],
            "cards": cards.cards(found, terms=cards.terms_for(found, on)),
            "crumbs": [
                shop_crumb(),
                {"name": _("Labels"), "url": reverse("storefront:labels")},
                {"name": here.short_name},
            ],
        },
        status=gone.status_of_label(here, held=bool(holders), on=on),
    )


def how_checked(shape: str) -> str:
    """Who checks a label of this shape, and what we do ourselves."""
    known = {
        "origin": _(
            "A certification body approved by the ministry visits the producer and issues the certificate. We read the certificate, note its number and dates, and keep a copy."
        ),
        "public": _(
            "The public body, or an auditor it appoints, visits the workshop. We read its decision, note its number and dates, and keep a copy."
        ),
        "shop": _(
            "Our own operators check it on documents of the cooperative, such as its register of members, and check again before it ends."
        ),
        "declared": _(
            "The cooperative declares it, and its regional centre has read the declaration. Nobody has certified it: that is why its shape is empty."
        ),
    }
    return known[shape]


def kinds_of_labels() -> list[dict[str, Any]]:
    """What the four shapes mean."""
    url = reverse("storefront:labels")
    return [
        {
            "shape": "origin",
            "url": f"{url}#origin",
            "name": _("Sign of origin: PGI, PDO"),
            "said": _("Certified good by good, by an approved body"),
        },
        {
            "shape": "public",
            "url": f"{url}#public",
            "name": _("Public mark"),
            "said": _("Given by a public body, workshop by workshop"),
        },
        {
            "shape": "shop",
            "url": f"{url}#shop",
            "name": _("Label of the shop"),
            "said": _("Granted by our committee, for a time"),
        },
        {
            "shape": "declared",
            "url": f"{url}#declared",
            "name": _("Declared and reviewed"),
            "said": _("Declared by the cooperative, reviewed by its regional centre"),
        },
    ]
