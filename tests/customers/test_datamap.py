"""Every column that could hold something of a person is told: hers, evidence of the books, or of nobody."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import models

from shop.customers import datamap, exporting
from shop.customers.datamap import AT_WORK, HERS, OF_NOBODY, Fate


def test_no_column_is_left_out():
    untold = sorted(set(datamap.columns()) - set(datamap.mapped()))

    assert untold == []


def test_the_map_names_no_column_that_is_gone():
    assert sorted(set(datamap.mapped()) - set(datamap.columns())) == []


def test_a_column_stands_in_one_list_only():
    named = Counter(
        (label, name)
        for which in (HERS, AT_WORK, OF_NOBODY)
        for label, names in which.items()
        for name in (names.split() if isinstance(names, str) else names)
    )

    assert [each for each, number in named.items() if number > 1] == []


@pytest.mark.parametrize(
    "field",
    [
        models.CharField(max_length=9),
        models.TextField(),
        models.EmailField(),
        models.JSONField(),
        models.FileField(),
        models.GenericIPAddressField(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_new_column_of_any_such_kind_would_be_asked_about(monkeypatch, field):
    # The control: a table gains a column nobody has told of.
    from shop.orders.models import Order

    field.set_attributes_from_name("nickname")
    fields = [*Order._meta.local_concrete_fields, field]
    monkeypatch.setattr(Order._meta, "local_concrete_fields", fields)

    with pytest.raises(AssertionError, match="nickname"):
        test_no_column_is_left_out()


def test_what_is_hers_is_exported_or_says_why_not():
    held = {(label, name): each for label, names in HERS.items() for name, each in names.items()}

    assert {each.section for each in held.values()} - {""} == set(exporting.SECTIONS) - {
        "order_lines",
        "order_parts",
        "order_story",
    }
    assert [where for where, each in held.items() if not each.section and not each.why] == []


def test_what_stays_after_an_erasure_is_no_free_text_of_hers():
    kept = {
        f"{label}.{name}"
        for label, names in HERS.items()
        for name, each in names.items()
        if each.fate == Fate.KEPT and each.section
    }

    assert kept == {
        "order.Order.number",
        "order.Order.language",
        "vouchers.Redemption.code",
        "order.ShippingAddress.region_code",
        "fulfilment.Shipment.tracking_number",
        "fulfilment.Shipment.reference",
        "payments.Payment.stripe_payment_intent_id",
        "payments.Payment.stripe_charge_id",
        "payments.PaymentAttempt.stripe_session_id",
        "payments.Refund.reference",
        "payments.Refund.stripe_refund_id",
        "customers.Consent.language",
        "customers.Consent.text_version",
        "customers.Erasure.reference",
    }
