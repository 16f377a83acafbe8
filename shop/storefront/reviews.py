"""What templates show of customers' reviews. Reads what was fetched; asks nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from shop.design import numbers
from shop.fulfilment import reviewing
from shop.fulfilment.models import Review, SupplierOrder
from shop.orders.models import Line

State = Review.State


def shown(found: Sequence[Review]) -> dict[str, Any] | None:
    """Number, mean (in words and as a figure) and the reviews themselves; None when there is none. Needs ``reviewing.newest``."""
    if not found:
        return None
    return {
        "number": found[0].number,
        "mean": mean_text(found[0].mean),
        "figure": found[0].mean,
        "rows": rows(found),
    }


def mean_text(mean: float) -> str:
    """``4,7``: the mean with one decimal."""
    return numbers.number_text(f"{mean:.1f}", decimals=None)


def rows(found: Iterable[Review]) -> list[dict[str, Any]]:
    """Each review as ``storefront/_review.html`` shows it."""
    return [
        {
            "stars": each.stars,
            "words": each.words,
            "language": each.language,
            "signed": each.signed,
            "bought_on": each.bought_on,
        }
        for each in found
    ]


def of_line(part: SupplierOrder, line: Line) -> dict[str, str] | None:
    """Of one line of a part: where to review it, or what became of the review. Needs ``product`` and
    ``review``; None when there is nothing to say."""
    review = getattr(line, "review", None)
    if review is not None:
        return {"said": _said(review)}
    if line.product is None or not reviewing.may_review(part=part):
        return None
    return {"url": reverse("storefront:review", args=[part.order.number, line.product.reference])}


def _said(review: Review) -> str:
    if review.state == State.DECLINED:
        return _("Your review is not shown: %(reason)s") % {"reason": review.reason}
    if review.state == State.APPROVED:
        return _("Your review is shown with the good.")
    return _("Thank you for your review. We read it before it is shown.")
