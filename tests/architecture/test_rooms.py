"""Foreign keys point down, Oscar finds our classes, and every door has a name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver
from oscar.core.loading import get_class, get_model

ROOT = Path(__file__).resolve().parents[2]
#: Oscar's apps that our tables may point at wherever they stand: they are the ground, not a room of ours.
OSCAR_LABELS = {
    "analytics", "basket", "communication", "customer", "offer", "partner", "payment", "reviews", "shipping",
    "voucher", "wishlists",
}  # fmt: skip
#: Replaced apps: Oscar's label, our folder.
REPLACED = {
    "address": "shop.addresses",
    "catalogue": "catalogue",
    "checkout": "shop.checkout",
    "order": "shop.orders",
    "partner": "shop.pricing",
    "search": "shop.search",
}


def layers() -> dict[str, int]:
    """{room: how deep it stands}, from the contract that ``lint-imports`` keeps."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    order = next(each["layers"] for each in contracts if each["type"] == "layers")
    return {room.strip(): depth for depth, rooms in enumerate(order) for room in rooms.split("|")}


def room_of(model: type[models.Model]) -> str | None:
    """The room whose app owns a model; None for what is not ours."""
    name = apps.get_app_config(model._meta.app_label).name
    return name if name in layers() else None


def is_oscars(model: type[models.Model], field: models.Field) -> bool:
    """Whether Oscar declared the field itself, on an abstract model of its own."""
    return any(
        base.__module__.startswith("oscar.") and any(f.name == field.name for f in base._meta.local_fields)
        for base in model.__mro__
        if hasattr(base, "_meta")
    )


def upward_keys() -> list[str]:
    depth = layers()
    wrong = []
    for model in apps.get_models():
        room = room_of(model)
        if room is None:
            continue
        for field in [*model._meta.local_fields, *model._meta.local_many_to_many]:
            target = getattr(field, "related_model", None)
            if target is None or isinstance(target, str) or is_oscars(model, field):
                continue
            above = room_of(target)
            if above is None or target._meta.app_label in OSCAR_LABELS:
                continue
            if depth[above] < depth[room]:
                wrong.append(f"{model._meta.label}.{field.name} → {target._meta.label}")
    return wrong


def test_foreign_keys_point_to_the_same_room_or_down():
    assert upward_keys() == []


def test_a_key_that_points_up_would_be_found(monkeypatch):
    # The control: turn the house upside down, and keys that are right become wrong.
    turned = {room: -depth for room, depth in layers().items()}
    monkeypatch.setattr(f"{__name__}.layers", lambda: turned)

    assert "catalogue.Product.cooperative → cooperatives.Cooperative" in upward_keys()


def test_every_room_of_ours_stands_in_the_contract():
    rooms = {
        each.name
        for each in apps.get_app_configs()
        if each.name.split(".")[0] in {"shop", "catalogue", "cooperatives"}
    }

    assert rooms - set(layers()) == set()


@pytest.mark.parametrize(("label", "folder"), REPLACED.items(), ids=REPLACED)
def test_oscar_finds_the_app_we_replaced(label, folder):
    assert apps.get_app_config(label).name == folder


def overridden() -> list[tuple[str, str, str]]:
    """(Oscar's module label, class, our module) for each class of ours that has an Oscar namesake."""
    found = []
    for label, folder in REPLACED.items():
        package = importlib.import_module(folder)
        oscars = Path(importlib.import_module(f"oscar.apps.{label}").__path__[0])
        for module in pkgutil.iter_modules(package.__path__):
            if module.name in {"apps", "admin", "models", "migrations"} or module.ispkg:
                continue
            if not (oscars / f"{module.name}.py").exists():
                continue
            ours = importlib.import_module(f"{folder}.{module.name}")
            theirs = importlib.import_module(f"oscar.apps.{label}.{module.name}")
            found += [
                (f"{label}.{module.name}", name, ours.__name__)
                for name, each in inspect.getmembers(ours, inspect.isclass)
                if each.__module__ == ours.__name__ and hasattr(theirs, name)
            ]
    return found


@pytest.mark.parametrize(("module", "name", "ours"), overridden(), ids=lambda each: str(each))
def test_an_overridden_class_is_the_one_oscar_uses(module, name, ours):
    assert get_class(module, name).__module__ == ours


def test_the_strategy_that_sets_prices_is_ours():
    assert ("partner.strategy", "Selector", "shop.pricing.strategy") in overridden()


@pytest.mark.parametrize(
    ("label", "model", "module"),
    [
        ("catalogue", "Product", "catalogue.models"),
        ("order", "Order", "shop.orders.models"),
        ("order", "Line", "shop.orders.models"),
        ("order", "ShippingAddress", "shop.orders.models"),
        ("address", "UserAddress", "shop.addresses.models"),
    ],
)
def test_a_model_we_changed_is_the_one_oscar_uses(label, model, module):
    assert get_model(label, model).__module__ == module


def doors(resolver: URLResolver, path: str = "") -> list[tuple[str, URLPattern]]:
    found = []
    for each in resolver.url_patterns:
        here = path + str(each.pattern)
        found += doors(each, here) if isinstance(each, URLResolver) else [(here, each)]
    return found


def test_every_door_of_our_rooms_has_a_name():
    rooms = ("shop.storefront", "shop.desk", "shop.backoffice", "shop.api", "shop.payments")
    ours = [
        (path, door)
        for path, door in doors(get_resolver())
        if getattr(door.callback, "__module__", "").startswith(rooms)
    ]

    assert [path for path, door in ours if not door.name] == []
    assert {door.callback.__module__.split(".")[1] for _, door in ours} >= {
        "storefront",
        "desk",
        "backoffice",
    }
