# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Batched datagrams: recvmmsg and sendmmsg over preallocated buffers, runs of one size as one message (UDP GSO), and
addresses in the kernel's form.
"""

import socket as python_socket

from libc.errno cimport EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, ENOBUFS, EOPNOTSUPP, errno
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy, memset

cdef extern from *:
    """
    #define _GNU_SOURCE
    #include <sys/socket.h>
    #include <netinet/in.h>
    #include <poll.h>
    #include <string.h>
    #include <time.h>
    #ifndef SOL_UDP
    #define SOL_UDP 17
    #endif
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
    static inline void halqa_set_segment(struct msghdr* message, void* control, uint16_t size) {
        struct cmsghdr* header = (struct cmsghdr*)control;
        header->cmsg_level = SOL_UDP;
        header->cmsg_type = UDP_SEGMENT;
        header->cmsg_len = CMSG_LEN(sizeof(size));
        memcpy(CMSG_DATA(header), &size, sizeof(size));
        message->msg_control = control;
        message->msg_controllen = CMSG_SPACE(sizeof(size));
    }
    static inline int halqa_wait_writable(int descriptor, int timeout_ms) {
        struct pollfd waiting = { descriptor, POLLOUT, 0 };
        return poll(&waiting, 1, timeout_ms);
    }
    static inline uint64_t halqa_thread_cpu_ns(void) {
        struct timespec spent;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
        return (uint64_t)spent.tv_sec * 1000000000ull + (uint64_t)spent.tv_nsec;
    }
    """
    int sendmmsg(int descriptor, mmsghdr* messages, unsigned int count, int flags) noexcept nogil
    int recvmmsg(int descriptor, mmsghdr* messages, unsigned int count, int flags, void* timeout) noexcept nogil
    void halqa_set_segment(msghdr* message, void* control, uint16_t size) noexcept nogil
    ssize_t sendmsg(int descriptor, const msghdr* message, int flags) noexcept nogil
    int halqa_wait_writable(int descriptor, int timeout_ms) noexcept nogil
    uint64_t halqa_thread_cpu_ns() noexcept nogil
    enum: MSG_DONTWAIT
    enum: MSG_TRUNC
    enum: AF_INET
    enum: AF_INET6

cdef enum:
    # longer would hold back every other viewer; what does not fit by then is dropped and counted
    WRITABLE_WAIT_MS = 2
    WRITABLE_TRIES = 4
    CAPTURE_STEP = 1 << 20
    RUN_BYTES_MAX = 65000         # an IP packet's worth, headers apart: a run crosses the stack as one
    SPLIT_MAX = 64                # runs refused by the kernel until GSO is switched off for good


cdef inline uint16_t swap16(uint16_t value) noexcept nogil:
    return <uint16_t>((value >> 8) | (value << 8))


cdef AddressKey address_key(const UdpAddress* address) noexcept nogil:
    """Return family, address and port as three words that are equal exactly when the addresses are."""
    cdef AddressKey key
    cdef const uint8_t* octets
    key.words[0] = 0
    key.words[1] = 0
    key.words[2] = <uint64_t>address.address.generic.sa_family << 32
    if address.address.generic.sa_family == AF_INET6:
        octets = &address.address.v6.sin6_addr.s6_addr[0]
        memcpy(&key.words[0], octets, 8)
        memcpy(&key.words[1], octets + 8, 8)
        key.words[2] |= address.address.v6.sin6_port
    else:
        key.words[0] = address.address.v4.sin_addr.s_addr
        key.words[2] |= address.address.v4.sin_port
    return key


cdef int parse_address(str host, int port, int family, UdpAddress* out) except -1:
    """Fill `out` from text; IPv4 becomes a mapped address on an IPv6 socket. ValueError for what is no address."""
    cdef bytes packed
    if not 0 <= port <= 65535:
        raise ValueError(f"port is {port}, expected 0 to 65535")
    memset(out, 0, sizeof(UdpAddress))
    host = host.partition("%")[0]
    try:
        if family == AF_INET6:
            packed = python_socket.inet_pton(AF_INET6, host if ":" in host else "::ffff:" + host)
        else:
            packed = python_socket.inet_pton(AF_INET, host)
    except OSError:
        raise ValueError(f"{host!r} is no IP address for a socket of family {family}") from None
    if family == AF_INET6:
        out.address.v6.sin6_family = AF_INET6
        out.address.v6.sin6_port = swap16(<uint16_t>port)
        memcpy(&out.address.v6.sin6_addr.s6_addr[0], <const uint8_t*>packed, 16)
        out.length = sizeof(sockaddr_in6)
    else:
        out.address.v4.sin_family = AF_INET
        out.address.v4.sin_port = swap16(<uint16_t>port)
        memcpy(&out.address.v4.sin_addr.s_addr, <const uint8_t*>packed, 4)
        out.length = sizeof(sockaddr_in)
    return 0


cdef tuple format_address(const UdpAddress* address):
    """Return (host, port); mapped IPv4 addresses are shown as IPv4."""
    cdef str host
    if address.length == 0:
        return ("", 0)
    if address.address.generic.sa_family == AF_INET6:
        host = python_socket.inet_ntop(AF_INET6, (<const uint8_t*>&address.address.v6.sin6_addr.s6_addr[0])[:16])
        return (host.removeprefix("::ffff:") if "." in host else host, swap16(address.address.v6.sin6_port))
    host = python_socket.inet_ntop(AF_INET, (<const uint8_t*>&address.address.v4.sin_addr.s_addr)[:4])
    return (host, swap16(address.address.v4.sin_port))


cdef int receive_init(ReceiveBatch* batch) noexcept nogil:
    """Prepare buffers for one recvmmsg; -1 if there is no memory."""
    cdef int i
    memset(batch, 0, sizeof(ReceiveBatch))
    batch.buffers = <uint8_t*>calloc(BATCH_MAX, SLOT_BYTES)
    if batch.buffers == NULL:
        return -1
    for i in range(BATCH_MAX):
        batch.vectors[i].iov_base = batch.buffers + i * SLOT_BYTES
        batch.vectors[i].iov_len = DATAGRAM_MAX
        batch.messages[i].msg_hdr.msg_iov = &batch.vectors[i]
        batch.messages[i].msg_hdr.msg_iovlen = 1
        batch.messages[i].msg_hdr.msg_name = &batch.sources[i].address
    return 0


cdef void receive_free(ReceiveBatch* batch) noexcept nogil:
    free(batch.buffers)
    batch.buffers = NULL


cdef int receive_many(ReceiveBatch* batch, int descriptor) noexcept nogil:
    """Read what waits, at most BATCH_MAX; 0 when nothing does. Truncated datagrams come with msg_len 0."""
    cdef int i, count
    for i in range(BATCH_MAX):
        batch.messages[i].msg_hdr.msg_namelen = sizeof(UdpAddressUnion)
    count = recvmmsg(descriptor, batch.messages, BATCH_MAX, MSG_DONTWAIT, NULL)
    if count <= 0:
        return 0
    for i in range(count):
        batch.sources[i].length = batch.messages[i].msg_hdr.msg_namelen
        if batch.messages[i].msg_hdr.msg_flags & MSG_TRUNC:
            batch.messages[i].msg_len = 0
    return count


cdef int send_init(SendBatch* batch, int descriptor) noexcept nogil:
    """Prepare an empty batch for one socket; -1 if there is no memory."""
    cdef int i
    memset(batch, 0, sizeof(SendBatch))
    batch.descriptor = descriptor
    batch.buffers = <uint8_t*>calloc(BATCH_MAX, SLOT_BYTES)
    if batch.buffers == NULL:
        return -1
    for i in range(BATCH_MAX):
        batch.vectors[i].iov_base = batch.buffers + i * SLOT_BYTES
        batch.messages[i].msg_hdr.msg_name = &batch.destinations[i].address
    return 0


cdef void send_free(SendBatch* batch) noexcept nogil:
    free(batch.buffers)
    free(batch.captured)
    batch.buffers = NULL
    batch.captured = NULL


cdef uint8_t* send_slot(SendBatch* batch) noexcept nogil:
    """Return SLOT_BYTES to build the next datagram in; stays the same until it is committed."""
    return batch.buffers + batch.count * SLOT_BYTES


cdef void send_commit(SendBatch* batch, size_t size, const UdpAddress* destination) noexcept nogil:
    """Take what was built in the slot; a full batch is sent at once."""
    batch.vectors[batch.count].iov_len = size
    if not joins_run(batch, size, destination):
        begin_message(batch, size, destination)
    batch.count += 1
    if batch.count == BATCH_MAX:
        send_flush(batch)


cdef inline bint joins_run(SendBatch* batch, size_t size, const UdpAddress* destination) noexcept nogil:
    """Lengthen the last message by a datagram of its destination and size, or a last shorter one; else 0."""
    cdef int last = batch.message_count - 1
    cdef msghdr* header
    cdef size_t segment
    if not batch.run_open:
        return False
    header = &batch.messages[last].msg_hdr
    segment = header.msg_iov.iov_len
    if (
        size > segment or batch.run_bytes + size > RUN_BYTES_MAX
        or header.msg_namelen != destination.length
        or memcmp(&batch.destinations[last].address, &destination.address, destination.length) != 0
    ):
        return False
    header.msg_iovlen += 1
    batch.run_bytes += <uint32_t>size
    batch.run_open = size == segment
    halqa_set_segment(header, &batch.controls[last], <uint16_t>segment)
    return True


cdef inline void begin_message(SendBatch* batch, size_t size, const UdpAddress* destination) noexcept nogil:
    cdef msghdr* header = &batch.messages[batch.message_count].msg_hdr
    batch.destinations[batch.message_count] = destination[0]
    header.msg_namelen = destination.length
    header.msg_iov = &batch.vectors[batch.count]
    header.msg_iovlen = 1
    header.msg_control = NULL
    header.msg_controllen = 0
    batch.message_count += 1
    batch.run_open = batch.gso
    batch.run_bytes = <uint32_t>size


cdef void send_flush(SendBatch* batch) noexcept nogil:
    """Hand the batch to the kernel: a refused datagram is skipped alone, a full socket buffer is waited for briefly."""
    cdef int done = 0, result, tries = 0
    if batch.descriptor < 0:
        capture(batch)
    while done < batch.message_count:
        result = sendmmsg(batch.descriptor, &batch.messages[done], batch.message_count - done, MSG_DONTWAIT)
        if result > 0:
            account(batch, done, result)
            done += result
        elif errno == EINTR:
            continue
        elif errno == EAGAIN or errno == ENOBUFS:
            tries += 1
            if tries > WRITABLE_TRIES:
                while done < batch.message_count:
                    batch.overflowed += batch.messages[done].msg_hdr.msg_iovlen
                    done += 1
                break
            halqa_wait_writable(batch.descriptor, WRITABLE_WAIT_MS)
        else:
            refuse(batch, done, errno)
            done += 1
    batch.count = 0
    batch.message_count = 0
    batch.run_open = 0


cdef void refuse(SendBatch* batch, int at, int error) noexcept nogil:
    """Count a message that cannot be sent, e.g. EHOSTUNREACH: its destination's own fault; try a run apart."""
    cdef msghdr* header = &batch.messages[at].msg_hdr
    cdef iovec* vectors = header.msg_iov
    cdef size_t i, count = header.msg_iovlen
    if count == 1 or error not in (EINVAL, EIO, EMSGSIZE, EOPNOTSUPP):
        batch.refused += count
        return
    batch.split += 1
    if batch.split >= SPLIT_MAX:
        batch.gso = 0
    header.msg_iovlen = 1
    header.msg_control = NULL
    header.msg_controllen = 0
    for i in range(count):
        header.msg_iov = &vectors[i]
        if sendmsg(batch.descriptor, header, MSG_DONTWAIT) < 0:
            batch.refused += 1
        else:
            batch.sent += 1
            batch.sent_bytes += vectors[i].iov_len


cdef inline void account(SendBatch* batch, int first, int count) noexcept nogil:
    cdef int i
    cdef size_t j
    for i in range(first, first + count):
        batch.sent += batch.messages[i].msg_hdr.msg_iovlen
        batch.runs += batch.messages[i].msg_hdr.msg_iovlen > 1
        for j in range(batch.messages[i].msg_hdr.msg_iovlen):
            batch.sent_bytes += batch.messages[i].msg_hdr.msg_iov[j].iov_len


cdef void capture(SendBatch* batch) noexcept nogil:
    """Append the batch to the captured datagrams: address, size, bytes."""
    cdef int i
    cdef size_t j
    for i in range(batch.message_count):
        for j in range(batch.messages[i].msg_hdr.msg_iovlen):
            capture_one(batch, &batch.messages[i].msg_hdr.msg_iov[j], &batch.destinations[i])
    account(batch, 0, batch.message_count)
    batch.message_count = 0


cdef void capture_one(SendBatch* batch, const iovec* vector, const UdpAddress* destination) noexcept nogil:
    cdef size_t size = vector.iov_len
    cdef size_t needed = batch.captured_size + sizeof(UdpAddress) + sizeof(size_t) + size
    cdef uint8_t* at
    if needed > batch.captured_capacity:
        at = <uint8_t*>realloc(batch.captured, needed + CAPTURE_STEP)
        if at == NULL:
            batch.overflowed += 1
            return
        batch.captured = at
        batch.captured_capacity = needed + CAPTURE_STEP
    at = batch.captured + batch.captured_size
    memcpy(at, destination, sizeof(UdpAddress))
    memcpy(at + sizeof(UdpAddress), &size, sizeof(size_t))
    memcpy(at + sizeof(UdpAddress) + sizeof(size_t), vector.iov_base, size)
    batch.captured_size = needed


cdef class AddressList:
    """Destinations in the kernel's form, for repeated sends."""

    cdef UdpAddress* items
    cdef readonly int count

    def __cinit__(self, addresses, int family=AF_INET):
        cdef int i
        self.count = len(addresses)
        self.items = <UdpAddress*>calloc(max(self.count, 1), sizeof(UdpAddress))
        if self.items == NULL:
            raise MemoryError
        for i in range(self.count):
            parse_address(addresses[i][0], addresses[i][1], family, &self.items[i])

    def __dealloc__(self):
        free(self.items)


def send_plain(int descriptor, AddressList destinations, sizes, bint gso=False) -> tuple[int, int]:
    """Send a zero-filled datagram of each size to every destination by sendmmsg, without the GIL, size by size.

    With `gso`, neighbours of one destination and size leave as one message; what the kernel refuses that way counts as
    nothing sent. Returns (datagrams sent, CPU nanoseconds of this thread): the floor that forwarding is compared with.
    """
    cdef SendBatch batch
    cdef uint64_t before, spent
    cdef int i, j, count = len(sizes)
    cdef uint16_t* wanted
    for size in sizes:
        if not 0 < size <= DATAGRAM_MAX:
            raise ValueError(f"size is {size}, expected 1 to {DATAGRAM_MAX}")
    wanted = <uint16_t*>calloc(max(count, 1), sizeof(uint16_t))
    if wanted == NULL or send_init(&batch, descriptor) < 0:
        free(wanted)
        raise MemoryError
    for i in range(count):
        wanted[i] = sizes[i]
    batch.gso = gso
    with nogil:
        before = halqa_thread_cpu_ns()
        for i in range(count):
            for j in range(destinations.count):
                send_commit(&batch, wanted[i], &destinations.items[j])
            if not gso:
                send_flush(&batch)
        send_flush(&batch)
        spent = halqa_thread_cpu_ns() - before
    sent = 0 if batch.split else batch.sent
    send_free(&batch)
    free(wanted)
    return sent, spent


def round_trip_address(host: str, int port, int family=AF_INET) -> tuple[str, int]:
    """Parse and format an address again (tests); ValueError for what is no address."""
    cdef UdpAddress address
    parse_address(host, port, family, &address)
    return format_address(&address)
