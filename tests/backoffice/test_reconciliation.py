"""The proofs, lines and exceptions at the operators' desk."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from fixtures import bank_sandbox as bank
from shop.ledger import accounts, balances, entries
from shop.ledger.journal import Move
from shop.ledger.models import JournalEntry
from shop.payments.models import BalanceTransaction
from shop.people.models import OperatorRole
from shop.reconciliation import adjusting, matching, noticing
from shop.reconciliation.actions import Action
from shop.reconciliation.errors import MovesByStatementOnly
from shop.reconciliation.models import Discrepancy, Resolution, StatementFile, StatementLine
from tests.backoffice.statements import imported
from tests.factories import NOW, mad
from tests.payments.shop import stands

pytestmark = pytest.mark.django_db


def at(name, *args):
    return reverse(f"backoffice:{name}", args=args)


def said(response):
    return [str(each) for each in response.context["messages"]]


@pytest.fixture
def lines(db):
    """Money in that nobody knows, and a fee of the bank: two exceptions."""
    imported(at=NOW)
    matching.match_new(at=NOW)
    return list(StatementLine.objects.order_by("number"))


@pytest.fixture
def fee(lines):
    return Discrepancy.objects.get(kind="bank_fee")


def proposed(client, fee, **given):
    return client.post(
        at("resolve", fee.reference), {"action": "book_bank_fee", "reason": "the month's fee"} | given
    )


def test_proofs_exceptions_and_lines_stand_on_one_page(lines, as_):
    page = as_("auditor").get(at("reconciliation"))

    assert page.context["left"] == 2
    assert (page.context["settled"], page.context["lines"]) == (0, 2)
    (proof,) = [each["proof"] for each in page.context["proofs"] if each["proof"].account == "bank:main:MAD"]
    assert (proof.books, proof.statement, proof.difference, proof.unexplained) == (
        mad("0.00"),
        mad("475.00"),
        mad("-475.00"),
        mad("0.00"),
    )


def test_the_heading_says_what_is_true_open_exceptions_then_what_is_explained_then_a_gap(lines, as_):
    page = as_("auditor").get(at("reconciliation"))
    assert page.context["standing"] == "Nothing is unexplained, but 2 exceptions are open"
    assert [(each.account, each.difference) for each in page.context["explained"]] == [
        ("bank:main:MAD", mad("-475.00"))
    ]
    assert "Everything agrees" not in page.content.decode()

    Discrepancy.objects.update(state="settled", settled_at=NOW)
    assert as_("auditor").get(at("reconciliation")).context["standing"] == "What differs is explained"

    entries.record_adjustment(
        approval="X-1",
        effective_on=NOW.date(),
        memo="cash found in a drawer",
        actor="somebody",
        moves=[Move(accounts.bank("MAD"), accounts.rounding("MAD"), mad("3.00"))],
    )
    standing = as_("auditor").get(at("reconciliation")).context["standing"]
    assert standing == "A difference is unexplained on 1 account"


def test_with_no_difference_and_no_exception_everything_agrees(as_):
    assert as_("auditor").get(at("reconciliation")).context["standing"] == "Everything agrees"


def test_today_names_the_kinds_of_exceptions_that_are_open(lines, as_):
    (row,) = [each for each in as_("auditor").get(at("today")).context["tasks"] if each["number"] == 2]

    assert row["said"] == "Nobody has said yet how to settle them: a fee of the bank · money in, unexplained."


def test_lines_that_wait_in_their_exceptions_are_not_said_to_be_new_trouble(lines):
    assert matching.match_new(at=NOW) == matching.Run(matched=0, doubtful=0)


def test_a_proof_leads_down_to_the_raw_line(lines, as_):
    client = as_("auditor")

    page = client.get(at("proof", "bank:main:MAD"))
    assert [each["lines"] for each in page.context["rows"]] == [[lines[1].reference], [lines[0].reference]]
    raw = client.get(at("line", lines[0].reference)).content.decode()

    assert "23/11/2026;VIREMENT RECU;;500,00;B1" in raw
    assert at("statement_file", StatementFile.objects.get().sha256) in raw


def test_two_persons_book_a_fee_and_the_same_person_is_refused(fee, as_):
    both = as_("finance_maker")
    OperatorRole.objects.create(user=both.person, role="finance_approver", granted_at=both.person.date_joined)
    before = balances.balances()

    assert proposed(both, fee).status_code == 302
    resolution = Resolution.objects.get()
    own = both.post(at("approve_resolution", resolution.reference), follow=True)
    assert "Another person than the one who proposed" in said(own)[-1]
    assert balances.balances() == before

    as_("finance_approver").post(at("approve_resolution", resolution.reference))
    fee.refresh_from_db()
    assert fee.state == "settled"
    assert stands("bank_fee") == mad("25.00")


def test_a_proposal_needs_a_reason_and_something_to_do(fee, as_):
    for given in ({"reason": ""}, {"action": "note_only"}, {"action": "anything"}, {"action": "adjust"}):
        assert proposed(as_("finance_maker"), fee, **given).status_code == 422, given
    assert Resolution.objects.count() == 0


def test_whoever_may_not_agree_can_still_say_no_and_the_exception_is_open_again(fee, as_):
    proposed(as_("finance_maker"), fee)
    resolution = Resolution.objects.get()

    as_("finance_maker").post(at("refuse_resolution", resolution.reference))

    fee.refresh_from_db()
    resolution.refresh_from_db()
    assert fee.state == "open"
    assert resolution.refused_by.email == "finance_maker@example.ma"
    assert as_("finance_maker").get(at("resolve", fee.reference)).status_code == 200


def test_evidence_is_kept_beside_the_proposal(fee, as_):
    paper = SimpleUploadedFile("avis.pdf", b"%PDF-1.7 avis", content_type="application/pdf")
    program = SimpleUploadedFile("avis.exe", b"MZ", content_type="application/pdf")

    assert proposed(as_("finance_maker"), fee, evidence=program).status_code == 422
    proposed(as_("finance_maker"), fee, evidence=paper)
    response = as_("finance_approver").get(at("evidence", Resolution.objects.get().reference))

    assert response.content == b"%PDF-1.7 avis"
    assert response["Content-Disposition"].startswith("attachment")


def test_an_unknown_credit_is_booked_between_two_accounts(lines, as_):
    found = Discrepancy.objects.get(kind="unmatched_credit")
    given = {"action": "adjust", "reason": "the owner's deposit", "credit": "suspense:bank:MAD"}

    wrong = as_("finance_maker").post(
        at("resolve", found.reference), given | {"debit": "commission:MAD", "amount": ""}
    )
    right = as_("finance_maker").post(
        at("resolve", found.reference), given | {"debit": "bank:main:MAD", "amount": ""}
    )
    as_("finance_approver").post(at("approve_resolution", Resolution.objects.get().reference))

    assert (wrong.status_code, right.status_code) == (422, 302)
    assert stands("bank", currency="MAD") == mad("500.00")
    assert StatementLine.objects.get(pk=lines[0].pk).state == "explained"


def test_an_exception_becomes_somebodys(fee, as_):
    as_("finance_approver").post(at("take", fee.reference))

    fee.refresh_from_db()
    assert fee.owner.email == "finance_approver@example.ma"


def test_a_settled_exception_becomes_nobodys(fee, as_):
    proposed(as_("finance_maker"), fee)
    as_("finance_approver").post(at("approve_resolution", Resolution.objects.get().reference))

    response = as_("finance_approver").post(at("take", fee.reference), follow=True)

    fee.refresh_from_db()
    assert fee.owner is None
    assert "is settled" in said(response)[-1]


def test_exceptions_are_shown_by_state(fee, as_):
    proposed(as_("finance_maker"), fee)

    def shown(**query):
        page = as_("auditor").get(at("discrepancies"), query)
        return sorted(row["discrepancy"].kind for row in page.context["rows"])

    assert shown() == ["bank_fee", "unmatched_credit"]
    assert shown(state="proposed") == ["bank_fee"]
    assert shown(state="settled") == []
    assert shown(kind="unmatched_credit") == ["unmatched_credit"]
    assert shown(state="nonsense", kind="nonsense") == ["bank_fee", "unmatched_credit"]


def test_trying_a_line_again_changes_nothing_when_nothing_is_new(lines, as_):
    response = as_("finance_maker").post(at("match_line", lines[0].reference), follow=True)

    assert "nothing of ours yet" in said(response)[-1]
    assert Discrepancy.objects.count() == 2


def test_a_match_is_doubted_with_a_reason(fee, lines, as_):
    proposed(as_("finance_maker"), fee)
    as_("finance_approver").post(at("approve_resolution", Resolution.objects.get().reference))
    door = at("doubt_match", lines[1].reference)

    silent = as_("finance_maker").post(door, {"reason": ""})
    as_("finance_maker").post(door, {"reason": "the bank took it back"})

    assert silent.status_code == 422
    doubted = Discrepancy.objects.get(kind="doubted_match")
    as_("finance_approver").post(at("approve_resolution", doubted.resolutions.get().reference))
    assert stands("bank_fee") == mad("0.00")
    assert StatementLine.objects.get(pk=lines[1].pk).state == "new"


# The sandbox


def test_the_statement_of_the_sandbox_comes_at_the_press_of_a_button(shop, as_, settings, tmp_path):
    with bank.running(tmp_path / "bank.sqlite3", system_now=lambda: shop.at) as sandbox:
        settings.BANK_SANDBOX_URL = sandbox.url
        client = as_("finance_maker")
        client.post(at("fetch_sandbox", "work"))
        client.post(at("fetch_sandbox", "statement"))
        client.post(at("fetch_sandbox", "status"))
        client.post(at("fetch_sandbox", "tracking"))
        none = client.post(at("fetch_sandbox", "remittance"), follow=True)

    assert StatementFile.objects.get().kind == "camt053"
    assert none.status_code in (200, 404)


def test_a_sandbox_that_is_down_imports_nothing(as_):
    response = as_("finance_maker").post(at("fetch_sandbox", "statement"), follow=True)

    assert "does not answer" in said(response)[-1]
    assert StatementFile.objects.count() == 0


def test_without_a_sandbox_there_is_nothing_to_fetch(as_, settings):
    settings.BANK_SANDBOX_URL = ""

    assert as_("finance_maker").post(at("fetch_sandbox", "statement")).status_code == 404


def test_stripes_balance_is_read_at_the_press_of_a_button(shop, as_):
    shop.confirmed_order()

    response = as_("finance_maker").post(at("import_stripe"), follow=True)

    assert "1 new row" in said(response)[0]
    assert stands("customer_funds") == mad("0.00")


def test_a_cooperatives_sale_leads_over_its_entry_to_stripes_own_row(shop, as_):
    order = shop.paid_order()
    shop.import_balance()
    row = BalanceTransaction.objects.get(category="charge")
    part = order.supplier_orders.get()

    entry = as_("auditor").get(at("entry", f"supplier-order:{part.reference}:confirmed"))
    assert {"name": row.stripe_id, "url": at("stripe_row", row.stripe_id)} in entry.context["outside"]

    page = as_("auditor").get(at("stripe_row", row.stripe_id))
    assert row.stripe_id in page.context["raw"]
    assert page.context["entry"].event == f"stripe:{row.stripe_id}"


def test_a_dispute_at_stripe_is_at_once_an_exception_with_its_account_and_what_to_do(shop, as_):
    shop.paid_order()
    shop.press("dispute", charge=shop.things("charge")[0]["id"])

    as_("finance_maker").post(at("import_stripe"))

    dispute = Discrepancy.objects.get(kind="dispute")
    page = as_("finance_maker").get(at("resolve", dispute.reference))
    assert page.context["form"]["credit"].value() == "stripe_balance:EUR"
    assert page.context["form"]["debit"].value() == "dispute_receivable:EUR"
    assert page.context["advice"].startswith("Answer it in Stripe's dashboard before its deadline.")


def adjustment(client, door=None, **given):
    return client.post(
        door or at("adjust"),
        {
            "debit": "chargeback_loss:MAD",
            "credit": "dispute_receivable:MAD",
            "amount": "1000,00",
            "reason": "the bank decided for the customer",
        }
        | given,
    )


def test_a_lost_dispute_is_written_off_by_two_persons_with_its_evidence(db, as_):
    entries.record_adjustment(
        approval="D-2026-00000-1",
        effective_on=NOW.date(),
        memo="Disputed",
        moves=[Move(accounts.dispute_receivable("MAD"), accounts.customer_funds("MAD"), mad("1000.00"))],
        actor="somebody",
    )
    entry = JournalEntry.objects.get()
    maker, door = as_("finance_maker"), f"{at('adjust')}?entry={quote(entry.event)}"
    assert door in maker.get(at("entry", entry.event)).content.decode()
    assert maker.get(door).context["form"].initial == {"credit": "dispute_receivable:MAD"}
    paper = SimpleUploadedFile("decision.pdf", b"%PDF-1.7", content_type="application/pdf")

    asked = adjustment(maker, door, evidence=paper)
    resolution = Resolution.objects.get()
    assert asked.url == at("discrepancy", resolution.discrepancy.reference)
    assert stands("dispute_receivable") == mad("1000.00")
    twice = adjustment(maker, door)
    assert (twice.status_code, Resolution.objects.count()) == (422, 1)
    as_("finance_approver").post(at("approve_resolution", resolution.reference))

    written = JournalEntry.objects.get(event=f"adjustment:{resolution.reference}")
    assert (written.kind, written.approval) == ("adjustment", resolution.reference)
    assert (stands("dispute_receivable"), stands("chargeback_loss")) == (mad("0.00"), mad("1000.00"))
    resolution.discrepancy.refresh_from_db()
    assert resolution.discrepancy.state == "settled"
    assert adjustment(maker).status_code == 302
    assert Discrepancy.objects.order_by("pk").last().key.endswith("#2")


def test_who_proposed_an_adjustment_cannot_approve_it_and_one_not_agreed_leaves_nothing_open(db, as_):
    both = as_("finance_maker")
    OperatorRole.objects.create(user=both.person, role="finance_approver", granted_at=both.person.date_joined)
    adjustment(both)
    resolution = Resolution.objects.get()

    both.post(at("approve_resolution", resolution.reference))
    assert not JournalEntry.objects.exists()
    as_("finance_approver").post(at("refuse_resolution", resolution.reference))

    resolution.discrepancy.refresh_from_db()
    assert resolution.discrepancy.state == "settled"
    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize("mirror", ["bank:main:MAD", "stripe_balance:MAD", "stripe_reserved:MAD"])
def test_what_stands_outside_moves_by_its_statements_only(db, as_, mirror):
    page = as_("finance_maker").get(at("adjust"))
    offered = {code for code, _label in page.context["form"].fields["debit"].choices}
    assert mirror not in offered and "chargeback_loss:MAD" in offered

    with pytest.raises(MovesByStatementOnly):
        adjusting.propose(
            debit=mirror,
            credit="suspense:bank:MAD",
            amount=mad("1.00"),
            reason="it is there",
            by=as_("finance_maker").person,
            at=NOW,
        )

    assert not Discrepancy.objects.exists()


def test_an_adjustment_needs_an_amount_a_reason_and_two_accounts(db, as_):
    for given in (
        {"amount": "0"},
        {"amount": "-5"},
        {"reason": " "},
        {"debit": ""},
        {"debit": "dispute_receivable:MAD"},
        {"debit": "nothing:MAD"},
    ):
        assert adjustment(as_("finance_maker"), **given).status_code == 422, given
    assert not Discrepancy.objects.exists()


def test_what_an_exception_is_about_and_what_the_audit_checked_are_words(lines, as_):
    noticed = noticing.notice(
        kind="negative_balance",
        subject="stripe_balance:EUR",
        amount=mad("-5.00"),
        suggestion=Action.NOTE_ONLY,
        account="stripe_balance:EUR",
        at=NOW,
    )

    page = as_("auditor").get(at("discrepancy", noticed.reference)).content.decode()
    assert "Stripe balance, EUR" in page and "stripe_balance:EUR" not in page

    audit = as_("auditor").get(at("audit")).content.decode()
    assert "catalogue.Product.parent" not in audit
