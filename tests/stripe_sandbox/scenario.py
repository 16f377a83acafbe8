"""One story that runs against real Stripe and against the sandbox alike; see ``test_live_smoke``.

It uses nothing that needs a browser, a country's approval or days of waiting.
"""

from __future__ import annotations

import uuid

import stripe


def run(client, currency):
    """Live through the story; return ``(states, objects)``: what happened, and what was answered."""
    states, objects, v1 = [], [], client.v1
    mark = uuid.uuid4().hex

    def keep(name, thing, *fields):
        objects.append(thing.to_dict())
        states.append((name, *(getattr(thing, each) for each in fields)))
        return thing

    def refuse(name, call):
        try:
            call()
        except stripe.StripeError as error:
            states.append((name, type(error).__name__, error.http_status, error.code))
        else:
            states.append((name, "accepted"))

    automatic = {"enabled": True, "allow_redirects": "never"}
    card = {
        "currency": currency,
        "confirm": True,
        "automatic_payment_methods": automatic,
        "transfer_group": mark,
    }
    params = {**card, "amount": 12_345, "payment_method": "pm_card_visa"}
    key = {"idempotency_key": f"pay:{mark}"}

    paid = keep("paid", v1.payment_intents.create(params, key), "status", "amount_received")
    again = v1.payment_intents.create(params, key)
    states.append(("same key", again.id == paid.id))
    refuse("other parameters", lambda: v1.payment_intents.create({**params, "amount": 1_000}, key))
    declined = {**card, "amount": 12_345, "payment_method": "pm_card_chargeDeclined"}
    refuse("declined", lambda: v1.payment_intents.create(declined))
    charge = keep("charge", v1.charges.retrieve(paid.latest_charge), "status", "captured", "transfer_group")
    states[-1] = (*states[-1][:3], states[-1][3] == mark)
    keep("part back", v1.refunds.create({"charge": charge.id, "amount": 2_345}), "status", "amount")
    refuse("too much back", lambda: v1.refunds.create({"charge": charge.id, "amount": 10_001}))
    keep("rest back", v1.refunds.create({"charge": charge.id}), "status", "amount")
    refuse("nothing left", lambda: v1.refunds.create({"charge": charge.id}))

    held = {**card, "amount": 20_000, "payment_method": "pm_card_visa", "capture_method": "manual"}
    intent = keep("held", v1.payment_intents.create(held), "status", "amount_capturable")
    keep(
        "part taken",
        v1.payment_intents.capture(intent.id, {"amount_to_capture": 15_000}),
        "status",
        "amount_received",
    )
    refuse("taken twice", lambda: v1.payment_intents.capture(intent.id))
    intent = v1.payment_intents.create(held)
    keep("let go", v1.payment_intents.cancel(intent.id), "status")

    price = {"currency": currency, "unit_amount": 12_345, "product_data": {"name": "Amlou"}}
    session = {
        "mode": "payment",
        "success_url": "https://example.org/",
        "line_items": [{"price_data": price, "quantity": 2}],
    }
    opened = keep("session", v1.checkout.sessions.create(session), "status", "payment_status", "amount_total")
    keep("expired", v1.checkout.sessions.expire(opened.id), "status")

    refuse("no such charge", lambda: v1.charges.retrieve("ch_none"))
    rows = v1.balance_transactions.list({"limit": 3})
    objects.extend(each.to_dict() for each in rows.data)
    states.append(("rows", all(each.net == each.amount - each.fee for each in rows.data)))
    objects.append(v1.balance.retrieve().to_dict())
    return states, objects


EXPECTED = [
    ("paid", "succeeded", 12_345),
    ("same key", True),
    ("other parameters", "IdempotencyError", 400, None),
    ("declined", "CardError", 402, "card_declined"),
    ("charge", "succeeded", True, True),
    ("part back", "succeeded", 2_345),
    ("too much back", "InvalidRequestError", 400, None),
    ("rest back", "succeeded", 10_000),
    ("nothing left", "InvalidRequestError", 400, "charge_already_refunded"),
    ("held", "requires_capture", 20_000),
    ("part taken", "succeeded", 15_000),
    ("taken twice", "InvalidRequestError", 400, "payment_intent_unexpected_state"),
    ("let go", "canceled"),
    ("session", "open", "unpaid", 24_690),
    ("expired", "expired"),
    ("no such charge", "InvalidRequestError", 404, "resource_missing"),
    ("rows", True),
]
