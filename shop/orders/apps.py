import oscar.apps.order.apps as apps


class OrdersConfig(apps.OrderConfig):
    name = "shop.orders"
