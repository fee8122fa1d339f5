"""The C face of a worker that shares rooms with others, for the class that runs it."""

from media.native.inbox cimport Inbox
from media.native.worker_rows cimport WorkerRows

cdef class WorkerMirrors(WorkerRows):
    cdef Inbox own
    cdef list others          # inboxes that rows point to: their memory must stay
    cdef dict mirrors         # id of a mirror -> its transport's row
    cdef int keep(self, Inbox inbox) except -1
