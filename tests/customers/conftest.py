from tests.payments.conftest import shop
from tests.storefront.conftest import now

__all__ = ["now", "shop"]
