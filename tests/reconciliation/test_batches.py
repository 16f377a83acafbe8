"""A bank that books a whole batch as one line: matched only when it is all of it, to the centime."""

from __future__ import annotations

import pytest

from shop.backoffice import auditing
from shop.ledger.models import JournalEntry
from shop.payments import paying, payouts, refunding
from shop.payments.models import Payout
from shop.reconciliation import fetching, importing, matching, resolving
from shop.reconciliation.actions import Action
from shop.reconciliation.errors import NotHandedOver
from shop.reconciliation.models import Match
from tests.factories import rib_of
from tests.reconciliation.test_chain import tell, unexplained
from tests.reconciliation.world import L, World, bank, exceptions, mad, stands, the


def states() -> list[str]:
    return list(Payout.objects.order_by("pk").values_list("state", flat=True))


def batch_of(sent: list[Payout]) -> str:
    return sent[0].batch.reference


def refund_of(world: World):
    """300,00 that a customer who paid in cash has back by bank transfer."""
    part = world.cash_parcel("330.00").supplier_order
    paying.settle_cash(order=part.order, at=world.at)
    return refunding.request(
        supplier_order=part,
        reason="claim",
        lines=None,
        with_delivery=False,
        holder="Salma Idrissi",
        rib=rib_of(77),
        by=None,
        at=world.at,
    )


def payouts_stand_in_the_books(world: World) -> bool:
    """What the audit says of payouts by bank, whichever entries they were debited with."""
    wanted = "each payout by bank that was sent or arrived is posted, for its amount"
    (found,) = [each for each in auditing.audit(at=world.at) if each.name == wanted]
    return found.holds


@pytest.mark.parametrize("way", ["text", "e2e"])
def test_a_line_that_is_the_whole_batch_settles_each_of_it(world: World, way: str):
    sent = world.sent("600.00", "340.00")
    named = {"text": f"VIREMENT DE MASSE {batch_of(sent)}"} if way == "text" else {"e2e": batch_of(sent)}

    world.import_csv(L("-836.60", **named))
    first = world.match()
    again = world.match()

    assert (first.matched, first.doubtful, again.matched) == (1, 0, 0)
    assert states() == ["paid", "paid"]
    assert (bank(), exceptions()) == (mad("-836.60"), [])
    assert [stands("payout_in_flight", each.cooperative.code) for each in sent] == [mad(0), mad(0)]
    matches = list(Match.objects.order_by("pk"))
    assert [(each.subject, each.subject_reference, each.batch) for each in matches] == [
        ("payout", each.reference, batch_of(sent)) for each in sent
    ]
    assert [each.entry.event for each in matches] == [f"payout:{each.reference}:debited" for each in sent]
    assert {each.entry.postings.get().ext_ref for each in matches} == {matches[0].line.reference}
    assert world.proof("bank:main:MAD").unexplained == mad(0)


def test_refunds_that_travel_with_it_are_settled_too(world: World):
    refund = refund_of(world)
    (payout,) = world.sent("600.00")

    world.import_csv(L("-834.00", payout.batch.reference))
    world.match()

    refund.refresh_from_db()
    assert (refund.state, states(), bank()) == ("succeeded", ["paid"], mad("-834.00"))
    assert sorted(Match.objects.values_list("subject", flat=True)) == ["payout", "refund"]
    assert stands("refund_payable") == mad(0)


@pytest.mark.parametrize(
    ("amount", "differs"), [("-836.59", "0.01"), ("-836.61", "-0.01"), ("-534.00", "302.60")]
)
def test_a_centime_more_or_less_settles_nothing(world: World, amount: str, differs: str):
    sent = world.sent("600.00", "340.00")

    world.import_csv(L(amount, batch_of(sent)))
    world.match()

    assert exceptions() == ["amount_differs"]
    found = the("amount_differs")
    assert (found.amount, found.subject_reference) == (mad(differs), batch_of(sent))
    assert (states(), bank(), Match.objects.count()) == (["sent", "sent"], mad(0), 0)


def test_a_second_line_for_the_same_batch_is_a_duplicate(world: World):
    sent = world.sent("600.00", "340.00")

    world.import_csv(L("-836.60", batch_of(sent), ref="1"), L("-836.60", batch_of(sent), ref="2"))
    world.match()

    assert exceptions() == ["duplicate"]
    assert (bank(), Match.objects.count()) == (mad("-836.60"), 2)


def test_a_batch_of_which_one_was_seen_alone_is_for_people(world: World):
    sent = world.sent("600.00", "340.00")

    world.import_csv(L("-534.00", e2e=sent[0].reference, ref="1"), L("-836.60", batch_of(sent), ref="2"))
    world.match()

    assert exceptions() == ["unmatched_debit"]
    assert the("unmatched_debit").detail["reason"] == "batch_in_parts"
    assert (states(), bank()) == (["paid", "sent"], mad("-534.00"))


def test_a_line_that_names_a_transfer_and_its_batch_is_the_transfer(world: World):
    sent = world.sent("600.00", "340.00")

    world.import_csv(L("-534.00", f"{batch_of(sent)} {sent[0].reference}"))
    world.match()

    assert (states(), exceptions()) == (["paid", "sent"], [])
    assert Match.objects.get().batch == ""


def test_what_the_bank_rejected_is_not_in_its_total(world: World):
    sent = world.sent("600.00", "340.00")
    world.import_csv(L("-302.60", batch_of(sent)))
    world.match()
    assert exceptions() == ["amount_differs"]

    payouts.reject(payout=sent[0], why="AC04", at=world.at)
    world.match()

    assert (states(), exceptions(), bank()) == (["rejected", "paid"], [], mad("-302.60"))


def undone(world: World) -> Match:
    """Two persons take the match of a batch back."""
    match = Match.objects.order_by("pk").last()
    assert match is not None
    resolution = resolving.propose_undo(match=match, reason="not ours", by=world.maker, at=world.at)
    resolving.approve(resolution=resolution, by=world.checker, at=world.at)
    match.refresh_from_db()
    return match


def test_undoing_one_match_of_a_batch_undoes_all_of_it(world: World):
    sent = world.sent("600.00", "340.00")
    world.import_csv(L("-836.60", batch_of(sent)))
    world.match()

    match = undone(world)

    assert [each.state for each in Match.objects.order_by("pk")] == ["undone", "undone"]
    assert (match.line.state, states(), bank()) == ("new", ["sent", "sent"], mad(0))
    assert [stands("payout_in_flight", each.cooperative.code) for each in sent] == [
        mad("534.00"),
        mad("302.60"),
    ]
    assert exceptions() == ["unmatched_debit"]
    assert (world.match().matched, the("unmatched_debit").detail["reason"]) == (0, "undone")
    assert matching.undo(match=match, approval="again", by="x", at=world.at) == match


def test_two_persons_match_a_batch_again_by_hand(world: World):
    sent = world.sent("600.00", "340.00")
    world.import_csv(L("-836.60", batch_of(sent)))
    world.match()
    undone(world)

    resolution = resolving.propose(
        discrepancy=the("unmatched_debit"),
        action=Action.MATCH_BY_HAND,
        reason="it was right",
        details={"reference": batch_of(sent)},
        by=world.maker,
        at=world.at,
    )
    resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    assert (states(), exceptions(), bank()) == (["paid", "paid"], [], mad("-836.60"))
    confirmed = Match.objects.filter(state="confirmed").order_by("pk")
    assert [each.entry.event for each in confirmed] == [
        f"adjustment:{resolution.reference}:{each.reference}" for each in sent
    ]
    assert JournalEntry.objects.filter(approval=resolution.reference).count() == 2
    assert unexplained() == {}
    assert payouts_stand_in_the_books(world)


def test_the_bank_books_the_batch_as_one_line_and_nothing_differs_by_a_centime(world: World, sandbox):
    tell(sandbox, "/_sandbox/faults", kind="one_line")
    refund = refund_of(world)
    for goods in ("600.00", "340.00"):
        world.released(goods)
    run = world.approved()
    fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)

    world.wait(days=4)
    file = fetching.fetch_statement(by=world.maker, at=world.at)
    matched = world.match()

    line = file.lines.get()
    assert (line.amount, line.end_to_end_id) == (mad("-1136.60"), "")
    assert run.batch.reference in line.text
    assert (matched.matched, matched.doubtful, exceptions()) == (1, 0, [])
    assert file.closing == bank() == mad("-1136.60")
    assert states() == ["paid", "paid"]
    refund.refresh_from_db()
    assert refund.state == "succeeded"
    assert unexplained() == {}
    assert fetching.fetch_status(batch=run.batch, by=world.maker, at=world.at) == []
    assert payouts_stand_in_the_books(world)


def test_one_of_a_batch_in_one_line_comes_back_alone(world: World, sandbox):
    for goods in ("600.00", "340.00"):
        world.released(goods)
    run = world.approved()
    first, second = run.payouts.order_by("pk")
    tell(sandbox, "/_sandbox/faults", kind="one_line", reference=run.batch.reference)
    tell(sandbox, "/_sandbox/faults", kind="return", reference=second.reference, reason="AC04")
    fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)

    world.wait(days=3)
    fetching.fetch_status(batch=run.batch, by=world.maker, at=world.at)
    world.wait(days=2)
    file = fetching.fetch_statement(by=world.maker, at=world.at)
    world.match()

    assert [each.amount for each in file.lines.order_by("number")] == [mad("-836.60"), mad("302.60")]
    assert states() == ["paid", "rejected"]
    assert exceptions() == ["payout_returned"]
    assert file.closing == bank() == mad("-534.00")
    assert stands("producer_payable", second.cooperative.code) == mad("302.60")
    assert stands("payout_in_flight", first.cooperative.code) == mad(0)
    assert unexplained() == {}


def test_a_report_about_a_batch_nobody_handed_over_is_refused_and_the_batch_stays_whole(world: World):
    """The bank answered, our writing it down was cut off: the rejected refund still belongs to the file."""
    refund = refund_of(world)
    world.released("600.00")
    run = world.approved()
    answer = {
        "message_id": run.batch.reference,
        "transfers": [{"end_to_end_id": refund.bank_reference, "status": "RJCT", "reason": "AC04"}],
    }

    with pytest.raises(NotHandedOver):
        importing.import_batch_status(batch=run.batch, answer=answer, at=world.at)

    refund.refresh_from_db()
    assert (refund.state, refund.batch) == ("sending", run.batch)
    payouts.hand_over(batch=run.batch, at=world.at)
    importing.import_batch_status(batch=run.batch, answer=answer, at=world.at)
    refund.refresh_from_db()
    assert refund.state in ("failed", "requested")


def test_a_refusal_after_a_lost_answer_does_not_open_the_run_again(world: World, sandbox, monkeypatch):
    world.released("600.00")
    run = world.approved()
    payouts.offer(batch=run.batch, at=world.at)

    def refuses(*args, **given):
        raise fetching.BankRefused("FF01", "not now")

    monkeypatch.setattr(fetching, "_ask", refuses)
    with pytest.raises(fetching.BankRefused):
        fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)

    run.batch.refresh_from_db()
    assert run.batch.offered_at == world.at
    assert payouts.gone(run=run) == [run.batch.reference]


def test_a_refusal_of_the_only_offer_says_that_nothing_has_left(world: World, sandbox, monkeypatch):
    world.released("600.00")
    run = world.approved()

    def refuses(*args, **given):
        raise fetching.BankRefused("FF01", "not now")

    monkeypatch.setattr(fetching, "_ask", refuses)
    with pytest.raises(fetching.BankRefused):
        fetching.hand_over(batch=run.batch, by=world.checker, at=world.at)

    assert payouts.gone(run=run) == []
