"""Beat knows every sweep: whatever a lost nudge left, something comes back for it."""

from __future__ import annotations

import inspect

from shop.celery import app


def tasks_of_ours() -> dict[str, object]:
    app.loader.import_default_modules()
    return {
        name: task
        for name, task in app.tasks.items()
        if name.split(".")[0] in {"shop", "catalogue", "cooperatives"}
    }


def test_every_task_that_needs_nothing_told_runs_on_a_schedule():
    sweeps = {name for name, task in tasks_of_ours().items() if not inspect.signature(task.run).parameters}
    scheduled = {each["task"] for each in app.conf.beat_schedule.values()}

    assert sweeps - scheduled == set()


def test_the_schedule_names_no_task_that_is_gone():
    scheduled = {each["task"] for each in app.conf.beat_schedule.values()}

    assert scheduled - set(tasks_of_ours()) == set()


def test_a_sweep_that_waited_longer_than_its_interval_is_not_run_twice():
    assert all(each["options"]["expires"] <= each["schedule"] for each in app.conf.beat_schedule.values())
