# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Batched datagrams: recvmmsg and sendmmsg over preallocated buffers, and addresses in the kernel's form."""

import socket as python_socket

from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #define _GNU_SOURCE
    #include <sys/socket.h>
    #include <poll.h>
    #include <time.h>
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
        batch.messages[i].msg_hdr.msg_iov = &batch.vectors[i]
        batch.messages[i].msg_hdr.msg_iovlen = 1
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
    cdef int i = batch.count
    batch.vectors[i].iov_len = size
    batch.destinations[i] = destination[0]
    batch.messages[i].msg_hdr.msg_namelen = destination.length
    batch.count = i + 1
    if batch.count == BATCH_MAX:
        send_flush(batch)


cdef void send_flush(SendBatch* batch) noexcept nogil:
    """Hand the batch to the kernel: a refused datagram is skipped alone, a full socket buffer is waited for briefly."""
    cdef int done = 0, result, tries = 0
    if batch.descriptor < 0:
        capture(batch)
        return
    while done < batch.count:
        result = sendmmsg(batch.descriptor, &batch.messages[done], batch.count - done, MSG_DONTWAIT)
        if result > 0:
            account(batch, done, result)
            done += result
        elif errno == EINTR:
            continue
        elif errno == EAGAIN or errno == ENOBUFS:
            tries += 1
            if tries > WRITABLE_TRIES:
                batch.overflowed += batch.count - done
                break
            halqa_wait_writable(batch.descriptor, WRITABLE_WAIT_MS)
        else:
            batch.refused += 1  # e.g. ECONNREFUSED, EHOSTUNREACH: this destination's own fault
            done += 1
    batch.count = 0


cdef inline void account(SendBatch* batch, int first, int count) noexcept nogil:
    cdef int i
    batch.sent += count
    for i in range(first, first + count):
        batch.sent_bytes += batch.vectors[i].iov_len


cdef void capture(SendBatch* batch) noexcept nogil:
    """Append the batch to the captured datagrams: address, size, bytes."""
    cdef int i
    cdef size_t needed, size
    cdef uint8_t* grown
    for i in range(batch.count):
        size = batch.vectors[i].iov_len
        needed = batch.captured_size + sizeof(UdpAddress) + sizeof(size_t) + size
        if needed > batch.captured_capacity:
            grown = <uint8_t*>realloc(batch.captured, needed + CAPTURE_STEP)
            if grown == NULL:
                batch.overflowed += 1
                continue
            batch.captured = grown
            batch.captured_capacity = needed + CAPTURE_STEP
        grown = batch.captured + batch.captured_size
        memcpy(grown, &batch.destinations[i], sizeof(UdpAddress))
        memcpy(grown + sizeof(UdpAddress), &size, sizeof(size_t))
        memcpy(grown + sizeof(UdpAddress) + sizeof(size_t), batch.vectors[i].iov_base, size)
        batch.captured_size = needed
    account(batch, 0, batch.count)
    batch.count = 0


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


def send_plain(int descriptor, AddressList destinations, int size, int rounds) -> tuple[int, int]:
    """Send `rounds` zero-filled datagrams of `size` bytes to every destination by sendmmsg, without the GIL.

    Returns (datagrams sent, CPU nanoseconds of this thread): the floor that forwarding is compared with.
    """
    cdef SendBatch batch
    cdef uint64_t before, spent
    cdef int i, j
    if not 0 < size <= DATAGRAM_MAX:
        raise ValueError(f"size is {size}, expected 1 to {DATAGRAM_MAX}")
    if send_init(&batch, descriptor) < 0:
        raise MemoryError
    with nogil:
        before = halqa_thread_cpu_ns()
        for i in range(rounds):
            for j in range(destinations.count):
                send_commit(&batch, size, &destinations.items[j])
            send_flush(&batch)
        spent = halqa_thread_cpu_ns() - before
    sent = batch.sent
    send_free(&batch)
    return sent, spent


def round_trip_address(host: str, int port, int family=AF_INET) -> tuple[str, int]:
    """Parse and format an address again (tests); ValueError for what is no address."""
    cdef UdpAddress address
    parse_address(host, port, family, &address)
    return format_address(&address)
