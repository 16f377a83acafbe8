"""The doors of the storefront, by what a visitor does."""

from shop.storefront.views.account import (
    account,
    account_details,
    account_looks,
    link_again,
    order_again,
    track_guest,
)
from shop.storefront.views.account_addresses import (
    address,
    address_default,
    address_new,
    address_remove,
    addresses,
)
from shop.storefront.views.account_data import data, erase, export, keep_account
from shop.storefront.views.account_favourites import favourite, favourites
from shop.storefront.views.account_notices import newsletter, newsletter_confirm, notices, unsubscribe
from shop.storefront.views.choosing import basket, basket_add, basket_update, use_voucher
from shop.storefront.views.crawling import robots, security, sitemap, sitemap_part
from shop.storefront.views.destinations import destination
from shop.storefront.views.home import calendar, home
from shop.storefront.views.keeping import manifest, offline, theme, worker
from shop.storefront.views.labels import label, labels
from shop.storefront.views.listing import listing, picture, plate
from shop.storefront.views.lists import category, listings, region, suggest
from shop.storefront.views.mailbox import mails
from shop.storefront.views.makers import cooperative, cooperatives, regions
from shop.storefront.views.ordering import checkout, pay, payment_return, place, take_back
from shop.storefront.views.orders import cancel_part, receipt, received, track
from shop.storefront.views.pages import (
    bad_request,
    forbidden,
    language,
    not_found,
    page,
    root,
    sellers,
    server_error,
)
from shop.storefront.views.reviews import listing_reviews, review
from shop.storefront.views.sharing import cooperative_feed, feed, share_card

__all__ = [
    "account",
    "account_details",
    "account_looks",
    "address",
    "address_default",
    "address_new",
    "address_remove",
    "addresses",
    "bad_request",
    "basket",
    "basket_add",
    "basket_update",
    "calendar",
    "cancel_part",
    "category",
    "checkout",
    "cooperative",
    "cooperative_feed",
    "cooperatives",
    "destination",
    "feed",
    "data",
    "erase",
    "export",
    "favourite",
    "favourites",
    "forbidden",
    "home",
    "keep_account",
    "label",
    "labels",
    "language",
    "link_again",
    "listing",
    "listing_reviews",
    "listings",
    "mails",
    "manifest",
    "newsletter",
    "newsletter_confirm",
    "not_found",
    "notices",
    "offline",
    "order_again",
    "page",
    "pay",
    "payment_return",
    "picture",
    "place",
    "plate",
    "receipt",
    "received",
    "region",
    "regions",
    "review",
    "robots",
    "root",
    "security",
    "sellers",
    "server_error",
    "share_card",
    "sitemap",
    "sitemap_part",
    "suggest",
    "take_back",
    "theme",
    "track",
    "track_guest",
    "use_voucher",
    "unsubscribe",
    "worker",
]
