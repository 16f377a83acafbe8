"""Which fee terms a cooperative sells under."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cooperatives.models import Cooperative, FeeTerms
from shop.core.errors import Refused


class NoFeeTerms(Refused):
    def __init__(self, cooperative: Cooperative) -> None:
        self.cooperative = cooperative
        super().__init__(_("No fee terms are in force for %(name)s.") % {"name": cooperative.name})


def terms_of(*, cooperatives: Iterable[Cooperative], on: date) -> dict[int, FeeTerms]:
    """The terms in force, by cooperative id, in one query: its own before the general ones."""
    wanted = {each.pk: each for each in cooperatives}
    found: dict[int, FeeTerms] = {}
    general: FeeTerms | None = None
    for terms in FeeTerms.objects.on(on).filter(Q(cooperative=None) | Q(cooperative__in=list(wanted))):
        if terms.cooperative_id is None:
            general = general or terms
        else:
            found.setdefault(terms.cooperative_id, terms)
    for key, cooperative in wanted.items():
        if key not in found:
            if general is None:
                raise NoFeeTerms(cooperative)
            found[key] = general
    return found


def terms_on(*, cooperative: Cooperative, on: date) -> FeeTerms:
    """The terms one cooperative sells under on that day. Raises NoFeeTerms."""
    return terms_of(cooperatives=[cooperative], on=on)[cooperative.pk]
