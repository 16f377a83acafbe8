"""Records for tests, made with the shop's own activities where there is one.

Every value a test may want to know is plain: prices in whole dirhams, one region, one carrier. ``placed``
gives a whole confirmed order in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.db import transaction
from factory.django import DjangoModelFactory
from moneyed import Money
from oscar.core.loading import get_model

from catalogue import publishing, stock, varying
from catalogue.models import LabelClaim, Product, VatRate
from cooperatives.models import Certification, Cooperative, FeeTerms, Label, Member, PayoutAccount
from shop.core import references
from shop.core import rib as ribs
from shop.core.clock import day_of
from shop.core.models import Commune, Province, Region
from shop.fulfilment import dispatching, quoting, routing
from shop.fulfilment.models import Carrier, DeliveryRate, Shipment, SupplierOrder
from shop.orders.models import Line, Order, ShippingAddress
from shop.people.models import OperatorRole, User
from shop.pricing import tax
from shop.vouchers import issuing
from shop.vouchers.models import Voucher

#: The moment most tests happen at: a Sunday morning in Casablanca.
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SINCE = date(2020, 1, 1)
PASSWORD = "une-phrase-de-passe"


def mad(amount: str | int) -> Money:
    """So many dirhams."""
    return Money(Decimal(str(amount)), "MAD")


# Places and rules


class RegionFactory(DjangoModelFactory):
    """Marrakech-Safi unless told otherwise; the same code again is the same region."""

    class Meta:
        model = Region
        django_get_or_create = ("code",)

    code = "MA-07"
    hcp_code = factory.LazyAttribute(lambda self: self.code[-2:])
    name_fr = factory.LazyAttribute(lambda self: "Marrakech-Safi" if self.code == "MA-07" else self.code)
    name_ar = factory.LazyAttribute(lambda self: "مراكش-آسفي" if self.code == "MA-07" else self.code)
    name_en = factory.LazyAttribute(lambda self: self.name_fr)
    population = 4_892_000


class ProvinceFactory(DjangoModelFactory):
    class Meta:
        model = Province
        django_get_or_create = ("code",)

    code = "07.211"
    region = factory.SubFactory(RegionFactory)
    kind = "province"
    name_fr = "Essaouira"
    name_ar = "الصويرة"
    population = 434_000


class CommuneFactory(DjangoModelFactory):
    class Meta:
        model = Commune
        django_get_or_create = ("code",)

    code = "07.211.01.01"
    province = factory.SubFactory(ProvinceFactory)
    is_urban = True
    name_fr = "Essaouira"
    name_ar = "الصويرة"
    population = 90_000


class VatRateFactory(DjangoModelFactory):
    class Meta:
        model = VatRate
        django_get_or_create = ("code", "regime", "valid_from")

    code = "R20"
    regime = ""
    rate = Decimal("0.2000")
    valid_from = SINCE


class FeeTermsFactory(DjangoModelFactory):
    """The general terms: 10 % commission with 20 % VAT inside, 1 % solidarity."""

    class Meta:
        model = FeeTerms
        django_get_or_create = ("cooperative", "valid_from")

    cooperative = None
    commission_rate = Decimal("0.1000")
    commission_vat_rate = Decimal("0.2000")
    solidarity_rate = Decimal("0.0100")
    valid_from = SINCE


class CarrierFactory(DjangoModelFactory):
    class Meta:
        model = Carrier
        django_get_or_create = ("code",)

    code = "rihla"
    name = "Rihla Messagerie"
    phone = "+212522000000"
    collects_cash = True


class DeliveryRateFactory(DjangoModelFactory):
    """30,00 up to 20 kg from everywhere to everywhere, two to four working days."""

    class Meta:
        model = DeliveryRate

    carrier = factory.SubFactory(CarrierFactory)
    from_region = None
    to_region = None
    up_to_g = 20_000
    price_minor = 3000
    valid_from = SINCE


# People


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.ma")
    first_name = "Amina"
    last_name = factory.Sequence(lambda n: f"Naciri {n}")
    language = "fr"
    password = factory.django.Password(PASSWORD)


class OperatorFactory(UserFactory):
    """An account with operator roles: ``OperatorFactory(roles=["support"])``."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    @factory.post_generation
    def roles(self, create: bool, extracted: Sequence[str] | None, **_: Any) -> None:
        for role in extracted or [OperatorRole.Role.SUPPORT]:
            OperatorRole.objects.create(user=self, role=role, granted_at=NOW)


# Who sells


class CooperativeFactory(DjangoModelFactory):
    """With its Oscar partner; general fee terms exist from then on."""

    class Meta:
        model = Cooperative
        skip_postgeneration_save = True

    code = factory.Sequence(lambda n: f"C{n + 100}")  # beyond those that tests name themselves
    slug = factory.LazyAttribute(lambda self: f"cooperative-{self.code.lower()}")
    name = factory.LazyAttribute(lambda self: f"Coopérative {self.code}")
    partner = factory.LazyAttribute(
        lambda self: get_model("partner", "Partner").objects.create(code=self.code.lower(), name=self.name)
    )
    region = factory.SubFactory(RegionFactory)
    place = "Essaouira"
    address = "Douar Aït Ali, Essaouira"
    phone = "+212600000001"
    email = factory.LazyAttribute(lambda self: f"{self.code.lower()}@cooperatives.example.ma")
    register_number = "RC/2014/17"
    ice = "001234567000089"
    created_at = NOW - timedelta(days=400)

    @factory.post_generation
    def terms(self, create: bool, extracted: Any, **_: Any) -> None:
        FeeTermsFactory()


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = Member

    cooperative = factory.SubFactory(CooperativeFactory)
    user = factory.SubFactory(UserFactory)
    role = Member.Role.OWNER
    joined_at = NOW - timedelta(days=300)


def rib_of(number: int) -> str:
    """A sound RIB of an invented bank."""
    body = f"999780{number:016d}"
    return body + ribs.key_of(body)


class PayoutAccountFactory(DjangoModelFactory):
    """A bank account approved and in use since long ago. Changes go through ``payout_accounts.propose``."""

    class Meta:
        model = PayoutAccount

    cooperative = factory.SubFactory(CooperativeFactory)
    version = 1
    rail = PayoutAccount.Rail.BANK
    holder = factory.LazyAttribute(lambda self: self.cooperative.name)
    rib = factory.Sequence(lambda n: rib_of(n + 1))
    approved_by = factory.SubFactory(UserFactory)
    approved_at = NOW - timedelta(days=200)
    created_at = NOW - timedelta(days=200)
    usable_from = NOW - timedelta(days=200)


class LabelFactory(DjangoModelFactory):
    class Meta:
        model = Label
        django_get_or_create = ("code",)

    code = "igp"
    name = "Indication géographique protégée"
    short_name = "IGP"
    issuer = "Ministère de l'Agriculture"
    kind = Label.Kind.LEGAL_SIGN
    scope = Label.Scope.LISTING


class CertificationFactory(DjangoModelFactory):
    """Verified and in date around NOW, unless ``state`` says otherwise."""

    class Meta:
        model = Certification

    label = factory.SubFactory(LabelFactory)
    cooperative = factory.SubFactory(CooperativeFactory)
    number = factory.Sequence(lambda n: f"IGP-{n:03d}")
    certifier = "Normacert"
    valid_from = date(2026, 1, 1)
    valid_until = date(2027, 12, 31)
    state = Certification.State.VERIFIED


# What is for sale


class ListingFactory(DjangoModelFactory):
    """A published listing with a price and stock: ``ListingFactory(price="150.00", stock=10)``.

    ``state="draft"`` leaves it off the shelf; ``price=None`` gives it neither price nor stock of its own.
    """

    class Meta:
        model = Product
        skip_postgeneration_save = True

    reference = factory.Sequence(lambda n: f"L-{n:04d}")
    slug = factory.LazyAttribute(lambda self: self.reference.lower())
    title = factory.LazyAttribute(lambda self: f"Huile d'argane {self.reference}")
    cooperative = factory.SubFactory(CooperativeFactory)
    product_class = factory.LazyAttribute(
        lambda self: get_model("catalogue", "ProductClass").objects.get_or_create(
            slug="good", defaults={"name": "Good", "requires_shipping": True, "track_stock": True}
        )[0]
    )
    unit = "250 ml"
    family = "argane"
    vat_class = "R20"
    gross_weight_g = 500

    @classmethod
    def _create(cls, model_class: type[Product], *args: Any, **kwargs: Any) -> Product:
        price, quantity = kwargs.pop("price", "150.00"), kwargs.pop("stock", 10)
        claims, at = kwargs.pop("claims", ()), kwargs.pop("at", NOW - timedelta(days=100))
        state = kwargs.pop("state", Product.State.PUBLISHED)
        VatRateFactory(code=kwargs["vat_class"], rate=VAT_RATES[kwargs["vat_class"]])
        VatRateFactory(code=kwargs["vat_class"], regime=Cooperative.VatRegime.EXEMPT, rate=Decimal(0))
        listing = super()._create(model_class, *args, **kwargs)
        if price is not None:
            record = get_model("partner", "StockRecord").objects.create(
                product=listing,
                partner=listing.cooperative.partner,
                partner_sku=listing.reference,
                price_currency="MAD",
                price=Decimal(price),
                num_in_stock=0,
            )
            if quantity:
                stock.receive(quantities={record.pk: quantity}, at=at)
        for certification in claims:
            LabelClaim.objects.create(listing=listing, certification=certification)
        if state == Product.State.PUBLISHED:
            publishing.publish(listing=listing, at=at)
        return Product.objects.get(pk=listing.pk)


def variant_of(
    listing: Product,
    name: str,
    *,
    price: str = "150.00",
    quantity: int = 10,
    weight: int = 500,
    unit: str = "",
) -> Product:
    """One more published variant of a listing without a price of its own (``ListingFactory(price=None)``)."""
    made = varying.add(
        listing=listing,
        reference=f"{listing.reference}-{listing.children.count() + 1}",
        variant=dict.fromkeys(("fr", "ar", "en"), name),
        unit=dict.fromkeys(("fr", "ar", "en"), unit),
        price=mad(price),
        gross_weight_g=weight,
        quantity=quantity,
        at=NOW - timedelta(days=100),
    )
    publishing.publish(listing=made, at=NOW - timedelta(days=100))
    return Product.objects.get(pk=made.pk)


def listing_with_variants(*variants: tuple[str, str, int], **kwargs: Any) -> tuple[Product, list[Product]]:
    """A published listing and its variants, each given as (name, price, quantity)."""
    listing = ListingFactory(price=None, state=Product.State.DRAFT, **kwargs)
    made = [variant_of(listing, name, price=price, quantity=quantity) for name, price, quantity in variants]
    publishing.publish(listing=Product.objects.get(pk=listing.pk), at=NOW - timedelta(days=100))
    return Product.objects.get(pk=listing.pk), made


VAT_RATES = {"X91": Decimal(0), "N": Decimal(0), "R10": Decimal("0.10"), "R20": Decimal("0.20")}


def stock_of(listing: Product) -> tuple[int, int]:
    """(on hand, reserved) of a listing, as the table has it now."""
    record = listing.stockrecords.get()
    return record.num_in_stock or 0, record.num_allocated or 0


# Orders


class AddressFactory(DjangoModelFactory):
    """Where an order goes: Casablanca."""

    class Meta:
        model = ShippingAddress

    first_name = "Salma"
    last_name = "Idrissi"
    line1 = "12, rue des Orangers"
    landmark = "près de la poste"
    line4 = "Casablanca"
    region_code = "MA-06"
    phone_number = "+212661000000"
    country = factory.LazyFunction(
        lambda: get_model("address", "Country").objects.get_or_create(
            iso_3166_1_a2="MA", defaults={"name": "Maroc", "printable_name": "Maroc"}
        )[0]
    )


def voucher(**given: Any) -> Voucher:
    """A voucher of the shop over 50,00 MAD, valid since the day before, unless told otherwise."""
    told: dict[str, Any] = {
        "texts": {"fr": "Bienvenue", "ar": "مرحبا", "en": "Welcome"},
        "valid_from": day_of(NOW) - timedelta(days=1),
        "by": None,
        "at": NOW,
    }
    if "rate" not in given:
        told["amount"] = mad("50.00")
    return issuing.issue(**told | given)


@transaction.atomic
def order_of(
    *items: tuple[Product, int],
    method: str = Order.Method.CARD,
    user: User | None = None,
    email: str = "salma@example.ma",
    language: str = "fr",
    at: datetime = NOW,
) -> Order:
    """An order awaiting payment: amounts frozen, delivery quoted, stock reserved."""
    if not DeliveryRate.objects.exists():
        DeliveryRateFactory()
    RegionFactory(code="MA-06")
    address = AddressFactory()
    prices = {listing.pk: listing.stockrecords.get() for listing, _ in items}
    baskets = quoting.parcels(
        lines=[(listing, count, mad(prices[listing.pk].price) * count) for listing, count in items]
    )
    mark = quoting.fingerprint(
        lines=[(listing.pk, count, prices[listing.pk].price) for listing, count in items],
        address=address,
        method=method,
    )
    quotes = quoting.quote(baskets=baskets, address=address, fingerprint=mark, at=at)
    goods = sum((each.goods.amount for each in baskets.values()), Decimal(0))
    delivery = sum((each.gross.amount for each in quotes), Decimal(0))
    order = Order.objects.create(
        number=references.make("T"),
        user=user,
        guest_email="" if user else email,
        guest_phone="+212661000000",
        language=language,
        payment_method=method,
        currency="MAD",
        total_incl_tax=goods + delivery,
        total_excl_tax=goods + delivery,
        shipping_incl_tax=delivery,
        shipping_excl_tax=delivery,
        shipping_address=address,
        date_placed=at,
        reserved_until=at + timedelta(minutes=30),
    )
    quoting.freeze(quotes=quotes, order=order, fingerprint=mark, at=at)
    for listing, count in items:
        _line(order, listing, count, prices[listing.pk], on=day_of(at))
    stock.reserve(
        quantities={prices[listing.pk].pk: count for listing, count in items}, about=order.number, at=at
    )
    return order


def _line(order: Order, listing: Product, count: int, record: Any, *, on: date) -> Line:
    price = record.price * count
    return Line.objects.create(
        order=order,
        partner=record.partner,
        partner_name=record.partner.name,
        partner_sku=record.partner_sku,
        stockrecord=record,
        product=listing,
        cooperative=listing.cooperative,
        title=listing.get_title(),
        unit=listing.unit,
        quantity=count,
        line_price_incl_tax=price,
        line_price_excl_tax=price,
        line_price_before_discounts_incl_tax=price,
        line_price_before_discounts_excl_tax=price,
        unit_price_incl_tax=record.price,
        unit_price_excl_tax=record.price,
        tax_code=listing.vat_class,
        vat_rate=tax.vat_rate(vat_class=listing.vat_class, regime=listing.cooperative.vat_regime, on=on),
        num_allocated=count,
    )


@transaction.atomic
def confirmed(order: Order, *, at: datetime = NOW) -> list[SupplierOrder]:
    """Confirm the order as a payment would, and split it."""
    Order.objects.filter(pk=order.pk).update(confirmed_at=at, reserved_until=None)
    order.refresh_from_db()
    return routing.route(order=order, at=at)


def placed(
    *items: tuple[Product, int], at: datetime = NOW, to: str = "placed", **kwargs: Any
) -> list[SupplierOrder]:
    """The supplier orders of one confirmed order, brought to a state: placed, accepted or dispatched."""
    from shop.fulfilment import deciding

    supplier_orders = confirmed(order_of(*items, at=at, **kwargs), at=at)
    for each in supplier_orders:
        if to in ("accepted", "dispatched"):
            deciding.accept(supplier_order=each, by=None, at=at)
        if to == "dispatched":
            dispatched(each, at=at)
    return supplier_orders


class SupplierOrderFactory:
    """One supplier order of 2 × 150,00 of a cooperative: ``SupplierOrderFactory(cooperative=…, to="accepted")``."""

    def __new__(cls, *, cooperative: Cooperative | None = None, **kwargs: Any) -> SupplierOrder:  # type: ignore[misc]
        listing = ListingFactory(**({"cooperative": cooperative} if cooperative else {}))
        return placed((listing, 2), **kwargs)[0]


def dispatched(supplier_order: SupplierOrder, *, number: str | None = None, at: datetime = NOW) -> Shipment:
    """Hand an accepted part to its quoted carrier."""
    return dispatching.dispatch(
        supplier_order=supplier_order,
        carrier=supplier_order.carrier,
        tracking_number=f"RH{supplier_order.pk:09d}MA" if number is None else number,
        by=None,
        at=at,
    )
