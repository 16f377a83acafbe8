"""What operators type. Forms only read and tidy; the rules are with the activities."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import FileExtensionValidator
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from shop.backoffice import finding
from shop.core.money import to_minor
from shop.customers import issues
from shop.customers.models import Issue
from shop.fulfilment.deciding import EndReason
from shop.fulfilment.models import Carrier, Shipment, SupplierOrder, SupplierOrderLine
from shop.payments.models import Refund
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Match
from shop.reconciliation.readers import statement_csv

OTHER = "other"
LARGEST_FILE = 5 * 1024 * 1024


class FindForm(forms.Form):
    """By what an order is looked for."""

    q = forms.CharField(
        label=_("Reference, e-mail or phone"),
        required=False,
        max_length=finding.LONGEST,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off", "type": "search"}),
    )


class EndForm(forms.Form):
    """Why a part comes to nothing, told for the cooperative."""

    REASONS = [
        *[
            (each.value, each.label)
            for each in (EndReason.SOLD_OUT, EndReason.DAMAGED, EndReason.TOO_LATE, EndReason.CLOSED)
        ],
        (OTHER, _("another reason")),
    ]
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


class OutcomeForm(forms.Form):
    """What became of a parcel, and how the operator knows."""

    REFUSED = "refused"
    outcome = forms.ChoiceField(label=_("What became of it?"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("How do you know?"),
        help_text=_("Who told you and when, or what the carrier's page says."),
        max_length=200,
    )

    def __init__(self, *args: Any, shipment: Shipment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Proof = Shipment.Proof
        choices = [
            (Proof.TRACKING.value, _("Delivered, says the carrier's tracking")),
            (Proof.CUSTOMER.value, _("Delivered, says the customer")),
            (Proof.MEMBER.value, _("Delivered, says the cooperative, with proof")),
        ]
        if shipment.cash_to_collect_minor:
            choices.append((self.REFUSED, _("Refused at the door: it comes home, nobody pays")))
        self.fields["outcome"].choices = choices  # type: ignore[attr-defined]


class RefundForm(forms.Form):
    """How many of which line go back, why, and whether the delivery goes back too."""

    REASONS = [
        (Refund.Reason.WITHDRAWN.value, Refund.Reason.WITHDRAWN.label),
        (Refund.Reason.CLAIM.value, Refund.Reason.CLAIM.label),
    ]

    reason = forms.ChoiceField(label=_("Why?"), choices=REASONS, widget=forms.RadioSelect)
    with_delivery = forms.BooleanField(
        label=_("Give the delivery's price back too"),
        help_text=_("Unless by rule the customer bears it in this case."),
        required=False,
    )
    note = forms.CharField(
        label=_("Note for the file"),
        help_text=_("The customer does not read it."),
        max_length=250,
        required=False,
    )

    def __init__(
        self, *args: Any, supplier_order: SupplierOrder, left: dict[int, int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.supplier_order_lines = [each for each in supplier_order.lines.all() if left.get(each.pk)]
        quantities = {}
        for number, line in enumerate(self.supplier_order_lines, start=1):
            quantities[f"line-{number}"] = forms.IntegerField(
                label=line.title,
                help_text=_("0 to %(left)s; %(bought)s were bought.")
                % {"left": left[line.pk], "bought": line.quantity},
                min_value=0,
                max_value=left[line.pk],
                initial=0,
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
            )
        self.fields = quantities | self.fields
        if supplier_order.is_cash:
            self.fields["holder"] = forms.CharField(
                label=_("Account holder"),
                help_text=_("As the customer's bank writes the name."),
                max_length=140,
            )
            self.fields["rib"] = _rib_field()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not self.wanted and not given.get("with_delivery"):
            raise forms.ValidationError(_("Say how many of at least one line go back, or tick the delivery."))
        return given

    @property
    def wanted(self) -> dict[SupplierOrderLine, int]:
        """``{line: quantity}``, those with none left out."""
        given = {
            line: self.cleaned_data.get(f"line-{number}") or 0
            for number, line in enumerate(self.supplier_order_lines, start=1)
        }
        return {line: quantity for line, quantity in given.items() if quantity}


def _rib_field() -> forms.CharField:
    return forms.CharField(
        label=_("RIB"),
        help_text=_("24 digits, from the bank's certificate."),
        max_length=40,
        widget=forms.TextInput(attrs={"dir": "ltr", "inputmode": "numeric", "autocomplete": "off"}),
    )


class BankRefundForm(forms.Form):
    """Where a refund goes that the card did not take."""

    holder = forms.CharField(
        label=_("Account holder"), help_text=_("As the customer's bank writes the name."), max_length=140
    )
    rib = _rib_field()


class MoveClockForm(forms.Form):
    """How far the demonstration's clock moves on."""

    days = forms.IntegerField(
        label=_("Days"),
        min_value=0,
        max_value=400,
        initial=0,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    hours = forms.IntegerField(
        label=_("Hours"),
        min_value=0,
        max_value=23,
        initial=0,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not (given["days"] or given["hours"]):
            raise forms.ValidationError(_("Say by how many days or hours; the clock never goes back."))
        return given


class AmountField(forms.DecimalField):
    """An amount as people here write it: ``1 842,30``; a bank's dots and Arabic digits are understood too."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 14)
        kwargs.setdefault("decimal_places", 2)
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "dir": "ltr"}))
        super().__init__(localize=False, **kwargs)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str):
            tidy = "".join(finding.plain(value).split()).replace("\u066b", ".").replace("\u2212", "-")
            if "," in tidy and "." in tidy:
                # The last of the two parts the centimes.
                group = "," if tidy.rfind(".") > tidy.rfind(",") else "."
                tidy = tidy.replace(group, "")
            value = tidy.replace(",", ".")
        return super().to_python(value)


class FileForm(forms.Form):
    """A file of the bank or a carrier, not larger than such files are."""

    file = forms.FileField(label=_("File"), allow_empty_file=True)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(
                _("The file is larger than %(limit)s MB. Ask for a shorter period.")
                % {"limit": LARGEST_FILE // (1024 * 1024)}
            )
        return file


class StatementForm(FileForm):
    """A statement of the bank: camt.053, or CSV and then its columns."""

    file = forms.FileField(
        label=_("Statement of the bank"),
        help_text=_("camt.053 or CSV, as downloaded from the bank. The file is kept as it came."),
        allow_empty_file=True,
    )


class RemittanceForm(FileForm):
    """A carrier's remittance of the cash it collected."""

    carrier = forms.ModelChoiceField(
        label=_("Carrier"),
        queryset=Carrier.objects.filter(collects_cash=True).order_by("name"),
        to_field_name="code",
        empty_label=None,
    )
    file = forms.FileField(
        label=_("Remittance of the carrier"),
        help_text=_("CSV, as the carrier sends it."),
        allow_empty_file=True,
    )
    field_order = ["carrier", "file"]


class CarrierInvoiceForm(RemittanceForm):
    """A carrier's invoice for carrying parcels."""

    file = forms.FileField(
        label=_("Invoice of the carrier"),
        help_text=_(
            "CSV with a row for each parcel: invoice, its day, tracking number, before VAT, VAT, to pay."
        ),
        allow_empty_file=True,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["carrier"].queryset = Carrier.objects.order_by("name")  # type: ignore[attr-defined]


class ColumnsForm(forms.Form):
    """Which column of a bank's CSV means what, and the balances nobody can do without."""

    COLUMNS = (
        ("booked_on", _("Booking date"), True),
        ("value_on", _("Value date"), False),
        ("text", _("Text"), True),
        ("debit", _("Debit (with credit)"), False),
        ("credit", _("Credit (with debit)"), False),
        ("amount", _("Amount with its sign (instead of both)"), False),
        ("bank_reference", _("The bank's reference"), False),
        ("end_to_end_id", _("Our reference (EndToEndId)"), False),
        ("counterparty_name", _("Other party"), False),
        ("counterparty_rib", _("RIB of the other party"), False),
        ("balance", _("Balance after each line"), False),
    )
    DATE_FORMATS = (
        ("%d/%m/%Y", "22/11/2026"),
        ("%d-%m-%Y", "22-11-2026"),
        ("%d.%m.%Y", "22.11.2026"),
        ("%d/%m/%y", "22/11/26"),
        ("%d-%m-%y", "22-11-26"),
        ("%Y-%m-%d", "2026-11-22"),
        ("%Y/%m/%d", "2026/11/22"),
        ("%Y%m%d", "20261122"),
        ("%m/%d/%Y", "11/22/2026"),
    )
    opening = AmountField(label=_("Opening balance"), help_text=_("In dirhams, before the first line."))
    closing = AmountField(label=_("Closing balance"), help_text=_("After the last line."))
    date_format = forms.ChoiceField(label=_("Dates are written"), choices=DATE_FORMATS)
    decimal_mark = forms.ChoiceField(
        label=_("Centimes are parted by"), choices=[(",", _("a comma")), (".", _("a point"))]
    )
    debit_is_negative = forms.BooleanField(label=_("Debits carry a minus"), required=False)
    delimiter = forms.CharField(widget=forms.HiddenInput, max_length=1, strip=False)
    encoding = forms.ChoiceField(
        widget=forms.HiddenInput,
        choices=[(each, each) for each in ("utf-8", "utf-8-sig", "utf-16", "windows-1252", "windows-1256")],
    )
    remember_as = forms.CharField(
        label=_("Remember these columns as"),
        help_text=_("The bank's name. The next file of this bank is understood by itself."),
        max_length=80,
        required=False,
    )

    def __init__(self, *args: Any, headings: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("not in this file")), *((each, each) for each in headings)]
        columns = {
            name: forms.ChoiceField(label=label, choices=choices, required=required)
            for name, label, required in self.COLUMNS
        }
        self.fields = columns | self.fields

    def mapping(self) -> statement_csv.ColumnMapping:
        """What was chosen, as the reader wants it. Raises MappingIncomplete."""
        given = self.cleaned_data
        return statement_csv.ColumnMapping(
            **{name: given[name] for name, _label, _required in self.COLUMNS},
            delimiter=given["delimiter"],
            encoding=given["encoding"],
            date_format=given["date_format"],
            decimal_mark=given["decimal_mark"],
            debit_is_negative=given["debit_is_negative"],
        )


class _ProposalForm(forms.Form):
    """Why something is to be booked, with the paper that shows it."""

    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("Whoever approves it reads this, and so does whoever audits it."),
        max_length=250,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    evidence = forms.FileField(
        label=_("Evidence"),
        help_text=_("PDF, picture, CSV or XML, at most 5 MB."),
        required=False,
        validators=[FileExtensionValidator(["pdf", "png", "jpg", "jpeg", "webp", "csv", "xml", "txt"])],
    )

    def clean_evidence(self) -> Any:
        file = self.cleaned_data.get("evidence")
        if file and file.size > LARGEST_FILE:
            raise forms.ValidationError(_("This file is larger than 5 MB."))
        return file


class ResolveForm(_ProposalForm):
    """What to do about an exception, and why. Which details count depends on what is chosen."""

    action = forms.ChoiceField(label=_("What is to be done?"), widget=forms.RadioSelect)
    reference = forms.CharField(
        label=_("Reference it belongs to"),
        help_text=_("For matching: a payout, refund, deposit, or carrier/remittance."),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    subject = forms.ChoiceField(
        label=_("Kind of what it belongs to"),
        choices=[("", _("find out by the reference")), *Match.Subject.choices[:-1]],
        required=False,
    )
    debit = forms.ChoiceField(
        label=_("Account to debit"), help_text=_("For booking between two accounts."), required=False
    )
    credit = forms.ChoiceField(label=_("Account to credit"), required=False)
    amount = AmountField(
        label=_("Amount"),
        help_text=_("Empty: the whole amount of the exception."),
        required=False,
        min_value=0,
    )
    field_order = ["action", "reference", "subject", "debit", "credit", "amount", "reason", "evidence"]

    def __init__(
        self,
        *args: Any,
        actions: list[tuple[str, Any]],
        accounts: list[tuple[str, str]],
        currency: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["action"].choices = actions  # type: ignore[attr-defined]
        names = {code for code, _label in actions}
        if not names & {Action.MATCH_BY_HAND, Action.ACCEPT_RETURN}:
            del self.fields["reference"], self.fields["subject"]
        if Action.ADJUST in names:
            for name in ("debit", "credit"):
                self.fields[name].choices = [("", "—"), *accounts]  # type: ignore[attr-defined]
        else:
            del self.fields["debit"], self.fields["credit"], self.fields["amount"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        action = given.get("action")
        if action == Action.ADJUST and not (given.get("debit") and given.get("credit")):
            self.add_error("debit", _("Say out of which account and into which."))
        return given

    @property
    def details(self) -> dict[str, Any]:
        """What the chosen action needs to know."""
        given = self.cleaned_data
        action = given["action"]
        if action in (Action.MATCH_BY_HAND, Action.ACCEPT_RETURN):
            return {"reference": given["reference"], "subject": given["subject"]}
        if action == Action.ADJUST:
            amount = given["amount"]
            minor = to_minor(Money(amount, self.currency)) if amount is not None else None
            return {"debit": given["debit"], "credit": given["credit"], "amount_minor": minor}
        return {}


class AdjustForm(_ProposalForm):
    """An amount out of one account into another, which no statement shows."""

    debit = forms.ChoiceField(label=_("Into account"))
    credit = forms.ChoiceField(label=_("Out of account"))
    amount = AmountField(label=_("Amount"), min_value=Decimal("0.01"))
    field_order = ["debit", "credit", "amount", "reason", "evidence"]

    def __init__(self, *args: Any, accounts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("debit", "credit"):
            self.fields[name].choices = [("", "—"), *accounts]  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """Why somebody doubts a match, lifts a hold or gives up a run."""

    reason = forms.CharField(label=_("Why?"), max_length=250, widget=forms.Textarea(attrs={"rows": 3}))


class ReviewReasonForm(forms.Form):
    """Why a review is not shown."""

    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("The customer reads it on the page of her order."),
        max_length=300,
    )


class ReasonForOwnersForm(forms.Form):
    """Why an account for a cooperative's money is not accepted, or why nothing is sent to it."""

    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("The owners of the cooperative read it."),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class IssueForm(forms.ModelForm):
    """An issue of the newsletter: a subject and a text in each language, nothing left out."""

    class Meta:
        model = Issue
        fields = issues.FIELDS
        widgets = {
            name: forms.Textarea(attrs={"rows": 10, "dir": "rtl" if name.endswith("_ar") else "ltr"})
            if name.startswith("text")
            else forms.TextInput(attrs={"dir": "rtl" if name.endswith("_ar") else "ltr"})
            for name in issues.FIELDS
        }

    @property
    def words(self) -> dict[str, str]:
        """``{field: what was typed}``."""
        return {name: str(self.cleaned_data[name]) for name in issues.FIELDS}
