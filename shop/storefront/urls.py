"""The storefront's addresses; each stands under its language (``/fr/``, ``/ar/``, ``/en/``)."""

from django.urls import path

from shop.storefront import views

app_name = "storefront"

urlpatterns = [
    path("", views.home, name="home"),
    path("goods/", views.listings, name="listings"),
    path("goods/<slug:slug>/", views.listing, name="listing"),
    path("plates/<slug:reference>.svg", views.plate, name="plate"),
    path("kinds/<slug:slug>/", views.category, name="category"),
    path("regions/", views.regions, name="regions"),
    path("regions/<slug:code>/", views.region, name="region"),
    path("labels/", views.labels, name="labels"),
    path("labels/<slug:code>/", views.label, name="label"),
    path("cooperatives/", views.cooperatives, name="cooperatives"),
    path("cooperatives/<slug:slug>/", views.cooperative, name="cooperative"),
    path("basket/", views.basket, name="basket"),
    path("basket/add/<slug:slug>/", views.basket_add, name="basket_add"),
    path("basket/lines/<slug:line>/", views.basket_update, name="basket_update"),
    path("basket/voucher/", views.use_voucher, name="use_voucher"),
    path("checkout/", views.checkout, name="checkout"),
    path("checkout/place/", views.place, name="place"),
    path("orders/<slug:number>/", views.track, name="track"),
    path("orders/<slug:number>/pay/", views.pay, name="pay"),
    path("orders/<slug:number>/take-back/", views.take_back, name="take_back"),
    path("orders/<slug:number>/payment/", views.payment_return, name="payment_return"),
    path("orders/<slug:number>/receipt.pdf", views.receipt, name="receipt"),
    path("parts/<slug:reference>/cancel/", views.cancel_part, name="cancel_part"),
    path("parcels/<slug:reference>/received/", views.received, name="received"),
    path("follow/<str:token>/", views.track_guest, name="track_guest"),
    path("me/", views.account, name="account"),
    path("me/find-order/", views.link_again, name="link_again"),
    path("pages/<slug:slug>/", views.page, name="page"),
    path("language/<slug:code>/", views.language, name="language"),
]
