"""What members type at their desk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cooperatives.models import Member
from shop.fulfilment.deciding import EndReason
from shop.fulfilment.models import Carrier

OTHER = "other"
#: Why a cooperative declines; the customer reads it in her language.
REASONS = [
    *[
        (each.value, each.label)
        for each in (EndReason.SOLD_OUT, EndReason.DAMAGED, EndReason.TOO_LATE, EndReason.CLOSED)
    ],
    (OTHER, _("another reason")),
]


class DeclineForm(forms.Form):
    """Why a part is declined."""

    reason = forms.ChoiceField(label=_("Why?"), choices=REASONS, widget=forms.RadioSelect)
    words = forms.CharField(
        label=_("In your own words"),
        help_text=_("Only for another reason. The customer reads it."),
        max_length=200,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("reason") == OTHER and not given.get("words"):
            self.add_error("words", _("Say why in a few words: the customer reads it."))
        return given

    @property
    def chosen(self) -> str:
        """The reason as it is kept."""
        given = self.cleaned_data
        return given["words"] if given["reason"] == OTHER else given["reason"]


class DispatchForm(forms.Form):
    """Who takes the parcel, and under which number."""

    carrier = forms.ModelChoiceField(
        label=_("Carrier"), queryset=Carrier.objects.none(), to_field_name="code", empty_label=None
    )
    tracking_number = forms.CharField(
        label=_("Tracking number"),
        required=False,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, with_cash: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        carriers = Carrier.objects.filter(is_active=True).order_by("name")
        self.fields["carrier"].queryset = carriers.filter(collects_cash=True) if with_cash else carriers  # type: ignore[attr-defined]
        number = self.fields["tracking_number"]
        # A browser would cut what is too long without a word: dispatching refuses it with one.
        number.required = with_cash
        number.help_text = (
            _("As printed on the carrier's label. The carrier reports the cash by it.")
            if with_cash
            else _("As printed on the carrier's label. Leave it empty when the parcel has none.")
        )


class DeliverForm(forms.Form):
    """How the cooperative knows that a parcel arrived."""

    note = forms.CharField(
        label=_("How do you know?"),
        help_text=_("Who took it and when, or what the carrier told you."),
        max_length=200,
    )


class ReturnForm(forms.Form):
    """In which state a refused parcel came home."""

    sellable = forms.TypedChoiceField(
        label=_("The goods"),
        choices=[("yes", _("can be sold again")), ("no", _("are spoilt and are written off"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )


class PriceForm(forms.Form):
    """What customers pay for one."""

    price = forms.DecimalField(
        label=_("Price in dirhams, tax included"),
        min_value=Decimal("0.01"),
        max_value=Decimal("100000"),
        max_digits=8,
        decimal_places=2,
        localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr"}),
    )

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None and "price" in data:
            data = data.copy()
            # Moroccans write 133,50; both are understood.
            data["price"] = data["price"].replace("\u00a0", "").replace(" ", "").replace(",", ".")
        super().__init__(data, *args, **kwargs)


class StockForm(forms.Form):
    """How many can be sold now. ``seen`` is what she saw when she counted, so that a sale meanwhile stays."""

    quantity = forms.IntegerField(
        label=_("How many can be sold"),
        min_value=0,
        max_value=99_999,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class AddMemberForm(forms.Form):
    """Who acts for the cooperative from now on."""

    email = forms.EmailField(label=_("E-mail"), help_text=_("The one she signs in with."))
    role = forms.ChoiceField(label=_("Role"), choices=Member.Role.choices, widget=forms.RadioSelect)


class AccountForm(forms.Form):
    """A bank account for the cooperative's money."""

    holder = forms.CharField(
        label=_("Account holder"), help_text=_("As the bank writes the name."), max_length=140
    )
    rib = forms.CharField(
        label=_("RIB"),
        help_text=_("24 digits, from the bank's certificate."),
        max_length=40,
        widget=forms.TextInput(attrs={"dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
    )
