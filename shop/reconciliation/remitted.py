"""How much of a carrier's cash a remittance accounts for: never more than it had to collect at a door.

What a remittance brings for parcels that are not ours, or beyond what was to be collected, is not the
carrier's debt to us: it waits in suspense.
"""

from __future__ import annotations

from django.db.models import Sum

from shop.reconciliation.models import Remittance, RemittanceLine


def accounted_for(line: RemittanceLine) -> int:
    """What one line settles of its parcel's cash, in minor units, after what earlier remittances settled."""
    if line.shipment is None:
        return 0
    earlier = RemittanceLine.objects.filter(shipment=line.shipment, pk__lt=line.pk)
    before = earlier.aggregate(sum=Sum("collected_minor"))["sum"] or 0
    return max(min(line.collected_minor, line.shipment.cash_to_collect_minor - before), 0)


def settled_by(remittance: Remittance) -> int:
    """What a remittance settles of the carrier's debt to us, in minor units."""
    return sum(accounted_for(each) for each in remittance.lines.select_related("shipment"))
