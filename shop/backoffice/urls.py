"""The doors of the back office. Addresses hold references, never the database's ids."""

from django.urls import path, register_converter

from shop.backoffice import addresses
from shop.backoffice.views import (
    accounts,
    discrepancies,
    importing,
    newsletter,
    orders,
    outbox,
    payouts,
    reconciliation,
    reviews,
    today,
    vouchers,
)

register_converter(addresses.Reference, "ref")
register_converter(addresses.Digest, "digest")
register_converter(addresses.AccountCode, "account")
register_converter(addresses.Event, "event")
register_converter(addresses.StripeId, "stripe_id")
register_converter(addresses.BatchForm, "batch_form")
register_converter(addresses.Fetched, "fetched")

app_name = "backoffice"

urlpatterns = [
    path("", today.today, name="today"),
    path("audit/", today.audit, name="audit"),
    path("clock/", today.clock, name="clock"),
    # orders
    path("orders/", orders.orders, name="orders"),
    path("orders/<ref:reference>/", orders.order, name="order"),
    path("orders/<ref:reference>/revoke-link/", orders.revoke_link, name="revoke_link"),
    path("parts/<ref:reference>/decline/", orders.decline_part, name="decline_part"),
    path("parts/<ref:reference>/cancel/", orders.cancel_part, name="cancel_part"),
    path("parts/<ref:reference>/refund/", orders.refund_part, name="refund_part"),
    path("parcels/<ref:reference>/", orders.parcel, name="parcel"),
    path("refunds/<ref:reference>/retry/", orders.retry_refund, name="retry_refund"),
    path("refunds/<ref:reference>/bank/", orders.refund_by_bank, name="refund_by_bank"),
    # mails
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<ref:reference>/", outbox.message, name="message"),
    path("outbox/<ref:reference>/send-again/", outbox.send_again, name="send_again"),
    # reviews
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<ref:reference>/approve/", reviews.approve_review, name="approve_review"),
    path("reviews/<ref:reference>/decline/", reviews.decline_review, name="decline_review"),
    # vouchers
    path("vouchers/", vouchers.vouchers, name="vouchers"),
    path("vouchers/new/", vouchers.issue_voucher, name="issue_voucher"),
    path("vouchers/<ref:reference>/end/", vouchers.end_voucher, name="end_voucher"),
    path("newsletter/", newsletter.newsletter, name="newsletter"),
    path("newsletter/new/", newsletter.new_issue, name="new_issue"),
    path("newsletter/<ref:reference>/", newsletter.issue, name="issue"),
    path(
        "newsletter/<ref:reference>/preview/<slug:language>/", newsletter.preview_issue, name="preview_issue"
    ),
    path("newsletter/<ref:reference>/send/", newsletter.send_issue, name="send_issue"),
    path("newsletter/<ref:reference>/throw-away/", newsletter.throw_away_issue, name="throw_away_issue"),
    # payouts
    path("payouts/", payouts.payouts, name="payouts"),
    path("payouts/plan/", payouts.plan_run, name="plan_run"),
    path("payouts/runs/<ref:reference>/", payouts.payout_run, name="payout_run"),
    path("payouts/runs/<ref:reference>/approve/", payouts.approve_run, name="approve_run"),
    path("payouts/runs/<ref:reference>/cancel/", payouts.cancel_run, name="cancel_run"),
    path("payouts/runs/<ref:reference>/give-up/", payouts.give_up_run, name="give_up_run"),
    path(
        "payouts/runs/<ref:reference>/give-up/agree/",
        payouts.agree_to_give_up_run,
        name="agree_to_give_up_run",
    ),
    path("payouts/batches/<ref:reference>/hand-over/", payouts.hand_over, name="hand_over"),
    path("payouts/batches/<ref:reference>/status/", payouts.batch_status, name="batch_status"),
    path("payouts/batches/<ref:reference>/<batch_form:form>/", payouts.batch_file, name="batch_file"),
    path("payouts/one/<ref:reference>/", payouts.payout, name="payout"),
    path("payouts/one/<ref:reference>/statement/", payouts.settlement_statement, name="settlement_statement"),
    # payout accounts and holds
    path("payouts/accounts/", accounts.accounts, name="accounts"),
    path("payouts/accounts/<ref:code>/", accounts.cooperative_accounts, name="cooperative_accounts"),
    path("payouts/accounts/<ref:code>/hold/", accounts.put_on_hold, name="put_on_hold"),
    path("payouts/accounts/<ref:code>/lift/", accounts.lift_hold, name="lift_hold"),
    path(
        "payouts/accounts/<ref:code>/<int:version>/approve/", accounts.approve_account, name="approve_account"
    ),
    path("payouts/accounts/<ref:code>/<int:version>/refuse/", accounts.refuse_account, name="refuse_account"),
    path("payouts/liftings/<ref:reference>/approve/", accounts.approve_lifting, name="approve_lifting"),
    path("payouts/liftings/<ref:reference>/refuse/", accounts.refuse_lifting, name="refuse_lifting"),
    # reconciliation
    path("reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("reconciliation/proofs/<account:account>/", reconciliation.proof, name="proof"),
    path("reconciliation/entries/<event:event>/", reconciliation.entry, name="entry"),
    path("reconciliation/stripe/<stripe_id:stripe_id>/", reconciliation.stripe_row, name="stripe_row"),
    path("reconciliation/remittances/<digest:digest>/", reconciliation.remittance, name="remittance"),
    path("reconciliation/lines/", reconciliation.lines, name="lines"),
    path("reconciliation/lines/<ref:reference>/", reconciliation.line, name="line"),
    path("reconciliation/lines/<ref:reference>/match/", reconciliation.match_line, name="match_line"),
    path("reconciliation/lines/<ref:reference>/doubt/", reconciliation.doubt_match, name="doubt_match"),
    path("reconciliation/import/", importing.import_statement, name="import_statement"),
    path("reconciliation/import/columns/", importing.import_columns, name="import_columns"),
    path("reconciliation/import/remittance/", importing.import_remittance, name="import_remittance"),
    path("reconciliation/import/invoice/", importing.import_carrier_invoice, name="import_carrier_invoice"),
    path("reconciliation/import/stripe/", reconciliation.import_stripe, name="import_stripe"),
    path("reconciliation/fetch/<fetched:what>/", reconciliation.fetch_sandbox, name="fetch_sandbox"),
    path("reconciliation/adjust/", discrepancies.adjust, name="adjust"),
    path("reconciliation/exceptions/", discrepancies.discrepancies, name="discrepancies"),
    path("reconciliation/exceptions/<ref:reference>/", discrepancies.discrepancy, name="discrepancy"),
    path("reconciliation/exceptions/<ref:reference>/take/", discrepancies.take_discrepancy, name="take"),
    path("reconciliation/exceptions/<ref:reference>/resolve/", discrepancies.resolve, name="resolve"),
    path(
        "reconciliation/resolutions/<ref:reference>/approve/",
        discrepancies.approve_resolution,
        name="approve_resolution",
    ),
    path(
        "reconciliation/resolutions/<ref:reference>/refuse/",
        discrepancies.refuse_resolution,
        name="refuse_resolution",
    ),
    path("reconciliation/resolutions/<ref:reference>/evidence/", discrepancies.evidence, name="evidence"),
    # files
    path("files/", reconciliation.files, name="files"),
    path("files/<digest:digest>/", reconciliation.statement_file, name="statement_file"),
]
