"""The living page of the design system: every component with believable data. Only in debug."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from moneyed import MAD, Money

from shop.design import documents, plates, tokens
from shop.design.context import THEMES
from shop.design.numbers import LANGUAGES

PLACES = ("shop", "desk", "office", "error")

#: (drawing, variation, French, Arabic, maker fr, maker ar, price, unit, label)
GOODS: list[tuple[str, plates.Variation, str, str, str, str, str, str, str]] = [
    (
        "honey",
        plates.Variation("sky", 1, 1, {"a": "#b9691c", "c": "#b23a2e"}),
        "Miel d'arbousier du Rif",
        "عسل الساسنو من الريف",
        "Jbel Nahla, Chefchaouen",
        "تعاونية جبل النحلة، شفشاون",
        "150",
        "500 g",
        "origin",
    ),
    (
        "plate",
        plates.Variation("rose", 1, 1),
        "Plat bleu de Fès 30 cm",
        "صحن أزرق فاسي 30 سم",
        "Terre Bleue, Fès",
        "تعاونية الطين الأزرق، فاس",
        "280",
        "30 cm",
        "public",
    ),
    (
        "rose",
        plates.Variation("wool", 2, 1),
        "Boutons de rose séchés",
        "براعم الورد المجففة",
        "Rose des Oasis, Tinghir",
        "تعاونية ورد الواحات، تنغير",
        "35",
        "50 g",
        "origin",
    ),
    (
        "tea",
        plates.Variation("indigo", 1, 1, {"e": "#b23a2e"}),
        "Mélange d'épices pour thé sahraoui",
        "خلطة توابل الشاي الصحراوي",
        "Sel et Sable, Tarfaya",
        "تعاونية الملح والرمل، طرفاية",
        "28",
        "100 g",
        "shop",
    ),
]

REGIONS = [
    ("MA-01", "Tanger", "طنجة", 5),
    ("MA-04", "Rabat", "الرباط", 5),
    ("MA-03", "Fès", "فاس", 5),
    ("MA-02", "Oriental", "الشرق", 5),
    ("MA-06", "Casa", "البيضاء", 5),
    ("MA-05", "Béni Mellal", "بني ملال", 5),
    ("MA-08", "Drâa", "درعة", 6),
    ("MA-07", "Marrakech", "مراكش", 6),
    ("MA-09", "Souss", "سوس", 6),
    ("MA-10", "Guelmim", "كلميم", 5),
    ("MA-11", "Laâyoune", "العيون", 4),
    ("MA-12", "Dakhla", "الداخلة", 3),
]


class Sample(forms.Form):
    """One field of each sort."""

    name = forms.CharField(label="Nom complet", initial="Nadia El Alaoui")
    phone = forms.CharField(
        label="Téléphone",
        help_text="Le livreur vous appelle à ce numéro.",
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    email = forms.EmailField(label="Courriel", required=False)
    region = forms.ChoiceField(label="Région", choices=[("MA-06", "Casablanca-Settat")])
    paying = forms.ChoiceField(
        label="Paiement",
        choices=[("cash", "À la livraison"), ("card", "Carte bancaire")],
        widget=forms.RadioSelect,
        initial="cash",
    )
    picture = forms.FileField(label="Photo du produit", help_text="JPEG, PNG ou WebP, 15 Mo au plus.")
    note = forms.CharField(label="Message", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    terms = forms.BooleanField(label="J'ai lu les conditions de vente")

    def clean_phone(self) -> str:
        raise forms.ValidationError("Un numéro marocain a dix chiffres. Il en manque deux.")


def page(request: HttpRequest) -> HttpResponse:
    """Every component. ``?language=ar``, ``?theme=dark``, ``?place=desk|office|error`` choose how it is shown."""
    language = _one_of(LANGUAGES, request.GET.get("language", ""))
    place = _one_of(PLACES, request.GET.get("place", ""))
    theme = _one_of(("", *THEMES), request.GET.get("theme", ""))
    with translation.override(language):
        template = "404.html" if place == "error" else "design/living.html"
        frames = {
            "shop": "design/base_shop.html",
            "desk": "design/base_desk.html",
            "office": "design/base_backoffice.html",
        }
        context = sample(arabic=language == "ar") | {
            "switches": _switches(language=language, theme=theme, place=place),
            "frame": frames.get(place, "design/base_shop.html"),
            "theme": theme,
            "demo_mode": True,
            "basket_count": 3,
            "desk_place": "today",
            "here": "reconciliation",
        }
        return render(request, template, context)


def _one_of(known: Iterable[str], asked: str) -> str:
    """What was asked for if it is known, else the first."""
    known = tuple(known)
    return asked if asked in known else known[0]


def _switches(**shown: str) -> list[list[dict[str, Any]]]:
    """One row of chips for each way to show the page; each changes one of them and keeps the others."""
    choices = {"language": tuple(LANGUAGES), "theme": ("", *THEMES), "place": PLACES}
    return [
        [
            {"name": each or "system", "url": f"?{urlencode(shown | {key: each})}", "on": each == shown[key]}
            for each in known
        ]
        for key, known in choices.items()
    ]


def foundations() -> dict[str, Any]:
    """What components are made of: tokens as the sheet has them, shapes, drawings, mails and papers by name."""

    def drawn(name: str) -> str:
        return "data:image/svg+xml;base64," + base64.b64encode(plates.render_svg(name).encode()).decode()

    mails = (Path(__file__).parent / "templates" / "mail").glob("*.html")
    return {
        "schemes": [
            {"name": each, "colours": tokens.colours(each).items(), "pairs": tokens.pairs(each)}
            for each in THEMES
        ],
        "steps": [(f"s{at}", pixels) for at, pixels in enumerate((4, 8, 12, 16, 24, 32, 48, 72), 1)],
        "shapes": ("origin", "public", "shop", "declared"),
        "drawings": [{"name": each, "picture": {"src": drawn(each)}} for each in plates.families()],
        "mails": sorted(each.stem for each in mails if each.name[0] != "_" and each.stem != "base"),
        "papers": documents.TEMPLATES,
        "months": [{"x": at * 20, "state": ("done", "now", "next")[(at > 3) + (at > 4)]} for at in range(12)],
    }


def sample(*, arabic: bool) -> dict[str, Any]:
    """What the living page shows."""

    def mad(amount: str) -> Money:
        return Money(amount, MAD)

    def say(french: str, in_arabic: str) -> str:
        return in_arabic if arabic else french

    def picture(family: str, variation: plates.Variation) -> dict[str, Any]:
        svg = base64.b64encode(plates.render_svg(family, variation).encode()).decode()
        return {"src": f"data:image/svg+xml;base64,{svg}", "width": 600, "height": 600}

    cards = [
        {
            "url": "#",
            "name": say(row[2], row[3]),
            "maker": say(row[4], row[5]),
            "picture": picture(row[0], row[1]),
            "price": mad(row[6]),
            "unit": row[7],
            "share": mad(row[6]) * 89 / 100,
            "seals": [
                {
                    "shape": row[8],
                    "name": {
                        "origin": say("IGP", "بيان جغرافي محمي"),
                        "public": "Morocco Handmade",
                        "shop": say("Label de la boutique", "علامة المتجر"),
                    }[row[8]],
                }
            ],
        }
        for row in GOODS
    ]
    cards[2]["out"] = say("Épuisé, prochaine récolte en mai", "نفد، الجني المقبل في ماي")
    at = datetime(2026, 11, 19, 8, 12, tzinfo=UTC)
    stations = [
        say(*each)
        for each in (
            ("Commande confirmée", "تأكيد الطلب"),
            ("Acceptée", "قبول"),
            ("Préparée", "تحضير"),
            ("Remise au transporteur", "تسليم للناقل"),
            ("En route", "في الطريق"),
            ("Livrée", "وصول"),
        )
    ]
    form = Sample({"name": "Nadia El Alaoui", "phone": "06 61 00 00", "paying": "cash"})
    return foundations() | {
        "cards": cards,
        "cooperative": say("Argan des Collines", "أركان التلال"),
        "parts": {
            "coop": mad("133.50"),
            "shop": mad("12.50"),
            "vat": mad("2.50"),
            "fund": mad("1.50"),
            "sum": mad("150"),
        },
        "price": mad("150"),
        "per": mad("300"),
        "refund": mad("-40.50"),
        "labels": [
            {
                "shape": "origin",
                "name": say("IGP Miel d'arbousier", "بيان جغرافي محمي، عسل الساسنو"),
                "number": "DEMO-IGP-0117",
                "valid_until": date(2027, 6, 30),
                "checked_on": date(2026, 3, 4),
                "checked_by": say("le centre régional", "المركز الجهوي"),
                "proof_url": "#",
            },
            {
                "shape": "public",
                "name": "Morocco Handmade",
                "valid_until": date(2027, 1, 12),
                "proof_url": "#",
            },
            {
                "shape": "shop",
                "name": say("Label de la boutique", "علامة المتجر"),
                "valid_until": date(2028, 1, 12),
                "proof_url": "#",
            },
            {
                "shape": "declared",
                "name": say("Emballage réemployable", "تغليف قابل لإعادة الاستعمال"),
                "checked_on": date(2026, 9, 9),
                "proof_url": "#",
            },
        ],
        "regions": [
            {
                "code": code,
                "url": "#",
                "short": say(french, in_arabic),
                "name": say(french, in_arabic),
                "count": count,
            }
            for code, french, in_arabic, count in REGIONS
        ],
        "stations": [
            {
                "name": name,
                "state": "done" if index < 4 else "now" if index == 4 else "next",
                "said": say("jeu. 19, 9 h 12", "الخميس 19، 9:12") if index < 5 else "",
            }
            for index, name in enumerate(stations)
        ],
        "basket_part": {
            "name": say("Coopérative Démo Jbel Nahla", "تعاونية جبل النحلة (تجريبية)"),
            "place": say("Chefchaouen", "شفشاون"),
            "lines": [
                {
                    "title": cards[0]["name"],
                    "url": "#",
                    "picture": cards[0]["picture"],
                    "amount": mad("300"),
                    "unit": "500 g",
                    "each": mad("150"),
                    "quantity": 2,
                }
            ],
            "parcel": say(
                "Un colis depuis Chefchaouen, deux à quatre jours",
                "طرد واحد من شفشاون، خلال يومين إلى أربعة أيام",
            ),
            "delivery": mad("30"),
        },
        "chips": [
            {"name": say("Souss-Massa", "سوس ماسة"), "url": "#"},
            {"name": say("Moins de 200 MAD", "أقل من 200 درهم"), "url": "#", "off": True},
            {"name": say("En stock", "متوفر الآن"), "url": "#", "on": True},
        ],
        "listing_page": Paginator(range(100), 24).page(2),
        "specs": [
            {
                "name": say("Poids net", "الوزن الصافي"),
                "value": say("500 g, pot en verre", "500 غ، علبة زجاج"),
            },
            {
                "name": say("Allergènes", "المواد المسببة للحساسية"),
                "value": say("Aucun déclaré", "لا شيء مصرح به"),
            },
        ],
        "events": [
            {"at": at, "said": say("Commande confirmée", "تأكيد الطلب"), "kind": "ok"},
            {
                "at": at + timedelta(hours=3),
                "said": say("Acceptée par la coopérative", "قبلتها التعاونية"),
                "kind": "ok",
                "by": say("Fadma", "فاطمة"),
            },
            {
                "at": at + timedelta(days=1),
                "said": say("Transporteur prévenu", "أُخبر الناقل"),
                "kind": "wait",
                "note": say("En attente de passage", "في انتظار مروره"),
            },
        ],
        "proofs": [
            {
                "name": "P1 Stripe",
                "url": "#",
                "books": mad("84312.40"),
                "statement": mad("84312.40"),
                "difference": mad("0"),
                "kind": "ok",
                "state": say("Prouvé", "مثبت"),
            },
            {
                "name": say("P4 Banque", "P4 البنك"),
                "url": "#",
                "books": mad("203117.52"),
                "statement": mad("203141.52"),
                "difference": mad("-24"),
                "kind": "wait",
                "state": say("2 lignes à expliquer", "سطران للتوضيح"),
            },
        ],
        "tasks": [
            {
                "url": "#",
                "number": 3,
                "what": say("Commandes attendent votre accord", "طلبات تنتظر قبولكم"),
                "said": say("Huile d'argane alimentaire × 4", "زيت أركان غذائي (×4)"),
                "deadline": {
                    "kind": "bad",
                    "text": say("La première aujourd'hui à 18 h", "أولها ينتهي أجله اليوم على الساعة 18:00"),
                },
            },
            {
                "url": "#",
                "number": 21,
                "what": say("Jours avant la fin d'un certificat", "يوما قبل انتهاء شهادة"),
            },
        ],
        "sums": [
            {
                "name": say("Prochain paiement, jeudi 26 novembre", "الأداء المقبل، الخميس 26 نونبر"),
                "amount": mad("1842.30"),
                "all": True,
            },
            {"name": say("Retenu", "محجوز"), "amount": mad("967.43")},
            {"name": say("Payé ce mois", "أُدي هذا الشهر"), "amount": mad("5120.06")},
        ],
        "columns": [
            {"name": say("Commande", "الطلب")},
            {"name": say("Coopérative", "التعاونية")},
            {"name": say("Montant", "المبلغ"), "numeric": True},
        ],
        "rows": [
            {"url": "#", "cells": ["T-7K3M9QXFZ", say("Argan des Collines", "أركان التلال"), "350,00"]},
            {"url": "#", "cells": ["T-5H2K8WPNA", say("Ksar Dattier", "قصر التمور"), "1\u00a0140,00"]},
        ],
        "totals_rows": [
            {"name": say("Produits", "المنتجات"), "amount": mad("575")},
            {"name": say("Livraison, 3 colis", "التوصيل، 3 طرود"), "amount": mad("95")},
        ],
        "total": mad("670"),
        "form": form,
        "crumbs": [{"name": say("Boutique", "المتجر"), "url": "#"}, {"name": say("Miel", "عسل")}],
        "families": [
            {
                "url": "#",
                "name": each["name"].split()[0],
                "picture": each["picture"],
                "here": index == 1,
            }
            for index, each in enumerate(cards * 3)
        ],
        "from_day": date(2026, 11, 25),
        "to_day": date(2026, 11, 27),
        "at": at,
        "empty_heading": say("Votre panier est vide", "سلتك فارغة"),
        "empty_text": say("Ce que vous choisissez y reste 30 jours.", "ما تختاره يبقى فيها 30 يوما."),
        "basket_picture": picture("basket", plates.Variation("sky", 1)),
        "said": {
            "ok": say("La commande est acceptée.", "قُبل الطلب."),
            "warn": say("La certification arrive à échéance le 13 décembre.", "تنتهي الشهادة يوم 13 دجنبر."),
            "error": say(
                "Le fichier n'est pas un relevé. Rien n'a été enregistré.", "الملف ليس كشفا. لم يُسجل أي شيء."
            ),
            "print": say("Imprimer le bon", "اطبع ورقة التحضير"),
            "add": say("Ajouter au panier", "أضف إلى السلة"),
            "compare": say("Comparer", "قارن"),
            "busy": say("Envoi…", "جار الإرسال…"),
            "unit": say("le pot de 500 g", "علبة 500 غ"),
            "kilo": say("kilo", "كيلوغرام"),
            "counter": say("écarts à expliquer avant de clôturer", "فروق يجب توضيحها قبل الإغلاق"),
            "counter_note": say("412 lignes sur 415 rapprochées", "طوبق 412 سطرا من 415"),
            "stock": say("En stock", "متوفر"),
            "few": say("Plus que 2", "بقيت 2"),
            "refused": say("Refusé", "مرفوض"),
            "origin": say("Errachidia", "الراشيدية"),
            "town": say("Mohammedia", "المحمدية"),
        },
    }
