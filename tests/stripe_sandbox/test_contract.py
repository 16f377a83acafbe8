"""What leaves for Stripe and what comes back has the shape the library declares."""

from __future__ import annotations

from decimal import Decimal

import pytest
import stripe
from stripe.params._refund_create_params import RefundCreateParams
from stripe.params._transfer_create_params import TransferCreateParams

from shop.payments.stripe import contract
from shop.payments.stripe.contract import ContractBroken, faults_in_params

TRANSFER = {"amount": 4940, "currency": "eur", "destination": "acct_1", "metadata": {"payout": "P-1"}}


def test_a_right_request_passes():
    assert faults_in_params(TRANSFER, TransferCreateParams) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"amont": 1}, "params.amont: unknown"),
        ({"amount": 49.4}, "params.amount: float 49.4 is not int"),
        ({"amount": Decimal("49.40")}, "params.amount: Decimal Decimal('49.40') is not int"),
        ({"amount": True}, "params.amount: bool True is not int"),
        ({"metadata": {"payout": 1}}, "params.metadata.payout: int 1 is not str"),
        (
            {"source_type": "cart"},
            "params.source_type: str 'cart' is not one of 'bank_account', 'card', 'fpx'",
        ),
        ({"idempotency_key": "k"}, "params.idempotency_key: unknown"),
    ],
)
def test_a_wrong_request_is_named_by_its_path(change, fault):
    assert faults_in_params({**TRANSFER, **change}, TransferCreateParams) == [fault]


def test_a_missing_parameter_is_named():
    faults = faults_in_params({"amount": 1, "currency": "eur"}, TransferCreateParams)

    assert faults == ["params.destination: missing"]


def test_an_enum_does_not_take_any_string():
    assert faults_in_params({"charge": "ch_1", "reason": "because"}, RefundCreateParams)
    assert not faults_in_params({"charge": "ch_1", "reason": "duplicate"}, RefundCreateParams)


def test_a_fault_deep_inside_is_named_by_its_path():
    from stripe.params.checkout._session_create_params import SessionCreateParams

    price = {"currency": "mad", "unit_amount": 10.5, "product_data": {"name": "Argan"}}
    params = {"mode": "payment", "line_items": [{"price_data": price, "quantity": 1}]}

    assert faults_in_params(params, SessionCreateParams) == [
        "params.line_items[0].price_data.unit_amount: float 10.5 is not int"
    ]


def test_or_unset_does_not_make_an_enum_of_a_free_text():
    from stripe.params._charge_update_params import ChargeUpdateParams
    from stripe.params._payment_intent_update_params import PaymentIntentUpdateParams

    assert not faults_in_params({"receipt_email": "a@example.org"}, PaymentIntentUpdateParams)
    assert not faults_in_params({"metadata": ""}, ChargeUpdateParams)


def test_both_shapes_of_an_account_pass():
    from stripe.params._account_create_params import AccountCreateParams
    from stripe.params.v2.core._account_create_params import AccountCreateParams as Second

    requested = {"requested": True}
    first = {
        "country": "MA",
        "controller": {"losses": {"payments": "application"}},
        "capabilities": {"transfers": requested},
    }
    second = {
        "configuration": {"recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": requested}}}}
    }

    assert faults_in_params(first, AccountCreateParams) == []
    assert faults_in_params(second, Second) == []
    assert faults_in_params(second, AccountCreateParams) == ["params.configuration: unknown"]


def test_every_call_of_the_library_is_guarded_and_every_name_in_its_params_is_found():
    contract.uninstall()

    guarded = contract.install()

    contract.uninstall()
    methods = contract.service_methods()
    assert guarded == len(methods) > 1200
    seen = set()
    for _, _, function in methods:
        _walk(contract.Shape(contract.params_of(function), function.__module__), seen)
    assert len(seen) > 4000


def _walk(shape, seen):
    for each in contract.arms(shape):
        if contract.is_typed_dict(each.annotation):
            if each.annotation not in seen:
                seen.add(each.annotation)
                for inner, _ in contract.fields(each.annotation).values():
                    _walk(inner, seen)
        else:
            known = contract.get_origin(each.annotation) or each.annotation
            assert known in (
                str, int, bool, float, Decimal, list, dict, type(None), contract.Any, contract.Literal,
                contract.UntypedStripeObject,
            ), each  # fmt: skip
            if known in (list, dict):
                for inner in contract.get_args(each.annotation):
                    _walk(each.at(inner), seen)


def test_a_broken_call_does_not_leave(client, sandbox):
    asked = len(sandbox.store.rows("select * from request"))

    with pytest.raises(ContractBroken) as broken:
        client.v1.transfers.create({**TRANSFER, "amount": 49.4})

    assert broken.value.faults == ["params.amount: float 49.4 is not int"]
    assert len(sandbox.store.rows("select * from request")) == asked


def test_a_misspelt_option_does_not_leave(client):
    with pytest.raises(ContractBroken, match="options.idempotencykey: unknown"):
        client.v1.transfers.create(TRANSFER, {"idempotencykey": "tr:1:1"})


def test_without_the_check_the_library_lets_a_broken_call_go(client):
    contract.uninstall()

    with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: amont"):
        client.v1.transfers.create({**TRANSFER, "amont": 1})


def test_a_day_of_warning_only_logs_paths_and_no_values(client, caplog):
    contract.uninstall()

    with contract.checking(warn_only=True), pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.create({**TRANSFER, "secret": "a name"})

    assert caplog.records[-1].paths == ["params.secret"]
    assert "a name" not in caplog.text


def test_checking_inside_checking_leaves_the_outer_one_on(client):
    with contract.checking():
        pass

    with pytest.raises(ContractBroken):
        client.v1.transfers.create({**TRANSFER, "amount": 49.4})


# --- answers ---


def _topup(client):
    return client.v1.topups.create({"amount": 100, "currency": "eur"}).to_dict()


def test_an_answer_with_a_missing_field_is_named(client):
    answer = _topup(client)
    contract.check_response(answer, stripe.Topup)
    del answer["livemode"]

    with pytest.raises(ContractBroken, match="Topup.livemode: missing"):
        contract.check_response(answer, stripe.Topup)


def test_an_answer_with_an_unknown_field_is_named(client):
    with pytest.raises(ContractBroken, match="Topup.colour: unknown"):
        contract.check_response({**_topup(client), "colour": "red"}, stripe.Topup)


def test_an_answer_with_a_wrong_type_is_named(client):
    with pytest.raises(ContractBroken, match="Topup.amount: str '100' is not int"):
        contract.check_response({**_topup(client), "amount": "100"}, stripe.Topup)


def test_an_answer_with_a_wrong_value_deep_inside_is_named(charged):
    answer = charged().to_dict()
    contract.check_response(answer, stripe.Charge)
    answer["balance_transaction"]["type"] = "chrage"

    assert contract.faults_in_response(answer, stripe.Charge)[0].startswith(
        "Charge.balance_transaction.type: str 'chrage'"
    )
