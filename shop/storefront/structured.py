"""Facts as search engines read them: schema.org in JSON-LD. Amounts and stock are handed in by the page.

Source: https://schema.org and https://developers.google.com/search/docs/appearance/structured-data
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from moneyed import Money

from catalogue.models import Product
from cooperatives.models import Cooperative
from shop.checkout.estimating import Estimate
from shop.storefront import cards

COUNTRY = "MA"
#: So many goods of a list are named; a page shows no more.
LISTED = 60


def _full(path: str) -> str:
    return path if "://" in path else settings.SITE_URL + path


def _known(**facts: Any) -> dict[str, Any]:
    """Only what there is something to say about."""
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


def amount(price: Money) -> str:
    """``150.00``: the figure as the books have it, with a point."""
    return f"{price.amount:.2f}"


def shop() -> dict[str, Any]:
    """Who keeps the shop: agent of the cooperatives, seller of delivery only."""
    return {
        "@type": "Organization",
        "@id": _full("/#shop"),
        "name": "Tadamon",
        "alternateName": "تضامن",
        "legalName": settings.SHOP_LEGAL["name"],
        "url": _full("/"),
        "logo": _full(static("design/mark.svg")),
    }


def website(description: str) -> dict[str, Any]:
    """The shop as a site that can be searched."""
    return {
        "@type": "WebSite",
        "@id": _full("/#site"),
        "name": "Tadamon",
        "description": description,
        "url": _full(reverse("storefront:home")),
        "inLanguage": get_language(),
        "publisher": {"@id": _full("/#shop")},
        "potentialAction": {
            "@type": "SearchAction",
            "target": {
                "@type": "EntryPoint",
                "urlTemplate": _full(reverse("storefront:listings")) + "?q={search_term_string}",
            },
            "query-input": "required name=search_term_string",
        },
    }


def seller(maker: Cooperative) -> dict[str, Any]:
    """The legal seller of a good, in short."""
    return {
        "@type": "Organization",
        "@id": _full(reverse("storefront:cooperative", args=[maker.slug])) + "#cooperative",
        "name": maker.name,
        "url": _full(reverse("storefront:cooperative", args=[maker.slug])),
    }


def cooperative(maker: Cooperative, *, description: str, picture: str) -> dict[str, Any]:
    """A cooperative with where it is and how to reach it."""
    return seller(maker) | _known(
        description=description,
        image=picture,
        email=maker.email,
        telephone=str(maker.phone or ""),
        foundingDate=str(maker.founded) if maker.founded else "",
        address=_known(
            **{"@type": "PostalAddress"},
            streetAddress=maker.address,
            addressLocality=maker.place,
            addressRegion=maker.region.name,
            addressCountry=COUNTRY,
        ),
    )


def product(
    listing: Product,
    *,
    url: str,
    description: str,
    price: Money | None,
    left: int,
    pictures: list[str],
    estimate: Estimate | None,
    perishable: bool,
    reviews: Mapping[str, Any] | None,
    share_card: str,
) -> dict[str, Any]:
    """A good with its offer; of one with variants what they are offered for.

    ``reviews`` as ``reviews.shown`` makes them: ``{"figure": their mean, "number", …}``.
    """
    maker = listing.cooperative
    facts = {"@type": "Product", "@id": f"{url}#good", "name": listing.get_title()} | _known(
        description=description,
        sku=listing.reference,
        url=url,
        image=[*pictures, share_card],
        brand={"@type": "Brand", "name": maker.name},
    )
    if price is not None:
        offer = _offer(maker, url=url, price=price, left=left, estimate=estimate, perishable=perishable)
        facts["offers"] = _of_all(listing, offer) if cards.has_several_prices(listing) else offer
    if reviews and reviews["number"]:
        facts["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": f"{reviews['figure']:.1f}",
            "reviewCount": reviews["number"],
            "bestRating": 5,
            "worstRating": 1,
        }
    return facts


def _offer(
    maker: Cooperative, *, url: str, price: Money, left: int, estimate: Estimate | None, perishable: bool
) -> dict[str, Any]:
    return {
        "@type": "Offer",
        "url": url,
        "price": amount(price),
        "priceCurrency": price.currency.code,
        "priceSpecification": {
            "@type": "UnitPriceSpecification",
            "price": amount(price),
            "priceCurrency": price.currency.code,
            "valueAddedTaxIncluded": True,
        },
        "availability": f"https://schema.org/{'InStock' if left else 'OutOfStock'}",
        "itemCondition": "https://schema.org/NewCondition",
        "seller": seller(maker),
        "hasMerchantReturnPolicy": _return_policy(perishable=perishable),
        **({"shippingDetails": _shipping(estimate)} if estimate else {}),
    }


def _of_all(listing: Product, offer: dict[str, Any]) -> dict[str, Any]:
    """The offer of a listing whose variants differ in price: from the lowest to the highest."""
    prices = [price for price in map(cards.price_of, listing.variants) if price is not None]
    there = cards.left_of(listing)
    return {name: value for name, value in offer.items() if name not in ("price", "priceSpecification")} | {
        "@type": "AggregateOffer",
        "lowPrice": amount(min(prices)),
        "highPrice": amount(max(prices)),
        "offerCount": len(prices),
        "availability": f"https://schema.org/{'InStock' if there else 'OutOfStock'}",
    }


def _shipping(estimate: Estimate) -> dict[str, Any]:
    """The cheapest and the dearest way within the country, and its working days."""
    cost: dict[str, Any] = {"@type": "MonetaryAmount", "currency": estimate.least.currency.code}
    if estimate.least == estimate.most:
        cost["value"] = amount(estimate.least)
    else:
        cost |= {"minValue": amount(estimate.least), "maxValue": amount(estimate.most)}
    return {
        "@type": "OfferShippingDetails",
        "shippingRate": cost,
        "shippingDestination": {"@type": "DefinedRegion", "addressCountry": COUNTRY},
        "deliveryTime": {
            "@type": "ShippingDeliveryTime",
            "transitTime": {
                "@type": "QuantitativeValue",
                "minValue": estimate.days_least,
                "maxValue": estimate.days_most,
                "unitCode": "DAY",
            },
        },
    }


def _return_policy(*, perishable: bool) -> dict[str, Any]:
    """The right of withdrawal: seven days, the way back at the customer's cost; none for what spoils."""
    policy: dict[str, Any] = {"@type": "MerchantReturnPolicy", "applicableCountry": COUNTRY}
    if perishable:
        return policy | {"returnPolicyCategory": "https://schema.org/MerchantReturnNotPermitted"}
    return policy | {
        "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
        "merchantReturnDays": settings.RETURN_WINDOW_DAYS,
        "returnMethod": "https://schema.org/ReturnByMail",
        "returnFees": "https://schema.org/ReturnFeesCustomerResponsibility",
        "refundType": "https://schema.org/FullRefund",
        "merchantReturnLink": _full(reverse("storefront:page", args=["withdrawal"])),
    }


def breadcrumbs(crumbs: Iterable[Mapping[str, Any]], *, here: str) -> dict[str, Any]:
    """The way to this page, as its crumbs show it."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": position,
                "name": str(crumb["name"]),
                "item": _full(crumb["url"]) if crumb.get("url") else here,
            }
            for position, crumb in enumerate(crumbs, start=1)
        ],
    }


def goods(shown: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The goods of a list, in its order."""
    return {
        "@type": "ItemList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "url": _full(card["url"]), "name": str(card["name"])}
            for position, card in enumerate(list(shown)[:LISTED], start=1)
        ],
    }
