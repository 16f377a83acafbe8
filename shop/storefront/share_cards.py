"""What the share card of a page says, where it is kept, and when it is drawn anew.

A card is drawn when it is first asked for, in about 40 ms, and kept in the public storage under the name of its
thing and language, with a digest of all it shows inside. When the thing has changed the same file is drawn over:
there are never more cards than things.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from moneyed import Money
from PIL import Image, UnidentifiedImageError

from catalogue.models import Product, ProductImage
from cooperatives.models import Cooperative, Label
from shop.core.errors import Unavailable
from shop.core.models import Region
from shop.design import numbers, plates
from shop.design import share_cards as drawing
from shop.storefront import cards

#: Raised whenever a card is laid out differently, so that kept ones are drawn anew.
LAYOUT = 1
#: How wide a kept picture is taken for a card, and how many make a window.
PICTURE, IN_A_WINDOW = 600, 4
#: One card at a time in one process; who waits longer comes again.
WAIT_SECONDS = 3
_drawing = threading.Lock()


class CardsBusy(Unavailable):
    """Too many cards are asked for at once."""


@dataclass(frozen=True)
class Shared:
    """A card as a page names it."""

    url: str
    alt: str
    width: int = drawing.WIDTH
    height: int = drawing.HEIGHT


@dataclass(frozen=True)
class Card:
    """One card before it is drawn. ``kind`` and ``key`` name its thing in addresses and file names."""

    kind: str
    key: str
    words: drawing.Words

    def shared(self) -> Shared:
        """Its address changes with what it says, so that messengers fetch a changed price."""
        path = reverse("storefront:share_card", args=[self.kind, self.key])
        said = [self.words.title, *self.words.said, self.words.price, self.words.share]
        alt = pgettext("between two facts", ", ").join(each for each in said if each)
        return Shared(url=f"{settings.SITE_URL}{path}?v={self.digest(())[:8]}", alt=alt)

    def digest(self, pictures: Iterable[Picture]) -> str:
        """Changes with everything the card shows."""
        shown = [LAYOUT, self.kind, asdict(self.words), [each.name for each in pictures]]
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Picture:
    """A kept picture by its name in the public storage, or the drawn plate of a good without one."""

    name: str
    plate: str = ""

    def read(self) -> bytes:
        if self.plate:
            return plates.rasterise(self.plate, PICTURE)
        with default_storage.open(self.name) as file:
            return file.read()


def picture_of(listing: Product) -> Picture:
    """Its first picture in a middle size; its plate while it has none. Needs ``images`` prefetched."""
    for image in listing.images.all():
        widths = [int(each) for each in image.widths.split(",") if each]
        if image.state == ProductImage.State.READY and widths:
            enough = min((each for each in widths if each >= PICTURE), default=max(widths))
            return Picture(image.file_name(enough, "jpg"))
    family, form = plates.drawing_for(listing.family)
    varied = plates.variation_for(listing.reference)
    svg = plates.render_svg(family, plates.Variation(ground=varied.ground, form=form, motif=varied.motif))
    return Picture(f"plate:{listing.reference}", svg)


# --- what each card says ------------------------------------------------------------------------


def of_shop() -> Card:
    return Card(
        "shop",
        "tadamon",
        _words(
            title=_("The shop of the cooperatives of Morocco"),
            said=(_("Every price says what the cooperative receives."),),
        ),
    )


def of_listing(listing: Product, *, parts: Mapping[str, Money] | None) -> Card:
    """Its price as on a shelf card; ``parts`` as on its page, left out where its variants differ in price.

    Needs what ``cards.price_of`` needs.
    """
    maker, price = listing.cooperative, cards.price_of(listing)
    several = cards.has_several_prices(listing)
    amount = numbers.money_text(price) if price is not None else ""
    share = ""
    if parts and not several:
        kept = numbers.money_text(parts["coop"], style="bare")
        share = _("of which %(amount)s to the cooperative") % {"amount": kept}
    return Card(
        "goods",
        listing.reference,
        _words(
            title=listing.get_title(),
            said=(maker.name, maker.place or maker.region.name),
            price=f"{pgettext('price', 'from')} {amount}" if several and amount else amount,
            unit=cards.unit_of(listing),
            share=share,
            parts=drawing.parts_of({name: parts[name] for name in ("coop", "shop", "vat", "fund")})
            if share and parts
            else (),
        ),
    )


def of_cooperative(maker: Cooperative) -> Card:
    comma = pgettext("between a name and its place", ", ")
    facts = [comma.join(each for each in (maker.place, maker.region.name) if each)]
    if maker.women_only:
        facts.append(_("Women's cooperative"))
    if maker.members_count:
        facts.append(
            ngettext("%(number)s member", "%(number)s members", maker.members_count)
            % {"number": maker.members_count}
        )
    return Card("cooperatives", maker.slug, _words(title=maker.name, said=tuple(facts)))


def of_label(label: Label) -> Card:
    return Card(
        "labels",
        label.code,
        _words(kicker=_("Labels and their proofs"), title=label.name, said=(label.issuer,)),
    )


def of_region(code: str, name: str) -> Card:
    return Card("regions", code, _words(kicker=_("Goods by region"), title=name))


def _words(**said: Any) -> drawing.Words:
    return drawing.Words(language=numbers.language_of(), word=_("Tadamon"), **said)


# --- which thing, and its pictures --------------------------------------------------------------


def find(kind: str, key: str, *, on: date) -> tuple[Card, list[Picture]] | None:
    """The card of what is on sale or in use that day, and what it shows beside the words; None for nothing."""
    shelf = Product.objects.on_sale(on=on).order_by("-date_created", "-id")
    if kind == "goods":
        listing = shelf.filter(reference=key).select_related("cooperative__region").for_cards(on=on).first()
        if listing is None:
            return None
        parts = cards.parts_of(listing, cards.terms_for([listing], on))
        return of_listing(listing, parts=parts), [picture_of(listing)]
    if kind == "cooperatives":
        maker = Cooperative.objects.selling().select_related("region").filter(slug=key).first()
        return (of_cooperative(maker), _window(shelf.filter(cooperative=maker))) if maker else None
    if kind == "labels":
        label = Label.objects.filter(code=key).first()
        carrying = shelf.filter(label_claims__certification__label=label).distinct()
        return (of_label(label), _window(carrying)) if label else None
    if kind == "regions":
        region = Region.objects.filter(code=key).first()
        return (
            (of_region(region.code, region.name), _window(shelf.filter(origin_region=region)))
            if region
            else None
        )
    return (of_shop(), _window(shelf)) if (kind, key) == ("shop", "tadamon") else None


def _window(goods: Any) -> list[Picture]:
    """Pictures of the newest goods: four for a window, else one."""
    found = [picture_of(each) for each in goods.prefetch_related("images")[:IN_A_WINDOW]]
    return found if len(found) == IN_A_WINDOW else found[:1]


# --- kept and drawn -----------------------------------------------------------------------------


def jpeg(card: Card, pictures: list[Picture]) -> bytes:
    """The card as it is kept; drawn first where it is not, or no longer says what is so.

    Raises CardsBusy when others have been drawn for a while already.
    """
    name = f"share/{card.words.language}/{card.kind}-{card.key}.jpg"
    digest = card.digest(pictures)
    kept = _kept(name, digest)
    if kept is not None:
        return kept
    if not _drawing.acquire(timeout=WAIT_SECONDS):
        raise CardsBusy("share cards are being drawn")
    try:
        kept = _kept(name, digest)
        if kept is not None:
            return kept
        drawn = drawing.draw(card.words, list(_readable(pictures)), note=digest)
        default_storage.delete(name)
        saved = default_storage.save(name, ContentFile(drawn))
        if saved != name:  # another process was quicker
            default_storage.delete(saved)
        return drawn
    finally:
        _drawing.release()


def _kept(name: str, digest: str) -> bytes | None:
    try:
        with default_storage.open(name) as file:
            data = file.read()
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            note = picture.info.get("comment", b"")
    except (OSError, UnidentifiedImageError):
        return None
    return data if note == digest.encode() else None


def _readable(pictures: list[Picture]) -> Iterable[bytes]:
    for each in pictures:
        try:
            yield each.read()
        except OSError:  # a picture that is no longer in the storage leaves its place to the next
            continue
