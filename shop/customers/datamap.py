"""What the shop holds of customers, column by column: where it is exported, and what an erasure does to it.

A column can hold something of a person if it is free text, JSON, a file, an internet address or names an
account. Every such column of every table stands here, in one of three lists; ``tests/customers/test_datamap.py``
fails on one that does not. A new column is put where it belongs before it is shipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from django.apps import apps
from django.conf import settings
from django.db import models


class Fate(Enum):
    """What an erasure does to a column."""

    REMOVED = "the row goes"
    BLANKED = "the row stays, without it"
    KEPT = "it stays: the books need it and it names nobody"


@dataclass(frozen=True)
class Held:
    """One column with something of a customer. ``section`` is the export's; empty, ``why`` says why not."""

    fate: Fate
    section: str = ""
    why: str = ""


def _each(fate: Fate, section: str, columns: str, why: str = "") -> dict[str, Held]:
    return {name: Held(fate, section, why) for name in columns.split()}


_SECRET = "a secret that opens her account"  # noqa: S105
_TECHNICAL = "technical, made by us"
_UNUSED = "a table of Oscar's that no door of ours writes"

#: Columns with something of a customer.
HERS: dict[str, dict[str, Held]] = {
    "people.User": {
        **_each(Fate.REMOVED, "account", "email first_name last_name phone"),
        "password": Held(Fate.REMOVED, why=_SECRET),
    },
    "account.EmailAddress": _each(Fate.REMOVED, "emails", "user email"),
    "account.EmailConfirmation": {"key": Held(Fate.REMOVED, why=_SECRET)},
    "mfa.Authenticator": {
        "user": Held(Fate.REMOVED, "security"),
        "data": Held(Fate.REMOVED, why=_SECRET),
    },
    "usersessions.UserSession": {
        **_each(Fate.REMOVED, "security", "user ip user_agent"),
        **_each(Fate.REMOVED, "", "session_key data", _SECRET),
    },
    "sessions.Session": _each(Fate.REMOVED, "", "session_key session_data", _SECRET),
    "address.UserAddress": {
        **_each(
            Fate.REMOVED,
            "addresses",
            "user first_name last_name line1 line2 line3 line4 state postcode notes region_code "
            "province_code commune_code landmark phone_number",
        ),
        **_each(Fate.REMOVED, "", "code search_text hash", _TECHNICAL),
    },
    "order.Order": {
        **_each(Fate.BLANKED, "orders", "user guest_email guest_phone gift_message"),
        **_each(Fate.KEPT, "orders", "number language"),
    },
    "order.ShippingAddress": {
        **_each(
            Fate.BLANKED,
            "orders",
            "first_name last_name line1 line2 line3 line4 state postcode notes province_code commune_code "
            "landmark phone_number",
        ),
        "region_code": Held(Fate.KEPT, "orders"),
        **_each(Fate.BLANKED, "", "code search_text", _TECHNICAL),
    },
    "order.BillingAddress": _each(
        Fate.REMOVED,
        "",
        "code first_name last_name line1 line2 line3 line4 postcode search_text state",
        _UNUSED,
    ),
    "order.OrderNote": {
        "message": Held(Fate.BLANKED, why=_UNUSED),
        "user": Held(Fate.KEPT, why="who of the shop wrote it"),
    },
    "fulfilment.Shipment": {
        "proof_note": Held(Fate.BLANKED, "parcels"),
        "tracking_number": Held(Fate.KEPT, "parcels"),
        "reference": Held(Fate.KEPT, "parcels"),
    },
    "payments.Payment": _each(Fate.KEPT, "payments", "stripe_payment_intent_id stripe_charge_id"),
    "payments.PaymentAttempt": {
        "stripe_session_id": Held(Fate.KEPT, "payments"),
        **_each(Fate.KEPT, "", "key url", _TECHNICAL),
    },
    "payments.Refund": {
        **_each(Fate.BLANKED, "refunds", "note bank_holder bank_rib"),
        **_each(Fate.KEPT, "refunds", "reference stripe_refund_id"),
        **_each(Fate.KEPT, "", "key once failure", _TECHNICAL),
    },
    "payments.StripeEvent": {
        "payload": Held(Fate.BLANKED, why="Stripe's own record of what payments.csv tells"),
        **_each(Fate.KEPT, "", "event_id kind api_version last_error", _TECHNICAL),
    },
    "payments.BalanceTransaction": {
        "raw": Held(Fate.BLANKED, why="Stripe's own record of what payments.csv tells"),
        **_each(Fate.KEPT, "", "stripe_id category kind source_id quarantine", _TECHNICAL),
    },
    "core.OutboxMessage": {
        **_each(Fate.REMOVED, "messages", "recipient subject body about"),
        "payload": Held(Fate.REMOVED, why="what the text of the mail was made from"),
        **_each(Fate.REMOVED, "", "reference kind key topic language last_error", _TECHNICAL),
    },
    "basket.Basket": {"owner": Held(Fate.REMOVED, "basket")},
    "customers.Preferences": {
        "user": Held(Fate.REMOVED, "notices"),
        "person": Held(Fate.REMOVED, why=_TECHNICAL),
    },
    "customers.Subscription": {
        "email": Held(Fate.REMOVED, "notices"),
        "text_version": Held(Fate.REMOVED, "consents"),
        "person": Held(Fate.REMOVED, why=_TECHNICAL),
    },
    "customers.Consent": {
        **_each(Fate.KEPT, "consents", "language text_version"),
        "person": Held(Fate.KEPT, why="a random mark; after an erasure nothing tells whose it was"),
    },
    "customers.Favourite": {"user": Held(Fate.REMOVED, "favourites")},
    "customers.Erasure": {
        "reference": Held(Fate.KEPT, "requests"),
        **_each(Fate.KEPT, "", "marks orders", "keyed hashes and numbers, so that a restore repeats it"),
    },
    "fulfilment.Review": {
        **_each(Fate.REMOVED, "reviews", "words signed language reason"),
        "reference": Held(Fate.REMOVED, "reviews"),
    },
    "reviews.ProductReview": _each(Fate.REMOVED, "", "user title body name email homepage code", _UNUSED),
    "reviews.Vote": {"user": Held(Fate.REMOVED, why=_UNUSED)},
    "communication.Email": _each(Fate.REMOVED, "", "user email subject body_text body_html", _UNUSED),
    "communication.Notification": _each(Fate.REMOVED, "", "recipient sender subject body", _UNUSED),
    "customer.ProductAlert": _each(Fate.REMOVED, "", "user email key", _UNUSED),
    "wishlists.WishList": _each(Fate.REMOVED, "", "owner name key", _UNUSED),
    "wishlists.Line": _each(Fate.REMOVED, "", "title", _UNUSED),
    "wishlists.WishListSharedEmail": _each(Fate.REMOVED, "", "email", _UNUSED),
    "analytics.UserRecord": _each(Fate.REMOVED, "", "user", _UNUSED),
    "analytics.UserProductView": _each(Fate.REMOVED, "", "user", _UNUSED),
    "analytics.UserSearch": _each(Fate.REMOVED, "", "user query", _UNUSED),
    "payment.Bankcard": _each(Fate.REMOVED, "", "user card_type name number partner_reference", _UNUSED),
    "vouchers.Redemption": {
        **_each(Fate.BLANKED, "orders", "user customer"),
        "code": Held(Fate.KEPT, "orders"),
    },
    "voucher.VoucherApplication": _each(Fate.REMOVED, "", "user", _UNUSED),
}

#: Evidence the law keeps with the books: what people did at work, for a cooperative or the shop, and what banks
#: and carriers wrote. Who acted in one of them is not erased by herself (``erasing.WorksHere``).
AT_WORK: dict[str, str] = {
    "admin.LogEntry": "change_message object_id object_repr user",
    "cooperatives.Certification": "certifier checked_by evidence number public_url reason",
    "cooperatives.Cooperative": "address code email ice name phone place register_number sector slug story",
    "cooperatives.HistoricalCertification": (
        "certifier checked_by evidence history_change_reason history_user number public_url reason"
    ),
    "cooperatives.HistoricalCooperative": (
        "address code email history_change_reason history_user ice name phone place register_number "
        "sector slug"
    ),
    "cooperatives.HoldLifting": "approved_by proposed_by reason reference refused_by",
    "cooperatives.Member": "user",
    "cooperatives.PayoutAccount": (
        "approved_by holder proposed_by reason refusal refused_by rib stripe_account_id"
    ),
    "customers.Issue": (
        "reference sent_by subject_ar subject_en subject_fr text_ar text_en text_fr written_by"
    ),
    "fulfilment.OrderEvent": "actor detail kind",
    "fulfilment.SupplierOrder": "currency end_reason reference",
    "fulfilment.Review": "decided_by",
    "fulfilment.Shipment": "dispatched_by",
    "ledger.JournalEntry": "about actor approval event kind memo order supplier_order",
    "offer.RangeProductFileUpload": "error_message filepath uploaded_by",
    "partner.Partner": "users",
    "partner.PartnerAddress": "code first_name last_name line1 line2 line3 line4 postcode search_text state",
    "partner.Partner_users": "user",
    "payments.BatchDownload": "format user",
    "payments.PayoutBatch": "acknowledgement csv currency pain001 reference sha256",
    "payments.PayoutRun": (
        "approved_by cancelled_by cancelled_why giving_up_by giving_up_why planned_by reference"
    ),
    "payments.Refund": "requested_by",
    "people.OperatorRole": "user",
    "people.User_groups": "user",
    "people.User_user_permissions": "user",
    "vouchers.Voucher": "ended_by issued_by",
    "reconciliation.ColumnMap": "columns name saved_by",
    "reconciliation.Discrepancy": "account currency detail key owner reference subject_reference suggestion",
    "reconciliation.Match": "batch made_by rule subject_reference undone_by",
    "reconciliation.RemittanceLine": "currency parcel_reference raw tracking",
    "reconciliation.Resolution": (
        "action approved_by details evidence proposed_by reason reference refused_by"
    ),
    "reconciliation.StatementFile": "account columns currency file imported_by name sha256",
    "reconciliation.StatementLine": (
        "account bank_reference counterparty_name counterparty_rib currency end_to_end_id identity "
        "raw reference text"
    ),
}

#: Columns with words of goods, places and machines: nothing of any customer.
OF_NOBODY: dict[str, str] = {
    "address.Country": "iso_3166_1_a2 iso_3166_1_a3 iso_3166_1_numeric name printable_name",
    "auth.Group": "name",
    "auth.Permission": "codename name",
    "basket.Line": "line_reference price_currency tax_code",
    "basket.LineAttribute": "value",
    "catalogue.AttributeOption": "code option",
    "catalogue.AttributeOptionGroup": "code name",
    "catalogue.Category": (
        "code description image long_description meta_description meta_title name path slug"
    ),
    "catalogue.Option": "code help_text name",
    "catalogue.Product": (
        "allergens care code description family ingredients lot meta_description meta_title reference slug title unit "
        "upc variant vat_class"
    ),
    "catalogue.ProductAttribute": "code name",
    "catalogue.ProductAttributeValue": "value_file value_image value_richtext value_text",
    "catalogue.ProductCategoryHierarchy": "id",
    "catalogue.ProductClass": "name slug",
    "catalogue.ProductImage": "caption code original placeholder stem widths",
    "catalogue.StockMovement": "about",
    "catalogue.VatRate": "code confirmed_by legal_basis regime",
    "communication.CommunicationEventType": (
        "code email_body_html_template email_body_template email_subject_template name sms_template"
    ),
    "contenttypes.ContentType": "app_label model",
    "cooperatives.Label": "code issuer meaning name public_url short_name",
    "core.Commune": "code name_ar name_fr",
    "core.Province": "code kind name_ar name_fr",
    "core.Region": "code hcp_code name_ar name_en name_fr",
    "customers.Favourite": "currency",
    "django_celery_beat.CrontabSchedule": "day_of_month day_of_week hour minute month_of_year",
    "django_celery_beat.PeriodicTask": (
        "args description exchange headers kwargs name queue routing_key task"
    ),
    "easy_thumbnails.Source": "name storage_hash",
    "easy_thumbnails.Thumbnail": "name storage_hash",
    "flatpages.FlatPage": "content template_name title url",
    "fulfilment.Carrier": "code name phone tracking_url",
    "fulfilment.DeliveryQuote": "currency fingerprint",
    "fulfilment.DeliveryRate": "currency",
    "fulfilment.Shipment": "currency",
    "fulfilment.SupplierOrderLine": "currency sku title unit vat_code",
    "ledger.Account": "code currency kind owner",
    "ledger.Posting": "currency ext_ref",
    "offer.Benefit": "proxy_class",
    "offer.Condition": "proxy_class",
    "offer.ConditionalOffer": "description name redirect_url slug status",
    "offer.Range": "description name proxy_class slug",
    "order.Line": (
        "partner_line_notes partner_line_reference partner_name partner_sku status tax_code title unit upc"
    ),
    "order.LineAttribute": "type value",
    "order.LinePrice": "tax_code",
    "order.Order": "currency shipping_code shipping_method shipping_tax_code status",
    "order.OrderDiscount": "message offer_name voucher_code",
    "order.OrderNote": "note_type",
    "order.OrderStatusChange": "new_status old_status",
    "order.PaymentEvent": "reference",
    "order.PaymentEventType": "code name",
    "order.ShippingEvent": "notes",
    "order.ShippingEventType": "code name",
    "order.Surcharge": "code name tax_code",
    "partner.Partner": "code name",
    "partner.StockRecord": "partner_sku price_currency",
    "payment.Source": "currency label reference",
    "payment.SourceType": "code name",
    "payment.Transaction": "reference status txn_type",
    "payments.BalanceTransaction": "currency",
    "payments.Deposit": "currency failure raw status stripe_id trace_id",
    "payments.ImportWatermark": "name",
    "payments.LatePayment": "currency stripe_charge_id stripe_payment_intent_id",
    "payments.Payment": "currency",
    "payments.Payout": "currency failure key reference settled_currency stripe_transfer_id",
    "payments.PayoutItem": "currency",
    "payments.PayoutTransfer": "currency failure key settled_currency stripe_charge_id stripe_transfer_id",
    "payments.Refund": "currency",
    "payments.RefundLine": "currency",
    "reconciliation.Remittance": "currency reference",
    "search.Entry": "cooperative names region sent_from spellings text title",
    "search.Spelling": "sound word",
    "search.Tag": "code",
    "shipping.OrderAndItemCharges": "code description name",
    "shipping.WeightBased": "code description name",
    "sites.Site": "domain name",
    "voucher.Voucher": "code name",
    "vouchers.Redemption": "currency",
    "vouchers.Voucher": "code currency reference text_ar text_en text_fr",
    "voucher.VoucherSet": "description name",
}


def columns() -> Iterator[tuple[str, str]]:
    """Every column that could hold something of a person, as ``(table's label, column)``."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if _could_hold_a_person(field):
                yield model._meta.label, field.name
        for relation in model._meta.local_many_to_many:
            if relation.related_model is apps.get_model(settings.AUTH_USER_MODEL):
                yield model._meta.label, relation.name


def _could_hold_a_person(field: models.Field) -> bool:
    if field.is_relation:
        return field.related_model is apps.get_model(settings.AUTH_USER_MODEL)
    if getattr(field, "translated_field", None) is not None or field.choices:
        return False
    kinds = (
        models.CharField,
        models.TextField,
        models.JSONField,
        models.FileField,
        models.GenericIPAddressField,
    )
    return isinstance(field, kinds)


def mapped() -> dict[tuple[str, str], str]:
    """``{(label, column): the list it stands in}``."""
    found = {(label, name): "hers" for label, held in HERS.items() for name in held}
    for which, lists in (("at work", AT_WORK), ("of nobody", OF_NOBODY)):
        for label, names in lists.items():
            found |= {(label, name): which for name in names.split()}
    return found
