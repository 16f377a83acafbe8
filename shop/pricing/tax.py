"""VAT by class of goods, regime of the cooperative and day. The rates are data (``catalogue.VatRate``)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from catalogue.models import VatRate
from shop.core.errors import Refused


class NoVatRate(Refused):
    def __init__(self, vat_class: str, on: date) -> None:
        self.vat_class = vat_class
        super().__init__(
            _("No VAT rate is known for class %(code)s on %(day)s.") % {"code": vat_class, "day": on}
        )


def vat_rates(*, on: date) -> dict[tuple[str, str], Decimal]:
    """Every rate in force that day: ``{(class, regime or ""): rate}``, in one query."""
    return {(each.code, each.regime): each.rate for each in VatRate.objects.on(on).order_by("valid_from")}


def vat_rate(
    *, vat_class: str, regime: str, on: date, rates: dict[tuple[str, str], Decimal] | None = None
) -> Decimal:
    """The rate for goods of that class sold under that regime: the regime's own before the general one."""
    known = vat_rates(on=on) if rates is None else rates
    for key in ((vat_class, regime), (vat_class, "")):
        if key in known:
            return known[key]
    raise NoVatRate(vat_class, on)
