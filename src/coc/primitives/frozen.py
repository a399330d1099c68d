"""Immutable values: what machines are told, ask for and remember.

A frozen class is written like a frozen dataclass and made by msgspec, whose classes are ready ten times
sooner and whose instances are made, compared and hashed in C: a node starts with hundreds of such classes and
makes millions of such instances.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import msgspec

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class whose annotations are the fields of its immutable instances.

    `dataclasses.field` serves for a `default_factory`; other options of it are not known here.
    """
    namespace: dict[str, Any] = {}
    for name, value in vars(cls).items():
        if isinstance(value, dataclasses.Field):
            factory: Any = value.default_factory
            namespace[name] = msgspec.field(default_factory=factory)
        elif name not in ("__dict__", "__weakref__"):
            namespace[name] = value
    bases = tuple(base for base in cls.__bases__ if base is not object)
    if not any(issubclass(base, msgspec.Struct) for base in bases):
        bases = (*bases, msgspec.Struct)
    return msgspec.StructMeta(cls.__name__, bases, namespace, frozen=True)  # type: ignore[return-value]


def replace(each: T, **changes: object) -> T:
    """A frozen instance, or a dataclass, that differs in some fields."""
    if isinstance(each, msgspec.Struct):
        return msgspec.structs.replace(each, **changes)
    return dataclasses.replace(each, **changes)  # type: ignore[type-var]
