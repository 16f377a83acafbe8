"""What somebody types who issues or ends a voucher: an operator or a member, each at her own door."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from moneyed import MAD, Money

from cooperatives.models import Cooperative
from shop.core.errors import Refused
from shop.vouchers import issuing
from shop.vouchers.models import Voucher

_DAY = {"type": "date"}
_LARGEST = Decimal("100000")


class Number(forms.DecimalField):
    """A number as people type it: with a comma or a point, in any digits."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr", "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        typed = "".join(str(value or "").split()).replace(",", ".").replace("٫", ".").rstrip("%٪")
        return super().to_python(typed)


class VoucherForm(forms.Form):
    """One voucher, whole. Only reads and tidies: the rules are with ``issuing``."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("Letters A to Z and digits. Leave it empty for one that nobody can guess."),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off", "autocapitalize": "characters"}),
    )
    kind = forms.ChoiceField(
        label=_("It takes off"),
        choices=Voucher.Kind.choices,
        widget=forms.RadioSelect,
        initial=Voucher.Kind.PERCENT,
    )
    value = Number(
        label=_("How much"),
        help_text=_("In dirhams or in percent. Never more than nine tenths of the goods comes off."),
        min_value=Decimal("0.01"),
        max_value=_LARGEST,
        decimal_places=2,
    )
    most = Number(
        label=_("At most, in dirhams"),
        help_text=_("Only for a percentage."),
        min_value=Decimal("0.01"),
        max_value=_LARGEST,
        decimal_places=2,
        required=False,
    )
    least = Number(
        label=_("From so much of goods, in dirhams"),
        min_value=Decimal(0),
        max_value=_LARGEST,
        decimal_places=2,
        required=False,
    )
    valid_from = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    valid_until = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"), required=False
    )
    most_uses = Number(
        label=_("How often in all"),
        help_text=_("Leave it empty for no limit."),
        min_value=Decimal(1),
        max_value=_LARGEST,
        decimal_places=0,
        required=False,
    )
    most_uses_each = Number(
        label=_("How often for one customer"),
        min_value=Decimal(1),
        max_value=_LARGEST,
        decimal_places=0,
        required=False,
    )
    text_fr = forms.CharField(label=_("What it is for, in French"), max_length=120)
    text_ar = forms.CharField(
        label=_("What it is for, in Arabic"), max_length=120, widget=forms.TextInput(attrs={"dir": "rtl"})
    )
    text_en = forms.CharField(label=_("What it is for, in English"), max_length=120)

    @property
    def told(self) -> dict[str, Any]:
        """What ``issuing.issue`` is told, but for who issues it and when."""
        given = self.cleaned_data
        percent = given["kind"] == Voucher.Kind.PERCENT

        def money(name: str) -> Money | None:
            return Money(given[name], MAD) if given.get(name) is not None else None

        return {
            "code": given["code"],
            "amount": None if percent else money("value"),
            "rate": given["value"] / 100 if percent else None,
            "most": money("most"),
            "least_goods": money("least"),
            "valid_from": given["valid_from"],
            "valid_until": given["valid_until"],
            "most_uses": given["most_uses"] and int(given["most_uses"]),
            "most_uses_each": given["most_uses_each"] and int(given["most_uses_each"]),
            "texts": {each: given[f"text_{each}"] for each in ("fr", "ar", "en")},
        }

    def issue(self, *, by: Any, at: datetime, cooperative: Cooperative | None = None) -> Voucher | None:
        """The voucher as typed; None when it is refused, and then the refusal stands among the errors."""
        try:
            return issuing.issue(**self.told, cooperative=cooperative, by=by, at=at)
        except Refused as refusal:
            self.add_error(None, str(refusal))
            return None


class PackingForm(forms.Form):
    """What a cooperative asks for packing a parcel as a gift."""

    price = Number(
        label=_("Price of packing one parcel, in dirhams, tax included"),
        help_text=_("Leave it empty when you do not pack gifts."),
        decimal_places=2,
        required=False,
    )


class EndForm(forms.Form):
    """When a voucher ends: on a day, or now."""

    NOW, ON = "now", "on"
    when = forms.ChoiceField(
        label=_("When?"),
        choices=[(ON, _("after a last day")), (NOW, _("at once: switch it off"))],
        widget=forms.RadioSelect,
        initial=ON,
    )
    day = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"), required=False
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("when") == self.ON and not given.get("day") and "day" not in self.errors:
            self.add_error("day", _("Give the last day."))
        return given

    def end(self, *, voucher: Voucher, by: Any, at: datetime) -> bool:
        """Whether the voucher now ends as typed; a refusal stands among the errors."""
        try:
            if self.cleaned_data["when"] == self.NOW:
                issuing.switch_off(voucher=voucher, by=by, at=at)
            else:
                issuing.end_on(voucher=voucher, day=self.cleaned_data["day"], at=at)
        except Refused as refusal:
            self.add_error(None, str(refusal))
            return False
        return True
