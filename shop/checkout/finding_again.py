"""Who lost the way to her order asks for it with the order's number and her e-mail."""

from __future__ import annotations

from datetime import datetime, timedelta

from shop.core import mailing
from shop.core.models import OutboxMessage
from shop.orders import links
from shop.orders.models import Order

TOPIC = "order.link"
#: One order's link is sent no more often than this.
PAUSE = timedelta(minutes=10)


def send_link(*, number: str, email: str, at: datetime) -> None:
    """Promise a mail with a new link if number and e-mail belong together; says nothing either way.

    A guest's link opens the order. An account's order opens to its owner only, so hers leads through the
    sign-in. Asking again within ten minutes promises nothing more.
    """
    order = Order.objects.filter(number=number).select_related("user").first()
    if order is None or order.contact_email.lower() != email.strip().lower():
        return
    if OutboxMessage.objects.filter(topic=TOPIC, about=number, created_at__gt=at - PAUSE).exists():
        return
    mailing.promise(
        topic=TOPIC,
        to=order.contact_email,
        language=order.language,
        key=f"{TOPIC}:{number}:{int(at.timestamp())}",
        at=at,
        about=number,
        context=lambda: {
            "order": number,
            "token": links.sign(order=order) if order.user_id is None else "",
        },
    )
