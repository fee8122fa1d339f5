"""The C face of HMAC-SHA1 and CRC-32, which STUN is sealed with."""

from libc.stdint cimport uint8_t, uint32_t

cdef enum:
    DIGEST_BYTES = 20
    CRC_FIRST = 0xFFFFFFFF

ctypedef struct HmacKey:
    uint32_t inner[5]         # states after the block that the key makes (RFC 2104 section 4)
    uint32_t outer[5]

cdef void hmac_key(HmacKey* key, const uint8_t* secret, size_t size) noexcept nogil
cdef void hmac_sha1(const HmacKey* key, const uint8_t* data, size_t size, uint8_t* digest) noexcept nogil
cdef bint same_digest(const uint8_t* left, const uint8_t* right) noexcept nogil
cdef uint32_t crc32(const uint8_t* data, size_t size) noexcept nogil
