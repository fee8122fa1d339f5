# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Mirrors of one worker, put in and taken out by Python: viewers here watch what came in elsewhere."""

cimport cython
from libc.stdint cimport uint8_t, uint64_t, uintptr_t
from libc.string cimport memcpy

from media.native.inbox cimport Inbox
from media.native.lifecycle cimport add_producer, add_transport, remove_transport
from media.native.links cimport link_add, link_remove
from media.native.mirrors cimport mirror_register
from media.native.plane cimport plane_lock, plane_stop, plane_unlock
from media.native.rows cimport CODECS_MAX, ENCODINGS_MAX, KINDS_MAX, NAME_MAX, Producer, Transport
from media.native.worker_rows cimport WorkerRows


@cython.auto_pickle(False)
@cython.no_gc_clear
cdef class WorkerMirrors(WorkerRows):
    """A worker whose viewers may watch producers of other workers. Ids as those of other rows, all different."""

    def __cinit__(self, *_, **__):
        self.others = []
        self.mirrors = {}

    def __dealloc__(self):
        with nogil:
            plane_stop(&self.plane)  # before the inboxes go that the thread reads and fills

    def inbox(self) -> Inbox:
        """Return where other workers leave what they have for this one; made at the first call."""
        if self.own is None:
            self.own = Inbox(self.plane.wake_descriptor)
            with nogil:
                plane_lock(&self.plane)
                self.plane.inbox = self.own.ring
                plane_unlock(&self.plane)
        return self.own

    cdef int keep(self, Inbox inbox) except -1:
        if inbox is None:
            raise TypeError("an inbox is None")
        if inbox not in self.others:
            self.others.append(inbox)
        return 0

    def link(self, uint64_t producer, Inbox inbox) -> None:
        """Tell the owner of this inbox of a producer from now on."""
        cdef Producer* row = self.producer(producer)
        cdef int result
        self.keep(inbox)
        with nogil:
            plane_lock(&self.plane)
            result = link_add(&self.plane.core, row, inbox.ring)
            plane_unlock(&self.plane)
        if result < 0:
            raise MemoryError

    def unlink(self, uint64_t producer, Inbox inbox) -> None:
        """Tell it no more."""
        cdef Producer* row = self.producer(producer)
        with nogil:
            plane_lock(&self.plane)
            link_remove(&self.plane.core, row, inbox.ring)
            plane_unlock(&self.plane)

    def add_mirror(self, uint64_t id, uint64_t home_id, Inbox home, bytes in_kinds, bint is_video, list codecs,
            list rids) -> None:
        """Add a mirror of a producer of another worker, `home_id` there; viewers attach to `id`. It starts unpaused.

        `in_kinds` and `codecs` as those of its publisher's transport and of the producer, `rids` of its encodings,
        lowest first. ValueError for more than the core can hold.
        """
        cdef Transport* row
        cdef Producer* mirror = NULL
        cdef int count = len(rids)
        cdef bint registered = False
        if id in self.producers or id in self.transports:
            raise ValueError(f"row {id} exists")
        if not 1 <= count <= ENCODINGS_MAX or len(codecs) > CODECS_MAX or any(len(rid) > NAME_MAX for rid in rids):
            raise ValueError(f"{count} encodings and {len(codecs)} codecs, expected what a producer can have")
        self.check_tables(in_kinds, bytes(KINDS_MAX))
        self.keep(home)
        with nogil:
            plane_lock(&self.plane)
            row = add_transport(&self.plane.core, id, 0)
            if row != NULL:
                mirror = add_producer(row, id, is_video, count)
                if mirror != NULL:
                    registered = mirror_register(&self.plane.core, mirror, home_id, home.ring) == 0
                if not registered:
                    remove_transport(&self.plane.core, row)
            plane_unlock(&self.plane)
        if not registered:
            raise MemoryError
        self.mirrors[id] = <uintptr_t>row
        self.producers[id] = <uintptr_t>mirror
        self.fill_producer(mirror, b"", codecs, [(rid, 0, 0) for rid in rids])
        self.set_mirror_kinds(id, in_kinds)
        self.set_paused(id, False)

    def set_mirror_kinds(self, uint64_t id, bytes in_kinds) -> None:
        """Replace the header extension table, as the publisher's transport had its own replaced."""
        cdef Transport* row = <Transport*><uintptr_t>self.mirrors[id]
        cdef const uint8_t* kinds = in_kinds
        self.check_tables(in_kinds, bytes(KINDS_MAX))
        with nogil:
            plane_lock(&self.plane)
            memcpy(row.in_kinds, kinds, 256)
            plane_unlock(&self.plane)

    def remove_mirror(self, uint64_t id) -> None:
        """Remove a mirror; its consumers become empty slots. Unknown ids are ignored."""
        cdef Transport* row
        if id not in self.mirrors:
            return
        row = <Transport*><uintptr_t>self.mirrors.pop(id)
        del self.producers[id]
        with nogil:
            plane_lock(&self.plane)
            remove_transport(&self.plane.core, row)
            plane_unlock(&self.plane)
