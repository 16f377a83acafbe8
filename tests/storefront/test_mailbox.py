"""The demonstration's mailbox: a guest's link is tried by hand."""

from __future__ import annotations

import html
import re

import pytest
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client

from shop.core import outbox
from shop.orders.models import Order
from tests.factories import ListingFactory
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    return tmp_path


def test_a_guest_opens_her_order_by_the_link_in_the_mailbox(now, folder):
    guest = Visitor("fr")
    guest.add(ListingFactory())
    guest.order(method="cash")
    outbox.sweep(at=now)

    text = html.unescape(Client().get("/demo/mails/").content.decode())
    links = re.findall(r'href="(http://[^"]*/follow/[^"]*)"', text)
    stranger = Client()
    opened = stranger.get(links[0].removeprefix(settings.SITE_URL), follow=True)

    number = Order.objects.get().number
    assert f"Votre commande {number}" in text
    assert "salma@example.ma" in text
    assert opened.redirect_chain[-1][0] == f"/fr/orders/{number}/"
    assert opened.status_code == 200


def test_the_newest_mail_stands_first_and_is_told_apart_from_the_rest_of_its_file(folder):
    connection = get_connection()
    connection.open()
    for number in (1, 2):
        mail = EmailMultiAlternatives(f"Sujet {number}", f"Texte {number}", to=[f"p{number}@example.ma"])
        mail.attach_alternative("<p>Autre</p>", "text/html")
        connection.send_messages([mail])
    connection.close()

    text = Client().get("/demo/mails/", headers={"accept-language": "fr"}).content.decode()

    assert 0 < text.index("Sujet 2") < text.index("Texte 2") < text.index("Sujet 1")
    assert "Autre" not in text


def test_what_a_mail_says_is_text_and_never_part_of_the_page(folder):
    EmailMultiAlternatives("<script>1</script>", "<script>2</script>", to=["a@example.ma"]).send()

    text = Client().get("/demo/mails/").content.decode()

    assert "&lt;script&gt;1" in text and "&lt;script&gt;2" in text
    assert "<script>" not in text


def test_an_empty_mailbox_says_so(folder):
    assert "Aucun e-mail" in Client().get("/demo/mails/", headers={"accept-language": "fr"}).content.decode()


def test_outside_the_demonstration_there_is_no_mailbox(folder, settings):
    settings.DEMO_MAILS = False

    assert Client().get("/demo/mails/").status_code == 404
