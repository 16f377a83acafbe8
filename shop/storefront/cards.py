"""What templates show of listings, labels and cooperatives. Reads what was fetched; asks nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from moneyed import MAD, Money

from catalogue.models import Product, ProductImage
from catalogue.showing import Shown
from cooperatives.models import Certification, Cooperative, FeeTerms, Label
from cooperatives.terms import in_force
from shop.core.addresses import address
from shop.core.models import Region
from shop.design import numbers, plates
from shop.pricing.fees import fees

#: How few make "only so many left" worth saying.
FEW = 3
#: What every maker's name starts with, and so tells nobody anything among other makers.
_COOPERATIVE = re.compile(r"^(?:Coopérative|تعاونية|Cooperative)\s+")
_SHAPES = {Label.Kind.LEGAL_SIGN: "origin", Label.Kind.SHOP: "shop", Label.Kind.DECLARED: "declared"}


def shape(label: Label) -> str:
    """The shape that says who vouches: a public body's octagon unless it is something else."""
    return _SHAPES.get(Label.Kind(label.kind), "public")


def short_name(cooperative: Cooperative) -> str:
    """A cooperative among others: its name without the word "cooperative" in front."""
    return bare_name(cooperative.name)


def bare_name(name: str) -> str:
    """The name of a cooperative without the word all of them start with."""
    return _COOPERATIVE.sub("", name) or name


def price_of(listing: Product | Shown) -> Money | None:
    """What one costs, tax included; None when it has no price. Of a listing with variants the lowest price of
    those that are there, or of all when none is. A ``Product`` comes from ``for_cards`` or
    ``with_stock``."""
    if listing.has_variants:
        priced = [each for each in listing.variants if each.price_now is not None]
        there = [each for each in priced if left_of(each)] or priced
        return Money(min(each.price_now for each in there), MAD) if there else None
    return Money(listing.price_now, MAD) if listing.price_now is not None else None


def left_of(listing: Any) -> int:
    """How many can be bought now, of all its variants together."""
    if listing.has_variants:
        return sum(left_of(each) for each in listing.variants)
    return max(listing.free_now or 0, 0)


def has_several_prices(listing: Product | Shown) -> bool:
    """Whether its variants differ in price, so that a card says "from"."""
    return listing.has_variants and len({each.price_now for each in listing.variants}) > 1


def unit_of(listing: Product | Shown) -> str:
    """The unit the shown price is for; none where variants of several units have several prices."""
    units = {each.unit for each in listing.variants} if listing.has_variants else {listing.unit}
    return (units.pop() or "") if len(units) == 1 else ""


def pictures_of(keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The picture of each of these listings or variants, by id; a variant without one has its listing's."""
    found = Product.objects.filter(pk__in=list(keys)).select_related("parent")
    return {each.pk: picture(each) for each in found.prefetch_related("images", "parent__images")}


def picture(listing: Product | Shown, *, not_ground: str = "") -> dict[str, Any]:
    """Its first picture; a drawn plate while it has none. A ``Product`` needs ``images`` prefetched, and of a
    variant those of its listing."""
    if isinstance(listing, Shown):
        return as_picture(listing.image, alt="") if listing.image else plate(listing, not_ground=not_ground)
    for image in listing.images.all():
        if image.state == ProductImage.State.READY:
            return as_picture(image, alt="")
    if listing.parent_id:
        return picture(listing.on_shelf, not_ground=not_ground)
    return plate(listing, not_ground=not_ground)


def plate(listing: Product | Shown, *, not_ground: str = "") -> dict[str, Any]:
    """The drawn plate that stands for a listing; never on the ground named."""
    url = address("storefront:plate", listing.reference)
    return {"src": f"{url}?not={not_ground}" if not_ground else url, "width": 600, "height": 600, "alt": ""}


def as_picture(image: ProductImage, *, alt: str) -> dict[str, Any]:
    """What ``design/_picture.html`` needs of one prepared picture."""
    if image.drawing:
        return {"src": image.drawing, "width": image.width or 600, "height": image.height or 600, "alt": alt}
    return {
        "src": image.src,
        "srcset": image.srcset,
        "webp": image.webp,
        "width": image.width or 600,
        "height": image.height or 600,
        "placeholder": image.placeholder,
        "alt": alt,
    }


def card(
    listing: Product | Shown, *, terms: FeeTerms | None, seals: bool = True, not_ground: str = ""
) -> dict[str, Any]:
    """What ``design/_card.html`` needs. A ``Product`` comes from ``Product.objects.for_cards``."""
    price, left = price_of(listing), left_of(listing)
    made: dict[str, Any] = {
        "url": listing.get_absolute_url(),
        "picture": picture(listing, not_ground=not_ground),
        "price": price,
        "from_price": has_several_prices(listing),
        "unit": unit_of(listing),
    }
    if isinstance(listing, Shown):
        made |= {
            "name": listing.title,
            "maker": bare_name(listing.maker),
            "place": listing.place,
            "seals": [
                {"shape": _SHAPES.get(Label.Kind(each.kind), "public"), "name": each.short_name}
                for each in (listing.seals[:2] if seals else ())
            ],
        }
    else:
        made |= {
            "name": listing.get_title(),
            "maker": short_name(listing.cooperative),
            "place": listing.cooperative.place,
            "seals": [
                {"shape": shape(each.certification.label), "name": each.certification.label.short_name}
                for each in (listing.valid_claims[:2] if seals else ())
            ],
        }
    if not left:
        made["out"] = _("Sold out for now")
    elif price is not None and terms is not None:
        made["share"] = fees(goods=price, terms=terms).producer_share
    return made


def cards(listings: Iterable[Product | Shown], *, terms: Mapping[int, FeeTerms]) -> list[dict[str, Any]]:
    """One card for each listing; no plate stands beside one of the same ground."""
    made, ground = [], ""
    for each in listings:
        made.append(card(each, terms=terms.get(each.cooperative_id), not_ground=ground))
        ground = plates.variation_for(each.reference).ground or ""
    return made


def stock_state(left: int) -> dict[str, str]:
    """The word on stock: there, few, or none."""
    if not left:
        return {"kind": "bad", "text": _("Sold out")}
    if left <= FEW:
        said = ngettext("Only %(left)s left", "Only %(left)s left", left) % {"left": left}
        return {"kind": "wait", "text": said}
    return {"kind": "ok", "text": _("In stock")}


def proof(certification: Certification, *, demo: bool = False) -> dict[str, Any]:
    """A label with its proof line, for ``design/_label.html``. The certification is valid today."""
    label = certification.label
    number = certification.number
    return {
        "shape": shape(label),
        "name": label.name,
        "url": reverse("storefront:label", args=[label.code]),
        "number": _("%(number)s (fictional)") % {"number": number} if demo else number,
        "valid_until": certification.valid_until,
        "checked_on": certification.checked_at,
        "checked_by": certification.certifier,
        "proof_url": certification.public_url,
    }


def tile(region: Region, *, count: str = "") -> dict[str, Any]:
    """One region of the map; its short name is the first town of its full one."""
    return {
        "code": region.code,
        "url": reverse("storefront:region", args=[region.code]),
        "short": region.name.split("-")[0].strip(),
        "name": region.name,
        "count": count,
    }


def identity(cooperative: Cooperative) -> list[dict[str, Any]]:
    """Who sells, as the law wants it told: name, address, phone, e-mail, registers."""
    fictional = _(" (fictional)") if cooperative.is_demo else ""
    rows = [
        {"name": _("Seller"), "value": cooperative.name},
        {"name": _("Address"), "value": cooperative.address or cooperative.place},
        {"name": _("Phone"), "value": numbers.phone_text(str(cooperative.phone or "")), "ref": True},
        {"name": _("E-mail"), "value": cooperative.email, "mail": True},
        {
            "name": _("Register of cooperatives"),
            "value": cooperative.register_number,
            "ref": True,
            "note": fictional,
        },
        {"name": _("ICE"), "value": cooperative.ice, "ref": True, "note": fictional},
    ]
    return [each for each in rows if each["value"]]


def terms_for(listings_: Iterable[Product | Shown], on: date) -> dict[int, Any]:
    """The fee terms of these listings' cooperatives; none where none are in force."""
    makers = {each.cooperative_id for each in listings_}
    found = in_force(makers, on=on)
    return found if makers == found.keys() else {}


def parts_of(found: Product | Shown, terms: dict[int, Any]) -> dict[str, Money] | None:
    """What the price becomes, for the bar with four parts."""
    price = price_of(found)
    if price is None or found.cooperative_id not in terms:
        return None
    shared = fees(goods=price, terms=terms[found.cooperative_id])
    return {
        "coop": shared.producer_share,
        "shop": shared.commission_net,
        "vat": shared.commission_vat,
        "fund": shared.solidarity,
        "sum": price,
    }
