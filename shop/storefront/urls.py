"""The storefront's addresses; each stands under its language (``/fr/``, ``/ar/``, ``/en/``)."""

from django.urls import path

from shop.storefront import views

app_name = "storefront"

urlpatterns = [
    path("", views.home, name="home"),
    path("goods/", views.listings, name="listings"),
    path("suggest/", views.suggest, name="suggest"),
    path("goods/<slug:slug>/", views.listing, name="listing"),
    path("goods/<slug:slug>/pictures/<int:number>/", views.picture, name="picture"),
    path("goods/<slug:slug>/reviews/", views.listing_reviews, name="listing_reviews"),
    path("plates/<slug:reference>.svg", views.plate, name="plate"),
    path("feed.xml", views.feed, name="feed"),
    path("share/<slug:kind>/<slug:key>.jpg", views.share_card, name="share_card"),
    path("kinds/<slug:slug>/", views.category, name="category"),
    path("regions/", views.regions, name="regions"),
    path("regions/<slug:code>/", views.region, name="region"),
    path("labels/", views.labels, name="labels"),
    path("labels/<slug:code>/", views.label, name="label"),
    path("cooperatives/", views.cooperatives, name="cooperatives"),
    path("cooperatives/<slug:slug>/", views.cooperative, name="cooperative"),
    path("cooperatives/<slug:slug>/feed.xml", views.cooperative_feed, name="cooperative_feed"),
    path("basket/", views.basket, name="basket"),
    path("basket/add/<slug:slug>/", views.basket_add, name="basket_add"),
    path("basket/lines/<slug:line>/", views.basket_update, name="basket_update"),
    path("checkout/", views.checkout, name="checkout"),
    path("checkout/place/", views.place, name="place"),
    path("orders/<slug:number>/", views.track, name="track"),
    path("orders/<slug:number>/pay/", views.pay, name="pay"),
    path("orders/<slug:number>/take-back/", views.take_back, name="take_back"),
    path("orders/<slug:number>/payment/", views.payment_return, name="payment_return"),
    path("orders/<slug:number>/receipt.pdf", views.receipt, name="receipt"),
    path("orders/<slug:number>/reviews/<slug:reference>/", views.review, name="review"),
    path("delivery-place/", views.destination, name="destination"),
    path("parts/<slug:reference>/cancel/", views.cancel_part, name="cancel_part"),
    path("parcels/<slug:reference>/received/", views.received, name="received"),
    path("follow/<str:token>/", views.track_guest, name="track_guest"),
    path("me/", views.account, name="account"),
    path("me/find-order/", views.link_again, name="link_again"),
    path("pages/<slug:slug>/", views.page, name="page"),
    path("offline/", views.offline, name="offline"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("language/<slug:code>/", views.language, name="language"),
]
