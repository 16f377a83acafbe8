"""The demonstration's clock at the operators' page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from fixtures import bank_sandbox as bank
from fixtures import stripe_sandbox as stripe
from shop.backoffice import demo_clock
from shop.core import clock
from shop.core.errors import Refused
from shop.fulfilment.models import SupplierOrder
from tests.backoffice.conftest import NOWHERE
from tests.factories import SupplierOrderFactory

pytestmark = pytest.mark.django_db


def said(response):
    return [str(each) for each in response.context["messages"]]


@pytest.fixture
def door():
    return reverse("backoffice:clock")


def test_both_sandboxes_and_the_shop_move_together(as_, door, settings, tmp_path):
    with (
        bank.running(tmp_path / "bank.sqlite3") as the_bank,
        stripe.running(tmp_path / "stripe.sqlite3") as the_stripe,
    ):
        settings.BANK_SANDBOX_URL, settings.STRIPE_API_BASE = the_bank.url, the_stripe.url
        settings.STRIPE_SANDBOX_URL = the_stripe.url
        first = as_("support").post(door, {"days": "8", "hours": "0"}, follow=True)
        as_("support").post(door, {"days": "0", "hours": "1"})

        with the_bank.world() as world:
            assert int(world.setting("clock_offset")) == (8 * 24 + 1) * 3600
        assert int(the_stripe.sandbox.world.clock.offset()) == (8 * 24 + 1) * 3600

    assert clock.offset() == timedelta(days=8, hours=1)
    assert said(first) == ["The clock has moved, and what fell due was done."]


def test_what_falls_due_is_done_at_once(as_, door):
    part = SupplierOrderFactory(at=clock.now())

    as_("support").post(door, {"days": "3", "hours": "0"})

    part = SupplierOrder.objects.get(pk=part.pk)
    assert (part.state, part.end_reason) == ("declined", "no_answer")


def test_a_sandbox_that_is_down_is_named_and_the_clock_moves_all_the_same(as_, door, settings):
    settings.STRIPE_API_BASE = settings.STRIPE_SANDBOX_URL = NOWHERE

    response = as_("support").post(door, {"days": "1", "hours": "0"}, follow=True)

    assert clock.offset() == timedelta(days=1)
    assert [each for each in said(response) if "“Stripe” did not answer" in each]
    assert [each for each in said(response) if "“bank” did not answer" in each]


@pytest.mark.parametrize(
    "given",
    [
        {"days": "0", "hours": "0"},
        {"days": "-1", "hours": "0"},
        {"days": "1e9", "hours": "0"},
        {"days": "401", "hours": "0"},
        {"days": "", "hours": ""},
        {},
    ],
)
def test_the_clock_does_not_go_back_or_nowhere(as_, door, given):
    response = as_("support").post(door, given)

    assert response.status_code == 422
    assert clock.offset() == timedelta()


def test_a_real_shop_has_no_such_page(as_, door, settings):
    settings.DEMO_CLOCK = False

    assert as_("support").get(door).status_code == 404
    assert as_("catalogue").get(door).status_code == 404
    assert as_("support").post(door, {"days": "1", "hours": "0"}).status_code == 404
    assert door not in as_("support").get(reverse("backoffice:today")).content.decode()
    with pytest.raises(Refused):
        demo_clock.move(by=timedelta(days=1))


def test_one_broken_sweep_does_not_hide_what_the_others_do(as_, door, monkeypatch):
    def broken():
        raise ZeroDivisionError

    done = []
    monkeypatch.setattr(demo_clock, "SWEEPS", (broken, lambda: done.append(1)))

    response = as_("support").post(door, {"days": "1", "hours": "0"}, follow=True)

    assert done == [1]
    assert [each for each in said(response) if "broken" in each]
