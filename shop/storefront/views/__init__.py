"""The doors of the storefront, by what a visitor does."""

from shop.storefront.views.choosing import basket, basket_add, basket_update, use_voucher
from shop.storefront.views.home import home
from shop.storefront.views.labels import label, labels
from shop.storefront.views.listing import listing, plate
from shop.storefront.views.lists import category, listings, region
from shop.storefront.views.mailbox import mails
from shop.storefront.views.makers import cooperative, cooperatives, regions
from shop.storefront.views.ordering import checkout, pay, payment_return, place, take_back
from shop.storefront.views.orders import (
    account,
    cancel_part,
    link_again,
    receipt,
    received,
    track,
    track_guest,
)
from shop.storefront.views.pages import bad_request, forbidden, language, not_found, page, root, server_error

__all__ = [
    "account",
    "bad_request",
    "basket",
    "basket_add",
    "basket_update",
    "cancel_part",
    "category",
    "checkout",
    "cooperative",
    "cooperatives",
    "forbidden",
    "home",
    "label",
    "labels",
    "language",
    "link_again",
    "listing",
    "listings",
    "mails",
    "not_found",
    "page",
    "pay",
    "payment_return",
    "place",
    "plate",
    "receipt",
    "received",
    "region",
    "regions",
    "root",
    "server_error",
    "take_back",
    "track",
    "track_guest",
    "use_voucher",
]
