"""A line is matched by itself when there is no doubt at all; everything else is for people."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.core import rib as ribs
from shop.core.money import to_minor
from shop.ledger import balances
from shop.ledger.models import JournalEntry
from shop.payments import paying, payouts, refunding
from shop.payments.models import BalanceTransaction, Payout
from shop.reconciliation import matching, spotting
from shop.reconciliation.judging import amounts_in
from shop.reconciliation.models import Discrepancy, Match, StatementFile, StatementLine
from tests.reconciliation.test_importing import remittance
from tests.reconciliation.world import L, World, bank, eur, exceptions, mad, stands, the


def test_a_payout_is_matched_by_its_reference_and_amount(world: World):
    (payout,) = world.sent("600.00")

    world.import_csv(L("-534.00", "VIREMENT EMIS", e2e=payout.reference))
    world.match()

    match = Match.objects.get()
    assert (match.subject, match.subject_reference) == ("payout", payout.reference)
    assert (match.rule, match.made_by) == ("EndToEndId, and the amount", "matcher")
    assert match.entry.event == f"payout:{payout.reference}:debited"
    assert match.line.state == "matched"
    payout.refresh_from_db()
    assert payout.state == "paid"
    assert bank() == mad("-534.00")


def test_matching_again_changes_nothing(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference), L("-9.99", "INCONNU"))
    world.match()
    entries = JournalEntry.objects.count()

    run = world.match()

    assert (run.matched, run.doubtful) == (0, 0)  # the unknown line waits in its exception already
    assert JournalEntry.objects.count() == entries
    assert Match.objects.count() == 1
    assert Discrepancy.objects.count() == 1
    line = Match.objects.get().line
    assert matching.match_line(line=line, at=world.at) == Match.objects.get()


@pytest.mark.parametrize(
    "written",
    [
        "VIREMENT {0} COOPERATIVE",
        "virement {1}",
        "VIR {2} X",
        "VIR {3}",
        "VIR\n{4}\nX",
        "({0})",
        "{5}.",
        "تحويل {0} إلى التعاونية",
    ],
)
def test_a_reference_is_found_however_the_bank_writes_it(world: World, written: str):
    (payout,) = world.sent("600.00")
    own = payout.reference
    third = len(own) // 3
    ways = [
        own,
        own.lower(),
        f"{own[:third]} {own[third : 2 * third]} {own[2 * third :]}",
        own.replace("0", "O").replace("1", "I"),
        f"{own[:third]}\n{own[third:]}",
        own.replace("-", " "),
    ]

    world.import_csv(L("-534.00", written.format(*ways)))
    world.match()

    assert Match.objects.get().subject_reference == own
    assert Match.objects.get().rule == "reference in the text, and the amount"


@pytest.mark.parametrize("text", ["X{0}", "{0}7", "{1}"])
def test_a_reference_inside_a_longer_word_is_none(world: World, text: str):
    (payout,) = world.sent("600.00")

    world.import_csv(L("-534.00", text.format(payout.reference, payout.reference[:-1])))
    world.match()

    assert not Match.objects.exists()
    assert exceptions() == ["unmatched_debit"]
    assert bank() == mad(0)


@pytest.mark.parametrize(
    ("amount", "differs"), [("-533.99", "0.01"), ("-534.01", "-0.01"), ("-53.40", "480.60")]
)
def test_another_amount_is_an_exception_and_posts_nothing(world: World, amount: str, differs: str):
    (payout,) = world.sent("600.00")

    world.import_csv(L(amount, e2e=payout.reference))
    world.match()

    assert exceptions() == ["amount_differs"]
    assert (the("amount_differs").amount, the("amount_differs").subject_reference) == (
        mad(differs),
        payout.reference,
    )
    assert bank() == mad(0)
    payout.refresh_from_db()
    assert payout.state == "sent"
    assert world.proof("bank:main:MAD").unexplained == mad(0)


def test_the_right_line_after_a_wrong_one_is_matched_and_the_wrong_one_stays(world: World):
    (payout,) = world.sent("600.00")

    world.import_csv(L("-530.00", e2e=payout.reference, ref="1"), L("-534.00", e2e=payout.reference, ref="2"))
    world.match()

    assert Match.objects.get().line.amount == mad("-534.00")
    assert exceptions() == ["amount_differs"]


def test_a_second_line_of_a_payout_is_a_duplicate(world: World):
    (payout,) = world.sent("600.00")

    world.import_csv(L("-534.00", e2e=payout.reference, ref="1"), L("-534.00", e2e=payout.reference, ref="2"))
    world.match()

    assert exceptions() == ["duplicate"]
    assert the("duplicate").suggestion == "set_aside_duplicate"
    assert bank() == mad("-534.00")


def test_money_back_for_a_payout_debited_twice_is_not_taken_for_a_return(world: World):
    (payout,) = world.sent("600.00")
    sent = {"e2e": payout.reference}

    world.import_csv(
        L("-534.00", ref="1", **sent), L("-534.00", ref="2", **sent), L("534.00", "RETOUR", ref="3", **sent)
    )
    world.match()

    payout.refresh_from_db()
    assert payout.state == "paid"
    assert exceptions() == ["duplicate", "unmatched_credit"]
    assert the("unmatched_credit").suggestion == "set_aside_duplicate"


def test_money_back_that_does_not_say_it_is_a_return_is_for_people(world: World):
    (payout,) = world.sent("600.00")

    world.import_csv(
        L("-534.00", e2e=payout.reference, ref="1"), L("534.00", "VERSEMENT", e2e=payout.reference)
    )
    world.match()

    payout.refresh_from_db()
    assert payout.state == "paid"
    assert (the("unmatched_credit").suggestion, exceptions()) == ("accept_return", ["unmatched_credit"])


def test_a_return_read_before_its_debit_waits_for_it(world: World):
    (payout,) = world.sent("600.00")
    back = L("534.00", "RETOUR VIREMENT", e2e=payout.reference, on=date(2026, 11, 26))

    world.import_csv(back, opening=mad("-534.00"))
    world.match()
    assert exceptions() == ["statement_gap", "unmatched_credit"]

    world.import_csv(L("-534.00", e2e=payout.reference), opening=mad(0))
    world.match()

    payout.refresh_from_db()
    assert payout.state == "rejected"
    assert bank() == mad(0)
    assert exceptions() == ["payout_returned"]


def test_a_debit_to_another_account_than_the_cooperatives_is_for_people(world: World):
    (payout,) = world.sent("600.00")

    world.import_csv(L("-534.00", e2e=payout.reference, rib="011519000001205000534921"))
    world.match()

    assert exceptions() == ["unmatched_debit"]
    assert the("unmatched_debit").detail["reason"] == "account"
    assert bank() == mad(0)


def test_the_cooperatives_account_written_as_iban_is_the_same_account(world: World):
    (payout,) = world.sent("600.00")

    world.import_csv(L("-534.00", e2e=payout.reference, rib=ribs.to_iban(payout.account.rib)))
    world.match()

    assert Match.objects.get().subject == "payout"


def test_a_line_that_names_two_things_is_for_people(world: World):
    first, second = world.sent("600.00", "600.00")

    world.import_csv(L("-534.00", f"VIR {first.reference} {second.reference}"))
    world.match()

    assert exceptions() == ["unmatched_debit"]
    assert the("unmatched_debit").detail["candidates"] == sorted([first.reference, second.reference])
    assert bank() == mad(0)


def test_a_payout_the_bank_was_never_given_is_not_matched(world: World):
    world.released("600.00")
    (payout,) = world.approved().payouts.all()

    world.import_csv(L("-534.00", e2e=payout.reference))
    world.match()

    assert exceptions() == ["unmatched_debit"]
    assert bank() == mad(0)


def test_a_deposit_in_dirhams_matches_to_the_centime_only(world: World):
    world.deposit(mad("89.24"))

    world.import_csv(L("89.23", "STRIPE TRC4N9K2M7Q81X", ref="1"))
    world.match()
    assert exceptions() == ["amount_differs"]

    world.import_csv(L("89.24", "STRIPE TRC4N9K2M7Q81X", ref="2"))
    world.match()
    assert Match.objects.get().line.amount == mad("89.24")
    assert stands("deposit_transit") == mad(0)


@pytest.mark.parametrize(
    "text", ["EUR 1 089,24 COURS 10,7958", "1.089,24 EUR", "EUR1,089.24", "€ 1'089.24", "EUR 1089,24 (٢٣)"]
)
def test_a_deposit_in_euros_is_known_by_the_amount_before_exchange(world: World, text: str):
    world.deposit(eur("1089.24"))

    world.import_csv(L("11759.22", f"VIREMENT RECU STRIPE TRC4N9K2M7Q81X {text}"))
    world.match()

    assert Match.objects.get().rule == "reference in the text, and the amount before exchange"
    assert stands("deposit_transit", currency="EUR") == eur(0)
    assert bank() == mad("11759.22")


def test_a_deposit_that_states_other_euros_is_another_amount(world: World):
    world.deposit(eur("89.24"))

    world.import_csv(L("963.42", "STRIPE TRC4N9K2M7Q81X EUR 98,24"))
    world.match()

    assert exceptions() == ["amount_differs"]
    assert (the("amount_differs").amount, bank()) == (eur("9.00"), mad(0))


@pytest.mark.parametrize(("received", "matched"), [("963.42", True), ("700.00", False), ("1400.00", False)])
def test_a_deposit_that_states_no_euros_needs_a_rate_near_stripes(world: World, received: str, matched: bool):
    world.deposit(eur("89.24"))
    BalanceTransaction.objects.filter(category="charge").update(exchange_rate="0.0925")

    world.import_csv(L(received, "STRIPE TRC4N9K2M7Q81X"))
    world.match()

    assert Match.objects.exists() is matched
    assert exceptions() == ([] if matched else ["currency_differs"])


def test_without_stated_euros_and_without_a_rate_people_decide(world: World):
    world.deposit(eur("89.24"))

    world.import_csv(L("963.42", "STRIPE TRC4N9K2M7Q81X"))
    world.match()

    assert exceptions() == ["currency_differs"]
    assert bank() == mad(0)


def test_amounts_in_a_text_are_read_with_any_marks():
    assert amounts_in("EUR 1 234,56 COURS 10,79", "EUR") == {123456}
    assert amounts_in("1.234,56 EUR", "EUR") == {123456}
    assert amounts_in("EUR 92", "EUR") == {9200}
    assert amounts_in("NEUR 92 COURS", "USD") == set()


def test_a_remittance_that_comes_after_the_banks_line_is_matched_then(world: World):
    parcel = world.cash_parcel("1000.00")
    world.import_csv(L("1000.00", "VIREMENT RECU RIHLA BORDEREAU REM-2026-0001"))
    world.match()
    assert exceptions() == ["unmatched_credit"]

    remittance(world, parcel)
    world.match()

    assert exceptions() == []
    assert stands("cod_receivable", parcel.carrier.code) == mad(0)


def test_a_bank_that_credits_less_than_the_remittance_says_is_an_exception(world: World):
    parcel = world.cash_parcel("1000.00")
    remittance(world, parcel)

    world.import_csv(L("900.00", "BORDEREAU REM-2026-0001"))
    world.match()

    assert exceptions() == ["amount_differs"]
    assert (the("amount_differs").amount, bank()) == (mad(-100), mad(0))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("FRAIS DE TENUE DE COMPTE", "bank_fee"),
        ("Commission sur virement", "bank_fee"),
        ("رسوم مسك الحساب", "bank_fee"),
        ("LOYER NOVEMBRE", "unmatched_debit"),
        ("AFFRAISEMENT", "unmatched_debit"),
    ],
)
def test_what_looks_like_a_fee_is_only_suggested(world: World, text: str, kind: str):
    world.import_csv(L("-25.00", text))
    world.match()

    assert exceptions() == [kind]
    assert bank() == mad(0)
    assert stands("bank_fee") == mad(0)


def test_a_refund_paid_by_bank_is_matched(world: World):
    parcel = world.cash_parcel("1000.00")
    paying.settle_cash(order=parcel.supplier_order.order, at=world.at)
    refund = refunding.request(
        supplier_order=parcel.supplier_order,
        reason="claim",
        lines=None,
        with_delivery=True,
        by=world.maker,
        holder="Salma Idrissi",
        rib="011519000001205000534921",
        at=world.at,
    )
    run = world.approved()
    payouts.hand_over(batch=run.batch, at=world.at)

    world.import_csv(L("-1000.00", f"VIREMENT {refund.reference}", e2e=refund.reference))
    world.match()

    refund.refresh_from_db()
    assert refund.state == "succeeded"
    assert Match.objects.get().subject == "refund"
    assert (bank(), stands("refund_payable")) == (mad(-1000), mad(0))
    assert exceptions() == []


def story(world: World) -> list[tuple[tuple[L, ...], str]]:
    """Three files of three days, each with its opening balance; lines of every kind."""
    first, second = world.sent("600.00", "340.00")
    world.deposit(mad("89.24"))
    parcel = world.cash_parcel("1000.00")
    remittance(world, parcel)
    days = [date(2026, 11, 30) + timedelta(days=each) for each in range(3)]
    return [
        ((L("-534.00", e2e=first.reference, on=days[0], ref="1"),), "0.00"),
        (
            (
                L("89.24", "STRIPE TRC4N9K2M7Q81X", on=days[1], ref="2"),
                L("-302.60", f"VIR {second.reference}", on=days[1], ref="3"),
                L("-534.00", e2e=first.reference, on=days[1], ref="4"),
            ),
            "-534.00",
        ),
        (
            (
                L("1000.00", "BORDEREAU REM-2026-0001", on=days[2], ref="5"),
                L("302.60", "RETOUR VIREMENT", e2e=second.reference, on=days[2], ref="6"),
                L("-25.00", "FRAIS", on=days[2], ref="7"),
            ),
            "-1281.36",
        ),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
@pytest.mark.parametrize("at_once", [True, False])
def test_files_in_any_order_give_the_same_balances_and_exceptions(world: World, order, at_once):
    files = story(world)

    for each in order:
        lines, opening = files[each]
        world.import_csv(*lines, opening=mad(opening))
        if not at_once:
            world.match()
    world.match()

    assert {code: str(amount) for code, amount in balances.balances(prefix="bank").items()} == {
        "bank:main:MAD": str(mad("555.24"))
    }
    assert stands("deposit_transit") == mad(0)
    assert stands("cod_receivable", "rihla") == mad(0)
    assert exceptions() == ["bank_fee", "duplicate", "payout_returned"]
    assert world.proof("bank:main:MAD").unexplained == mad(0)
    assert sum(balances.sums_by_currency().values()) == 0


def test_a_file_of_a_thousand_lines_is_read_and_tried_whole(world: World):
    (payout,) = world.sent("600.00")
    noise = [L(f"-{number}.15", f"ACHAT CARTE {number:07d}", ref=f"N{number}") for number in range(1, 1000)]

    file = world.import_csv(*noise, L("-534.00", e2e=payout.reference, ref="OURS"))
    run = world.match()

    assert (file.lines.count(), run.matched, run.doubtful) == (1000, 1, 999)
    assert world.proof("bank:main:MAD").unexplained == mad(0)


def test_of_twenty_thousand_lines_about_nothing_of_ours_none_is_matched(world: World):
    ours = world.sent("600.00", "340.00")
    world.deposit(mad("89.24"))
    remittance(world, world.cash_parcel("1000.00"))
    chance = random.Random(20_000)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -/."
    amounts = [-53400, -30260, 8924, 100000, *(to_minor(each.amount) for each in ours)]
    register = spotting.register()
    references = [*register.names, *(each.reference for each in ours)]

    def text() -> str:
        """Noise, and near misses: our references with a letter changed, cut, or grown."""
        noise = "".join(chance.choices(letters, k=chance.randint(5, 60)))
        if chance.random() < 0.5:
            own = chance.choice(references)
            place = chance.randrange(len(own))
            other = chance.choice("BCDEFGHJKMNPQRSTUVWXYZ23456789".replace(own[place], ""))
            misses = [own[:place] + other + own[place + 1 :], own[:-1], own + chance.choice("AC3"), "Z" + own]
            miss = chance.choice(misses)
            # One letter changed may name another of ours, and then it does.
            noise += "" if spotting.fold(miss) in register.names else f" {miss}"
        return noise

    file = StatementFile.objects.create(
        kind="csv", sha256="0" * 64, name="noise", account="x", imported_at=world.at
    )
    lines = [
        StatementLine(
            file=file,
            reference=f"L-{number}",
            account="x",
            identity=str(number),
            number=number,
            booked_on=date(2026, 11, 24),
            value_on=date(2026, 11, 24),
            currency="MAD",
            amount_minor=chance.choice(amounts),
            text=text(),
        )
        for number in range(20_000)
    ]

    with CaptureQueriesContext(connection) as queries:
        wrong = [each for each in lines if spotting.spot(each, register)]

    assert wrong == []
    assert len(queries) == 0  # what makes it quick: the register is read once, not for each line
    lines[0].text = f"VIREMENT {ours[0].reference}"  # the control: what is ours is found
    assert list(spotting.spot(lines[0], register)) == [spotting.Known("payout", ours[0].reference)]
    assert Payout.objects.count() == 2


def test_the_digits_of_a_reference_are_no_amount():
    assert amounts_in("VIREMENT RECU STRIPE SBX154658318263 EUR 89,52 COURS 10,7958", "EUR") == {8952}
    assert amounts_in("reçu 1 234,50 EUR de STRIPE", "EUR") == {123450}
