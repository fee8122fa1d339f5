"""How late the repaired pictures of a publisher come, and how long all who watch are to wait for them."""

from typing import Self, final

@final
class PublisherLateness:
    """What is known of one publisher's pictures, over time."""

    def __new__(cls) -> Self: ...
    def note(self, late_us: int, now_us: int) -> None: ...
    def tell(self, now_us: int) -> int | None: ...
