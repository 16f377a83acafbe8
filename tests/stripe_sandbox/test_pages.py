"""The hosted pages, as a browser without JavaScript meets them."""

from __future__ import annotations

import re
import threading

import pytest
import stripe

from fixtures.stripe_sandbox import controls
from fixtures.stripe_sandbox.texts import LANGUAGES, TEXTS
from tests.stripe_sandbox.browser import HOME, Browser
from tests.stripe_sandbox.conftest import MORNING, balance_of, events_of


@pytest.fixture
def browser(sandbox):
    return Browser(sandbox)


def seen(answer):
    return answer.body.decode()


def test_a_paid_session_returns_to_the_shop(browser, client):
    session = browser.session(
        client,
        client_reference_id="T-0001",
        metadata={"attempt": "1"},
        payment_intent_data={"transfer_group": "ORDER_1", "metadata": {"order": "T-0001"}},
    )

    answer = browser.pay(session, "4242 4242 4242 4242")

    assert (answer.status, answer.headers["Location"]) == (303, f"{HOME}/merci/?session={session.id}")
    session = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge", "line_items"]}
    )
    intent = session.payment_intent
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert (intent.status, intent.transfer_group, intent.metadata.order) == ("succeeded", "ORDER_1", "T-0001")
    assert (intent.latest_charge.transfer_group, intent.latest_charge.payment_method_details.card.last4) == (
        "ORDER_1",
        "4242",
    )
    assert session.line_items.data[0].amount_total == 100_000
    assert balance_of(client) == {"eur": (0, 8952)}
    assert events_of(client)[-1] == "checkout.session.completed"


def test_a_session_with_manual_capture_waits_for_it(browser, client):
    session = browser.session(client, payment_intent_data={"capture_method": "manual"})

    browser.pay(session, "4242424242424242")

    session = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (session.status, session.payment_status, session.payment_intent.status) == (
        "complete",
        "unpaid",
        "requires_capture",
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("4000000000000002", "Votre carte a été refusée. Essayez-en une autre."),
        ("4000000000009995", "La provision de votre carte est insuffisante."),
    ],
)
def test_a_declined_card_may_be_followed_by_a_good_one(browser, client, number, sentence):
    session = browser.session(client)

    declined = browser.pay(session, number)
    assert declined.status == 402
    assert sentence.replace("'", "&#x27;") in seen(declined)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    paid = browser.pay(session, "4242424242424242")

    assert paid.status == 303
    assert len(client.v1.payment_intents.list().data) == 1
    assert [each.status for each in client.v1.charges.list().data] == ["succeeded", "failed"]


def test_three_d_secure_confirmed(browser, client):
    session = browser.session(client)

    step = browser.pay(session, "4000002500003155")
    page = browser.get(step.headers["Location"])
    assert "Votre banque demande si vous voulez vraiment payer 1\u202f000,00\u00a0MAD." in seen(page)
    assert balance_of(client) == {"eur": (0, 0)}
    answer = browser.post(step.headers["Location"], answer="confirm")

    assert answer.headers["Location"].startswith(f"{HOME}/merci/")
    assert balance_of(client) == {"eur": (0, 8952)}


def test_three_d_secure_refused(browser, client):
    session = browser.session(client)
    step = browser.pay(session, "4000002500003155")

    answer = browser.post(step.headers["Location"], answer="refuse")

    assert answer.status == 402
    assert "Votre banque n&#x27;a pas confirmé le paiement." in seen(answer)
    assert client.v1.charges.list().data == []
    assert browser.pay(session, "4242424242424242").status == 303


def test_three_d_secure_of_an_intent_made_by_api(browser, client):
    intent = client.v1.payment_intents.create(
        {
            "amount": 100_000, "currency": "mad", "payment_method": "pm_card_threeDSecure2Required", "confirm": True,
            "return_url": HOME + "/retour/",
        }
    )  # fmt: skip

    answer = browser.post(intent.next_action.redirect_to_url.url, answer="confirm")

    assert answer.headers["Location"] == HOME + "/retour/"
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


@pytest.mark.parametrize(
    ("number", "expiry", "cvc", "sentence"),
    [
        ("4242424242424241", "12/40", "123", "bad_number"),
        ("4111111111111111", "12/40", "123", "bad_number"),
        ("", "12/40", "123", "bad_number"),
        ("4242424242424242", "06/26", "123", "bad_expiry"),
        ("4242424242424242", "13/40", "123", "bad_expiry"),
        ("4242424242424242", "12/40", "12", "bad_cvc"),
    ],
)
def test_what_is_wrong_with_the_card_is_said(browser, client, number, expiry, cvc, sentence):
    session = browser.session(client)

    answer = browser.pay(session, number, expiry, cvc)

    assert answer.status == 422
    assert TEXTS[sentence]["fr"].replace("'", "&#x27;") in seen(answer)
    assert client.v1.payment_intents.list().data == []


def test_no_card_number_is_kept(browser, client, sandbox):
    session = browser.session(client)
    browser.pay(session, "4242424242424242")

    for table in ("thing", "request", "delivery", "setting"):
        for row in sandbox.store.rows(f"select * from {table}"):
            assert "4242424242424242" not in str(tuple(row))


def test_the_way_back_is_a_link(browser, client):
    session = browser.session(client)

    assert f'<a href="{HOME}/panier/">Annuler et revenir à la boutique</a>' in seen(browser.get(session.url))


def test_an_expired_session_says_so(browser, client, control):
    session = browser.session(client, expires_at=MORNING + 1800)

    control("advance", seconds=1800)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert events_of(client)[-1] == "checkout.session.expired"
    for answer in (browser.get(session.url), browser.pay(session, "4242424242424242")):
        assert answer.status == 410
        assert "Cette page de paiement a expiré." in seen(answer)
    assert client.v1.charges.list().data == []


def test_a_session_expires_on_request_with_its_unfinished_intent(browser, client):
    session = browser.session(client)
    browser.pay(session, "4000000000000002")

    client.v1.checkout.sessions.expire(session.id)

    assert client.v1.payment_intents.list().data[0].status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="Only Checkout Sessions with a status"):
        client.v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize("seconds", [60, 25 * 3600])
def test_a_session_lives_between_half_an_hour_and_a_day(browser, client, seconds):
    with pytest.raises(stripe.InvalidRequestError, match="between 30 minutes and 24 hours"):
        browser.session(client, expires_at=MORNING + seconds)


# --- looks ---


@pytest.mark.parametrize(("code", "direction"), [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")])
def test_each_page_speaks_three_languages(sandbox, client, code, direction):
    browser = Browser(sandbox, code)
    session = browser.session(client, locale="auto")

    page = seen(browser.get(session.url))

    assert f'<html lang="{code}" dir="{direction}">' in page
    assert TEXTS["banner"][code].replace("'", "&#x27;") in page
    assert TEXTS["number"][code] in page


def test_the_session_s_language_wins_over_the_browser_s(sandbox, client):
    browser = Browser(sandbox, "en")

    assert 'lang="fr"' in seen(browser.get(browser.session(client, locale="fr").url))
    assert 'lang="ar"' in seen(browser.get(browser.session(client, metadata={"locale": "ar"}).url))
    assert 'lang="ar"' in seen(browser.get(browser.session(client, locale="fr").url + "?locale=ar"))[:60]


def test_stripe_itself_has_no_arabic_page(client, browser):
    """Its API refuses the language, and so does the contract check before the call leaves."""
    from shop.payments.stripe.contract import ContractBroken, uninstall

    with pytest.raises(ContractBroken, match="params.locale"):
        browser.session(client, locale="ar")
    uninstall()
    with pytest.raises(stripe.InvalidRequestError, match="Invalid locale"):
        browser.session(client, locale="ar")


def test_every_text_exists_in_every_language():
    for name, each in TEXTS.items():
        assert set(each) == set(LANGUAGES), name
        assert len({frozenset(re.findall(r"\{(\w+)\}", text)) for text in each.values()}) == 1, name


def test_names_of_goods_cannot_be_markup(browser, client):
    page = seen(browser.get(browser.session(client).url))

    assert "Amlou &lt;d&#x27;Essaouira&gt;" in page
    assert "<script" not in page


def test_the_pages_allow_no_script_and_no_frame(browser, client):
    headers = browser.get(browser.session(client).url).headers

    assert headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert headers["X-Frame-Options"] == "DENY"


def test_a_page_that_is_not_there_says_so(browser):
    answer = browser.get("/checkout/cs_test_none")

    assert answer.status == 404
    assert "Cette page n&#x27;existe pas." in seen(answer)


# --- onboarding ---


@pytest.mark.parametrize(
    ("chosen", "status"), [("active", "active"), ("pending", "pending"), ("inactive", "inactive")]
)
def test_onboarding_decides_the_capability(browser, client, chosen, status):
    account = client.v1.accounts.create({"country": "MA", "capabilities": {"transfers": {"requested": True}}})
    link = client.v1.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "return_url": HOME + "/ok/",
            "refresh_url": HOME + "/encore/",
        }
    )
    assert account.id in seen(browser.get(link.url))

    answer = browser.post(link.url, answer=chosen)

    assert answer.headers["Location"] == HOME + "/ok/"
    assert client.v1.accounts.capabilities.retrieve(account.id, "transfers").status == status
    assert browser.get(link.url).headers["Location"] == HOME + "/encore/"


# --- four presses ---


def _press_four_times(browser, session, monkeypatch):
    """Four posts that have all read the open session before any of them pays."""
    from fixtures.stripe_sandbox.resources import checkout

    ready, pay, answers = threading.Barrier(4), checkout.pay, []
    look = browser.sandbox.store.find

    def find(kind, account, id):
        found = look(kind, account, id)
        if kind == "session" and not getattr(seen_by, "looked", False):
            seen_by.looked = True
            ready.wait(timeout=10)
        return found

    seen_by = threading.local()
    monkeypatch.setattr(browser.sandbox.store, "find", find)
    threads = [
        threading.Thread(target=lambda: answers.append(browser.pay(session, "4242424242424242")))
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    assert checkout.pay is pay
    return answers


@pytest.mark.race
def test_four_presses_of_pay_are_one_charge(browser, client, monkeypatch):
    session = browser.session(client)

    answers = _press_four_times(browser, session, monkeypatch)

    assert [each.status for each in answers] == [303] * 4
    assert {each.headers["Location"] for each in answers} == {f"{HOME}/merci/?session={session.id}"}
    assert len(client.v1.charges.list().data) == 1
    assert len(client.v1.payment_intents.list().data) == 1
    assert balance_of(client) == {"eur": (0, 8952)}
    assert events_of(client).count("checkout.session.completed") == 1


@pytest.mark.race
def test_without_the_guard_four_presses_are_four_charges(browser, client, monkeypatch, sandbox):
    """The control: the test above can fail."""
    sandbox.world.guards_double_payment = False
    session = browser.session(client)

    _press_four_times(browser, session, monkeypatch)

    assert len(client.v1.charges.list().data) == 4
    assert controls.state(sandbox)["counts"]["charge"] == 4


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_how_many_is_said_once_and_only_of_more_than_one(browser, client, language):
    session = browser.session(
        client,
        line_items=[
            {
                "quantity": count,
                "price_data": {"currency": "mad", "unit_amount": 9000, "product_data": {"name": name}},
            }
            for name, count in (("Miel", 2), ("Livraison", 1))
        ],
        metadata={"locale": language},
    )

    page = seen(browser.get(session.url))

    assert "<td><bdi>Miel</bdi> × 2</td>" in page
    assert "<td><bdi>Livraison</bdi></td>" in page
