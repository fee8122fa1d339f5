"""Statements that are built once: what is asked at every request is not put together at every request.

    @prepared
    def _of_course(org_id: Any, course_id: Any, *, newest_first: bool) -> Select[Any]:
        order = item.c.created_at.desc() if newest_first else item.c.created_at
        return select(item).where(item.c.org_id == org_id, item.c.course_id == course_id).order_by(order)

    rows = await transaction.rows(_of_course(transaction.org_id, course_id, newest_first=True))

The function runs once for each choice of its keyword arguments, with a parameter of the statement in the place of each
positional one; later calls only bring the values. So it must not look at positional arguments, only compare with them.
A list for `column.in_(...)` is declared with its name: `@prepared(lists=("ids",))`.

Building a statement of SQLAlchemy and telling whether it was compiled before costs about as much as running it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, NamedTuple, ParamSpec, overload

from sqlalchemy import Executable, bindparam

Given = ParamSpec("Given")


class Prepared(NamedTuple):
    """A statement with values for its parameters."""

    statement: Executable
    values: Mapping[str, Any]

    @property
    def key(self) -> Hashable:
        """What tells it from all others, values included."""
        values = (tuple(each) if isinstance(each, list) else each for each in self.values.values())
        return (id(self.statement), *values)


@overload
def prepared(build: Callable[Given, Executable], /) -> Callable[Given, Prepared]: ...


@overload
def prepared(*, lists: Collection[str]) -> Callable[[Callable[Given, Executable]], Callable[Given, Prepared]]: ...


def prepared(build: Callable[..., Executable] | None = None, /, *, lists: Collection[str] = ()) -> Any:
    """Return a function that returns what `build` makes, with the values of this call; a decorator."""

    def decorate(build: Callable[..., Executable]) -> Callable[..., Prepared]:
        given = inspect.signature(build).parameters.values()
        names = [each.name for each in given if each.kind is not inspect.Parameter.KEYWORD_ONLY]
        built: dict[tuple[Any, ...], Executable] = {}

        def prepare(*values: Any, **choices: Any) -> Prepared:
            assert len(values) == len(names), f"{build.__name__} takes {', '.join(names)}"
            key = tuple(choices.items())
            statement = built.get(key)
            if statement is None:
                places: list[Any] = [bindparam(name, expanding=name in lists) for name in names]
                statement = built[key] = build(*places, **choices)
            return Prepared(statement, dict(zip(names, values, strict=True)))

        return prepare

    return decorate if build is None else decorate(build)
