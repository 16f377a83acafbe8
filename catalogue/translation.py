from modeltranslation.translator import TranslationOptions, register
from oscar.core.loading import get_model

from catalogue.models import Product


@register(Product)
class ListingTranslation(TranslationOptions):
    fields = ("title", "description", "unit", "allergens", "ingredients", "care", "variant")


@register(get_model("catalogue", "Category"))
class CategoryTranslation(TranslationOptions):
    fields = ("name", "description")
