"""Splits a confirmed order into supplier orders, one for each cooperative, with every amount frozen."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from moneyed import Money

from cooperatives import terms
from cooperatives.models import Cooperative, FeeTerms
from shop.core.clock import day_of
from shop.core.money import total, zero
from shop.fulfilment import letters, story
from shop.fulfilment.models import DeliveryQuote, SupplierOrder, SupplierOrderLine
from shop.ledger import entries
from shop.orders.models import Line, Order
from shop.pricing.fees import Fees, fees, net_of, spread
from shop.vouchers.models import Redemption

logger = logging.getLogger(__name__)


class NotQuoted(Exception):
    """A bug: an order was confirmed whose delivery nobody had priced."""


class NobodyGives(Exception):
    """A bug: an order's lines cost less than their price, and no voucher says who bears it."""


@transaction.atomic
def route(*, order: Order, at: datetime) -> list[SupplierOrder]:
    """Split a confirmed order into one supplier order for each cooperative, and tell each.

    Belongs inside the transaction that confirms the order. Fees are those of the day the order was placed.
    A card order is split in the books at once; a cash order when each parcel is delivered. Routing the same
    order again changes nothing and tells nobody.
    """
    Order.objects.select_for_update().get(pk=order.pk)
    before = list(order.supplier_orders.order_by("pk"))
    if before:
        return before

    parts: dict[Cooperative, list[Line]] = defaultdict(list)
    for line in order.lines.select_related("cooperative").order_by("pk"):
        parts[line.cooperative].append(line)
    quotes = {each.cooperative_id: each for each in order.delivery_quotes.select_related("carrier")}
    in_force = terms.terms_of(cooperatives=parts, on=day_of(order.date_placed))

    supplier_orders = []
    for number, cooperative in enumerate(sorted(parts, key=lambda each: each.code), start=1):
        if cooperative.pk not in quotes:
            raise NotQuoted(f"{order.number}: {cooperative.code}")
        supplier_order = _place(
            order=order,
            reference=f"{order.number}-{number}",
            cooperative=cooperative,
            lines=parts[cooperative],
            terms=in_force[cooperative.pk],
            quote=quotes[cooperative.pk],
            at=at,
        )
        if order.payment_method == Order.Method.CARD:
            post_confirmation(supplier_order=supplier_order, at=at)
        story.tell(order=order, kind="supplier_order.placed", supplier_order=supplier_order, at=at)
        letters.to_members(topic="supplier_order.placed", supplier_order=supplier_order, at=at)
        logger.info("supplier order placed", extra={"supplier_order": supplier_order.reference})
        supplier_orders.append(supplier_order)
    return supplier_orders


def post_confirmation(*, supplier_order: SupplierOrder, at: datetime) -> None:
    """The part is split in the books as it was frozen: at confirmation when paid by card, at the door when
    paid in cash."""
    entries.record_confirmation(
        supplier_order=supplier_order.reference,
        order=supplier_order.order.number,
        cooperative=supplier_order.cooperative.code,
        effective_on=day_of(at),
        goods=supplier_order.goods,
        commission=supplier_order.commission,
        solidarity=supplier_order.solidarity,
        delivery_net=supplier_order.delivery_net,
        delivery_vat=supplier_order.delivery_vat,
        voucher=supplier_order.discount_by_shop,
    )


def _place(
    *,
    order: Order,
    reference: str,
    cooperative: Cooperative,
    lines: list[Line],
    terms: FeeTerms,
    quote: DeliveryQuote,
    at: datetime,
) -> SupplierOrder:
    by_shop, by_cooperative = _taken_off(order, lines)
    prices = [
        Money(each.line_price_before_discounts_incl_tax, order.currency) - given
        for each, given in zip(lines, by_cooperative, strict=True)
    ]
    kept = fees(goods=total(prices, order.currency), terms=terms)
    supplier_order = SupplierOrder(
        reference=reference,
        order=order,
        cooperative=cooperative,
        currency=order.currency,
        commission_rate=terms.commission_rate,
        commission_vat_rate=terms.commission_vat_rate,
        solidarity_rate=terms.solidarity_rate,
        delivery_vat_rate=quote.vat_rate,
        carrier=quote.carrier,
        arrives_from=quote.arrives_from,
        arrives_until=quote.arrives_until,
        placed_at=at,
        accept_by=at + timedelta(hours=settings.ACCEPTANCE_HOURS),
    )
    supplier_order.goods = kept.goods
    supplier_order.discount_by_shop = total(by_shop, order.currency)
    supplier_order.discount_by_cooperative = total(by_cooperative, order.currency)
    supplier_order.commission = kept.commission
    supplier_order.commission_net = kept.commission_net
    supplier_order.commission_vat = kept.commission_vat
    supplier_order.solidarity = kept.solidarity
    supplier_order.producer_share = kept.producer_share
    supplier_order.delivery = quote.gross
    supplier_order.delivery_net = quote.net
    supplier_order.delivery_vat = quote.vat
    supplier_order.save(force_insert=True)
    made = _lines(supplier_order, lines, prices, kept)
    for each, shop_gives, cooperative_gives in zip(made, by_shop, by_cooperative, strict=True):
        each.discount_by_shop, each.discount_by_cooperative = shop_gives, cooperative_gives
    SupplierOrderLine.objects.bulk_create(made)
    return supplier_order


def _taken_off(order: Order, lines: list[Line]) -> tuple[list[Money], list[Money]]:
    """What a voucher took off each line: (borne by the shop, borne by the cooperative).

    Of the cooperative's own it sells for less, and every fee is of the lesser price. Of the shop's it sells
    for as much as ever, and the shop pays a part in the customer's place.
    """
    off = [
        Money(each.line_price_before_discounts_incl_tax - each.line_price_incl_tax, order.currency)
        for each in lines
    ]
    nothing = [zero(order.currency) for _each in lines]
    if not any(off):
        return nothing, nothing
    redemption = Redemption.objects.filter(order=order).first()
    if redemption is None:
        raise NobodyGives(order.number)
    return (off, nothing) if redemption.is_by_shop else (nothing, off)


def _lines(
    supplier_order: SupplierOrder, lines: list[Line], prices: list[Money], kept: Fees
) -> list[SupplierOrderLine]:
    made = []
    for line, part in zip(lines, spread(lines=prices, fees=kept), strict=True):
        rate = Decimal(line.vat_rate)
        each = SupplierOrderLine(
            supplier_order=supplier_order,
            order_line=line,
            title=line.title,
            sku=line.partner_sku or (line.product.reference if line.product else ""),
            unit=line.unit,
            quantity=line.quantity,
            currency=supplier_order.currency,
            vat_code=line.tax_code or "",
            vat_rate=rate,
        )
        each.goods, each.commission = part.goods, part.commission
        each.commission_vat, each.solidarity = part.commission_vat, part.solidarity
        each.goods_vat = net_of(part.goods, rate)[1]
        made.append(each)
    return made
