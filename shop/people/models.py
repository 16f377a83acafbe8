"""Persons who log in: customers, members of cooperatives, operators. One account, one door for all."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from oscar.apps.customer.abstract_models import AbstractUser
from phonenumber_field.modelfields import PhoneNumberField


class Theme(models.TextChoices):
    """How pages look; without a choice they follow the device."""

    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class User(AbstractUser):
    """An account. The e-mail is the login; nobody but a superuser is ever ``is_staff``."""

    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="fr")
    phone = PhoneNumberField(_("phone"), blank=True)
    theme = models.CharField(
        _("appearance"), max_length=5, choices=Theme, blank=True, help_text="empty: as the device says"
    )

    def __str__(self) -> str:
        return self.email

    @property
    def is_operator(self) -> bool:
        """Whether she works for the shop itself."""
        return self.operator_roles.exists()


class OperatorRole(models.Model):
    """One thing an operator may do. Nobody both makes and approves money by holding one role."""

    class Role(models.TextChoices):
        SUPPORT = "support", _("support")
        CATALOGUE = "catalogue", _("catalogue")
        FINANCE_MAKER = "finance_maker", _("finance: prepares")
        FINANCE_APPROVER = "finance_approver", _("finance: approves")
        AUDITOR = "auditor", _("auditor")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="operator_roles"
    )
    role = models.CharField(max_length=24, choices=Role)
    granted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="an_operator_holds_a_role_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"
