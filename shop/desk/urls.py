"""The doors of the desk. People and addresses know references, never the database's ids."""

from django.urls import path

from shop.desk.views import listings, money, orders, people, today, vouchers

app_name = "desk"

urlpatterns = [
    path("", today.today, name="today"),
    path("switch/", today.switch, name="switch"),
    path("orders/", orders.orders, name="orders"),
    path("orders/<str:reference>/", orders.order, name="order"),
    path("orders/<str:reference>/accept/", orders.accept, name="accept"),
    path("orders/<str:reference>/decline/", orders.decline, name="decline"),
    path("orders/<str:reference>/dispatch/", orders.dispatch, name="dispatch"),
    path("orders/<str:reference>/parcel/", orders.correct_parcel, name="correct_parcel"),
    path("orders/<str:reference>/deliver/", orders.deliver, name="deliver"),
    path("orders/<str:reference>/take-back/", orders.take_back, name="take_back"),
    path("orders/<str:reference>/packing-slip/", orders.packing_slip, name="packing_slip"),
    path("orders/<str:reference>/gift-slip/", orders.gift_slip, name="gift_slip"),
    path("listings/", listings.listings, name="listings"),
    path("listings/<str:reference>/", listings.listing, name="listing"),
    path("listings/<str:reference>/price/", listings.price, name="price"),
    path("listings/<str:reference>/stock/", listings.stock_count, name="stock"),
    path("listings/<str:reference>/publish/", listings.publish, name="publish"),
    path("listings/<str:reference>/withdraw/", listings.withdraw, name="withdraw"),
    path("vouchers/", vouchers.vouchers, name="vouchers"),
    path("vouchers/packing/", vouchers.gift_packing, name="gift_packing"),
    path("vouchers/new/", vouchers.issue_voucher, name="issue_voucher"),
    path("vouchers/<str:reference>/end/", vouchers.end_voucher, name="end_voucher"),
    path("money/", money.money, name="money"),
    path("money/account/", money.payout_account, name="payout_account"),
    path("money/account/stop/", money.stop_account, name="stop_account"),
    path("money/statements/<str:reference>/", money.statement, name="statement"),
    path("money/statements/<str:reference>/table/", money.statement_table, name="statement_table"),
    path("people/", people.people, name="people"),
    path("people/add/", people.add_member, name="add_member"),
    path("people/end/", people.end_member, name="end_member"),
]
