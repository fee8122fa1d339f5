# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""Consent (RFC 7675): the checks that a peer repeats from where he is already are answered here, without Python.

A thousand people who only listen ask four hundred times a second whether they may be sent to. Such a check changes
nothing but the time it came at. Whatever may change more goes on to the ICE agent, which decides and counts: another
address, other credentials (a restart), a wrong seal, attributes that we do not know, a peer that wants to be led, more
checks than anybody needs. The agent asks for the times and transaction ids when it needs them.
"""

cimport cython
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from media.native.sha1 cimport DIGEST_BYTES, crc32, hmac_key, hmac_sha1, same_digest
from media.native.udp cimport AF_INET_FAMILY, AddressKey, UdpAddress, address_key, parse_address
from media.native.wire cimport load16, load32, store16, store32

cdef enum:
    HEADER_BYTES = 20         # RFC 8489 section 5
    ATTRIBUTE_HEADER_BYTES = 4
    MAGIC_COOKIE = 0x2112A442
    BINDING_REQUEST = 0x0001
    BINDING_SUCCESS = 0x0101
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    XOR_MAPPED_ADDRESS = 0x0020
    PRIORITY = 0x0024         # RFC 8445 section 16.1
    USE_CANDIDATE = 0x0025
    FINGERPRINT = 0x8028
    CONTROLLED = 0x8029
    COMPREHENSION_OPTIONAL = 0x8000
    FINGERPRINT_XOR = 0x5354554E
    FAMILY_IPV4 = 1
    FAMILY_IPV6 = 2
    CHECK_MAX = 1280          # RFC 8489 section 6.1: the least IPv6 MTU
    WINDOW_US = 1000000
    CHECKS_MAX = 20           # a window: a browser sends one in 2.5 s once it is connected


cdef Consent* consent_new(const uint8_t* username, int username_bytes, const uint8_t* password, size_t password_bytes,
        const UdpAddress* source) noexcept nogil:
    """Make ready to answer checks of these credentials from this address; NULL without memory or for a long name."""
    cdef Consent* consent
    if not 0 < username_bytes <= USERNAME_MAX:
        return NULL
    consent = <Consent*>calloc(1, sizeof(Consent))
    if consent == NULL:
        return NULL
    memcpy(consent.username, username, username_bytes)
    consent.username_bytes = username_bytes
    hmac_key(&consent.key, password, password_bytes)
    consent.source = address_key(source)
    return consent


cdef void consent_free(Consent* consent) noexcept nogil:
    """Forget the key, and give the memory back. NULL is ignored."""
    if consent != NULL:
        memset(consent, 0, sizeof(Consent))
        free(consent)


cdef int find_integrity(const Consent* consent, const uint8_t* check, int size) noexcept nogil:
    """Return where MESSAGE-INTEGRITY begins in a check that is nothing but a repetition, else 0."""
    cdef int position = HEADER_BYTES, value, following, value_bytes, integrity = 0
    cdef uint16_t attribute
    cdef bint named = False
    while position < size:
        attribute = load16(check + position)
        value_bytes = load16(check + position + 2)
        value = position + ATTRIBUTE_HEADER_BYTES
        following = value + ((value_bytes + 3) & ~3)
        if following > size:
            return 0
        if attribute == FINGERPRINT:
            if value_bytes != 4 or following != size:
                return 0
            if load32(check + value) != (crc32(check, position) ^ <uint32_t>FINGERPRINT_XOR):
                return 0
        elif integrity:
            pass  # not authenticated, so not there (RFC 8489 section 14.5)
        elif attribute == MESSAGE_INTEGRITY:
            if value_bytes != DIGEST_BYTES or not named:
                return 0
            integrity = position
        elif attribute == USERNAME:
            if named or value_bytes != consent.username_bytes:
                return 0
            if memcmp(check + value, consent.username, value_bytes) != 0:
                return 0
            named = True
        elif attribute == PRIORITY:
            if value_bytes != 4:
                return 0
        elif attribute == CONTROLLED or (attribute < COMPREHENSION_OPTIONAL and attribute != USE_CANDIDATE):
            return 0
        position = following
    return integrity


cdef bint is_sealed(const Consent* consent, const uint8_t* check, int integrity) noexcept nogil:
    """1 if the check was made with the key: its length field counts as if MESSAGE-INTEGRITY were the last."""
    cdef uint8_t covered[CHECK_MAX]
    cdef uint8_t digest[DIGEST_BYTES]
    memcpy(covered, check, integrity)
    store16(covered + 2, <uint16_t>(integrity + ATTRIBUTE_HEADER_BYTES + DIGEST_BYTES - HEADER_BYTES))
    hmac_sha1(&consent.key, covered, integrity, digest)
    return same_digest(digest, check + integrity + ATTRIBUTE_HEADER_BYTES)


cdef int write_address(const UdpAddress* source, const uint8_t* transaction, uint8_t* out) noexcept nogil:
    """Write XOR-MAPPED-ADDRESS (RFC 8489 section 14.2) and return its bytes; IPv4 in IPv6 is told as IPv4."""
    cdef uint8_t mask[16]
    cdef const uint8_t* packed = <const uint8_t*>&source.address.v4.sin_addr
    cdef uint16_t port
    cdef int i, size = 4
    cdef bint mapped = True
    if source.address.generic.sa_family == AF_INET_FAMILY:
        port = load16(<const uint8_t*>&source.address.v4.sin_port)
    else:
        packed = <const uint8_t*>&source.address.v6.sin6_addr
        port = load16(<const uint8_t*>&source.address.v6.sin6_port)
        for i in range(12):
            mapped = mapped and packed[i] == (0xFF if i >= 10 else 0)
        if mapped:
            packed += 12
        else:
            size = 16
    store32(mask, MAGIC_COOKIE)
    memcpy(mask + 4, transaction, TRANSACTION_BYTES)
    store16(out, XOR_MAPPED_ADDRESS)
    store16(out + 2, <uint16_t>(4 + size))
    out[4] = 0
    out[5] = FAMILY_IPV4 if size == 4 else FAMILY_IPV6
    store16(out + 6, port ^ <uint16_t>(MAGIC_COOKIE >> 16))
    for i in range(size):
        out[8 + i] = packed[i] ^ mask[i]
    return 8 + size


cdef int write_answer(const Consent* consent, const uint8_t* transaction, const UdpAddress* source,
        uint8_t* out) noexcept nogil:
    """Write the success response, sealed, and return its bytes; `out` has room for ANSWER_MAX."""
    cdef int size = HEADER_BYTES
    store16(out, BINDING_SUCCESS)
    store32(out + 4, MAGIC_COOKIE)
    memcpy(out + 8, transaction, TRANSACTION_BYTES)
    size += write_address(source, transaction, out + size)
    store16(out + 2, <uint16_t>(size + ATTRIBUTE_HEADER_BYTES + DIGEST_BYTES - HEADER_BYTES))
    hmac_sha1(&consent.key, out, size, out + size + ATTRIBUTE_HEADER_BYTES)
    store16(out + size, MESSAGE_INTEGRITY)
    store16(out + size + 2, DIGEST_BYTES)
    size += ATTRIBUTE_HEADER_BYTES + DIGEST_BYTES
    store16(out + 2, <uint16_t>(size + ATTRIBUTE_HEADER_BYTES + 4 - HEADER_BYTES))
    store32(out + size + ATTRIBUTE_HEADER_BYTES, crc32(out, size) ^ <uint32_t>FINGERPRINT_XOR)
    store16(out + size, FINGERPRINT)
    store16(out + size + 2, 4)
    return size + ATTRIBUTE_HEADER_BYTES + 4


cdef bint too_many(Consent* consent, uint64_t now_us) noexcept nogil:
    if now_us - consent.window_us >= WINDOW_US:
        consent.window_us = now_us
        consent.window_count = 0
    consent.window_count += 1
    return consent.window_count > CHECKS_MAX


cdef int consent_answer(Consent* consent, const uint8_t* check, int size, const UdpAddress* source,
        uint64_t now_us, uint8_t* answer) noexcept nogil:
    """Return the bytes of the answer (`answer` has room for ANSWER_MAX), 0 if the ICE agent must see this check."""
    cdef AddressKey key = address_key(source)
    cdef int integrity
    if memcmp(&key, &consent.source, sizeof(AddressKey)) != 0 or not HEADER_BYTES <= size <= CHECK_MAX or size & 3:
        return 0
    if load16(check) != BINDING_REQUEST or load16(check + 2) != size - HEADER_BYTES:
        return 0
    if load32(check + 4) != MAGIC_COOKIE:
        return 0
    if too_many(consent, now_us):
        return 0
    integrity = find_integrity(consent, check, size)
    if integrity == 0 or not is_sealed(consent, check, integrity):
        return 0
    memcpy(consent.transactions[consent.answered % TRANSACTIONS_MAX], check + 8, TRANSACTION_BYTES)
    consent.answered += 1
    consent.untold += 1
    consent.heard_us = now_us
    return write_answer(consent, check + 8, source, answer)


cdef bytes consent_told(Consent* consent):
    """Return the transaction ids since the last call, oldest first, at most TRANSACTIONS_MAX."""
    cdef uint64_t count = min(<uint64_t>consent.untold, <uint64_t>TRANSACTIONS_MAX)
    cdef uint64_t i
    cdef list ids = []
    for i in range(consent.answered - count, consent.answered):
        ids.append((<char*>consent.transactions[i % TRANSACTIONS_MAX])[:TRANSACTION_BYTES])
    consent.untold = 0
    return b"".join(ids)


@cython.auto_pickle(False)
cdef class Answerer:
    """The answers to one peer, by hand: for tests."""

    cdef Consent* consent
    cdef int family

    def __cinit__(self, bytes username, bytes password, tuple source, int family=AF_INET_FAMILY):
        cdef UdpAddress address
        parse_address(source[0], source[1], family, &address)
        self.family = family
        self.consent = consent_new(username, len(username), password, len(password), &address)
        if self.consent == NULL:
            raise ValueError(f"{username!r} is {len(username)} bytes, expected 1 to {USERNAME_MAX}")

    def __dealloc__(self):
        consent_free(self.consent)

    def answer(self, bytes check, tuple source, uint64_t now_us=0) -> bytes | None:
        """Return the answer to a check, None if the agent must see it."""
        cdef UdpAddress address
        cdef uint8_t out[ANSWER_MAX]
        cdef int size
        parse_address(source[0], source[1], self.family, &address)
        size = consent_answer(self.consent, check, len(check), &address, now_us, out)
        return (<char*>out)[:size] if size else None

    def heard(self) -> tuple[int, bytes]:
        """Return when the last check came (us, 0 for never) and the transaction ids since the last call."""
        return self.consent.heard_us, consent_told(self.consent)
