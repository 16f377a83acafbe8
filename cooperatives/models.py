"""Who sells: cooperatives, their members, what they are certified for, and where their money goes."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.core.files.storage import storages
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition
from phonenumber_field.modelfields import PhoneNumberField
from simple_history.models import HistoricalRecords

from shop.core.lives import MovesOnce
from shop.core.models import Province, Region


def private_storage():
    """Proofs and bank papers: never in the public folder."""
    return storages["private"]


class CooperativeQuerySet(models.QuerySet["Cooperative"]):
    def of(self, user) -> CooperativeQuerySet:
        """The cooperatives this person acts for today."""
        return self.filter(members__user=user, members__left_at=None).distinct()

    def selling(self) -> CooperativeQuerySet:
        """Those whose listings may be shown."""
        return self.filter(state=Cooperative.State.ACTIVE)


class Cooperative(MovesOnce, models.Model):
    """A legal person that sells. It has exactly one Oscar ``Partner``, made with it."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")

    class VatRegime(models.TextChoices):
        EXEMPT = "EXEMPT_COOP", _("exempt cooperative")
        SMALL = "SMALL_PRODUCER", _("small producer")
        STANDARD = "STANDARD", _("standard")

    code = models.CharField(max_length=12, unique=True, help_text="in the books and in files, e.g. C01")
    slug = models.SlugField(max_length=80, unique=True)
    partner = models.OneToOneField("partner.Partner", on_delete=models.PROTECT, related_name="cooperative")
    name = models.CharField(_("name"), max_length=160)
    story = models.TextField(_("story"), blank=True)
    sector = models.CharField(_("sector"), max_length=80, blank=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="cooperatives")
    province = models.ForeignKey(
        Province, on_delete=models.PROTECT, null=True, blank=True, related_name="cooperatives"
    )
    place = models.CharField(_("town or village"), max_length=120, blank=True)
    address = models.CharField(_("postal address"), max_length=250, blank=True)
    phone = PhoneNumberField(_("phone"), blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    register_number = models.CharField(_("register of cooperatives"), max_length=60, blank=True)
    ice = models.CharField(_("ICE"), max_length=15, blank=True)
    vat_regime = models.CharField(max_length=16, choices=VatRegime, default=VatRegime.EXEMPT)
    sells_in_own_name = models.BooleanField(
        default=True, help_text="the cooperative is the legal seller and the shop its agent"
    )
    gift_packing = models.DecimalField(
        _("gift packing, in dirhams"),
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="what it asks for packing a parcel as a gift, tax included; empty when it does not",
    )
    members_count = models.PositiveIntegerField(null=True, blank=True)
    women_count = models.PositiveIntegerField(null=True, blank=True)
    women_only = models.BooleanField(_("women's cooperative"), default=False)
    founded = models.PositiveSmallIntegerField(null=True, blank=True)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES, default="fr")
    is_demo = models.BooleanField(default=False)
    state = FSMField(choices=State, default=State.ACTIVE, protected=True)
    created_at = models.DateTimeField()

    objects = CooperativeQuerySet.as_manager()
    # The columns of each language are added after the history's table is made; the name is kept in one.
    history = HistoricalRecords(
        excluded_fields=[
            f"{field}{language}"
            for field in ("story", "name", "place")
            for language in ("", "_fr", "_ar", "_en")
            if field + language not in ("name", "place")
        ]
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="gift_packing_costs_something_or_is_not_offered",
                condition=Q(gift_packing=None) | Q(gift_packing__gt=0),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @transition(field=state, source=State.ACTIVE, target=State.SUSPENDED)
    def suspend(self) -> None:
        """Its listings leave the shelves; what is under way is finished."""

    @transition(field=state, source=State.SUSPENDED, target=State.ACTIVE)
    def lift_suspension(self) -> None:
        """It sells again."""


class MemberQuerySet(models.QuerySet["Member"]):
    def current(self) -> MemberQuerySet:
        """Those who act for their cooperative now."""
        return self.filter(left_at=None)


class Member(models.Model):
    """A person who acts for a cooperative, in one role."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        LISTINGS = "listings", _("listings")
        ORDERS = "orders", _("orders")
        FINANCE = "finance", _("finance")
        READ_ONLY = "read_only", _("read only")

    cooperative = models.ForeignKey(Cooperative, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cooperative", "user"],
                condition=Q(left_at=None),
                name="a_member_has_one_role_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.cooperative.code} · {self.role}"


class FeeTermsQuerySet(models.QuerySet["FeeTerms"]):
    def on(self, day: date) -> FeeTermsQuerySet:
        """Those in force on that day, the cooperative's own before the general ones."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gte=day), valid_from__lte=day).order_by(
            F("cooperative").asc(nulls_last=True), "-valid_from"
        )


class FeeTerms(models.Model):
    """What the shop keeps of a sale, for one cooperative or for all, from a day on.

    Rates are fractions of the goods' price, VAT included. A sale freezes the terms it was made under.
    """

    cooperative = models.ForeignKey(
        Cooperative, on_delete=models.CASCADE, null=True, blank=True, related_name="fee_terms"
    )
    commission_rate = models.DecimalField(
        max_digits=5, decimal_places=4, help_text="VAT included, e.g. 0.1000"
    )
    commission_vat_rate = models.DecimalField(max_digits=5, decimal_places=4, default="0.2000")
    solidarity_rate = models.DecimalField(max_digits=5, decimal_places=4)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    objects = FeeTermsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="fee_rates_leave_something_for_the_cooperative",
                condition=Q(commission_rate__gte=0)
                & Q(solidarity_rate__gte=0)
                & Q(commission_rate__lt=F("solidarity_rate") * -1 + 1),
            ),
            models.UniqueConstraint(
                fields=["cooperative", "valid_from"], name="one_set_of_own_fee_terms_starts_on_a_day"
            ),
            models.UniqueConstraint(
                fields=["valid_from"],
                condition=Q(cooperative=None),
                name="one_set_of_general_fee_terms_starts_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cooperative or '*'} {self.commission_rate} + {self.solidarity_rate}"


class Label(models.Model):
    """A mark a customer may trust: who vouches for it and what it covers."""

    class Kind(models.TextChoices):
        LEGAL_SIGN = "legal_sign", _("sign of origin or quality")
        PUBLIC = "public", _("public mark")
        PRIVATE = "private", _("private standard")
        HEALTH = "health", _("health authorisation")
        SHOP = "shop", _("label of the shop")
        DECLARED = "declared", _("declared commitment")

    class Scope(models.TextChoices):
        COOPERATIVE = "cooperative", _("the cooperative")
        LISTING = "listing", _("the good")

    code = models.SlugField(max_length=24, unique=True)
    name = models.CharField(_("name"), max_length=120)
    short_name = models.CharField(_("short name"), max_length=40)
    meaning = models.TextField(_("what it means"), blank=True)
    issuer = models.CharField(_("who vouches"), max_length=160)
    kind = models.CharField(max_length=12, choices=Kind)
    scope = models.CharField(max_length=12, choices=Scope)
    public_url = models.URLField(blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.short_name


class CertificationQuerySet(models.QuerySet["Certification"]):
    def valid_on(self, day: date) -> CertificationQuerySet:
        """Verified, and in date on that day (the last day counts)."""
        return self.filter(state=Certification.State.VERIFIED, valid_from__lte=day, valid_until__gte=day)


class Certification(MovesOnce, models.Model):
    """A label granted to a cooperative for a time, with its evidence. Expiry is computed, never stored."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("submitted")
        VERIFIED = "verified", _("verified")
        REFUSED = "refused", _("refused")
        SUSPENDED = "suspended", _("suspended")
        REVOKED = "revoked", _("revoked")

    label = models.ForeignKey(Label, on_delete=models.PROTECT, related_name="certifications")
    cooperative = models.ForeignKey(Cooperative, on_delete=models.CASCADE, related_name="certifications")
    number = models.CharField(_("number"), max_length=80)
    certifier = models.CharField(_("certifier"), max_length=160)
    valid_from = models.DateField()
    valid_until = models.DateField()
    evidence = models.FileField(storage=private_storage, upload_to="certifications/%Y/", blank=True)
    public_url = models.URLField(blank=True)
    state = FSMField(choices=State, default=State.SUBMITTED, protected=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=250, blank=True)

    objects = CertificationQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["cooperative", "label"]
        constraints = [
            models.CheckConstraint(
                name="a_certification_ends_after_it_starts", condition=Q(valid_until__gte=F("valid_from"))
            ),
            models.UniqueConstraint(
                fields=["label", "cooperative", "number", "valid_from"],
                name="a_certification_is_recorded_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} · {self.cooperative} · {self.number}"

    @transition(field=state, source=State.SUBMITTED, target=State.VERIFIED)
    def verify(self, *, by, at: datetime) -> None:
        self.checked_by, self.checked_at = by, at

    @transition(field=state, source=State.SUBMITTED, target=State.REFUSED)
    def refuse(self, *, by, at: datetime, reason: str) -> None:
        self.checked_by, self.checked_at, self.reason = by, at, reason

    @transition(field=state, source=State.VERIFIED, target=State.SUSPENDED)
    def suspend(self, *, reason: str) -> None:
        self.reason = reason

    @transition(field=state, source=[State.VERIFIED, State.SUSPENDED], target=State.REVOKED)
    def revoke(self, *, reason: str) -> None:
        self.reason = reason


class PayoutAccountQuerySet(models.QuerySet["PayoutAccount"]):
    def usable(self, *, at: datetime) -> PayoutAccountQuerySet:
        """Holds, and approved accounts whose cooling time is over: a hold first, then the newest."""
        is_hold = Q(rail=PayoutAccount.Rail.HOLD)
        found = self.filter(is_hold | Q(approved_by__isnull=False), usable_from__lte=at, closed_at=None)
        return found.order_by(Case(When(is_hold, then=0), default=1), "-usable_from", "-pk")

    def waiting(self, *, at: datetime) -> PayoutAccountQuerySet:
        """Proposed, and not in use yet: its time has not come, or nobody has checked it."""
        proposed = self.filter(closed_at=None).exclude(rail=PayoutAccount.Rail.HOLD)
        return proposed.filter(Q(usable_from__gt=at) | Q(approved_by=None))

    def to_check(self) -> PayoutAccountQuerySet:
        """Those an operator has to approve or refuse, the oldest first."""
        proposed = self.filter(closed_at=None, approved_by=None).exclude(rail=PayoutAccount.Rail.HOLD)
        return proposed.order_by("created_at", "pk")


class PayoutAccount(models.Model):
    """Where a cooperative's money goes. A change is a new row that waits; what it says is never edited.

    Nothing is sent to an account before a person other than its proposer has approved it. ``hold`` means:
    owed, but not sent, for the reason given; it stands, whatever is approved meanwhile, until two persons lift it.
    """

    class Rail(models.TextChoices):
        BANK = "bank", _("bank transfer")
        STRIPE = "stripe", _("Stripe")
        HOLD = "hold", _("on hold")

    cooperative = models.ForeignKey(Cooperative, on_delete=models.PROTECT, related_name="payout_accounts")
    version = models.PositiveIntegerField()
    rail = models.CharField(max_length=8, choices=Rail)
    holder = models.CharField(_("account holder"), max_length=140)
    rib = models.CharField("RIB", max_length=24, blank=True)
    stripe_account_id = models.CharField(max_length=64, blank=True)
    transfers_active = models.BooleanField(
        default=False, help_text="Stripe's own word on the transfers capability"
    )
    bank_changed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="the bank behind a Stripe account was changed while no money went there; to be checked anew",
    )
    reason = models.CharField(max_length=200, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    refusal = models.CharField(max_length=200, blank=True, help_text="why it was refused; the owners read it")
    created_at = models.DateTimeField()
    usable_from = models.DateTimeField(help_text="a changed account waits 48 hours, and all for approval")
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = PayoutAccountQuerySet.as_manager()

    class Meta:
        ordering = ["cooperative", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["cooperative", "version"], name="payout_account_versions_are_numbered"
            ),
            models.CheckConstraint(
                name="a_bank_account_has_a_rib_of_24_digits",
                condition=~Q(rail="bank") | Q(rib__regex=r"^[0-9]{24}$"),
            ),
            models.CheckConstraint(
                name="a_payout_account_is_approved_by_another_person",
                condition=Q(proposed_by=None) | Q(approved_by=None) | ~Q(proposed_by=F("approved_by")),
            ),
            models.CheckConstraint(
                name="a_refused_payout_account_is_closed_and_never_approved",
                condition=Q(refused_by=None) | Q(approved_by=None, closed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cooperative.code} v{self.version} {self.rail}"

    @property
    def is_in_doubt(self) -> bool:
        """The bank behind it was changed, and nobody has approved it since."""
        if self.bank_changed_at is None:
            return False
        return self.approved_at is None or self.approved_at <= self.bank_changed_at


class HoldLiftingQuerySet(models.QuerySet["HoldLifting"]):
    def waiting(self) -> HoldLiftingQuerySet:
        """Asked for, nobody has answered, and the hold still stands."""
        return self.filter(approved_at=None, refused_at=None, hold__closed_at=None)


class HoldLifting(models.Model):
    """Somebody asks that a cooperative be paid again; another person agrees, or does not. Rows stay."""

    reference = models.CharField(max_length=32, unique=True)
    hold = models.ForeignKey(PayoutAccount, on_delete=models.PROTECT, related_name="liftings")
    reason = models.CharField(max_length=250)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    refused_at = models.DateTimeField(null=True, blank=True)
    resumed = models.ForeignKey(
        PayoutAccount,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the account in use from then on; none if there was none before the hold",
    )

    objects = HoldLiftingQuerySet.as_manager()

    class Meta:
        ordering = ["proposed_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="a_hold_is_lifted_by_another_person",
                condition=Q(approved_by=None) | ~Q(approved_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="a_lifting_is_agreed_to_or_refused_by_somebody",
                condition=Q(approved_by=None, approved_at=None, refused_by=None, refused_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False, refused_by=None, refused_at=None)
                | Q(approved_by=None, approved_at=None, refused_by__isnull=False, refused_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["hold"],
                condition=Q(approved_at=None, refused_at=None),
                name="one_lifting_of_a_hold_waits",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
