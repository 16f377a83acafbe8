"""Every door of the back office against everybody who may stand before it."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from cooperatives import lifting, payout_accounts
from cooperatives.models import HoldLifting, PayoutAccount
from shop.core.models import OutboxMessage
from shop.customers import issues
from shop.customers.models import Issue
from shop.fulfilment import deciding, reviewing
from shop.fulfilment.models import Review, Shipment, SupplierOrder
from shop.ledger.models import JournalEntry
from shop.orders.models import Order
from shop.payments import payouts, refunding
from shop.payments.models import BalanceTransaction, PayoutBatch, PayoutRun, Refund
from shop.reconciliation import resolving
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, Remittance, Resolution, StatementFile, StatementLine
from shop.reconciliation.noticing import notice
from tests.backoffice.statements import imported
from tests.factories import (
    CarrierFactory,
    ListingFactory,
    OperatorFactory,
    PayoutAccountFactory,
    dispatched,
    mad,
    rib_of,
    voucher,
)

pytestmark = pytest.mark.django_db

PEOPLE = (
    "anonymous",
    "customer",
    "member",
    "support",
    "catalogue",
    "finance_maker",
    "finance_approver",
    "auditor",
)
LOGIN, NOTHING, NO, YES, GO, TOO_LATE = 302, 404, 403, 200, 302, 409

#: Who gets a page when she asks for it; every other operator reads whose role it takes.
EVERYBODY = {"support", "catalogue", "finance_maker", "finance_approver", "auditor"}
READERS = {"support", "finance_maker", "finance_approver", "auditor"}
MONEY = {"finance_maker", "finance_approver", "auditor"}
HANDLERS = {"finance_maker", "finance_approver"}
CATALOGUE = {"catalogue"}
SUPPORT, MAKER, APPROVER = {"support"}, {"finance_maker"}, {"finance_approver"}
CURATORS = {"catalogue"}

#: Every door: who is let in, and what she gets for a GET.
DOORS: dict[str, tuple[set[str], int]] = {
    "today": (EVERYBODY, YES),
    "audit": (MONEY, YES),
    "clock": ({"support", "finance_maker"}, YES),
    "orders": (READERS, YES),
    "order": (READERS, YES),
    "revoke_link": (SUPPORT, YES),
    "decline_part": (SUPPORT, YES),
    "cancel_part": (SUPPORT, YES),
    "refund_part": (MAKER, YES),
    "parcel": (SUPPORT, YES),
    "retry_refund": (MAKER, TOO_LATE),
    "refund_by_bank": (MAKER, TOO_LATE),
    "outbox": (READERS, YES),
    "message": (READERS, YES),
    "send_again": (SUPPORT, YES),
    "reviews": (CURATORS, YES),
    "approve_review": (CURATORS, GO),
    "decline_review": (CURATORS, YES),
    "vouchers": (MONEY, YES),
    "issue_voucher": (MAKER, YES),
    "end_voucher": (MAKER, YES),
    "newsletter": (CATALOGUE, YES),
    "new_issue": (CATALOGUE, YES),
    "issue": (CATALOGUE, YES),
    "preview_issue": (CATALOGUE, YES),
    "send_issue": (CATALOGUE, TOO_LATE),
    "throw_away_issue": (CATALOGUE, YES),
    "payouts": (MONEY, YES),
    "plan_run": (MAKER, YES),
    "payout_run": (MONEY, YES),
    "approve_run": (APPROVER, YES),
    "cancel_run": (HANDLERS, YES),
    "give_up_run": (HANDLERS, YES),
    "agree_to_give_up_run": (HANDLERS, 404),
    "hand_over": (HANDLERS, YES),
    "batch_status": (HANDLERS, GO),
    "batch_file": (HANDLERS, GO),
    "payout": (MONEY, YES),
    "settlement_statement": (MONEY, YES),
    "accounts": (MONEY, YES),
    "cooperative_accounts": (MONEY, YES),
    "approve_account": (APPROVER, YES),
    "refuse_account": (APPROVER, YES),
    "put_on_hold": (MAKER, YES),
    "lift_hold": (MAKER, YES),
    "approve_lifting": (APPROVER, YES),
    "refuse_lifting": (HANDLERS, YES),
    "reconciliation": (MONEY, YES),
    "proof": (MONEY, YES),
    "entry": (MONEY, YES),
    "stripe_row": (MONEY, YES),
    "remittance": (MONEY, YES),
    "lines": (MONEY, YES),
    "line": (MONEY, YES),
    "match_line": (MAKER, GO),
    "doubt_match": (MAKER, 404),
    "import_statement": (MAKER, YES),
    "import_columns": (MAKER, GO),
    "import_remittance": (MAKER, GO),
    "import_carrier_invoice": (MAKER, GO),
    "import_stripe": (MAKER, GO),
    "fetch_sandbox": (MAKER, GO),
    "discrepancies": (MONEY, YES),
    "discrepancy": (MONEY, YES),
    "take": (HANDLERS, GO),
    "resolve": (MAKER, GO),
    "adjust": (MAKER, YES),
    "approve_resolution": (APPROVER, YES),
    "refuse_resolution": (HANDLERS, YES),
    "evidence": (MONEY, 404),
    "files": (MONEY, YES),
    "statement_file": (MONEY, YES),
}


@pytest.fixture
def address_of(shop: Any) -> dict[str, str]:
    """The address of every door, each with a record behind it."""
    maker = OperatorFactory(email="planned-by@example.ma", roles=["finance_maker"])
    first, second = ListingFactory(), ListingFactory()
    PayoutAccountFactory(cooperative=first.cooperative)
    order = shop.paid_order((first, 2), (second, 1))
    paid, open_part = order.supplier_orders.order_by("reference")
    shop.released(paid)
    run = payouts.plan(by=maker, at=shop.at)
    other = shop.confirmed_order((ListingFactory(), 1)).supplier_orders.get()
    refund = refunding.request(
        supplier_order=open_part, reason="claim", lines=None, with_delivery=False, by=maker, at=shop.at
    )
    deciding.accept(supplier_order=other, by=None, at=shop.at)
    shipment: Shipment = dispatched(other, at=shop.at)
    file: StatementFile = imported(at=shop.at, by=maker)
    line = StatementLine.objects.order_by("number").first()
    assert line is not None
    discrepancy: Discrepancy = notice(
        kind=Discrepancy.Kind.COD_SHORT,
        subject="P-1",
        amount=mad("10.00"),
        suggestion=Action.ADJUST,
        at=shop.at,
    )
    resolution = resolving.propose(
        discrepancy=discrepancy,
        action=Action.ADJUST,
        reason="rounding",
        details={"debit": "rounding:MAD", "credit": "suspense:bank:MAD"},
        by=maker,
        at=shop.at,
    )
    proposed = payout_accounts.propose(
        cooperative=first.cooperative, rail="bank", holder="A", rib=rib_of(900), by=None, at=shop.at
    )
    payout_accounts.put_on_hold(cooperative=second.cooperative, reason="papers", at=shop.at)
    asked = lifting.propose(cooperative=second.cooperative, reason="they came", by=maker, at=shop.at)
    row = BalanceTransaction.objects.order_by("pk").first()
    assert row is not None
    remittance = Remittance.objects.create(
        reference="REM-1",
        carrier=CarrierFactory(),
        file=StatementFile.objects.create(kind="remittance", sha256="0" * 64, imported_at=shop.at),
        remitted_on=shop.at.date(),
        collected_minor=1000,
        fee_minor=0,
        vat_minor=0,
        net_minor=1000,
    )
    message = OutboxMessage.objects.order_by("pk").first()
    entry = JournalEntry.objects.order_by("pk").first()
    assert message is not None and entry is not None
    batch = PayoutBatch.objects.get()
    review = reviewing.write(
        order_line=paid.lines.get().order_line,
        stars=4,
        words="Good oil, well packed.",
        language="fr",
        at=shop.at,
    )
    draft = issues.write(words=dict.fromkeys(issues.FIELDS, "Safran"), by=maker, at=shop.at)
    arguments: dict[str, list[Any]] = {
        "order": [order.number],
        "revoke_link": [order.number],
        "decline_part": [open_part.reference],
        "cancel_part": [open_part.reference],
        "refund_part": [paid.reference],
        "parcel": [shipment.reference],
        "retry_refund": [refund.reference],
        "refund_by_bank": [refund.reference],
        "message": [message.reference],
        "send_again": [message.reference],
        "approve_review": [review.reference],
        "decline_review": [review.reference],
        "end_voucher": [voucher().reference],
        "issue": [draft.reference],
        "preview_issue": [draft.reference, "ar"],
        "send_issue": [draft.reference],
        "throw_away_issue": [draft.reference],
        "payout_run": [run.reference],
        "approve_run": [run.reference],
        "cancel_run": [run.reference],
        "give_up_run": [run.reference],
        "agree_to_give_up_run": [run.reference],
        "hand_over": [batch.reference],
        "batch_status": [batch.reference],
        "batch_file": [batch.reference, "pain001"],
        "payout": [run.payouts.get().reference],
        "settlement_statement": [run.payouts.get().reference],
        "cooperative_accounts": [first.cooperative.code],
        "approve_account": [first.cooperative.code, proposed.version],
        "refuse_account": [first.cooperative.code, proposed.version],
        "put_on_hold": [first.cooperative.code],
        "lift_hold": [second.cooperative.code],
        "approve_lifting": [asked.reference],
        "refuse_lifting": [asked.reference],
        "proof": ["bank:main:MAD"],
        "entry": [entry.event],
        "stripe_row": [row.stripe_id],
        "remittance": [remittance.file.sha256],
        "line": [line.reference],
        "match_line": [line.reference],
        "doubt_match": [line.reference],
        "fetch_sandbox": ["statement"],
        "discrepancy": [discrepancy.reference],
        "take": [discrepancy.reference],
        "resolve": [discrepancy.reference],
        "approve_resolution": [resolution.reference],
        "refuse_resolution": [resolution.reference],
        "evidence": [resolution.reference],
        "statement_file": [file.sha256],
    }
    return {name: reverse(f"backoffice:{name}", args=arguments.get(name, [])) for name in DOORS}


def test_the_table_of_doors_is_whole():
    inside = get_resolver().namespace_dict["backoffice"][1]
    names = {name for name in inside.reverse_dict if isinstance(name, str)}

    assert names == set(DOORS)


def test_every_door_opens_to_those_it_is_for_and_to_nobody_else(address_of, as_):
    found, expected = {}, {}
    for name, (let_in, answer) in DOORS.items():
        for who in PEOPLE:
            status = as_(who).get(address_of[name]).status_code
            found[name, who] = status
            expected[name, who] = (
                LOGIN
                if who == "anonymous"
                else NOTHING
                if who in ("customer", "member")
                else answer
                if who in let_in
                else NO
            )

    assert found == expected


def test_a_post_by_somebody_without_the_role_changes_nothing(address_of, as_):
    before = _everything()

    statuses = set()
    for name, (let_in, _answer) in DOORS.items():
        for who in PEOPLE:
            if who not in let_in:
                statuses.add(as_(who).post(address_of[name]).status_code)

    assert statuses == {LOGIN, NOTHING, NO}
    assert _everything() == before


def _everything() -> list[Any]:
    return [
        list(Order.objects.order_by("pk").values_list("number", "link_version")),
        list(SupplierOrder.objects.order_by("pk").values_list("reference", "state")),
        list(PayoutRun.objects.order_by("pk").values_list("reference", "state")),
        list(PayoutAccount.objects.order_by("pk").values_list("version", "approved_by", "closed_at")),
        list(HoldLifting.objects.order_by("pk").values_list("reference", "approved_at", "refused_at")),
        list(Refund.objects.order_by("pk").values_list("reference", "state", "attempt")),
        list(Discrepancy.objects.order_by("pk").values_list("reference", "state", "owner")),
        list(Review.objects.order_by("pk").values_list("reference", "state")),
        list(Resolution.objects.order_by("pk").values_list("reference", "approved_at", "refused_at")),
        list(StatementFile.objects.order_by("pk").values_list("sha256", flat=True)),
        list(Issue.objects.order_by("pk").values_list("reference", "state", "subject_fr")),
        JournalEntry.objects.count(),
        OutboxMessage.objects.count(),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "orders/T-00000000/",
        "orders/T-0000000000000000000000000000000000000000000000000000000000000000000000/",
        "orders/%00/",
        "orders/';--/",
        "orders/١٢٣/",
        "parts/T-7K3M9QX2T-9/refund/",
        "parcels/nothing/",
        "outbox/M-00000000/",
        "outbox/1/",
        "newsletter/N-00000000/",
        "newsletter/N-00000000/preview/fr/",
        "payouts/runs/PR-20260101-01/",
        "payouts/one/42/",
        "payouts/batches/BA-1/pdf/",
        "payouts/accounts/C99/",
        "payouts/accounts/C99/lift/",
        "payouts/accounts/C99/1/approve/",
        "payouts/liftings/HL-C99-1/approve/",
        "reconciliation/proofs/bank:elsewhere:MAD/",
        "reconciliation/proofs/stripe_balance:XXX/",
        "reconciliation/entries/stripe:txn_nothing/",
        "reconciliation/lines/L-2026-999999/",
        "reconciliation/exceptions/1/",
        "reconciliation/fetch/money/",
        "files/" + "0" * 64 + "/",
        "files/1/",
    ],
)
def test_what_does_not_exist_is_a_404(as_, path):
    client = as_("support")
    for role in ("finance_maker", "finance_approver", "catalogue"):
        client.person.operator_roles.create(role=role, granted_at=timezone.now())

    assert client.get(f"/backoffice/{path}").status_code == 404


def test_a_page_not_open_to_her_names_the_roles_it_takes(as_):
    response = as_("catalogue").get(reverse("backoffice:plan_run"))

    assert response.status_code == 403
    assert "finance: prepares" in response.content.decode()


def test_outside_the_demonstration_nobody_works_here_without_a_second_factor(as_, settings):
    settings.DEMO_MODE = False
    client = as_("support")

    without = client.get(reverse("backoffice:today"))
    Authenticator.objects.create(user=client.person, type=Authenticator.Type.TOTP, data={"secret": "x"})
    with_one = client.get(reverse("backoffice:today"))

    assert (without.status_code, without["Location"]) == (302, reverse("mfa_index"))
    assert with_one.status_code == 200


def test_a_post_without_its_token_is_refused(as_, address_of):
    client = Client(enforce_csrf_checks=True)
    client.force_login(as_("support").person)

    assert client.post(address_of["revoke_link"]).status_code == 403
