from libc.stdint cimport uint64_t

from media.native.rows cimport Core, Transport

# Begin to probe the path to a peer if its estimate asks for it and something can be sent.
cdef void probing_start(Core* core, Transport* transport, uint64_t now_us) noexcept nogil

# Send what is due of all probes under way; core.probing_due_us says when there is more.
cdef void probing_run(Core* core, uint64_t now_us) noexcept nogil

# A transport goes away.
cdef void probing_forget(Core* core, Transport* transport) noexcept nogil
