from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "<sys/socket.h>" nogil:
    ctypedef unsigned int socklen_t
    cdef struct sockaddr:
        unsigned short sa_family
    cdef struct iovec:
        void* iov_base
        size_t iov_len
    cdef struct msghdr:
        void* msg_name
        socklen_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags
    cdef struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len

cdef extern from "<netinet/in.h>" nogil:
    cdef struct in_addr:
        uint32_t s_addr
    cdef struct in6_addr:
        uint8_t s6_addr[16]
    cdef struct sockaddr_in:
        unsigned short sin_family
        uint16_t sin_port
        in_addr sin_addr
    cdef struct sockaddr_in6:
        unsigned short sin6_family
        uint16_t sin6_port
        uint32_t sin6_flowinfo
        in6_addr sin6_addr
        uint32_t sin6_scope_id

cdef enum:
    # bytes: an Ethernet frame's worth; larger datagrams are truncated by the kernel and dropped
    DATAGRAM_MAX = 1536
    SLOT_BYTES = 1664         # DATAGRAM_MAX + SRTP trailer + room for a longer header
    BATCH_MAX = 64            # datagrams per system call; 8..256 cost the same

cdef union UdpAddressUnion:
    sockaddr_in v4
    sockaddr_in6 v6
    sockaddr generic

ctypedef struct UdpAddress:
    UdpAddressUnion address
    socklen_t length

ctypedef struct AddressKey:
    uint64_t words[3]

ctypedef struct ReceiveBatch:
    mmsghdr messages[BATCH_MAX]
    iovec vectors[BATCH_MAX]
    UdpAddress sources[BATCH_MAX]
    uint8_t* buffers

cdef union SegmentSize:       # room for one control message with a 16-bit size
    uint8_t octets[32]
    uint64_t alignment

ctypedef struct SendBatch:
    int descriptor            # -1: nothing is sent, datagrams are captured (tests, simulation)
    int gso                   # equal sizes to one destination leave as one message (UDP_SEGMENT)
    int count                 # datagrams
    int message_count         # of one or more datagrams each
    uint8_t run_open          # the last message takes more of its size
    uint32_t run_bytes
    mmsghdr messages[BATCH_MAX]
    SegmentSize controls[BATCH_MAX]
    iovec vectors[BATCH_MAX]  # one a datagram; those of one message stand side by side
    UdpAddress destinations[BATCH_MAX] # one a message
    uint8_t* buffers
    uint64_t sent
    uint64_t sent_bytes
    uint64_t refused          # datagrams that the kernel refused for their own destination
    uint64_t overflowed       # datagrams dropped because the socket buffer stayed full
    uint64_t runs             # messages of more than one datagram
    uint64_t split            # runs that the kernel refused, sent one by one after all
    uint8_t* captured         # length-prefixed datagrams when descriptor is -1
    size_t captured_size
    size_t captured_capacity

cdef enum:
    AF_INET_FAMILY = 2        # Linux

cdef AddressKey address_key(const UdpAddress* address) noexcept nogil
cdef int parse_address(str host, int port, int family, UdpAddress* out) except -1
cdef tuple format_address(const UdpAddress* address)
cdef int receive_init(ReceiveBatch* batch) noexcept nogil
cdef void receive_free(ReceiveBatch* batch) noexcept nogil
cdef int receive_many(ReceiveBatch* batch, int descriptor) noexcept nogil
cdef int send_init(SendBatch* batch, int descriptor) noexcept nogil
cdef void send_free(SendBatch* batch) noexcept nogil
cdef uint8_t* send_slot(SendBatch* batch) noexcept nogil
cdef void send_commit(SendBatch* batch, size_t size, const UdpAddress* destination) noexcept nogil
cdef void send_flush(SendBatch* batch) noexcept nogil
