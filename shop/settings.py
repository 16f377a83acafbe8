"""One settings module. Without an environment it runs embedded: SQLite, files, sandboxes, demo clock.

``TADAMON_PROFILE=production`` turns every convenience off and refuses to start on an unsafe value
(see ``shop.safety``). Every value a deployer sets is read here and nowhere else.
"""

from __future__ import annotations

from pathlib import Path

import environ
from django.utils.translation import gettext_lazy as _
from oscar.defaults import *  # noqa: F403

from shop import safety

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

PROFILE = env.str("TADAMON_PROFILE", default="embedded")
PRODUCTION = PROFILE == "production"
VAR_DIR = Path(env.str("TADAMON_VAR", default=str(BASE_DIR / "var")))
if not PRODUCTION:
    VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default=safety.EMBEDDED_SECRET_KEY)
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=safety.hosts_of(SITE_URL))
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SITE_ID = 1

# Demonstration: fictional goods, a clock that operators move, sandboxes in place of Stripe and the bank.
DEMO_MODE = env.bool("DEMO_MODE", default=not PRODUCTION)
DEMO_CLOCK = env.bool("DEMO_CLOCK", default=DEMO_MODE)
# Oscar's own dashboard: a fallback for superusers only.
OSCAR_DASHBOARD = env.bool("OSCAR_DASHBOARD", default=False)

INSTALLED_APPS = [
    "modeltranslation",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "django.contrib.flatpages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    # the house, from bottom to top
    "shop.core.apps.CoreConfig",
    "shop.design.apps.DesignConfig",
    "shop.people.apps.PeopleConfig",
    "shop.addresses.apps.AddressesConfig",
    "shop.ledger.apps.LedgerConfig",
    "cooperatives.apps.CooperativesConfig",
    "catalogue.apps.CatalogueConfig",
    "shop.pricing.apps.PricingConfig",
    "shop.orders.apps.OrdersConfig",
    "shop.vouchers.apps.VouchersConfig",
    "shop.fulfilment.apps.FulfilmentConfig",
    "shop.payments.apps.PaymentsConfig",
    "shop.reconciliation.apps.ReconciliationConfig",
    "shop.checkout.apps.CheckoutConfig",
    "shop.customers.apps.CustomersConfig",
    "shop.search.apps.SearchConfig",
    "shop.api.apps.ApiConfig",
    "shop.storefront.apps.StorefrontConfig",
    "shop.desk.apps.DeskConfig",
    "shop.backoffice.apps.BackofficeConfig",
    # Oscar
    "oscar.config.Shop",
    "oscar.apps.analytics.apps.AnalyticsConfig",
    "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig",
    "oscar.apps.basket.apps.BasketConfig",
    "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig",
    "oscar.apps.customer.apps.CustomerConfig",
    "oscar.apps.voucher.apps.VoucherConfig",
    "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig",
    "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
    "oscar.apps.dashboard.users.apps.UsersDashboardConfig",
    "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
    "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
    "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
    "oscar.apps.dashboard.pages.apps.PagesDashboardConfig",
    "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
    "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
    "widget_tweaks",
    "haystack",
    "treebeard",
    "easy_thumbnails",
    "django_tables2",
    # people, pages, background
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rules.apps.AutodiscoverRulesConfig",
    "csp",
    "django_htmx",
    "simple_history",
    "django_celery_beat",
    "django_structlog",
    "anymail",
    "health_check",
    "django_prometheus",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "shop.core.requests.OwnPagesMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "shop.people.middleware.OwnLanguageMiddleware",
    # Inside whatever sets a cookie, outside whatever asks the database.
    "shop.storefront.page_cache.PageCacheMiddleware",
    "shop.storefront.ways_back.WayBackMiddleware",
    "shop.core.requests.NoNulMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "shop.checkout.middleware.BasketMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "shop.design.context.shop",
            ],
        },
    },
]

# Databases: one code path for both engines.
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'tadamon.sqlite3'}")}
SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE: a writer waits for its turn instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # recursive_triggers: without it INSERT OR REPLACE slips past the append-only triggers.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
            "PRAGMA recursive_triggers=ON; PRAGMA busy_timeout=20000;"
        ),
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {})
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
ATOMIC_REQUESTS = False
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tadamon"}
    ),
    # Finished pages, apart from counters and locks, and shared by all processes; see shop.storefront.page_cache.
    "pages": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "pages",
        }
        if REDIS_URL
        else {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(VAR_DIR / "pages"),
            "OPTIONS": {"MAX_ENTRIES": 500},
        }
    ),
}
# How old a finished page may be that a visitor of whom nothing is known reads; 0 makes each page anew.
PAGE_CACHE_SECONDS = env.int("PAGE_CACHE_SECONDS", default=0 if DEBUG else 60)

# People
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_FORMS = {"login": "shop.people.forms.LoginForm"}
ACCOUNT_ADAPTER = "shop.people.adapter.AccountAdapter"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
# Besides allauth's own: how often one visitor may ask for the newsletter or for all of her data, and try wrong codes of
# vouchers, in a session and from a network (many share one).
ACCOUNT_RATE_LIMITS = {
    "newsletter": "5/m/ip,30/d/ip",
    "export": "6/h/user",
    "voucher_try": "10/10m/key,60/10m/ip",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Tadamon"
LOGIN_REDIRECT_URL = "/home/"
LOGIN_URL = "account_login"

# Languages, time, numbers
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("ar", _("Arabic")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "shop" / "locale"]
LANGUAGE_COOKIE_NAME = "tadamon_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
MODELTRANSLATION_DEFAULT_LANGUAGE = "fr"
MODELTRANSLATION_LANGUAGES = ("fr", "ar", "en")
MODELTRANSLATION_FALLBACK_LANGUAGES = ("fr", "en", "ar")
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
BUSINESS_TIME_ZONE = "Africa/Casablanca"
USE_THOUSAND_SEPARATOR = False

# Files: pictures are public, proofs are not, and they never share a storage.
STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(VAR_DIR / "static"))
MEDIA_URL = "/media/"
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(VAR_DIR / "media"))
PRIVATE_MEDIA_ROOT = env.str("PRIVATE_MEDIA_ROOT", default=str(VAR_DIR / "private"))
STORAGES = safety.storages(env, media_root=MEDIA_ROOT, private_root=PRIVATE_MEDIA_ROOT, production=PRODUCTION)
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 * 1024 * 1024

# Mail
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail"
# A page on which anybody reads every mail, links and all: for a demonstration whose mails stay in their folder.
DEMO_MAILS = DEMO_MODE and not EMAIL_URL
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Tadamon <bonjour@tadamon.example>")

# Background work
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
if not REDIS_URL:
    _queue = VAR_DIR / "queue"
    for _folder in ("out", "processed", "control"):
        (_queue / _folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_queue / "out"),
        "data_folder_out": str(_queue / "out"),
        "processed_folder": str(_queue / "processed"),
        "control_folder": str(_queue / "control"),
        "store_processed": False,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", default=False)
CELERY_WORKER_TIMER_PRECISION = 0.2  # seconds; the worker waits that long for its timer when it ends
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

# Stripe and its stand-in
STRIPE_SANDBOX_URL = env.str("STRIPE_SANDBOX_URL", default="" if PRODUCTION else "http://127.0.0.1:4242")
STRIPE_API_KEY = env.str("STRIPE_API_KEY", default="" if PRODUCTION else "sk_test_tadamon_sandbox")
# An own test key talks to Stripe itself, not to the stand-in.
STRIPE_API_BASE = "" if env.str("STRIPE_API_KEY", default="") else STRIPE_SANDBOX_URL
STRIPE_WEBHOOK_SECRETS = env.list(
    "STRIPE_WEBHOOK_SECRETS", default=[] if PRODUCTION else ["whsec_tadamon_sandbox"]
)
BANK_SANDBOX_URL = env.str("BANK_SANDBOX_URL", default="" if PRODUCTION else "http://127.0.0.1:4343")

# The shop's own rules, as settings where an operator page would be too much
SHOP_CURRENCY = "MAD"
CARD_RESERVATION_MINUTES = 30
ACCEPTANCE_HOURS = 48
RETURN_WINDOW_DAYS = 7
AUTOMATIC_DELIVERY_DAYS = 10
GUEST_LINK_DAYS = 180
NEWSLETTER_CONFIRM_DAYS = 7
BANK_ACCOUNT_COOLING_HOURS = 48
# So long after a delivery a cooperative still sees whom the parcel went to.
CUSTOMER_SHOWN_DAYS = 14
SHOP_LEGAL = {
    "name": env.str("SHOP_LEGAL_NAME", default="Tadamon (démonstration)"),
    "rib": env.str("SHOP_RIB", default="999780000000000000202641"),
    "cndp": env.str("SHOP_CNDP", default=""),
    # Who stands behind the shop; the embedded one is invented, a real one says its own or does not start.
    "address": env.str("SHOP_ADDRESS", default="" if PRODUCTION else "1, rue de la Démonstration, Rabat"),
    "phone": env.str("SHOP_PHONE", default="" if PRODUCTION else "+212500000000"),
    "email": env.str("SHOP_EMAIL", default="" if PRODUCTION else "bonjour@tadamon.example"),
    "ice": env.str("SHOP_ICE", default="" if PRODUCTION else "999000000000099"),
    "register": env.str("SHOP_REGISTER", default="" if PRODUCTION else "DEMO/2026/1"),
}

# Oscar
OSCAR_SHOP_NAME = "Tadamon"
OSCAR_DEFAULT_CURRENCY = SHOP_CURRENCY
OSCAR_ALLOW_ANON_CHECKOUT = True
OSCAR_ALLOW_ANON_REVIEWS = False
OSCAR_MODERATE_REVIEWS = True
OSCAR_OFFERS_INCL_TAX = True
OSCAR_HOMEPAGE = "/"
OSCAR_FROM_EMAIL = DEFAULT_FROM_EMAIL
OSCAR_REQUIRED_ADDRESS_FIELDS = ("first_name", "last_name", "line1", "line4", "country")
OSCAR_EAGER_ALERTS = False
OSCAR_SEND_REGISTRATION_EMAIL = False
OSCAR_DELETE_IMAGE_FILES = False
OSCAR_MISSING_IMAGE_URL = ""
OSCAR_MAX_BASKET_QUANTITY_THRESHOLD = 999
OSCAR_INITIAL_ORDER_STATUS = "placed"
OSCAR_INITIAL_LINE_STATUS = "placed"
OSCAR_ORDER_STATUS_PIPELINE: dict[str, tuple[str, ...]] = {"placed": ()}
OSCAR_LINE_STATUS_PIPELINE: dict[str, tuple[str, ...]] = {"placed": ()}
OSCAR_ORDER_STATUS_CASCADE: dict[str, str] = {}
OSCAR_SLUG_ALLOW_UNICODE = False
# Oscar imports Haystack; no request of ours reaches it.
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
MIGRATION_MODULES = {"partner": "oscar.apps.partner.migrations"}
THUMBNAIL_DEFAULT_STORAGE = "django.core.files.storage.DefaultStorage"
PHONENUMBER_DEFAULT_REGION = "MA"

# Headers
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
OSCAR_BASKET_COOKIE_SECURE = SESSION_COOKIE_SECURE
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Rate limits count visitors, not the one proxy before us.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_HSTS_SECONDS = 31536000 if PRODUCTION else 0
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", *safety.picture_sources(env)],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": safety.form_targets(STRIPE_API_BASE),
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    each: [] for each in ("camera", "geolocation", "microphone", "payment", "usb")
}

SILENCED_SYSTEM_CHECKS = ["modeltranslation.W001"]
LOGGING = safety.logging_of(level=env.str("LOG_LEVEL", default="INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = False

SENTRY_DSN = env.str("SENTRY_DSN", default="")
safety.start_sentry(SENTRY_DSN)
safety.refuse_unsafe(vars())
