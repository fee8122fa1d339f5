"""A statement that was built once, as one kind of database takes it: its text, its values in order, its rows. Pure.

SQLAlchemy compiles it and its types convert; what it does around that at every execution, which costs several times as
much as sending and reading, is left out. A list is made as long as the next power of two, by its last element again:
each length is a text of its own, to be prepared and planned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import CompoundSelect, Executable, Row, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

SHAPES_MAX: Final = 64
"""Texts of one statement with lists; with more, all are made anew."""

Process = Callable[[Any], Any] | None
TextT = TypeVar("TextT")
SentT_co = TypeVar("SentT_co", covariant=True)


class Way(Protocol[SentT_co]):
    """How one kind of database takes texts and values, and gives rows."""

    dialect: Dialect
    """Of texts whose parameters have places."""

    def text(self, statement: str, kinds: Sequence[TypeEngine[Any]]) -> SentT_co:
        """Return a text as it is sent; `kinds`: the types of what stands in its places."""
        ...

    def sends(self, kind: TypeEngine[Any]) -> Process:
        """Return what makes of a value, other than None, what is sent."""
        ...

    def reads(self, kind: TypeEngine[Any], oid: int) -> Process:
        """Return what makes a value of what is in a row, also of None; `oid`: the driver's name of its type."""
        ...


class _Place(NamedTuple):
    """Where a value of the text comes from."""

    name: str
    nth: int | None
    """In a list."""
    process: Process
    is_given: bool
    value: Any
    """Of what is not given at every call, as it is sent."""


class _Shape(NamedTuple, Generic[TextT]):
    text: TextT
    places: tuple[_Place, ...]


class Compiled(Generic[TextT]):
    """One statement for one kind of database, whose parameters have places and no names."""

    def __init__(self, statement: Executable, names: Collection[str], way: Way[TextT]) -> None:
        """Compile for values of these names: an INSERT has columns for them."""
        compiled = statement.compile(  # type: ignore[attr-defined]  # every executable of Core has it
            dialect=way.dialect, column_keys=list(names)
        )
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positional, "places, not names"
        assert not compiled.literal_execute_params, "such values would stand in the text"
        assert not compiled.prefetch, "values that SQLAlchemy would make up"
        self.only_reads = _only_reads(statement)
        self._way = way
        self._compiled = compiled
        self._lists = tuple(name for name, bind in compiled.binds.items() if bind.expanding and bind.required)
        self._shapes: dict[tuple[int, ...], _Shape[TextT]] = {}
        self._columns = [*statement.exported_columns.items()] if hasattr(statement, "exported_columns") else []
        self._make_row: Callable[[Sequence[Any]], Row[Any]] | None = None

    @property
    def width(self) -> int:
        """How many columns a row has."""
        return len(self._columns)

    def ask(self, values: Mapping[str, Any]) -> tuple[TextT, list[Any]]:
        """Return the text of the statement for these values, and what it takes in the places of its parameters."""
        lengths: tuple[int, ...] = ()
        if self._lists:
            values = {**values, **{name: _lengthened(values[name]) for name in self._lists}}
            lengths = tuple(len(values[name]) for name in self._lists)
        shape = self._shapes.get(lengths)
        if shape is None:
            if len(self._shapes) >= SHAPES_MAX:
                self._shapes.clear()
            shape = self._shapes[lengths] = self._shape(values)
        sent = []
        for name, nth, process, is_given, value in shape.places:
            if is_given:
                value = values[name] if nth is None else values[name][nth]  # noqa: PLW2901  # at every request
                if process is not None and value is not None:
                    value = process(value)  # noqa: PLW2901
            sent.append(value)
        return shape.text, sent

    def row_maker(self, oid_of: Callable[[int], int]) -> Callable[[Sequence[Any]], Row[Any]]:
        """Return what makes a row of what was fetched; `oid_of` a column, from 0, is what the driver calls its type."""
        if self._make_row is None:
            readers: list[Any] = [
                self._way.reads(column.type, oid_of(nth)) for nth, (_, column) in enumerate(self._columns)
            ]
            processors = readers if any(readers) else None
            # As `IteratorResult` makes them; the whole of it costs more than a row.
            parent = SimpleResultMetaData(
                [name for name, _ in self._columns], extra=[(column,) for _, column in self._columns]
            )
            keys = parent._key_to_index
            self._make_row = lambda fetched: Row(parent, processors, keys, fetched)
        return self._make_row

    def _shape(self, values: Mapping[str, Any]) -> _Shape[TextT]:
        unset = dict.fromkeys(name for name, bind in self._compiled.binds.items() if bind.required)
        state = self._compiled.construct_expanded_state({**unset, **values})
        elements = {
            element: (name, nth)
            for name, expanded in state.parameter_expansion.items()
            for nth, element in enumerate(expanded)
        }
        named = [elements.get(position, (position, None)) for position in state.positiontup or ()]
        kinds = [self._compiled.binds[name].type for name, _ in named]
        return _Shape(self._way.text(state.statement, kinds), tuple(self._place(*each) for each in named))

    def _place(self, name: str, nth: int | None) -> _Place:
        bind = self._compiled.binds[name]
        process = self._way.sends(bind.type)
        if bind.required:
            return _Place(name, nth, process, is_given=True, value=None)
        value: Any = bind.effective_value
        value = value if nth is None else value[nth]
        sent = value if value is None or process is None else process(value)
        return _Place(name, nth, None, is_given=False, value=sent)


def _only_reads(statement: Executable) -> bool:
    """Return whether a statement neither writes nor locks: one of a function alone may do either."""
    if isinstance(statement, Select):
        return statement._for_update_arg is None and bool(statement.get_final_froms())
    return isinstance(statement, CompoundSelect)


def _lengthened(values: Sequence[Any]) -> Sequence[Any]:
    missing = (1 << (len(values) - 1).bit_length()) - len(values) if values else 0
    return [*values, *[values[-1]] * missing] if missing else values
