"""Prepared questions give what their querysets give, with whatever values they are asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from catalogue import showing
from catalogue.models import Product
from shop.core.prepared import Prepared
from tests.factories import NOW, CertificationFactory, ListingFactory

TODAY = NOW.date()

pytestmark = pytest.mark.django_db


def test_a_question_asked_again_answers_for_its_own_values():
    first, second = ListingFactory(), ListingFactory()
    question = Prepared(
        lambda language, keys: (
            Product.objects.filter(pk__in=keys).order_by("pk").rewrite(False).values_list("pk")
        )
    )

    assert question.rows(keys=[first.pk]) == [(first.pk,)]
    assert question.rows(keys=[second.pk]) == [(second.pk,)]
    assert question.rows(keys=[second.pk, first.pk]) == [(first.pk,), (second.pk,)]
    assert question.rows(keys=[]) == []


def test_records_come_with_what_the_queryset_selects_and_annotates():
    listing = ListingFactory(stock=7)
    question = Prepared(
        lambda language, slug: Product.objects.with_stock().select_related("cooperative").filter(slug=slug)
    )

    (found,) = question.records(slug=listing.slug)

    assert found == listing
    assert found.free_now == 7
    assert found.cooperative == listing.cooperative
    assert "cooperative" in found._state.fields_cache


def test_several_parts_follow_each_other_each_with_its_own_limit():
    listings = [ListingFactory() for _each in range(3)]

    def ask(*, language, key):
        every = Product.objects.order_by("-pk").rewrite(False).values_list("pk")
        return every[:2], every.filter(pk=key)[:1]

    assert Prepared(ask).rows(key=listings[0].pk) == [
        (listings[2].pk,),
        (listings[1].pk,),
        (listings[0].pk,),
    ]


def test_a_question_that_forgets_a_value_is_refused():
    question = Prepared(lambda language, slug: Product.objects.all())

    with pytest.raises(ValueError, match="slug"):
        question.records(slug="honey")


def test_what_is_shown_is_asked_anew_for_every_day_and_language():
    certification = CertificationFactory(valid_until=TODAY)
    listing = ListingFactory(
        cooperative=certification.cooperative, claims=[certification], title_fr="Miel", title_ar="عسل"
    )

    with translation.override("fr"):
        (french,) = showing.shown([listing.pk], on=TODAY)
        assert showing.shown([listing.pk], on=TODAY + timedelta(days=1)) == []
    with translation.override("ar"):
        (arabic,) = showing.shown([listing.pk], on=TODAY)

    assert (french.title, arabic.title) == ("Miel", "عسل")
    assert [each.label for each in french.seals] == [certification.label_id]
