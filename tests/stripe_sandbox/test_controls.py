"""What only a demonstration or a test may press."""

from __future__ import annotations

from fixtures.stripe_sandbox.controls import press


def test_an_account_named_beforehand_is_made_once_and_may_take_transfers(sandbox, client):
    press(sandbox, "account", account="acct_tadamondemoC17")
    press(sandbox, "account", account="acct_tadamondemoC17")

    account = client.v1.accounts.retrieve("acct_tadamondemoC17")

    assert client.v1.events.list().data == []
    assert account.capabilities.transfers == "active"
    assert [each.id for each in client.v1.accounts.list().data] == ["acct_tadamondemoC17"]
