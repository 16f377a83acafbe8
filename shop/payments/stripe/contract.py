"""What Stripe's library says a request and an answer look like, enforced.

stripe-python carries the shape of every request (``stripe.params``, TypedDicts) and of every answer
(its resource classes), but checks neither at run time. This module does. Only tests, which switch it on
for every call, and the sandbox use it.

The shapes come from the installed library and nothing else, so an upgrade that changes one shows up
as a failing test. It needs no Django and is also what ``fixtures/stripe_sandbox`` reads requests with.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import inspect
import logging
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
import typing_extensions
from stripe._list_object import ListObject
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject, UntypedStripeObject
from stripe._stripe_service import StripeService

logger = logging.getLogger(__name__)

_OPTIONS = frozenset(RequestOptions.__annotations__)
_ABSENT = object()
_DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")


class ContractBroken(AssertionError):
    """A request or an answer does not have the shape Stripe's library declares.

    ``faults`` lists each place as ``path: what is wrong``.
    """

    def __init__(self, what: str, faults: list[str]) -> None:
        self.what = what
        self.faults = faults
        super().__init__(f"{what}\n  " + "\n  ".join(faults))


@dataclass(frozen=True)
class Shape:
    """An annotation of the library together with the place where its names are to be looked up."""

    annotation: Any
    module: str
    owner: type | None = None

    def at(self, annotation: Any) -> Shape:
        return Shape(annotation, self.module, self.owner)

    def resolved(self) -> Shape:
        """The same shape with its outermost quoted name replaced by what it names."""
        shape = self
        while isinstance(shape.annotation, str | ForwardRef):
            text = shape.annotation
            module = shape.module
            if isinstance(text, ForwardRef):
                module = getattr(text, "__forward_module__", None) or module
                text = text.__forward_arg__
            shape = Shape(_evaluate(str(text), str(module), shape.owner), str(module), shape.owner)
        return shape


@functools.cache
def _evaluate(text: str, module: str, owner: type | None) -> Any:
    names = _Names(module, owner)
    return eval(text, {"__builtins__": {}}, names)  # noqa: S307 - text of the installed library only


class _Names(Mapping[str, Any]):
    """The names a module of the library sees, those it imports only for type checkers included.

    Classes of version 1 and version 2 share names, so a name is always looked up from its own module.
    """

    _builtins = {"str": str, "int": int, "bool": bool, "float": float, "None": None, "object": object}

    def __init__(self, module: str, owner: type | None) -> None:
        self._module = module
        self._owner = owner

    def __getitem__(self, name: str) -> Any:
        for part in _enclosing(self._owner):
            if name in part.__dict__ and isinstance(part.__dict__[name], type):
                return part.__dict__[name]
        own = vars(importlib.import_module(self._module))
        if name in own:
            return own[name]
        imported = _typing_imports(self._module)
        if name in imported:
            source, original = imported[name]
            return getattr(importlib.import_module(source), original)
        if name in self._builtins:
            return self._builtins[name]
        for library in (typing, typing_extensions):
            if hasattr(library, name):
                return getattr(library, name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_typing_imports(self._module))

    def __len__(self) -> int:
        return len(_typing_imports(self._module))


@functools.cache
def _enclosing(owner: type | None) -> tuple[type, ...]:
    """A nested class and the classes around it, innermost first."""
    if owner is None:
        return ()
    chain: list[Any] = [sys.modules[owner.__module__]]
    for name in owner.__qualname__.split("."):
        chain.append(getattr(chain[-1], name))
    return tuple(reversed(chain[1:]))


@functools.cache
def _typing_imports(module: str) -> dict[str, tuple[str, str]]:
    """{name: (module, original name)} for every ``from stripe… import …`` in a module, wherever it stands."""
    source = inspect.getsource(importlib.import_module(module))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def is_typed_dict(annotation: Any) -> bool:
    return isinstance(annotation, type) and hasattr(annotation, "__required_keys__")


@functools.cache
def fields(typed_dict: Any) -> dict[str, tuple[Shape, bool]]:
    """{field: (shape, whether it is required)} of one TypedDict of the library.

    Request options (``api_key``, ``idempotency_key`` …) are left out: the library inherits them into
    its TypedDicts, but inside ``params`` Stripe would refuse them.
    """
    found = {}
    hidden = _OPTIONS if typed_dict is not RequestOptions else frozenset()
    for name, annotation in typed_dict.__annotations__.items():
        if name in hidden:
            continue
        shape = Shape(annotation, typed_dict.__module__).resolved()
        required = True
        if get_origin(shape.annotation) in (typing_extensions.NotRequired, typing.NotRequired):
            required = False
            shape = shape.at(get_args(shape.annotation)[0]).resolved()
        found[name] = (shape, required)
    return found


def arms(shape: Shape) -> list[Shape]:
    """The possibilities of a union, flattened; an enum's ``| str`` is dropped.

    The library writes enums as ``Literal[…] | str`` so that type checkers let future values pass, which
    also lets every misspelling pass. A lone ``Literal['']`` means "or unset" and is no enum.
    """
    flat: list[Shape] = []
    pending = [shape.resolved()]
    while pending:
        each = pending.pop(0).resolved()
        if get_origin(each.annotation) in (Union, types.UnionType):
            pending = [each.at(arg) for arg in get_args(each.annotation)] + pending
        else:
            flat.append(each)
    if any(get_origin(each.annotation) is Literal and get_args(each.annotation) != ("",) for each in flat):
        flat = [each for each in flat if each.annotation is not str]
    return flat


# --- requests -------------------------------------------------------------------------------------


def faults_in_params(params: Any, typed_dict: Any) -> list[str]:
    """Every place where ``params`` is not what ``typed_dict`` allows; empty if all is well."""
    return _faults(params, Shape(typed_dict, typed_dict.__module__), "params")


def check_params(params: Any, typed_dict: Any, *, call: str = "request") -> None:
    """Raise ContractBroken unless ``params`` fits one of the library's TypedDicts."""
    faults = faults_in_params({} if params is None else params, typed_dict)
    if faults:
        raise ContractBroken(f"{call} breaks {typed_dict.__name__}", faults)


def _faults(value: Any, shape: Shape, path: str) -> list[str]:
    choices = arms(shape)
    if len(choices) == 1:
        return _faults_of_one(value, choices[0], path)
    attempts = [_faults_of_one(value, each, path) for each in choices]
    if any(not attempt for attempt in attempts):
        return []
    deeper = [attempt for attempt in attempts if any(not fault.startswith(f"{path}:") for fault in attempt)]
    if deeper:
        return min(deeper, key=len)
    expected = " or ".join(_name(each.annotation) for each in choices)
    return [f"{path}: {_shown(value)} is not {expected}"]


def _faults_of_one(value: Any, shape: Shape, path: str) -> list[str]:
    annotation = shape.annotation
    origin = get_origin(annotation)
    wrong = [f"{path}: {_shown(value)} is not {_name(annotation)}"]
    if annotation is Any or annotation is object:
        return []
    if annotation is None or annotation is type(None):
        return [] if value is None else wrong
    if origin is Literal:
        return (
            [] if any(value == each and type(value) is type(each) for each in get_args(annotation)) else wrong
        )
    if is_typed_dict(annotation):
        return _faults_of_mapping(value, annotation, path) if isinstance(value, dict) else wrong
    if origin in (list, typing.List):  # noqa: UP006
        if not isinstance(value, list | tuple):
            return wrong
        inner = shape.at(get_args(annotation)[0])
        return [fault for n, each in enumerate(value) for fault in _faults(each, inner, f"{path}[{n}]")]
    if origin in (dict, Mapping, typing.Mapping):
        if not isinstance(value, dict):
            return wrong
        keys, values = (shape.at(each) for each in get_args(annotation))
        return [
            fault
            for key, each in value.items()
            for fault in _faults(key, keys, f"{path} key") + _faults(each, values, f"{path}.{key}")
        ]
    if (origin or annotation) is UntypedStripeObject:
        return [] if isinstance(value, StripeObject) else wrong
    if isinstance(annotation, type):
        return [] if _is_primitive(value, annotation) else wrong
    raise TypeError(f"{path}: the contract check does not know {annotation!r}")


def _faults_of_mapping(value: dict[str, Any], typed_dict: Any, path: str) -> list[str]:
    known = fields(typed_dict)
    faults = [f"{path}.{name}: unknown" for name in value if name not in known]
    for name, (shape, required) in known.items():
        each = value.get(name, _ABSENT)
        if each is _ABSENT:
            faults += [f"{path}.{name}: missing"] if required else []
        else:
            faults += _faults(each, shape, f"{path}.{name}")
    return faults


def _is_primitive(value: Any, kind: type) -> bool:
    if kind is int:
        return type(value) is int
    if kind is float:
        return type(value) in (int, float)
    if kind is Decimal:
        return isinstance(value, Decimal)
    return isinstance(value, kind)


def _name(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(repr(each) for each in get_args(annotation))
    return getattr(annotation, "__name__", None) or str(annotation)


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"


# --- the calls of the library ---------------------------------------------------------------------


@functools.cache
def service_classes() -> tuple[type[StripeService], ...]:
    """Every service class of the library, version 1 and version 2."""
    for module in pkgutil.walk_packages(stripe.__path__, "stripe."):
        if module.name.endswith("_service"):
            importlib.import_module(module.name)
    found: list[type[StripeService]] = []
    pending = list(StripeService.__subclasses__())
    while pending:
        each = pending.pop(0)
        found.append(each)
        pending.extend(each.__subclasses__())
    return tuple(sorted(found, key=lambda each: (each.__module__, each.__name__)))


def service_methods() -> list[tuple[type[StripeService], str, Callable[..., Any]]]:
    """Every call the library offers: (service class, method name, function)."""
    return [
        (service, name, function)
        for service in service_classes()
        for name, function in vars(service).items()
        if inspect.isfunction(function)
        and name[0] != "_"
        and "params" in inspect.signature(function).parameters
    ]


def params_of(function: Callable[..., Any]) -> Any:
    """The TypedDict that a service method declares for its ``params``."""
    shape = Shape(inspect.signature(function).parameters["params"].annotation, function.__module__)
    for each in arms(shape):
        if is_typed_dict(each.annotation):
            return each.annotation
    raise TypeError(f"{function.__qualname__} declares no TypedDict for its params")


_originals: dict[tuple[type[StripeService], str], Callable[..., Any]] = {}


def install(*, warn_only: bool = False) -> int:
    """Check the params and options of every call before it leaves; return how many calls are guarded.

    Raises ContractBroken from the call itself; with ``warn_only`` it writes one log line and lets the
    call go. Installing twice changes nothing.
    """
    if not _originals:
        for service, name, function in service_methods():
            _originals[service, name] = function
            setattr(service, name, _guarded(function, warn_only))
    return len(_originals)


def uninstall() -> None:
    """Give the library its own methods back."""
    for (service, name), function in _originals.items():
        setattr(service, name, function)
    _originals.clear()


@contextlib.contextmanager
def checking(*, warn_only: bool = False) -> Iterator[None]:
    """Check every call inside the block. Inside another such block it changes nothing."""
    mine = not _originals
    install(warn_only=warn_only)
    try:
        yield
    finally:
        if mine:
            uninstall()


def _guarded(function: Callable[..., Any], warn_only: bool) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        params = given.get("params")
        faults = faults_in_params({} if params is None else params, params_of(function))
        if given.get("options") is not None:
            faults += _faults_of_mapping(dict(given["options"]), RequestOptions, "options")
        if faults and not warn_only:
            raise ContractBroken(f"{function.__qualname__} breaks the contract", faults)
        if faults:
            # The paths only: values may hold people's data.
            paths = [fault.split(":")[0] for fault in faults]
            logger.warning(
                "Stripe call broke its contract", extra={"call": function.__qualname__, "paths": paths}
            )
        return function(*args, **kwargs)

    return call


# --- answers --------------------------------------------------------------------------------------


@functools.cache
def response_fields(cls: type[StripeObject]) -> dict[str, tuple[Shape, bool]]:
    """{field: (shape, whether it is always there)} of one resource class of the library."""
    found: dict[str, tuple[Shape, bool]] = {}
    for base in reversed(cls.__mro__):
        if not issubclass(base, StripeObject) or base is StripeObject:
            continue
        renamed = dict(getattr(base, "_field_remappings", {}))
        for name, annotation in base.__dict__.get("__annotations__", {}).items():
            shape = Shape(annotation, base.__module__, base).resolved()
            if name.startswith("_") or get_origin(shape.annotation) is typing.ClassVar:
                continue
            always = not any(each.annotation is type(None) for each in arms(shape))
            found[renamed.get(name, name)] = (shape, always)
    name = getattr(cls, "OBJECT_NAME", None)
    if name and "object" not in found:
        found["object"] = (Shape(Literal[name], cls.__module__), True)
    return found


def faults_in_response(data: Any, cls: type[StripeObject], path: str = "") -> list[str]:
    """Every place where an answer is not what the resource class declares; empty if all is well."""
    path = path or cls.__name__
    if not isinstance(data, dict):
        return [f"{path}: {_shown(data)} is not an object"]
    known = response_fields(cls)  # type: ignore[arg-type]  # a class is hashable; its instances are not
    faults = [f"{path}.{name}: unknown" for name in data if name not in known]
    for name, (shape, always) in known.items():
        value = data.get(name, _ABSENT)
        if value is _ABSENT:
            faults += [f"{path}.{name}: missing"] if always else []
        else:
            faults += _response_faults(value, shape, f"{path}.{name}")
    return faults


def check_response(data: Any, cls: type[StripeObject]) -> None:
    """Raise ContractBroken unless a decoded JSON answer fits a resource class of the library."""
    faults = faults_in_response(data, cls)
    if faults:
        raise ContractBroken(f"answer breaks {cls.__name__}", faults)


def _response_faults(value: Any, shape: Shape, path: str) -> list[str]:
    choices = arms(shape)
    if isinstance(value, dict) and "object" in value:
        named = [each for each in choices if _object_name(each.annotation) == value["object"]]
        choices = named or choices
    attempts = [_response_faults_of_one(value, each, path) for each in choices]
    return min(attempts, key=len)


def _object_name(annotation: Any) -> str | None:
    return getattr(get_origin(annotation) or annotation, "OBJECT_NAME", None)


def _response_faults_of_one(value: Any, shape: Shape, path: str) -> list[str]:
    annotation = shape.annotation
    origin = get_origin(annotation)
    if isinstance(annotation, typing.TypeVar):
        return []
    if annotation is Decimal and isinstance(value, str):
        # Travels as text; the library makes a number of it.
        return [] if _DECIMAL.match(value) else [f"{path}: {_shown(value)} is not Decimal"]
    if (origin or annotation) is UntypedStripeObject or annotation is StripeObject:
        return [] if isinstance(value, dict) else [f"{path}: {_shown(value)} is not an object"]
    if origin is ListObject:
        faults = faults_in_response(value, ListObject, path)
        inner = shape.at(get_args(annotation)[0])
        rows = value.get("data", []) if isinstance(value, dict) else []
        return faults + [
            f for n, row in enumerate(rows) for f in _response_faults(row, inner, f"{path}.data[{n}]")
        ]
    if isinstance(annotation, type) and issubclass(annotation, StripeObject):
        return faults_in_response(value, annotation, path)
    if origin in (list, typing.List):  # noqa: UP006
        if not isinstance(value, list):
            return [f"{path}: {_shown(value)} is not a list"]
        inner = shape.at(get_args(annotation)[0])
        return [f for n, row in enumerate(value) for f in _response_faults(row, inner, f"{path}[{n}]")]
    if origin in (dict, Mapping, typing.Mapping):
        if not isinstance(value, dict):
            return [f"{path}: {_shown(value)} is not an object"]
        inner = shape.at(get_args(annotation)[1])
        return [f for key, each in value.items() for f in _response_faults(each, inner, f"{path}.{key}")]
    return _faults_of_one(value, shape, path)
