"""What all structs of the contract are, and the texts and numbers that occur in several of them."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from webapi.shapes import Answer, Request

__all__ = ["LINE", "PAGE_ITEMS_DEFAULT", "PAGE_ITEMS_MAX", "ROOM_PATTERN", "Answer", "CursorText", "IdentityText"]
__all__ += ["NameText", "PageQuery", "PageSize", "ParticipantText", "ReasonText", "Request", "RoomText", "TrackText"]

PAGE_ITEMS_DEFAULT: Final = 100
PAGE_ITEMS_MAX: Final = 1000
"""About 500 kB of participants."""


ROOM_PATTERN: Final = r"[\p{L}\p{Nd}_-][\p{L}\p{Mn}\p{Mc}\p{Nd}_.-]*"
"""For the OpenAPI document, whose expressions know Unicode (ECMA-262, flag u); `names.parse_room_name` checks."""

_REFUSED: Final = r"\p{Cc}\p{Co}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069"
LINE: Final = {"pattern": rf"^[^{_REFUSED}]*[^{_REFUSED}\s][^{_REFUSED}]*$"}
"""Not blank, and nothing that would break a line or turn round a display (`names.check_text`)."""

RoomText: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=128, examples=["algebra-7b"], extra_json_schema={"pattern": f"^{ROOM_PATTERN}$"}),
]
"""Letters, combining marks and digits of any script, `_`, `.` and `-`; not beginning with a dot or a mark."""

ParticipantText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, examples=["pB2n7dR5wE4z"])]
TrackText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, examples=["tM4c6gV9rX2b"])]
IdentityText: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=128, examples=["student-17"], extra_json_schema=LINE)
]
NameText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128, examples=["Maryam"], extra_json_schema=LINE)]
ReasonText: TypeAlias = Annotated[str, Meta(max_length=200)]
CursorText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=512)]
PageSize: TypeAlias = Annotated[int, Meta(ge=1, le=PAGE_ITEMS_MAX)]


class PageQuery(Request, frozen=True, kw_only=True):
    """Which piece of a list."""

    limit: PageSize = PAGE_ITEMS_DEFAULT
    """At most so many items."""
    after: CursorText | None = None
    """`next` of the page before; without it the list begins."""
