"""The image and the compose file: nobody runs as root, nothing of the tests ships, every value is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.test_settings import SOUND_ENVIRONMENT

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = ("web", "worker", "beat", "migrate")


def instructions(stage: int) -> list[str]:
    stages = re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)
    return [each for each in stages[stage].splitlines() if each and not each.startswith("#")]


def test_the_last_stage_runs_as_somebody_without_rights():
    last = instructions(-1)

    assert [each for each in last if each.startswith("USER ")] == ["USER 10001"]
    assert last.index("USER 10001") < next(i for i, each in enumerate(last) if each.startswith("CMD"))
    assert any(each.startswith("HEALTHCHECK") for each in last)


def test_only_hashed_runtime_packages_are_installed():
    installs = [each for each in instructions(1) if "pip install" in each]

    assert len(installs) == 1
    assert "--require-hashes --requirement /src/requirements.txt" in installs[0]
    assert "requirements-dev" not in DOCKERFILE


def test_no_value_of_the_build_stays_in_the_image():
    kept = [each for each in [*instructions(1), *instructions(2)] if each.startswith(("ENV", "ARG"))]

    assert not re.search("SECRET|PASSWORD|STRIPE|DATABASE_URL|EMAIL", " ".join(kept))


def test_what_is_copied_exists_and_is_let_into_the_build():
    let_in = {
        each.removeprefix("!")
        for each in (ROOT / ".dockerignore").read_text().splitlines()
        if each[:1] == "!"
    }
    copied = {each.split()[1] for each in instructions(1) if each.startswith("COPY")}

    assert copied == let_in
    assert all((ROOT / each).exists() for each in copied)
    assert not {"tests", "fixtures", "tools"} & copied


def test_the_services_are_the_shop_its_database_and_its_cache():
    assert set(SERVICES) == {*OURS, "database", "redis"}


@pytest.mark.parametrize("name", OURS)
def test_each_process_of_ours_is_locked_in_and_knows_every_value(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(SOUND_ENVIRONMENT) - {"TADAMON_PROFILE"} <= set(service["environment"])
    assert not {"DEBUG", "DEMO_MODE", "DEMO_CLOCK"} & set(service["environment"])


@pytest.mark.parametrize("name", ["database", "redis"])
def test_what_holds_data_is_not_reachable_from_outside(name):
    assert "ports" not in SERVICES[name]
    assert SERVICES[name]["volumes"]
    assert SERVICES[name]["healthcheck"]


def test_web_is_reachable_from_this_machine_only():
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_nobody_serves_before_the_migrations_are_done():
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
