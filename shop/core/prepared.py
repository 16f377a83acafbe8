"""Questions to the database whose SQL is made once in a process and asked with other values ever after.

Making a statement of a queryset takes several times as long as answering it. A page that asks the same few
questions for every visitor keeps their statements; the rules stay in the querysets, where they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Model, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
from django.db.models.query import get_related_populators
from django.utils.translation import get_language

LANGUAGES = settings.MODELTRANSLATION_FALLBACK_LANGUAGES
#: Lists of keys are filled up to a multiple of this, so that a few statements serve every length.
STEP = 8


_Build = Callable[..., QuerySet[Any, Any] | tuple[QuerySet[Any, Any], ...]]


class Prepared:
    """One question, written as a queryset.

    ``build`` gets a language and a stand-in for each value: a day, a word or a list of keys. It is called once for
    each language and length of lists; it may use its values for nothing but conditions. It may return several
    querysets with the same columns, whose rows then follow each other.
    """

    def __init__(self, build: _Build) -> None:
        self._build = build
        self._made: dict[tuple[Any, ...], _Statement] = {}

    def rows(self, **values: date | str | int | Sequence[int | str]) -> list[tuple[Any, ...]]:
        """The rows of a ``values_list`` for these values, in the language that is active.

        A list without keys finds nothing.
        """
        statement, given = self._statement(values)
        return statement.rows(given) if statement else []

    def records(self, **values: date | str | int | Sequence[int | str]) -> list[Any]:
        """The records of a queryset of a model for these values, with what it selects of related ones."""
        statement, given = self._statement(values)
        return statement.records(given) if statement else []

    def _statement(self, values: dict[str, Any]) -> tuple[_Statement | None, dict[str, Any]]:
        given: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, (date, str, int)):
                given[name] = value
            elif value:
                keys = list(value)
                given[name] = keys + [keys[-1]] * (-len(keys) % STEP)
            else:
                return None, {}
        shape = tuple(len(each) if isinstance(each, list) else 0 for each in given.values())
        language = (get_language() or "fr")[:2]
        key = (connection.vendor, language, shape)
        statement = self._made.get(key)
        if statement is None:
            statement = self._made[key] = _Statement(self._build, language, given)
        return statement, given


class _Statement:
    """The SQL of one shape of the question, and which of its marks take which value."""

    def __init__(self, build: _Build, language: str, given: dict[str, Any]) -> None:
        stand_ins: dict[str, Any] = {}
        places: dict[Any, tuple[str, int | None]] = {}
        for number, (name, value) in enumerate(given.items(), start=1):
            if isinstance(value, list):
                stand_ins[name] = [
                    f"\0{number}.{at}" if isinstance(value[0], str) else -(number * 10**6 + at)
                    for at in range(len(value))
                ]
                places |= {key: (name, at) for at, key in enumerate(stand_ins[name])}
            else:
                stand_ins[name] = _stand_in(value, number)
                places[_adapted(stand_ins[name])] = (name, None)
        built = build(language=language, **stand_ins)
        parts = built if isinstance(built, tuple) else (built,)
        compilers = [each.query.get_compiler(connection=connection) for each in parts]
        made = [each.as_sql() for each in compilers]
        self._compiler = compilers[0]
        # Each part in brackets of its own, so that it keeps its order and its limit on both engines.
        self._sql = (
            made[0][0]
            if len(made) == 1
            else " UNION ALL ".join(
                f"SELECT * FROM ({sql}) part_{at}"  # noqa: S608 - Django's own SQL
                for at, (sql, _params) in enumerate(made)
            )
        )
        params = [each for _sql, params in made for each in params]
        self._params = [(places.get(each), each) for each in params]
        missing = set(places.values()) - {place for place, _constant in self._params}
        if missing:
            raise ValueError(f"a prepared question does not use {sorted({name for name, _at in missing})}")
        columns = [each for each, _sql, _alias in self._compiler.select[: self._compiler.col_count]]
        self._converters = self._compiler.get_converters(columns)

    def rows(self, given: dict[str, Any]) -> list[tuple[Any, ...]]:
        params = [
            constant if place is None
            else given[place[0]][place[1]] if place[1] is not None
            else _adapted(given[place[0]])
            for place, constant in self._params
        ]  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            rows = cursor.fetchall()
        if not self._converters:
            return list(rows)
        return [tuple(each) for each in self._compiler.apply_converters(rows, self._converters)]

    def records(self, given: dict[str, Any]) -> list[Model]:
        """As Django's own ``ModelIterable`` makes them of rows."""
        compiler = self._compiler
        columns = compiler.klass_info["select_fields"]
        begins, ends = columns[0], columns[-1] + 1
        names = [each[0].target.attname for each in compiler.select[begins:ends]]
        related = get_related_populators(compiler.klass_info, compiler.select, connection.alias)  # type: ignore[call-arg]
        found = []
        for row in self.rows(given):
            record = compiler.klass_info["model"].from_db(connection.alias, names, row[begins:ends])
            for each in related:
                each.populate(row, record)
            for name, column in compiler.annotation_col_map.items():
                setattr(record, name, row[column])
            found.append(record)
        return found


def _stand_in(value: Any, number: int) -> Any:
    if isinstance(value, date):
        return date(1, 1, number)
    return f"\0{number}" if isinstance(value, str) else -number


def _adapted(value: Any) -> Any:
    """A value as conditions hand it to this database."""
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value


def in_language(column: str, language: str) -> Combinable:
    """A translated column in this language, else in the first that has it, as modeltranslation falls back."""
    order = dict.fromkeys((language if language in LANGUAGES else "fr", *LANGUAGES))
    text = TextField()
    own = (NullIf(F(f"{column}_{each}"), Value(""), output_field=text) for each in order)
    return Coalesce(*own, Value(""), output_field=text)
