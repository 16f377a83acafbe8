"""A browser without JavaScript, for the hosted pages: it fills forms and does not follow redirects."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from fixtures.stripe_sandbox.wire import Request

HOME = "http://127.0.0.1:8000"


class Browser:
    def __init__(self, sandbox, language="fr"):
        self.sandbox = sandbox
        self.language = language

    def session(self, client, amount=100_000, **more):
        """A new checkout session for one jar of amlou."""
        price = {"currency": "mad", "unit_amount": amount, "product_data": {"name": "Amlou <d'Essaouira>"}}
        return client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [{"price_data": price, "quantity": 1}],
                "success_url": HOME + "/merci/?session={CHECKOUT_SESSION_ID}",
                "cancel_url": HOME + "/panier/",
                **more,
            }
        )

    def get(self, url):
        parts = urlsplit(url)
        headers = {"accept-language": self.language}
        return self.sandbox.handle(Request("GET", parts.path, parts.query, headers))

    def post(self, url, **form):
        parts = urlsplit(url)
        headers = {"accept-language": self.language, "content-type": "application/x-www-form-urlencoded"}
        return self.sandbox.handle(
            Request("POST", parts.path, parts.query, headers, urlencode(form).encode())
        )

    def pay(self, session, number, expiry="12/40", cvc="123"):
        return self.post(f"{session.url}/pay", number=number, expiry=expiry, cvc=cvc)
