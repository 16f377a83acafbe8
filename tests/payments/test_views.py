"""The door for webhooks: Stripe's own messages, now, once; nothing else leaves a trace."""

import json
import time

import pytest
import stripe
from django.urls import reverse

from shop.payments import tasks
from shop.payments.models import StripeEvent
from tests.factories import ListingFactory, order_of
from tests.payments.shop import SECRET

pytestmark = pytest.mark.django_db
State = StripeEvent.State


def event(**given):
    return json.dumps(
        {"id": "evt_1", "object": "event", "type": "charge.updated", "data": {"object": {"id": "ch_1"}}}
        | given
    )


def signed(body, *, secret=SECRET, ago=0):
    return stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=int(time.time()) - ago)


def test_a_signed_event_is_kept_as_it_came(shop):
    body = event(api_version="2026-10-28.endive")

    answer = shop.knock(body.encode(), signed(body))

    assert answer.status_code == 200
    kept = StripeEvent.objects.get()
    assert (kept.event_id, kept.kind, kept.api_version) == ("evt_1", "charge.updated", "2026-10-28.endive")
    assert kept.payload == json.loads(body)
    assert (kept.state, kept.by_webhook, kept.received_at) == (State.WAITING, True, shop.at)


def test_the_same_event_again_is_answered_and_kept_once(shop):
    body = event()
    shop.knock(body.encode(), signed(body))

    answer = shop.knock(body.encode(), signed(body))

    assert answer.status_code == 200
    assert StripeEvent.objects.count() == 1


@pytest.mark.parametrize("ago", [301, 3600, -330, -3600])
def test_an_event_from_too_long_ago_or_from_the_future_is_refused(shop, ago):
    body = event()

    answer = shop.knock(body.encode(), signed(body, ago=ago))

    assert answer.status_code == 400
    assert StripeEvent.objects.count() == 0


@pytest.mark.parametrize("ago", [290, -290])
def test_clocks_may_differ_a_little(shop, ago):
    body = event()

    assert shop.knock(body.encode(), signed(body, ago=ago)).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=abc", "t=x,v1=abc", "nonsense", "t=1,t=2,v1=00"],
    ids=["none", "no signature", "no time", "no number", "nonsense", "two times"],
)
def test_a_malformed_signature_is_refused(shop, header):
    answer = shop.knock(event().encode(), header)

    assert answer.status_code == 400
    assert StripeEvent.objects.count() == 0


def test_a_second_time_smuggled_into_a_signature_is_refused(shop):
    body = event()
    old = signed(body, ago=3600)

    answer = shop.knock(body.encode(), f"{old},t={int(time.time())}")

    assert answer.status_code == 400
    assert StripeEvent.objects.count() == 0


def test_a_forged_signature_is_refused(shop):
    body = event()

    answer = shop.knock(body.encode(), signed(body, secret="whsec_of_somebody_else"))

    assert answer.status_code == 400
    assert answer["Content-Type"] == "text/plain"
    assert answer.content == b"The signature is not Stripe's for this endpoint, or it is too old.\n"
    assert StripeEvent.objects.count() == 0


def test_a_changed_body_is_refused(shop):
    signature = signed(event())

    answer = shop.knock(event(id="evt_2").encode(), signature)

    assert answer.status_code == 400
    assert StripeEvent.objects.count() == 0


def test_while_secrets_are_exchanged_both_are_taken(shop, settings):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", SECRET]
    old, new = event(id="evt_old"), event(id="evt_new")

    answers = [
        shop.knock(old.encode(), signed(old)).status_code,
        shop.knock(new.encode(), signed(new, secret="whsec_new")).status_code,
    ]

    assert answers == [200, 200]
    assert StripeEvent.objects.count() == 2


def test_without_a_secret_nothing_is_believed(shop, settings):
    settings.STRIPE_WEBHOOK_SECRETS = [""]
    body = event()

    answer = shop.knock(body.encode(), signed(body))

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body", ["[]", "nonsense", "{}", '{"id": 1, "type": "a"}', '{"id": "", "type": "a"}']
)
def test_a_signed_body_that_is_no_event_is_refused(shop, body):
    answer = shop.knock(body.encode(), signed(body))

    assert answer.status_code == 400
    assert StripeEvent.objects.count() == 0


def test_a_body_that_is_no_text_is_refused(shop):
    answer = shop.knock(b"\xff\xfe", "t=1,v1=00")

    assert answer.status_code == 400


def test_too_large_a_body_is_not_even_read(shop):
    body = event(padding="x" * 600_000)

    answer = shop.knock(body.encode(), signed(body))

    assert answer.status_code == 413
    assert StripeEvent.objects.count() == 0


def test_only_post_opens_the_door(client):
    assert client.get(reverse("stripe_webhook")).status_code == 405


def test_kinds_nobody_asked_for_are_kept_and_ignored(shop):
    body = event(type="customer.created")
    shop.knock(body.encode(), signed(body))

    tasks.sweep_events()

    assert StripeEvent.objects.get().state == State.IGNORED


def test_a_forged_success_changes_nothing_because_stripe_is_asked(shop):
    order = order_of((ListingFactory(), 1))
    from shop.payments import paying
    from tests.payments.shop import URLS

    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)
    session = shop.things("session")[0]
    body = event(
        type="checkout.session.completed",
        data={
            "object": {"id": session["id"], "payment_status": "paid", "amount_total": session["amount_total"]}
        },
    )
    shop.knock(body.encode(), signed(body))

    tasks.sweep_events()

    assert StripeEvent.objects.get().state == State.HANDLED
    assert shop.payment_of(order).state == "awaiting"


def test_an_event_about_a_thing_stripe_does_not_know_is_ignored(shop):
    body = event(type="payment_intent.succeeded", data={"object": {"id": "pi_nowhere"}})
    shop.knock(body.encode(), signed(body))

    tasks.sweep_events()

    kept = StripeEvent.objects.get()
    assert kept.state == State.IGNORED
    assert "pi_nowhere" in kept.last_error


def test_an_event_waits_while_stripe_does_not_answer(shop):
    order = order_of((ListingFactory(), 1))
    shop.listen()
    shop.card_pays(order)
    shop.sandbox.deliverer.flush()
    shop.fault("timeout_before", times=-1)

    tasks.sweep_events()

    waiting = StripeEvent.objects.filter(state=State.WAITING)
    assert waiting.filter(kind="checkout.session.completed", attempts=1).exists()
    shop.press("faults", clear=True)
    tasks.sweep_events()
    assert not waiting.exists()
    assert shop.payment_of(order).state == "paid"


def test_the_sweep_finds_and_marks_what_no_webhook_told(shop):
    order = order_of((ListingFactory(), 1))
    shop.card_pays(order)

    tasks.sweep_events()
    assert StripeEvent.objects.count() == 0  # it may still be on its way

    shop.wait(minutes=3)
    tasks.sweep_events()
    tasks.sweep_events()

    found = StripeEvent.objects.filter(by_webhook=False)
    assert set(found.values_list("kind", flat=True)) == {
        "checkout.session.completed",
        "payment_intent.succeeded",
    }
    assert shop.payment_of(order).state == "paid"


def test_a_webhook_after_the_sweep_adds_nothing(shop):
    shop.listen()
    order = order_of((ListingFactory(), 1))
    shop.card_pays(order)
    shop.wait(minutes=3)
    tasks.sweep_events()
    before = set(StripeEvent.objects.values_list("event_id", flat=True))

    shop.hear()

    told = StripeEvent.objects.filter(event_id__in=before)
    assert told.count() == len(before)
    assert not told.filter(by_webhook=True).exists()
    assert order.supplier_orders.count() == 1
