"""One file with everything of hers and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.addresses.models import UserAddress
from shop.customers import exporting
from shop.customers.datamap import HERS
from shop.orders.models import Order
from tests.customers.living import EMAIL, MARKS, SECOND, a_customer
from tests.customers.people import proved
from tests.factories import NOW, CooperativeFactory, ListingFactory, order_of

pytestmark = pytest.mark.django_db


def opened(user, language="fr"):
    archive = zipfile.ZipFile(io.BytesIO(exporting.export(user=user, language=language, at=NOW)))
    return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def rows(files, section):
    return list(csv.DictReader(io.StringIO(files[f"{section}.csv"])))


def test_everything_she_ever_typed_is_in_it_as_json_and_as_tables(shop):
    user = a_customer(shop)

    files = opened(user)

    data = json.loads(files["data.json"])
    tables = "".join(text for name, text in files.items() if name.endswith(".csv"))
    for mark in MARKS:
        assert mark in files["data.json"], mark
        assert mark in tables, mark
    assert {name for name, found in data.items() if found == []} == {"requests"}
    assert {f"{each}.csv" for each in exporting.SECTIONS} < set(files)
    numbers = set(Order.objects.filter(guest_email=SECOND).values_list("number", flat=True))
    numbers |= set(Order.objects.filter(user=user).values_list("number", flat=True))
    assert {each["number"] for each in data["orders"]} == numbers
    assert [each["amount"] for each in data["refunds"]] == ["150.00"]
    assert {each["state"] for each in data["payments"]} >= {"paid", "on_delivery"}
    assert {each["to"].lower() for each in data["messages"]} == {EMAIL, SECOND}
    assert [each["given"] for each in data["consents"]] == [True, True, True]


def test_the_map_of_data_is_kept_for_each_section(shop):
    files = opened(a_customer(shop))

    promised = {each.section for held in HERS.values() for each in held.values()} - {""}

    assert {name for name in promised if not rows(files, name)} == {"requests"}


def test_nothing_of_anybody_else_is_in_it(shop):
    a_customer(shop)
    other = proved(email="other@example.ma", first_name="Nadia")
    order_of((ListingFactory(), 1), user=other, email="", at=shop.at)

    everything = "".join(opened(other).values())

    assert [mark for mark in MARKS if mark in everything] == []
    assert len(rows(opened(other), "orders")) == 1


def test_an_address_that_is_not_proved_brings_no_guests_orders(shop):
    from tests.factories import UserFactory

    order_of((ListingFactory(), 1), email="shared@example.ma", at=shop.at)
    user = UserFactory(email="shared@example.ma")

    files = opened(user)

    assert rows(files, "orders") == []
    assert "rue des Orangers" not in "".join(files.values())


def test_no_cell_is_a_formula_for_a_spreadsheet():
    user = proved(first_name="=HYPERLINK(1)", last_name="+212661", language="fr")

    (account,) = rows(opened(user), "account")

    assert account["first_name"] == "'=HYPERLINK(1)"
    assert account["last_name"] == "+212661"


@pytest.mark.parametrize(
    ("language", "said"),
    [("fr", "Tout ce que Tadamon garde"), ("ar", "كل ما تحتفظ به تضامن"), ("en", "Everything Tadamon holds")],
)
def test_the_page_that_explains_it_is_in_her_language(language, said):
    assert said in opened(proved(), language)["README.txt"]


def test_two_hundred_orders_take_no_more_queries_than_one_and_far_less_than_a_minute():
    user, maker = proved(), CooperativeFactory()
    listing = ListingFactory(cooperative=maker, stock=1000)

    def queries():
        with CaptureQueriesContext(connection) as found:
            exporting.export(user=user, language="fr", at=NOW)
        return len(found)

    order_of((listing, 1), user=user)
    one = queries()
    for _ in range(199):
        order_of((listing, 1), user=user)
    began = time.monotonic()

    assert queries() == one
    assert time.monotonic() - began < 20
    assert len(rows(opened(user), "orders")) == 200


def test_every_column_of_her_address_book_is_in_the_table():
    told = {name for name, each in HERS["address.UserAddress"].items() if each.section}
    columns = set(exporting._place(UserAddress()))

    assert len(columns) == len(told - {"user"}) + len({"country", "title"})
