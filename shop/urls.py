"""Puts the doors together: the storefront under its language, every other room under its own name."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import include, path, re_path
from django.views.static import serve

from shop.people import views as people
from shop.storefront import views as storefront


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """After signing in, each is led to the room she works in."""
    if request.user.has_perm("backoffice.enter"):
        return redirect("backoffice:today")
    if request.user.memberships.filter(left_at=None).exists():
        return redirect("desk:today")
    return redirect("storefront:home")


def health(request: HttpRequest) -> JsonResponse:
    """Whether this process answers and reaches its database; nothing about what is inside."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("", storefront.root, name="root"),
    path("home/", home, name="home"),
    path("health/", health, name="health"),
    path("theme/", storefront.theme, name="theme"),
    path("sw.js", storefront.worker, name="worker"),
    path("robots.txt", storefront.robots, name="robots"),
    path("sitemap.xml", storefront.sitemap, name="sitemap"),
    path("sitemaps/<slug:name>.xml", storefront.sitemap_part, name="sitemap_part"),
    path(".well-known/security.txt", storefront.security, name="security"),
    path("language/", people.own_language, name="own_language"),
    path("account/", include("allauth.urls")),
    path("desk/", include("shop.desk.urls")),
    path("backoffice/", include("shop.backoffice.urls")),
    path("payments/", include("shop.payments.urls")),
    *i18n_patterns(path("", include("shop.storefront.urls"))),
]

if not settings.PRODUCTION:
    # In production a web server or bucket serves public media; private media has no address at all.
    urlpatterns.append(re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}))
if settings.DEMO_MAILS:
    urlpatterns.append(path("demo/mails/", storefront.mails, name="mails"))
if settings.DEBUG:
    from shop.design import views as design

    urlpatterns.append(path("design/", design.page, name="design"))
    urlpatterns += staticfiles_urlpatterns()
if settings.OSCAR_DASHBOARD:
    from django.apps import apps

    urlpatterns.append(path("oscar/", include(apps.get_app_config("oscar").urls[0])))

handler400 = "shop.storefront.views.bad_request"
handler403 = "shop.storefront.views.forbidden"
handler404 = "shop.storefront.views.not_found"
handler500 = "shop.storefront.views.server_error"
