"""What customers type. Digits of every script are understood; a field keeps what was typed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

import phonenumbers
from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from moneyed import MAD, Money

from cooperatives.models import Cooperative
from shop.checkout import placing
from shop.checkout.filling import MOST_OF_ONE, QuantityRefused
from shop.core import references
from shop.core.models import Commune, Region
from shop.design import numbers
from shop.design.numbers import money_text
from shop.fulfilment.reviewing import LONGEST
from shop.orders.models import Order, ShippingAddress
from shop.search.words import DIGITS, plain

#: A Moroccan number has so many digits, with its leading zero.
MOROCCAN_DIGITS = 10
MOROCCO = "MA"
_NEAR = 6


def quantity_from(text: str) -> int:
    """A quantity as people type it: ``3``, ``٣``. Raises QuantityRefused for anything else than 1 to 99."""
    digits = text.strip().translate(DIGITS)
    if not re.fullmatch(r"[0-9]{1,4}", digits) or not 1 <= int(digits) <= MOST_OF_ONE:
        raise QuantityRefused()
    return int(digits)


class PlainText(forms.CharField):
    """One line of text, without control characters, its digits Western."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return " ".join("".join(each if each.isprintable() else " " for each in text).split())


class Phone(forms.CharField):
    """A phone number, Moroccan unless it starts with + and another country; cleaned to E.164."""

    widget = forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel", "dir": "ltr"})

    def clean(self, value: Any) -> str:
        text = super().clean(value).translate(DIGITS)
        digits = re.sub(r"\D", "", text)
        if digits.startswith("0") and not text.startswith("00") and len(digits) != MOROCCAN_DIGITS:
            raise forms.ValidationError(self._wrong_length(len(digits)))
        try:
            number = phonenumbers.parse(text, "MA")
        except phonenumbers.NumberParseException as error:
            raise forms.ValidationError(_("Write the number in digits, such as 06 61 00 00 00.")) from error
        if not phonenumbers.is_possible_number(number):
            raise forms.ValidationError(_("This phone number cannot be right. An example: 06 61 00 00 00."))
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    def _wrong_length(self, digits: int) -> str:
        missing = MOROCCAN_DIGITS - digits
        if missing > 0:
            return ngettext(
                "A Moroccan number has ten digits. %(number)s is missing.",
                "A Moroccan number has ten digits. %(number)s are missing.",
                missing,
            ) % {"number": missing}
        return _("A Moroccan number has ten digits. There are %(number)s here.") % {"number": digits}


def _told(name: str, said: str) -> SafeString:
    """A choice with the sentence that explains it."""
    return format_html('<b>{}</b><br><span class="quiet">{}</span>', name, said)


class CheckoutForm(forms.Form):
    """Contact, address and way to pay. A guest also gives her e-mail.

    A town is typed and found among the communes of the region, in either script and without regard to
    accents. When it is not clear which is meant, ``commune`` offers those that could be.
    """

    name = PlainText(
        label=gettext_lazy("Full name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
    )
    phone = Phone(
        label=gettext_lazy("Phone"),
        help_text=gettext_lazy("The carrier calls this number on the day."),
        max_length=32,
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("For the confirmation and the link to follow your order."),
        max_length=200,
        widget=forms.EmailInput(attrs={"inputmode": "email", "autocomplete": "email", "dir": "ltr"}),
    )
    region = forms.ChoiceField(
        label=gettext_lazy("Region"), widget=forms.Select(attrs={"autocomplete": "address-level1"})
    )
    town = PlainText(
        label=gettext_lazy("Town or commune"),
        max_length=120,
        widget=forms.TextInput(attrs={"list": "towns", "autocomplete": "address-level2", "dir": "auto"}),
    )
    commune = forms.ChoiceField(label=gettext_lazy("Which one?"), widget=forms.RadioSelect, required=False)
    street = PlainText(
        label=gettext_lazy("Quarter, street and number"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "address-line1", "dir": "auto"}),
    )
    landmark = PlainText(
        label=gettext_lazy("A landmark"),
        help_text=gettext_lazy("A mosque, a pharmacy, a shop everybody knows nearby…"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2", "dir": "auto"}),
    )
    method = forms.ChoiceField(
        label=gettext_lazy("How you pay"), widget=forms.RadioSelect, initial=Order.Method.CARD
    )
    is_gift = forms.BooleanField(
        label=gettext_lazy("This is a gift"),
        help_text=gettext_lazy(
            "No price goes with the parcels. They go to the address above. A gift is paid by card."
        ),
        required=False,
    )
    gift_message = forms.CharField(
        label=gettext_lazy("A message for who receives it"),
        help_text=gettext_lazy(
            "Printed in each parcel, up to 300 characters. Sign it: your name is not on the parcel."
        ),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto", "autocomplete": "off"}),
    )
    packing = forms.MultipleChoiceField(
        label=gettext_lazy("Packed as a gift by"), widget=forms.CheckboxSelectMultiple, required=False
    )
    terms = forms.BooleanField(label=gettext_lazy("Terms of sale"), required=False)

    error_css_class = "wrong"

    def __init__(
        self,
        *args: Any,
        user: Any = None,
        placing_now: bool = False,
        makers: Iterable[Cooperative] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.is_placing = user, placing_now
        self.found: Commune | None = None
        #: Communes that what was typed could mean; shown as choices.
        self.candidates: list[Commune] = []
        if user is not None:
            del self.fields["email"]
        self.fields["region"].choices = [
            ("", _("Choose")),
            *((each.code, each.name) for each in Region.objects.all()),
        ]
        self.fields["method"].choices = [
            (
                Order.Method.CARD,
                _told(
                    _("By card"), _("Once for everything, on a secure page. Your goods are kept 30 minutes.")
                ),
            ),
            (
                Order.Method.CASH,
                _told(_("In cash on delivery"), _("You pay each parcel when it arrives.")),
            ),
        ]
        self.fields["commune"].choices = self._offered()
        self._offer_packing(makers)
        for each in self.fields.values():
            each.error_messages["required"] = _("This is needed.")
        self.fields["region"].error_messages["invalid_choice"] = _("Choose one of the twelve regions.")
        self.fields["method"].error_messages["invalid_choice"] = _("Choose card or cash.")
        self.fields["commune"].error_messages["invalid_choice"] = _("Choose one of these towns.")

    def _offered(self) -> list[tuple[str, str]]:
        """A chosen commune is checked against the region below, so any code is a choice at first."""
        chosen = (self.data.get("commune") or "") if self.is_bound else ""
        return [(chosen, chosen)] if chosen else []

    def _offer_packing(self, makers: Iterable[Cooperative]) -> None:
        """Who packs parcels of this basket as a gift, and at what price; not asked where nobody does."""
        offering = {each.code: each for each in makers if each.gift_packing}
        choices = [
            (
                code,
                format_html(
                    '{} <span class="quiet">{}</span>',
                    offering[code].name,
                    money_text(Money(offering[code].gift_packing, MAD), style="short"),
                ),
            )
            for code in sorted(offering)
        ]
        self.fields["packing"].choices = choices
        if not choices:
            del self.fields["packing"]

    @property
    def gift(self) -> placing.Gift | None:
        """What is asked for a gift, as far as it can be read; None when it is none."""
        if not self["is_gift"].value():
            return None
        wanted = self["packing"].value() if "packing" in self.fields else None
        message = self.cleaned_data.get("gift_message", "") if self.is_bound and self.is_valid() else ""
        return placing.Gift(message=message, packed_by=frozenset(wanted or []))

    def clean_gift_message(self) -> str:
        """Lines are kept, other control characters are not."""
        text = self.cleaned_data["gift_message"].replace("\r\n", "\n").replace("\r", "\n")
        return "".join(each for each in text if each == "\n" or each.isprintable()).strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("is_gift") and cleaned.get("method") == Order.Method.CASH:
            self.add_error(
                "method", _("A gift is paid by card: in cash, the person who receives it would pay.")
            )
        if cleaned.get("region") and cleaned.get("town"):
            self._find_town(cleaned)
        if self.is_placing and not cleaned.get("terms"):
            self.add_error("terms", _("Read the terms of sale and tick the box to order."))
        return cleaned

    def _find_town(self, cleaned: dict[str, Any]) -> None:
        communes = list(Commune.objects.filter(province__region=cleaned["region"]).select_related("province"))
        typed = plain(cleaned["town"])
        chosen = next((each for each in communes if each.code == cleaned.get("commune")), None)
        same = [each for each in communes if typed in (plain(each.name_fr), plain(each.name_ar))]
        if chosen is not None and (chosen in same or chosen in _near(typed, communes)):
            self._take(chosen, cleaned)
        elif len(same) == 1:
            self._take(same[0], cleaned)
        elif same:
            self._offer(same, _("There are several of this name. Choose yours."))
        elif elsewhere := _of_this_name(typed):
            self._lead_to(elsewhere, cleaned)
        else:
            near = _near(typed, communes)
            region = dict(self.fields["region"].choices)[cleaned["region"]]
            said = (
                _("We do not find this town in %(region)s. Is it one of these?")
                if near
                else _(
                    "We do not find this town in %(region)s. Write it as on road signs, or name the nearest town."
                )
            )
            self._offer(near, said % {"region": region})

    def _lead_to(self, elsewhere: list[Commune], cleaned: dict[str, Any]) -> None:
        """The town lies in another region: that is said and offered; choosing it changes the region too."""
        chosen = next((each for each in elsewhere if each.code == cleaned.get("commune")), None)
        if chosen is not None:
            cleaned["region"] = chosen.province.region_id
            self._take(chosen, cleaned)
            return
        names = dict(self.fields["region"].choices)
        said = _(
            "%(town)s does not lie in %(region)s but in %(other)s. Choose it below, or correct the region."
        )
        first = elsewhere[0]
        self._offer(
            elsewhere,
            said
            % {
                "town": first.name,
                "region": names[cleaned["region"]],
                "other": names[first.province.region_id],
            },
        )

    def _take(self, commune: Commune, cleaned: dict[str, Any]) -> None:
        self.found = commune
        cleaned["commune"] = commune.code
        arabic = any("\u0600" <= letter <= "\u06ff" for letter in cleaned["town"])
        cleaned["town"] = commune.name_ar if arabic else commune.name_fr

    def _offer(self, communes: list[Commune], said: str) -> None:
        self.candidates = communes
        self.fields["commune"].required = True
        self.fields["commune"].choices = [
            (each.code, f"{each.name} ({each.province.name})") for each in communes
        ]
        self.add_error("town", said)

    @property
    def address(self) -> ShippingAddress:
        """Where the parcels go, not saved yet. Only after the form is valid."""
        return address_from(self.cleaned_data)


class DestinationForm(forms.Form):
    """A town anywhere in the country, or a region as a whole. Once valid, ``code`` is that of a commune or
    region and ``place`` its name."""

    town = PlainText(
        label=gettext_lazy("Town or commune"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )
    commune = forms.ChoiceField(label=gettext_lazy("Which one?"), widget=forms.RadioSelect, required=False)
    region = forms.ChoiceField(label=gettext_lazy("Or a region as a whole"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = ""
        #: Communes that what was typed could mean; shown as choices.
        self.candidates: list[Commune] = []
        self._regions = {each.code: each.name for each in Region.objects.all()}
        self.fields["region"].choices = [("", _("Choose")), *self._regions.items()]
        self.fields["region"].error_messages["invalid_choice"] = _("Choose one of the twelve regions.")
        chosen = (self.data.get("commune") or "") if self.is_bound else ""
        self.fields["commune"].choices = [(chosen, chosen)] if chosen else []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("town"):
            self._find_town(cleaned)
        elif cleaned.get("region"):
            cleaned["code"], self.place = cleaned["region"], self._regions[cleaned["region"]]
        elif not self.errors:
            self.add_error("town", _("Write a town, or choose a region."))
        return cleaned

    def _find_town(self, cleaned: dict[str, Any]) -> None:
        typed = plain(cleaned["town"])
        communes = list(Commune.objects.select_related("province").order_by("-population", "code"))
        same = [each for each in communes if typed in (plain(each.name_fr), plain(each.name_ar))][:_NEAR]
        offered = same or _near(typed, communes)
        chosen = next((each for each in offered if each.code == cleaned.get("commune")), None)
        if chosen is not None or len(same) == 1:
            found = chosen or same[0]
            cleaned["code"], self.place = found.code, found.name
            return
        self.candidates = offered
        self.fields["commune"].choices = [
            (each.code, f"{each.name} ({each.province.name})") for each in offered
        ]
        if same:
            said = _("There are several of this name. Choose yours.")
        elif offered:
            said = _("We do not find this town. Is it one of these?")
        else:
            said = _("We do not find this town. Write it as on road signs, or choose the region.")
        self.add_error("town", said)


class ReviewForm(forms.Form):
    """One to five stars, each with what it means, and words."""

    stars = forms.ChoiceField(
        label=gettext_lazy("How was it?"),
        widget=forms.RadioSelect,
        choices=[
            ("5", gettext_lazy("5 of 5: as I had hoped, or better")),
            ("4", gettext_lazy("4 of 5: good, with a small flaw")),
            ("3", gettext_lazy("3 of 5: all right")),
            ("2", gettext_lazy("2 of 5: less than was promised")),
            ("1", gettext_lazy("1 of 5: I would not buy it again")),
        ],
        error_messages={"required": gettext_lazy("Choose how many stars you give.")},
    )
    words = forms.CharField(
        label=gettext_lazy("What should others know?"),
        help_text=gettext_lazy(
            "The taste, the finish, the packing: what you would tell a neighbour. 10 to 1500 letters."
        ),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        error_messages={
            "required": gettext_lazy("Say in a few words what you think of it."),
            "max_length": gettext_lazy("This is too long: write at most 1500 letters."),
        },
    )


def _of_this_name(typed: str) -> list[Commune]:
    """Communes of the whole country called exactly so, the largest first."""
    communes = Commune.objects.select_related("province").order_by("-population", "code")
    return [each for each in communes if typed in (plain(each.name_fr), plain(each.name_ar))][:_NEAR]


def _near(typed: str, communes: list[Commune]) -> list[Commune]:
    """Communes whose name begins like what was typed or is spelt almost so, the largest first."""
    by_name: dict[str, Commune] = {}
    for each in communes:
        by_name.setdefault(plain(each.name_fr), each)
        by_name.setdefault(plain(each.name_ar), each)
    names = [
        name for name in by_name if len(typed) > 2 and (name.startswith(typed) or typed.startswith(name))
    ]
    names += difflib.get_close_matches(typed, by_name, n=_NEAR, cutoff=0.7)
    found = {by_name[name].code: by_name[name] for name in names}
    return sorted(found.values(), key=lambda each: -each.population)[:_NEAR]


def address_from(answers: dict[str, Any]) -> ShippingAddress:
    """The address that checked answers describe, not saved yet."""
    first, _space, last = answers["name"].partition(" ")
    commune = Commune.objects.filter(code=answers.get("commune") or "").first()
    return ShippingAddress(
        first_name=first[:60],
        last_name=last[:120],
        line1=answers["street"],
        line4=answers["town"],
        landmark=answers.get("landmark", ""),
        region_code=answers["region"],
        province_code=commune.province_id if commune else "",
        commune_code=commune.code if commune else "",
        phone_number=answers["phone"],
        country_id=MOROCCO,
    )


class AddressForm(CheckoutForm):
    """An address for her book, found and checked as the checkout does it."""

    is_default = forms.BooleanField(
        label=gettext_lazy("Begin the checkout with this address"), required=False
    )

    _kept = ("name", "phone", "region", "town", "commune", "street", "landmark", "is_default")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.fields = {name: self.fields[name] for name in self._kept}


def answers_of(address: Any) -> dict[str, Any]:
    """What she would have typed to give this address: of an order or of her book."""
    return {
        "name": f"{address.first_name} {address.last_name}".strip(),
        "phone": numbers.phone_text(str(address.phone_number)).replace(numbers.NBSP, " "),
        "region": address.region_code,
        "town": address.line4,
        "commune": address.commune_code,
        "street": address.line1,
        "landmark": address.landmark,
        "is_default": getattr(address, "is_default_for_shipping", False),
    }


class OptionalPhone(Phone):
    """A phone number that may be left out."""

    def clean(self, value: Any) -> str:
        return super().clean(value) if (value or "").strip() else ""


class PersonForm(forms.Form):
    """Her name and phone, as the checkout proposes them."""

    first_name = PlainText(
        label=gettext_lazy("First name"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name", "dir": "auto"}),
    )
    last_name = PlainText(
        label=gettext_lazy("Last name"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name", "dir": "auto"}),
    )
    phone = OptionalPhone(
        label=gettext_lazy("Phone"),
        help_text=gettext_lazy("Proposed at the checkout; you can give another one there."),
        max_length=32,
        required=False,
    )

    error_css_class = "wrong"

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        phone = numbers.phone_text(str(user.phone or "")).replace(numbers.NBSP, " ")
        first = {"first_name": user.first_name, "last_name": user.last_name, "phone": phone}
        super().__init__(*args, initial=first, **kwargs)


class NewsletterForm(forms.Form):
    """Where the letter goes."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=200,
        error_messages={
            "required": gettext_lazy("Write your e-mail address."),
            "invalid": gettext_lazy("This is no e-mail address. One looks like nora@example.ma."),
        },
        widget=forms.EmailInput(attrs={"inputmode": "email", "autocomplete": "email", "dir": "ltr"}),
    )

    error_css_class = "wrong"


class FindOrderForm(forms.Form):
    """How a guest asks for her link once more."""

    number = forms.CharField(
        label=gettext_lazy("Order number"),
        max_length=32,
        help_text=gettext_lazy("It starts with T- and stands in our mails."),
        widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=200,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_number(self) -> str:
        number = references.normalise(self.cleaned_data["number"].translate(DIGITS))
        if not references.is_sound(number):
            raise forms.ValidationError(_("This number has a typing error. It looks like T-7K3M9QX2P."))
        return number
