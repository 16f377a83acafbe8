"""The story of an order, and what an operator does for somebody who phoned."""

from __future__ import annotations

import pytest
from django.urls import reverse

from shop.core.errors import Refused
from shop.core.models import OutboxMessage
from shop.fulfilment import deciding, delivering
from shop.fulfilment.models import SupplierOrder
from shop.ledger import balances
from shop.orders import links
from shop.payments import paying, payouts, refunding
from shop.payments.models import Refund
from shop.reconciliation.models import Discrepancy
from tests.factories import (
    NOW,
    ListingFactory,
    PayoutAccountFactory,
    SupplierOrderFactory,
    dispatched,
    mad,
    rib_of,
)
from tests.payments.shop import FAILING_REFUND_CARD, stands

pytestmark = pytest.mark.django_db


def said(response):
    return [str(each) for each in response.context["messages"]]


def test_the_whole_story_is_on_one_page(shop, as_):
    order = shop.paid_order((ListingFactory(price="300.00", title="Tapis"), 2), email="salma@example.ma")
    part = order.supplier_orders.get()

    page = as_("support").get(reverse("backoffice:order", args=[order.number])).content.decode()

    assert part.reference in page and "Tapis" in page
    assert "MAD\u00a0534.00" in page  # the cooperative's share
    assert "salma@example.ma" in page and "+212661000000" in page
    assert "The order is confirmed." in page
    assert "Held for the cooperative" in page and "Order confirmed" in page


def test_who_is_not_support_sees_enough_to_recognise_a_customer_by_and_no_more(shop, as_):
    order = shop.paid_order(email="salma@example.ma")

    page = as_("auditor").get(reverse("backoffice:order", args=[order.number])).content.decode()

    assert "s…@example.ma" in page
    assert "salma@example.ma" not in page and "661000000" not in page and "Idrissi" not in page


def test_the_cooperative_phoned_that_it_cannot_fill_a_part(shop, as_):
    part = shop.paid_order().supplier_orders.get()
    client = as_("support")
    door = reverse("backoffice:decline_part", args=[part.reference])

    nothing = client.post(door, {"reason": "other", "words": ""})
    declined = client.post(door, {"reason": "sold_out"}, follow=True)
    again = client.post(door, {"reason": "sold_out"}, follow=True)

    assert nothing.status_code == 422
    part.refresh_from_db()
    assert (part.state, part.end_reason) == ("declined", "sold_out")
    assert part.events.filter(kind="supplier_order.declined").get().actor == "support@example.ma"
    assert "is declined" in said(declined)[0]
    assert "no longer possible" in said(again)[0]
    assert OutboxMessage.objects.filter(topic="part.declined").count() == 1


def test_the_customer_phoned_that_she_no_longer_wants_a_part(shop, as_):
    part = shop.paid_order().supplier_orders.get()

    as_("support").post(reverse("backoffice:cancel_part", args=[part.reference]))

    part.refresh_from_db()
    assert part.state == "cancelled"
    assert refunding.refund_ended_parts(at=shop.at) == 1


@pytest.mark.parametrize(
    ("outcome", "state"), [("tracking", "delivered"), ("customer", "delivered"), ("refused", "refused")]
)
def test_what_became_of_a_cash_parcel_is_written_down(shop, as_, outcome, state):
    part = SupplierOrderFactory(method="cash", to="accepted")
    shipment = dispatched(part)
    door = reverse("backoffice:parcel", args=[shipment.reference])

    silent = as_("support").post(door, {"outcome": outcome, "note": ""})
    as_("support").post(door, {"outcome": outcome, "note": "the carrier's page, 10:40"})

    assert silent.status_code == 422
    part.refresh_from_db()
    assert part.state == state
    collected = balances.balances(prefix="cod_receivable:")
    assert list(collected.values()) == ([mad("330.00")] if state == "delivered" else [])


def test_a_parcel_paid_by_card_cannot_be_said_to_be_refused(shop, as_):
    part = shop.paid_order().supplier_orders.get()
    SupplierOrder.objects.filter(pk=part.pk).update(state="accepted")
    part = SupplierOrder.objects.get(pk=part.pk)
    shipment = dispatched(part)

    response = as_("support").post(
        reverse("backoffice:parcel", args=[shipment.reference]), {"outcome": "refused", "note": "x"}
    )

    assert response.status_code == 422
    part.refresh_from_db()
    assert part.state == "dispatched"


def test_a_guests_links_are_revoked(as_):
    order = SupplierOrderFactory().order
    token = links.sign(order=order)

    as_("support").get(reverse("backoffice:revoke_link", args=[order.number]))
    assert links.read(token=token) == order
    as_("support").post(reverse("backoffice:revoke_link", args=[order.number]))

    with pytest.raises(Refused):
        links.read(token=token)
    assert order.events.get(kind="order.link_revoked").actor == "support@example.ma"


# Refunds


def refund_door(part):
    return reverse("backoffice:refund_part", args=[part.reference])


def test_who_bears_what_is_shown_before_anything_is_written(shop, as_):
    part = shop.paid_order((ListingFactory(price="300.00"), 2)).supplier_orders.get()
    before = balances.balances()

    page = as_("finance_maker").post(refund_door(part), {"line-1": "1", "reason": "claim"})

    foreseen = page.context["foreseen"]
    assert (foreseen.amount, foreseen.cooperative) == (mad("300.00"), mad("267.00"))
    assert (foreseen.commission, foreseen.solidarity) == (mad("30.00"), mad("3.00"))
    assert Refund.objects.count() == 0
    assert balances.balances() == before


def test_a_line_is_given_back_once_it_is_confirmed(shop, as_):
    part = shop.paid_order((ListingFactory(price="300.00"), 2)).supplier_orders.get()

    response = as_("finance_maker").post(
        refund_door(part),
        {"line-1": "1", "reason": "claim", "step": "confirm", "once": "k1", "note": "broken"},
    )

    assert response.status_code == 302
    refund = Refund.objects.get()
    assert (refund.amount, refund.note) == (mad("300.00"), "broken")
    assert refund.requested_by.email == "finance_maker@example.ma"
    assert stands("refund_payable") == mad("300.00")
    assert stands("producer_held", part.cooperative.code) == mad("267.00")


@pytest.mark.parametrize("quantity", ["1", "2"])
def test_pressing_refund_twice_gives_back_once(shop, as_, quantity):
    part = shop.paid_order((ListingFactory(price="300.00"), 2)).supplier_orders.get()
    given = {"line-1": quantity, "reason": "claim"}
    once = as_("finance_maker").post(refund_door(part), given).context["once"]
    confirm = given | {"step": "confirm", "once": once}

    first = as_("finance_maker").post(refund_door(part), confirm)
    second = as_("finance_maker").post(refund_door(part), confirm)

    assert [(each.status_code, each.url) for each in (first, second)] == [
        (302, reverse("backoffice:order", args=[part.order.number]))
    ] * 2
    assert Refund.objects.get().amount == mad(int(quantity) * 300)


def test_a_confirmation_without_its_key_shows_once_more_who_bears_what(shop, as_):
    part = shop.paid_order((ListingFactory(price="300.00"), 2)).supplier_orders.get()

    page = as_("finance_maker").post(refund_door(part), {"line-1": "1", "reason": "claim", "step": "confirm"})

    assert page.status_code == 200 and page.context["foreseen"] and page.context["once"]
    assert Refund.objects.count() == 0


def test_after_the_payout_the_page_says_that_the_cooperative_owes_it(shop, as_):
    listing = ListingFactory(price="300.00")
    PayoutAccountFactory(cooperative=listing.cooperative)
    part = shop.released(shop.paid_order((listing, 2)).supplier_orders.get())
    payouts.plan(by=as_("finance_maker").person, at=shop.at)

    page = as_("finance_maker").post(refund_door(part), {"line-1": "1", "reason": "claim"})

    assert page.context["foreseen"].is_owed
    assert "The cooperative owes it" in page.content.decode()


@pytest.mark.parametrize(
    "given",
    [
        {"line-1": "0", "reason": "claim"},
        {"line-1": "-1", "reason": "claim"},
        {"line-1": "3", "reason": "claim"},
        {"line-1": "99999999999999999999", "reason": "claim"},
        {"line-1": "one", "reason": "claim"},
        {"line-1": "1", "reason": "late"},
        {"line-1": "1"},
    ],
)
def test_a_refund_that_makes_no_sense_is_a_422_and_writes_nothing(shop, as_, given):
    part = shop.paid_order((ListingFactory(price="300.00"), 2)).supplier_orders.get()

    response = as_("finance_maker").post(refund_door(part), given | {"step": "confirm", "once": "k1"})

    assert response.status_code == 422
    assert Refund.objects.count() == 0


def test_an_order_paid_in_cash_is_refunded_to_a_bank_account_with_a_sound_key(as_):
    part = SupplierOrderFactory(method="cash", to="accepted")
    paying.settle_cash(order=part.order, at=NOW)
    delivering.record_delivery(shipment=dispatched(part), proof="customer", at=NOW)
    door = refund_door(part)
    given = {"line-1": "1", "reason": "claim", "step": "confirm", "once": "k1", "holder": "Salma Idrissi"}

    wrong = as_("finance_maker").post(door, given | {"rib": rib_of(7)[:-1] + "0"})
    right = as_("finance_maker").post(door, given | {"rib": rib_of(7)})

    assert (wrong.status_code, right.status_code) == (422, 302)
    refund = Refund.objects.get()
    assert (refund.way, refund.bank_rib) == ("bank", rib_of(7))


@pytest.fixture
def failed(shop):
    part = shop.paid_order(card=FAILING_REFUND_CARD).supplier_orders.get()
    refund = refunding.request(
        supplier_order=part, reason="claim", lines=None, with_delivery=False, by=None, at=shop.at
    )
    refunding.send(refund=refund, at=shop.at)
    shop.wait(days=2)
    shop.import_balance()
    refund.refresh_from_db()
    assert refund.state == "failed"
    return refund


def test_a_failed_refund_is_tried_again(as_, failed):
    door = reverse("backoffice:retry_refund", args=[failed.reference])

    as_("finance_maker").post(door)
    twice = as_("finance_maker").post(door, follow=True)

    failed.refresh_from_db()
    assert (failed.state, failed.attempt) == ("requested", 2)
    assert "Only a refund that failed" in said(twice)[-1]


def test_a_failed_refund_is_paid_by_bank_instead(as_, failed):
    door = reverse("backoffice:refund_by_bank", args=[failed.reference])

    wrong = as_("finance_maker").post(door, {"holder": "Salma", "rib": "123"})
    right = as_("finance_maker").post(door, {"holder": "Salma", "rib": rib_of(9)})

    assert (wrong.status_code, right.status_code) == (422, 302)
    failed.refresh_from_db()
    assert (failed.state, failed.way) == ("requested", "bank")


def test_a_page_for_what_is_no_longer_possible_says_so(shop, as_, failed):
    again = reverse("backoffice:retry_refund", args=[failed.reference])
    open_page = as_("finance_maker").get(again)
    as_("finance_maker").post(again)
    closed = as_("finance_maker").get(again)
    part = SupplierOrder.objects.get(pk=failed.supplier_order_id)
    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=shop.at)
    declining = as_("support").get(reverse("backoffice:decline_part", args=[part.reference]))
    cancelling = as_("support").get(reverse("backoffice:cancel_part", args=[part.reference]))

    assert (open_page.status_code, closed.status_code) == (200, 409)
    assert "Only a refund that failed" in closed.content.decode()
    assert (declining.status_code, cancelling.status_code) == (409, 409)
    assert "Too late: this part stands at" in declining.content.decode()


@pytest.mark.parametrize("accepted", [False, True])
def test_before_a_part_leaves_it_is_declined_and_not_refunded(shop, as_, accepted):
    part = shop.paid_order().supplier_orders.get()
    if accepted:
        deciding.accept(supplier_order=part, by=None, at=shop.at)

    page = as_("finance_maker").get(reverse("backoffice:order", args=[part.order.number]))
    (row,) = page.context["parts"]

    assert (row["can_refund"], row["can_decline"]) == (False, True)


def test_what_has_left_can_be_refunded(shop, as_):
    part = shop.paid_order().supplier_orders.get()
    deciding.accept(supplier_order=part, by=None, at=shop.at)
    dispatched(part, at=shop.at)

    page = as_("finance_maker").get(reverse("backoffice:order", args=[part.order.number]))
    (row,) = page.context["parts"]

    assert (row["can_refund"], row["can_decline"]) == (True, False)


def test_an_open_dispute_stands_on_its_order_with_its_amount_its_day_and_a_way_to_its_exception(shop, as_):
    order = shop.paid_order((ListingFactory(price="300.00"), 2))
    shop.press("dispute", charge=shop.things("charge")[0]["id"])
    as_("finance_maker").post(reverse("backoffice:import_stripe"))
    dispute = Discrepancy.objects.get(kind="dispute")
    door = reverse("backoffice:order", args=[order.number])

    page = as_("finance_maker").get(door)
    (found,) = page.context["disputes"]
    assert (found["amount"], found["exception"], found["is_open"]) == (order.total, dispute, True)
    assert page.context["events"][-1]["said"].startswith("The customer disputes the card payment: ")
    assert "A dispute is open: the customer disputes" in page.content.decode()
    assert reverse("backoffice:discrepancy", args=[dispute.reference]) in page.content.decode()

    Discrepancy.objects.update(state="settled", settled_at=shop.at)
    assert "its exception is settled." in as_("finance_maker").get(door).content.decode()
