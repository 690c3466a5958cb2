"""Values that are computed once: how facts, and the drafts of a repair, keep what they have derived.

`functools.cached_property` is not used: on Python 3.11 it holds one lock for all objects of a class, so that one slow
mesh would block every other thread. Here nothing is locked. Two threads that ask an object at the same moment may both
compute the same value; the first one to finish is kept, and both get it. Before a value is computed, whoever watches
over the call may end it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from meshguard.watch import look

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")


class once(Generic[_Value]):  # noqa: N801
    """A property that is computed on first use and kept; for classes whose objects do not change."""

    def __init__(self, derive: Callable[[Any], _Value]) -> None:
        self._derive = derive
        self._name = derive.__name__
        self.__doc__ = derive.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> _Value: ...
    def __get__(self, instance: object | None, owner: type) -> Self | _Value:
        if instance is None:
            return self
        # Python gets here only while the object has no value of that name, or through super().
        values = instance.__dict__
        if self._name in values:
            known: _Value = values[self._name]
            return known
        look()
        value: _Value = values.setdefault(self._name, self._derive(instance))
        return value

    def known(self, instance: object) -> _Value | None:
        """The value if it has been computed already, else None; nothing is computed."""
        value: _Value | None = instance.__dict__.get(self._name)
        return value

    def put(self, instance: object, value: _Value) -> None:
        """Give an object a value that is known from elsewhere."""
        instance.__dict__.setdefault(self._name, value)


def share_known(source: object, target: object) -> None:
    """Give an object all values that another one knows, where both would compute the same."""
    for name, value in dict(vars(source)).items():  # another thread may add to it meanwhile
        if isinstance(getattr(type(target), name, None), once):
            vars(target).setdefault(name, value)
