"""Which fee terms a cooperative sells under."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from cooperatives.models import Cooperative, FeeTerms
from shop.core.errors import Refused
from shop.core.prepared import Prepared


class NoFeeTerms(Refused):
    def __init__(self, cooperative: Cooperative) -> None:
        self.cooperative = cooperative
        super().__init__(_("No fee terms are in force for %(name)s.") % {"name": cooperative.name})


def terms_of(*, cooperatives: Iterable[Cooperative], on: date) -> dict[int, FeeTerms]:
    """The terms in force, by cooperative id, in one query: its own before the general ones."""
    wanted = {each.pk: each for each in cooperatives}
    found = in_force(wanted, on=on)
    for key, cooperative in wanted.items():
        if key not in found:
            raise NoFeeTerms(cooperative)
    return found


def in_force(cooperatives: Collection[int], *, on: date) -> dict[int, FeeTerms]:
    """The terms of these cooperatives, by id; those without any are left out. One query."""
    found: dict[int, FeeTerms] = {}
    general: FeeTerms | None = None
    for row in _IN_FORCE.rows(cooperatives=list(cooperatives), on=on):
        terms = FeeTerms.from_db("default", _COLUMNS, row)
        if terms.cooperative_id is None:
            general = general or terms
        else:
            found.setdefault(terms.cooperative_id, terms)
    return {key: found.get(key, general) for key in cooperatives if found.get(key, general)}  # type: ignore[misc]


_COLUMNS = [each.attname for each in FeeTerms._meta.concrete_fields]


def _in_force(*, language: str, cooperatives: list[int], on: date) -> QuerySet[Any, Any]:
    theirs = FeeTerms.objects.on(on).filter(Q(cooperative=None) | Q(cooperative__in=cooperatives))
    return theirs.values_list(*_COLUMNS)


_IN_FORCE = Prepared(_in_force)


def terms_on(*, cooperative: Cooperative, on: date) -> FeeTerms:
    """The terms one cooperative sells under on that day. Raises NoFeeTerms."""
    return terms_of(cooperatives=[cooperative], on=on)[cooperative.pk]
