"""Payouts at the operators' desk: what would be paid, two persons, the bank's file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from cooperatives import payout_accounts
from fixtures import bank_sandbox as bank
from shop.payments.models import BatchDownload, Payout, PayoutBatch, PayoutRun
from shop.payments.payouts import SamePerson, SamePersonGivesUp, TookTheFile
from shop.people.models import OperatorRole
from tests.backoffice.conftest import NOWHERE
from tests.factories import ListingFactory, PayoutAccountFactory, mad
from tests.payments.shop import stands

pytestmark = pytest.mark.django_db


def said(response):
    return [str(each) for each in response.context["messages"]]


@pytest.fixture
def due(shop):
    """534,00 due to a cooperative on the bank rail."""
    listing = ListingFactory(price="300.00")
    PayoutAccountFactory(cooperative=listing.cooperative)
    return shop.released(shop.paid_order((listing, 2)).supplier_orders.get())


@pytest.fixture
def both(as_):
    """A person who may prepare and approve."""
    client = as_("finance_maker")
    OperatorRole.objects.create(
        user=client.person, role="finance_approver", granted_at=client.person.date_joined
    )
    return client


def planned(client):
    client.post(reverse("backoffice:plan_run"))
    return PayoutRun.objects.get()


def at(name, *args):
    return reverse(f"backoffice:{name}", args=args)


def test_what_would_be_paid_is_shown_and_nothing_is_written(due, as_):
    page = as_("finance_maker").get(at("plan_run"))

    (row,) = page.context["rows"]
    assert (row["cooperative"], row["shares"], row["netted"], row["amount"]) == (
        due.cooperative,
        mad("534.00"),
        mad("0.00"),
        mad("534.00"),
    )
    rib = due.cooperative.payout_accounts.get().rib
    assert row["account"] == f"{rib[:3]} … {rib[-4:]}"
    assert rib not in page.content.decode()
    assert PayoutRun.objects.count() == 0


def test_what_is_left_out_is_shown_with_the_reason(due, as_, shop):
    payout_accounts.put_on_hold(cooperative=due.cooperative, reason="papers are missing", at=shop.at)

    page = as_("finance_maker").get(at("plan_run"))
    refused = as_("finance_maker").post(at("plan_run"), follow=True)

    assert page.context["rows"] == []
    assert [(str(each.why.label), each.note) for each in page.context["left_out"]] == [
        ("on hold", "papers are missing")
    ]
    assert PayoutRun.objects.count() == 0
    assert "Nothing is due" in said(refused)[0]


def test_the_same_person_is_refused_and_another_one_approves(due, as_, both):
    run = planned(both)

    own_page = both.get(at("payout_run", run.reference)).content.decode()
    refused = both.post(at("approve_run", run.reference), follow=True)
    run.refresh_from_db()
    assert "Another person has to approve them" in own_page
    assert str(SamePerson.message) in said(refused)
    assert run.state == "planned"

    other = as_("finance_approver").post(at("approve_run", run.reference), follow=True)
    run.refresh_from_db()
    assert (run.state, run.approved_by.email) == ("approved", "finance_approver@example.ma")
    assert said(other) == [f"{run.reference} is approved."]


def test_the_approver_reads_the_file_itself(due, as_):
    run = planned(as_("finance_maker"))

    page = as_("finance_approver").get(at("approve_run", run.reference))

    assert (page.context["written"].count, page.context["written"].total) == (1, mad("534.00"))
    (transfer,) = page.context["transfers"]
    assert transfer["transfer"].reference == run.payouts.get().reference


def test_the_button_of_approval_names_what_goes_by_bank_and_what_by_stripe(due, as_):
    run = planned(as_("finance_maker"))
    account = PayoutAccountFactory(rail="stripe", rib="", stripe_account_id="acct_1")
    Payout.objects.create(
        reference="PO-1",
        run=run,
        cooperative=account.cooperative,
        account=account,
        rail="stripe",
        shares_minor=8010,
        amount_minor=8010,
        key="po:PO-1",
        planned_at=run.planned_at,
    )

    page = as_("finance_approver").get(at("approve_run", run.reference)).content.decode()

    assert "Approve, MAD\u00a0534.00 by bank and MAD\u00a080.10 by Stripe" in page


def test_a_file_that_is_not_the_one_that_was_made_is_refused_everywhere(due, as_):
    run = planned(as_("finance_maker"))
    batch = PayoutBatch.objects.get()
    with batch.pain001.open("rb") as file:
        content = file.read()
    Path(batch.pain001.path).write_bytes(content.replace(b"534.00", b"934.00"))

    page = as_("finance_approver").get(at("payout_run", run.reference))
    as_("finance_approver").post(at("approve_run", run.reference))

    assert page.context["altered"] and page.context["written"] is None
    run.refresh_from_db()
    assert run.state == "planned"


def test_a_cancelled_run_frees_what_it_held(due, as_):
    run = planned(as_("finance_maker"))

    as_("finance_approver").post(at("cancel_run", run.reference))

    run.refresh_from_db()
    assert run.state == "cancelled"
    (row,) = as_("finance_maker").get(at("plan_run")).context["rows"]
    assert row["amount"] == mad("534.00")


def test_the_file_is_downloaded_after_approval_only_and_each_download_is_written_down(due, as_):
    run = planned(as_("finance_maker"))
    batch = PayoutBatch.objects.get()
    before = as_("finance_maker").get(at("batch_file", batch.reference, "pain001"), follow=True)
    assert "second person" in said(before)[-1]
    as_("finance_approver").post(at("approve_run", run.reference))

    first = as_("finance_maker").get(at("batch_file", batch.reference, "pain001"))
    again = as_("finance_maker").get(at("batch_file", batch.reference, "pain001"))
    table = as_("finance_approver").get(at("batch_file", batch.reference, "csv"))

    assert first.content == again.content and first.content.startswith(b"<?xml")
    assert first["Content-Disposition"] == f'attachment; filename="{batch.reference}.xml"'
    assert table["Content-Type"].startswith("text/csv")
    assert list(BatchDownload.objects.order_by("pk").values_list("user__email", "format")) == [
        ("finance_maker@example.ma", "pain001"),
        ("finance_maker@example.ma", "pain001"),
        ("finance_approver@example.ma", "csv"),
    ]


@pytest.fixture
def approved(due, as_):
    run = planned(as_("finance_maker"))
    as_("finance_approver").post(at("approve_run", run.reference))
    return PayoutBatch.objects.get()


def test_an_approved_run_is_given_up_with_a_reason_and_its_file_is_closed(approved, due, as_, shop):
    client, run = as_("finance_maker"), approved.run

    asked = client.get(at("give_up_run", run.reference)).content.decode()
    without = client.post(at("give_up_run", run.reference), {"reason": ""})
    given_up = client.post(at("give_up_run", run.reference), {"reason": "the bank is closed"}, follow=True)
    file = client.get(at("batch_file", approved.reference, "pain001"), follow=True)

    assert "Give this run up" in asked
    assert without.status_code == 422
    assert said(given_up) == [f"{run.reference} is given up. All of it is due again."]
    page = given_up.content.decode()
    assert "the bank is closed" in page and "its file is never used" in page
    assert at("give_up_run", run.reference) not in page and at("hand_over", approved.reference) not in page
    assert said(file)[-1] == "This run was given up: its file is never used."
    (row,) = client.get(at("plan_run")).context["rows"]
    assert row["amount"] == mad("534.00")


def test_a_run_whose_file_was_downloaded_is_given_up_by_somebody_who_did_not_download_it(approved, as_):
    maker, approver, third, run = as_("finance_maker"), as_("finance_approver"), as_("support"), approved.run
    OperatorRole.objects.create(user=third.person, role="finance_maker", granted_at=third.person.date_joined)
    approver.get(at("batch_file", approved.reference, "pain001"))

    warned = maker.get(at("give_up_run", run.reference)).content.decode()
    asked = maker.post(at("give_up_run", run.reference), {"reason": "the bank is closed"}, follow=True)
    assert "finance_approver@example.ma downloaded the file" in warned
    assert said(asked)[-1].startswith("Asked for. Another person, who has not downloaded the file")
    assert "You asked for this yourself" in asked.content.decode()
    own = maker.post(at("agree_to_give_up_run", run.reference), follow=True)
    assert said(own)[-1] == str(SamePersonGivesUp.message)
    assert (
        "You downloaded the file yourself" in approver.get(at("payout_run", run.reference)).content.decode()
    )
    downloader = approver.post(at("agree_to_give_up_run", run.reference), follow=True)
    assert said(downloader)[-1] == str(TookTheFile.message)
    run.refresh_from_db()
    assert run.state == "approved"
    waits = {each["what"]: each["number"] for each in third.get(at("today")).context["tasks"]}
    assert waits["Payouts somebody wants to give up"] == 1
    page = third.get(at("agree_to_give_up_run", run.reference)).content.decode()
    assert "the bank is closed" in page and "paid twice" in page

    third.post(at("agree_to_give_up_run", run.reference))

    run.refresh_from_db()
    assert (run.state, run.giving_up_by, run.cancelled_by) == ("cancelled", maker.person, third.person)
    assert "Giving up asked for" in maker.get(at("payout_run", run.reference)).content.decode()


def test_where_nobody_asked_there_is_nothing_to_agree_to(approved, as_):
    response = as_("finance_maker").get(at("agree_to_give_up_run", approved.run.reference))

    assert response.status_code == 404


def test_a_run_the_bank_has_is_not_given_up(approved, as_, settings, shop):
    settings.BANK_SANDBOX_URL = ""
    client, run = as_("finance_maker"), approved.run
    assert at("give_up_run", run.reference) in client.get(at("payout_run", run.reference)).content.decode()
    client.post(at("hand_over", approved.reference))

    page = client.get(at("payout_run", run.reference)).content.decode()
    refused = client.post(at("give_up_run", run.reference), {"reason": "a mistake"}, follow=True)

    assert at("give_up_run", run.reference) not in page
    assert approved.reference in said(refused)[-1]
    run.refresh_from_db()
    assert run.state == "approved"


def test_the_bank_sandbox_takes_the_file_and_the_money_is_on_its_way(
    approved, due, as_, settings, tmp_path, shop
):
    with bank.running(tmp_path / "bank.sqlite3", system_now=lambda: shop.at) as sandbox:
        settings.BANK_SANDBOX_URL = sandbox.url
        asked = as_("finance_maker").get(at("hand_over", approved.reference))
        as_("finance_maker").post(at("hand_over", approved.reference))
        status = as_("finance_maker").post(at("batch_status", approved.reference), follow=True)

    assert "bank sandbox" in asked.content.decode()
    approved.refresh_from_db()
    assert approved.handed_over_at == shop.at
    assert stands("payout_in_flight", due.cooperative.code) == mad("534.00")
    assert "rejected nothing" in said(status)[-1]


def test_a_bank_that_does_not_answer_may_have_the_file_and_the_page_says_so(approved, as_, settings):
    settings.BANK_SANDBOX_URL = NOWHERE

    response = as_("finance_maker").post(at("hand_over", approved.reference), follow=True)

    assert "so it may have the file" in said(response)[-1]
    approved.refresh_from_db()
    assert approved.handed_over_at is None
    # It may have it all the same, so the run stands until it is handed over again.
    refused = as_("finance_maker").post(
        at("give_up_run", approved.run.reference), {"reason": "a mistake"}, follow=True
    )
    assert approved.reference in said(refused)[-1]


def test_without_a_sandbox_a_person_says_that_the_bank_has_it(approved, as_, settings, shop):
    settings.BANK_SANDBOX_URL = ""

    as_("finance_maker").post(at("hand_over", approved.reference))

    approved.refresh_from_db()
    assert approved.handed_over_at == shop.at


def test_a_payout_shows_its_parts_and_its_statement(approved, due, as_):
    payout = Payout.objects.get()

    page = as_("auditor").get(at("payout", payout.reference)).content.decode()
    paper = as_("auditor").get(at("settlement_statement", payout.reference))

    assert due.reference in page
    assert paper["Content-Type"] == "application/pdf" and paper.content.startswith(b"%PDF")
