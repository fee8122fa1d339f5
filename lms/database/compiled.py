"""A statement that was built once, as one kind of database takes it: its text, its values in order, its rows. Pure.

SQLAlchemy compiles it and its types convert; what it does around that at every execution, which costs several times as
much as sending and reading, is left out. A list is made as long as the next power of two, by its last element again:
each length is a text of its own, to be prepared and planned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Executable, Row
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

SHAPES_MAX: Final = 64
"""Texts of one statement with lists; with more, all are made anew."""

Process = Callable[[Any], Any] | None


class _Place(NamedTuple):
    """Where a value of the text comes from."""

    name: str
    nth: int | None
    """In a list."""
    process: Process
    is_given: bool
    value: Any
    """Of what is not given at every call."""


class _Shape(NamedTuple):
    text: str
    places: tuple[_Place, ...]


class Compiled:
    """One statement for one dialect, whose parameters have places and no names."""

    def __init__(self, statement: Executable, dialect: Dialect, names: Collection[str]) -> None:
        """Compile for values of these names: an INSERT has columns for them."""
        compiled = statement.compile(  # type: ignore[attr-defined]  # every executable of Core has it
            dialect=dialect, column_keys=list(names)
        )
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positional, "places, not names"
        assert not compiled.literal_execute_params, "such values would stand in the text"
        assert not compiled.prefetch, "values that SQLAlchemy would make up"
        self._dialect = dialect
        self._compiled = compiled
        self._lists = tuple(name for name, bind in compiled.binds.items() if bind.expanding and bind.required)
        self._shapes: dict[tuple[int, ...], _Shape] = {}
        self._columns = [*statement.exported_columns.items()] if hasattr(statement, "exported_columns") else []
        self._rows: SimpleResultMetaData | None = None

    @property
    def width(self) -> int:
        """How many columns a row has."""
        return len(self._columns)

    def ask(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return the text of the statement for these values, and what it takes in the places of its parameters."""
        if self._lists:
            values = {**values, **{name: _lengthened(values[name]) for name in self._lists}}
        lengths = tuple(len(values[name]) for name in self._lists)
        shape = self._shapes.get(lengths)
        if shape is None:
            if len(self._shapes) >= SHAPES_MAX:
                self._shapes.clear()
            shape = self._shapes[lengths] = self._shape(values)
        return shape.text, [_value(place, values) for place in shape.places]

    def rows(self, fetched: Iterable[Any], kind_of: Callable[[int], Any]) -> Sequence[Row[Any]]:
        """Return what a driver fetched, as rows; `kind_of` a column, from 0, is what the driver calls its type."""
        if self._rows is None:
            self._rows = SimpleResultMetaData(
                [name for name, _ in self._columns],
                extra=[(column,) for _, column in self._columns],
                _processors=[
                    column.type.dialect_impl(self._dialect).result_processor(self._dialect, kind_of(nth))
                    for nth, (_, column) in enumerate(self._columns)
                ],
            )
        result: IteratorResult[Any] = IteratorResult(self._rows, iter(fetched))
        return result.all()

    def _shape(self, values: Mapping[str, Any]) -> _Shape:
        unset = dict.fromkeys(name for name, bind in self._compiled.binds.items() if bind.required)
        state = self._compiled.construct_expanded_state({**unset, **values})
        elements = {
            element: (name, nth)
            for name, expanded in state.parameter_expansion.items()
            for nth, element in enumerate(expanded)
        }
        places = [self._place(*elements.get(position, (position, None))) for position in state.positiontup or ()]
        return _Shape(state.statement, tuple(places))

    def _place(self, name: str, nth: int | None) -> _Place:
        bind = self._compiled.binds[name]
        process = bind.type.dialect_impl(self._dialect).bind_processor(self._dialect)
        if bind.required:
            return _Place(name, nth, process, is_given=True, value=None)
        value: Any = bind.effective_value
        value = value if nth is None else value[nth]
        return _Place(name, nth, None, is_given=False, value=value if process is None else process(value))


def _value(place: _Place, values: Mapping[str, Any]) -> Any:
    if not place.is_given:
        return place.value
    value = values[place.name] if place.nth is None else values[place.name][place.nth]
    return value if place.process is None else place.process(value)


def _lengthened(values: Sequence[Any]) -> Sequence[Any]:
    missing = (1 << (len(values) - 1).bit_length()) - len(values) if values else 0
    return [*values, *[values[-1]] * missing] if missing else values
