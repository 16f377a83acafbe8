"""From an upload to what is shown: every picture, the demo's drawings too, goes this one way."""

from __future__ import annotations

import hashlib
import logging

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from catalogue import pictures
from catalogue.models import ProductImage
from shop.core.crashpoints import crashpoint

logger = logging.getLogger(__name__)


def prepare(*, picture: ProductImage) -> ProductImage:
    """Make the renditions of an upload and show it. Preparing again changes nothing.

    Raises ``pictures.PictureRefused`` for what is no picture or too large; the row then says refused. File
    names come from the bytes, so two different pictures never share an address that a browser may keep.
    """
    if picture.state == ProductImage.State.READY:
        return picture
    with picture.original.open("rb") as file:
        data = file.read()
    try:
        made = pictures.renditions(data)
    except pictures.PictureRefused:
        picture.state = ProductImage.State.REFUSED
        picture.save(update_fields=["state"])
        raise
    picture.stem = hashlib.sha256(data).hexdigest()[:20]
    for size in made.sizes:
        for kind, content in (("webp", size.webp), ("jpg", size.jpeg)):
            name = picture.file_name(size.width, kind)
            if not default_storage.exists(name):
                default_storage.save(name, ContentFile(content))
    crashpoint("picturing.stored")
    picture.widths = ",".join(str(each.width) for each in made.sizes)
    picture.width, picture.height = made.largest.width, made.largest.height
    picture.placeholder = made.placeholder
    picture.state = ProductImage.State.READY
    picture.save()
    logger.info("picture prepared", extra={"stem": picture.stem})
    return picture


def keep_drawing(*, picture: ProductImage, svg: str) -> None:
    """Keep the lines that one of the house's own drawings was made from, beside its renditions."""
    if not default_storage.exists(picture.drawing_name):
        default_storage.save(picture.drawing_name, ContentFile(svg.encode()))


def prepare_waiting() -> int:
    """Prepare whatever still waits; returns how many are now shown."""
    shown = 0
    for picture in ProductImage.objects.filter(state=ProductImage.State.WAITING):
        try:
            prepare(picture=picture)
        except pictures.PictureRefused as refusal:
            logger.warning("picture refused", extra={"reason": type(refusal).__name__})
        else:
            shown += 1
    return shown
