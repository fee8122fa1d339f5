"""Mirrors of one worker, put in and taken out by Python."""

from typing_extensions import disjoint_base

from media.native.inbox import Inbox
from media.native.worker_rows import WorkerRows

@disjoint_base
class WorkerMirrors(WorkerRows):
    """A worker whose viewers may watch producers of other workers. Ids as those of other rows, all different."""

    def inbox(self) -> Inbox:
        """Return where other workers leave what they have for this one; made at the first call."""
    def link(self, producer: int, inbox: Inbox) -> None:
        """Tell this worker of a producer from now on."""
    def unlink(self, producer: int, inbox: Inbox) -> None: ...
    def add_mirror(
        self,
        id: int,
        home_id: int,
        home: Inbox,
        in_kinds: bytes,
        is_video: bool,
        codecs: list[tuple[int, int, int, int, bool]],
        rids: list[bytes],
    ) -> None: ...
    def set_mirror_kinds(self, id: int, in_kinds: bytes) -> None: ...
    def remove_mirror(self, id: int) -> None: ...
