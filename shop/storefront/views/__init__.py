"""The doors of the storefront, by what a visitor does."""

from shop.storefront.views.choosing import basket, basket_add, basket_update
from shop.storefront.views.crawling import robots, security, sitemap, sitemap_part
from shop.storefront.views.destinations import destination
from shop.storefront.views.home import home
from shop.storefront.views.keeping import manifest, offline, theme, worker
from shop.storefront.views.labels import label, labels
from shop.storefront.views.listing import listing, picture, plate
from shop.storefront.views.lists import category, listings, region, suggest
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
from shop.storefront.views.reviews import listing_reviews, review
from shop.storefront.views.sharing import cooperative_feed, feed, share_card

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
    "cooperative_feed",
    "cooperatives",
    "feed",
    "destination",
    "forbidden",
    "home",
    "label",
    "labels",
    "language",
    "link_again",
    "listing",
    "listing_reviews",
    "listings",
    "mails",
    "manifest",
    "not_found",
    "offline",
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
    "robots",
    "review",
    "root",
    "security",
    "server_error",
    "share_card",
    "sitemap",
    "sitemap_part",
    "suggest",
    "take_back",
    "theme",
    "track",
    "track_guest",
    "worker",
]
