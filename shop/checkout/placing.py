"""From basket to order, exactly once, with every amount frozen and every good set aside.

Oscar's offers, vouchers and surcharges are not applied: the order is the sum of its lines, each less what one
voucher of ours takes off it, and of its deliveries (docs/decisions/0008).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from moneyed import MAD, Money

from catalogue import stock
from cooperatives.models import Cooperative
from shop.checkout import filling
from shop.checkout.baskets import Basket
from shop.checkout.filling import Content
from shop.core import mailing, references
from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.money import to_minor, total, zero
from shop.fulfilment import quoting, story
from shop.fulfilment.models import DeliveryQuote
from shop.orders import links
from shop.orders.models import Line, Order, ShippingAddress
from shop.payments import paying
from shop.pricing.fees import net_of
from shop.pricing.tax import vat_rate, vat_rates
from shop.vouchers import applying, redeeming
from shop.vouchers.applying import Reduction

logger = logging.getLogger(__name__)
Method = Order.Method


class BasketEmpty(Refused):
    message = _("There is nothing in this basket to order.")


class BasketGone(Refused):
    message = _("This basket is no longer open. What you chose since then is in your new basket.")


class TotalChanged(Refused):
    """The button promised another sum than the order would have."""

    def __init__(self, was: Money, now: Money) -> None:
        self.was, self.now = was, now
        super().__init__(
            _("The total is not the one you were shown. Look at the order and confirm once more.")
        )


@dataclass(frozen=True)
class Customer:
    """Who orders: an account or a guest. ``user`` is None for a guest, whose e-mail then counts."""

    user: Any
    email: str
    phone: str
    language: str = "fr"


@dataclass(frozen=True)
class Gift:
    """The order is for somebody else: a message for her, and the codes of the cooperatives that pack it."""

    message: str = ""
    packed_by: frozenset[str] = frozenset()


#: Packing is a thing of the cooperative's like another, at the ordinary rate.
_PACKING_VAT = "R20"


def packed(*, contents: Sequence[Content], gift: Gift | None) -> list[Cooperative]:
    """The cooperatives of a basket that are asked to pack their parcel as a gift, and offer it."""
    asked = gift.packed_by if gift else frozenset()
    makers = {each.listing.cooperative.code: each.listing.cooperative for each in contents}
    return [makers[code] for code in sorted(makers) if code in asked and makers[code].gift_packing]


def packing_price(cooperative: Cooperative) -> Money:
    """What a cooperative asks for packing its parcel, tax included."""
    return Money(cooperative.gift_packing or 0, MAD)


@transaction.atomic
def buy(
    *,
    basket: Any,
    customer: Customer,
    address: ShippingAddress,
    method: str,
    quotes: Sequence[DeliveryQuote],
    at: datetime,
    expected: Money | None = None,
    voucher: str = "",
    gift: Gift | None = None,
) -> Order:
    """Place the order and open its payment, both or neither; a cash order is confirmed at once.

    Pressing the button again returns the same order. The hosted page of a card payment is asked for
    afterwards (``paying.page_for``), outside the transaction.
    """
    order = place(
        basket=basket,
        customer=customer,
        address=address,
        method=method,
        quotes=quotes,
        at=at,
        expected=expected,
        voucher=voucher,
        gift=gift,
    )
    if order.stage == Order.Stage.AWAITING_PAYMENT:  # not so when the button was pressed before
        if order.payment_method == Method.CASH:
            return paying.settle_cash(order=order, at=at).order
        paying.start(order=order, at=at)
    return order


@transaction.atomic
def place(
    *,
    basket: Any,
    customer: Customer,
    address: ShippingAddress,
    method: str,
    quotes: Sequence[DeliveryQuote],
    at: datetime,
    expected: Money | None = None,
    voucher: str = "",
    gift: Gift | None = None,
) -> Order:
    """Make an order of a basket; the same basket again returns the order it became.

    ``address`` is not saved yet; ``quotes`` is one unexpired row for each cooperative, of this basket,
    address and method; ``expected`` is the sum the customer was shown; ``voucher`` is the code she was shown
    as taken off; ``gift`` says that no price goes with the parcels, and which are packed. Raises the refusals of ``filling`` (a good off sale, too few left, a price she has not seen),
    of ``vouchers.applying`` (unknown, used up meanwhile), ``quoting.QuoteExpired``,
    ``stock.SoldOut``, BasketEmpty, BasketGone or TotalChanged, and then nothing is written.
    """
    if basket.pk is None:
        raise BasketEmpty
    if not _claim(basket):
        return _placed_before(basket)
    contents = filling.contents(basket=basket, at=at)
    if not contents:
        raise BasketEmpty
    for each in contents:
        if each.refusal:
            raise each.refusal
    reduced = reduction(contents=contents, code=voucher, customer=customer, at=at) if voucher else None
    packers = packed(contents=contents, gift=gift)
    packing = total([packing_price(each) for each in packers], MAD)
    goods = total([each.amount for each in contents], MAD) + packing
    delivery = total([each.gross for each in quotes], MAD)
    costs = goods - (reduced.amount if reduced else zero(MAD)) + delivery
    if expected is not None and expected != costs:
        raise TotalChanged(expected, costs)

    number = references.make("T")
    with override(customer.language):
        lines = _lines(contents, reduced, at)
        packing_lines = _packing_lines(packers, at)
    stock.reserve(quantities={each.stockrecord_id: each.quantity for each in lines}, about=number, at=at)
    order = _order(number, basket, customer, address, method, [*lines, *packing_lines], quotes, gift, at)
    if reduced:
        redeeming.take(reduction=reduced, order=order, user=customer.user, email=customer.email, at=at)
    _freeze_quotes(order, contents, quotes, address, at)
    Basket.objects.filter(pk=basket.pk).update(status=Basket.SUBMITTED, date_submitted=at)
    story.tell(
        order=order,
        kind="order.placed",
        at=at,
        actor="customer",
        method=method,
        total=to_minor(order.total),
        cooperatives=sorted({each.listing.cooperative.code for each in contents}),
    )
    _promise_mail(order, customer, [*lines, *packing_lines], goods, delivery, reduced, at)
    logger.info("order placed", extra={"order": number, "method": method})
    return order


def _claim(basket: Any) -> bool:
    """Whether this call may order the basket. The update carries its condition: one of many callers wins."""
    return bool(Basket.objects.filter(pk=basket.pk, status=Basket.OPEN).update(status=Basket.FROZEN))


def _placed_before(basket: Any) -> Order:
    order = Order.objects.filter(basket_id=basket.pk).select_related("user", "shipping_address").first()
    if order is None:
        raise BasketGone
    return order


def reduction(
    *, contents: Sequence[Content], code: str, at: datetime, customer: Customer | None = None
) -> Reduction:
    """What a voucher's code takes off these goods, for this customer as far as she is known. Raises the
    refusals of ``vouchers.applying``."""
    return applying.reduction(
        voucher=applying.find(code=code),
        goods=[applying.Good(each.listing.cooperative_id, each.amount) for each in contents],
        at=at,
        user=customer.user if customer else None,
        email=customer.email if customer else "",
    )


def _lines(contents: Sequence[Content], reduced: Reduction | None, at: datetime) -> list[Line]:
    """The order's lines, unsaved, with gross prices as shown, what a voucher leaves of them to pay, and the
    tax inside them told apart."""
    rates = vat_rates(on=day_of(at))
    taken = reduced.taken if reduced else [zero(MAD)] * len(contents)
    lines = []
    for each, off in zip(contents, taken, strict=True):
        listing, cooperative = each.listing, each.listing.cooperative
        rate = vat_rate(
            vat_class=listing.vat_class, regime=cooperative.vat_regime, on=day_of(at), rates=rates
        )
        net, _vat = net_of(each.amount, rate)
        left_net, _vat = net_of(each.amount - off, rate)
        unit_net, _vat = net_of(each.price, rate)
        lines.append(
            Line(
                partner_id=cooperative.partner_id,
                partner_name=cooperative.name,
                partner_sku=each.line.stockrecord.partner_sku,
                stockrecord_id=each.line.stockrecord_id,
                product=listing,
                cooperative=cooperative,
                title=listing.get_title(),
                unit=listing.unit or "",
                upc=listing.upc,
                quantity=each.quantity,
                line_price_incl_tax=(each.amount - off).amount,
                line_price_excl_tax=left_net.amount,
                line_price_before_discounts_incl_tax=each.amount.amount,
                line_price_before_discounts_excl_tax=net.amount,
                unit_price_incl_tax=each.price.amount,
                unit_price_excl_tax=unit_net.amount,
                tax_code=listing.vat_class,
                vat_rate=rate,
                status=settings.OSCAR_INITIAL_LINE_STATUS,
                num_allocated=each.quantity,
            )
        )
    return lines


def _packing_lines(packers: Sequence[Cooperative], at: datetime) -> list[Line]:
    """A line for each parcel that is packed as a gift. No voucher counts it among the goods."""
    rates = vat_rates(on=day_of(at)) if packers else {}
    lines = []
    for each in packers:
        rate = vat_rate(vat_class=_PACKING_VAT, regime=each.vat_regime, on=day_of(at), rates=rates)
        price = packing_price(each)
        net, _vat = net_of(price, rate)
        lines.append(
            Line(
                partner_id=each.partner_id,
                partner_name=each.name,
                partner_sku="",
                cooperative=each,
                is_packing=True,
                title=gettext("Gift packing"),
                quantity=1,
                line_price_incl_tax=price.amount,
                line_price_excl_tax=net.amount,
                line_price_before_discounts_incl_tax=price.amount,
                line_price_before_discounts_excl_tax=net.amount,
                unit_price_incl_tax=price.amount,
                unit_price_excl_tax=net.amount,
                tax_code=_PACKING_VAT,
                vat_rate=rate,
                status=settings.OSCAR_INITIAL_LINE_STATUS,
                num_allocated=0,
            )
        )
    return lines


def _order(
    number: str,
    basket: Any,
    customer: Customer,
    address: ShippingAddress,
    method: str,
    lines: list[Line],
    quotes: Sequence[DeliveryQuote],
    gift: Gift | None,
    at: datetime,
) -> Order:
    address.save(force_insert=True)
    gross = sum((each.gross.amount for each in quotes), Decimal(0))
    net = sum((each.net.amount for each in quotes), Decimal(0))
    card = method == Method.CARD
    order = Order.objects.create(
        number=number,
        basket_id=basket.pk,
        user=customer.user,
        guest_email="" if customer.user else customer.email.strip().lower(),
        guest_phone=customer.phone,
        language=customer.language,
        payment_method=method,
        currency=settings.SHOP_CURRENCY,
        total_incl_tax=sum((each.line_price_incl_tax for each in lines), Decimal(0)) + gross,
        total_excl_tax=sum((each.line_price_excl_tax for each in lines), Decimal(0)) + net,
        shipping_incl_tax=gross,
        shipping_excl_tax=net,
        shipping_address=address,
        shipping_method=str(_("Delivery by cooperative")),
        shipping_code="parcels",
        status=settings.OSCAR_INITIAL_ORDER_STATUS,
        date_placed=at,
        reserved_until=at + timedelta(minutes=settings.CARD_RESERVATION_MINUTES) if card else None,
        is_gift=gift is not None,
        gift_message=gift.message if gift else "",
        demo=settings.DEMO_MODE,
    )
    for each in lines:
        each.order = order
    Line.objects.bulk_create(lines)
    return order


def _freeze_quotes(
    order: Order,
    contents: Sequence[Content],
    quotes: Sequence[DeliveryQuote],
    address: ShippingAddress,
    at: datetime,
) -> None:
    """The quotes must be of this very basket, place and way to pay, one for each cooperative."""
    if {each.cooperative_id for each in quotes} != {each.listing.cooperative_id for each in contents}:
        raise quoting.QuoteExpired
    if len(quotes) != len({each.cooperative_id for each in quotes}):
        raise quoting.QuoteExpired
    quoting.freeze(
        quotes=quotes,
        order=order,
        fingerprint=fingerprint(contents=contents, address=address, method=order.payment_method),
        at=at,
    )


def fingerprint(*, contents: Sequence[Content], address: Any, method: str) -> str:
    """What a delivery quote for this basket, place and way to pay is tied to."""
    return quoting.fingerprint(
        lines=[(each.listing.pk, each.quantity, each.price.amount) for each in contents],
        address=address,
        method=method,
    )


def _giver(reduced: Reduction) -> str:
    """The cooperative that bears a voucher; empty for the shop."""
    return reduced.voucher.cooperative.name if reduced.voucher.cooperative else ""


def _promise_mail(
    order: Order,
    customer: Customer,
    lines: Sequence[Line],
    goods: Money,
    delivery: Money,
    reduced: Reduction | None,
    at: datetime,
) -> None:
    def amount(money: Money) -> dict[str, Any]:
        return {"minor": to_minor(money), "currency": money.currency.code}

    def said() -> dict[str, Any]:
        parts: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            parts.setdefault(line.partner_name, []).append(
                {
                    "title": line.title,
                    "unit": line.unit,
                    "quantity": line.quantity,
                    "amount": amount(Money(line.line_price_before_discounts_incl_tax, MAD)),
                }
            )
        return {
            "order": order.number,
            "token": "" if customer.user else links.sign(order=order),
            "is_cash": order.payment_method == Method.CASH,
            "reserved_until": order.reserved_until.isoformat() if order.reserved_until else "",
            "parts": [{"cooperative": name, "lines": rows} for name, rows in parts.items()],
            "goods": amount(goods),
            "voucher": amount(-reduced.amount) if reduced else None,
            "voucher_by": _giver(reduced) if reduced else "",
            "delivery": amount(delivery),
            "total": amount(order.total),
        }

    mailing.promise(
        topic="order.placed",
        to=customer.user.email if customer.user else customer.email,
        language=customer.language,
        key=f"order.placed:{order.number}",
        at=at,
        about=order.number,
        context=said,
    )
