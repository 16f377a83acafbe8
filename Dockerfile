# The shop for production. The same image is web, worker and beat; compose.yaml says who runs what.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/tadamon
COPY requirements.txt /src/
RUN /opt/tadamon/bin/pip install --require-hashes --requirement /src/requirements.txt
COPY manage.py /src/
COPY gunicorn.conf.py /src/
COPY shop /src/shop
COPY catalogue /src/catalogue
COPY cooperatives /src/cooperatives
COPY fixtures/__init__.py /src/fixtures/
COPY fixtures/morocco /src/fixtures/morocco
COPY tools/healthy.py /src/tools/
WORKDIR /src
# Settings of production refuse to load without these; none of them stays in the image.
RUN TADAMON_PROFILE=production STATIC_ROOT=/src/static SITE_URL=https://build.invalid \
    SECRET_KEY=only-while-the-image-is-built-0123456789-abcdef \
    DATABASE_URL=postgres://build.invalid/build REDIS_URL=redis://build.invalid EMAIL_URL=smtp://build.invalid \
    STRIPE_API_KEY=build STRIPE_WEBHOOK_SECRETS=build \
    SHOP_ADDRESS=build SHOP_PHONE=build SHOP_EMAIL=build SHOP_ICE=build SHOP_REGISTER=build \
    /opt/tadamon/bin/python manage.py collectstatic --noinput --verbosity 0

FROM python:3.11-slim-bookworm
ENV PATH=/opt/tadamon/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    TADAMON_PROFILE=production TADAMON_VAR=/tmp/tadamon STATIC_ROOT=/srv/tadamon/static \
    MEDIA_ROOT=/srv/media PRIVATE_MEDIA_ROOT=/srv/private WEB_CONCURRENCY=2
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin tadamon \
    && install -d -o tadamon -g tadamon /srv/media /srv/private
COPY --from=build /opt/tadamon /opt/tadamon
COPY --from=build /src /srv/tadamon
WORKDIR /srv/tadamon
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "tools/healthy.py"]
CMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--threads", "4", "--timeout", "60", "--graceful-timeout", "20", "--max-requests", "5000", "--max-requests-jitter", "500", "--worker-tmp-dir", "/dev/shm"]
