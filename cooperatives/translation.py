from modeltranslation.translator import TranslationOptions, register

from cooperatives.models import Cooperative, Label


@register(Cooperative)
class CooperativeTranslation(TranslationOptions):
    fields = ("name", "story", "place")


@register(Label)
class LabelTranslation(TranslationOptions):
    fields = ("name", "short_name", "meaning", "issuer")
