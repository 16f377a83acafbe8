from typing import Any

import oscar.apps.order.apps as apps


class OrdersConfig(apps.OrderConfig):
    name = "shop.orders"

    def ready(self) -> None:
        super().ready()
        from shop.core import mailing
        from shop.orders import links

        def token(context: dict[str, Any]) -> str:
            return links.sign_for(number=context["order"])

        mailing.renew("token", token)
