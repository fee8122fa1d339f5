"""A track of a room on several workers: at home where its publisher's transport is, mirrored where its viewers are."""

from __future__ import annotations

from collections.abc import Callable

from media.native.worker import Worker
from media.routing.formats import codec_rows
from media.rtp.parameters import MediaKind, ProducerParameters


class Mirrors:
    """Makes a mirror of one producer on each worker that has a viewer of it, and takes them all away together.

    A mirror stays when its last viewer turns away: he will be back, or another one, and finds the picture at once.
    """

    def __init__(
        self,
        worker: Worker,
        producer_id: int,
        parameters: ProducerParameters,
        in_kinds: Callable[[], bytes],
        new_id: Callable[[], int],
    ) -> None:
        """`in_kinds` returns the header extension table of the publisher's transport."""
        self._worker = worker
        self._producer_id = producer_id
        self._parameters = parameters
        self._in_kinds = in_kinds
        self._new_id = new_id
        self._ids: dict[Worker, int] = {}

    def row_on(self, worker: Worker, *, paused: bool) -> int:
        """Return the producer's row on a worker, which is made if it is not there yet."""
        if worker is self._worker:
            return self._producer_id
        mirror_id = self._ids.get(worker)
        if mirror_id is None:
            mirror_id = self._ids[worker] = self._new_id()
            parameters = self._parameters
            worker.add_mirror(
                mirror_id,
                self._producer_id,
                self._worker.inbox(),
                self._in_kinds(),
                parameters.kind is MediaKind.VIDEO,
                codec_rows(parameters.kind, parameters.codecs),
                [(encoding.rid or "").encode() for encoding in parameters.encodings] or [b""],
            )
            worker.set_paused(mirror_id, paused)
            self._worker.link(self._producer_id, worker.inbox())
        return mirror_id

    def set_paused(self, paused: bool) -> None:
        for worker, mirror_id in self._ids.items():
            worker.set_paused(mirror_id, paused)

    def renew_kinds(self) -> None:
        """Take over the publisher's header extensions: a re-offer added some."""
        for worker, mirror_id in self._ids.items():
            worker.set_mirror_kinds(mirror_id, self._in_kinds())

    def close(self) -> None:
        """Remove them all; their viewers' slots become empty."""
        for worker, mirror_id in self._ids.items():
            self._worker.unlink(self._producer_id, worker.inbox())
            worker.remove_mirror(mirror_id)
        self._ids.clear()
