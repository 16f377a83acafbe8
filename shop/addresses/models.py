"""Addresses as Moroccans give them: region, province and commune, a quarter or landmark, a phone.

Replaces Oscar's ``address`` app; foreign addresses stay possible. ``line1`` is the street or douar,
``line4`` the town as text (Oscar's meaning), ``postcode`` is optional in Morocco.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from oscar.apps.address.abstract_models import AbstractUserAddress
from phonenumber_field.modelfields import PhoneNumberField


class MoroccanPlace(models.Model):
    """The columns that a Moroccan address adds. Codes are the census's, kept as text so that an old
    address stays readable when the census changes."""

    region_code = models.CharField(_("region"), max_length=5, blank=True)
    province_code = models.CharField(_("province"), max_length=16, blank=True)
    commune_code = models.CharField(_("commune"), max_length=16, blank=True)
    landmark = models.CharField(_("quarter or landmark"), max_length=200, blank=True)

    # Oscar's own columns, beside which these stand.
    line1: str
    line2: str
    line4: str
    postcode: str
    country: Any
    country_id: str | None

    class Meta:
        abstract = True

    @property
    def lines(self) -> tuple[str, ...]:
        """What a carrier reads under the name: street, quarter or landmark, town, and the country if not Morocco."""
        country = "" if self.country_id in (None, "MA") else self.country.printable_name
        lines = (self.line1, self.line2, self.landmark, self.line4, self.postcode, country)
        return tuple(each for each in lines if each)


class UserAddress(MoroccanPlace, AbstractUserAddress):
    """An address in a customer's book."""

    phone_number = PhoneNumberField(_("phone"))

    class Meta(AbstractUserAddress.Meta):
        abstract = False


from oscar.apps.address.models import *  # noqa: E402, F403
