"""How much of a carrier's cash a remittance accounts for: never more than it had to collect at a door.

What a remittance brings for parcels that are not ours, or beyond what was to be collected, is not the
carrier's debt to us: it waits in suspense.
"""

from __future__ import annotations

from django.db.models import QuerySet

from shop.reconciliation.models import Remittance, RemittanceLine


def accounted(lines: QuerySet[RemittanceLine]) -> dict[int, int]:
    """What each line settles of its parcel's cash after what earlier remittances settled: ``{line id: minor units}``.

    However many lines there are, they take two queries. A line of no parcel of ours settles nothing.
    """
    wanted = dict.fromkeys(lines.values_list("pk", flat=True), 0)
    every = RemittanceLine.objects.filter(shipment__in=lines.exclude(shipment=None).values("shipment"))
    before: dict[int, int] = {}
    for key, parcel, collected, to_collect in every.order_by("pk").values_list(
        "pk", "shipment", "collected_minor", "shipment__cash_to_collect_minor"
    ):
        if key in wanted:
            wanted[key] = max(min(collected, to_collect - before.get(parcel, 0)), 0)
        before[parcel] = before.get(parcel, 0) + collected
    return wanted


def accounted_for(line: RemittanceLine) -> int:
    """What one line settles, in minor units."""
    return accounted(RemittanceLine.objects.filter(pk=line.pk))[line.pk]


def settled_by(*remittances: Remittance) -> int:
    """What remittances settle together of the carrier's debt to us, in minor units."""
    return sum(accounted(RemittanceLine.objects.filter(remittance__in=remittances)).values())
