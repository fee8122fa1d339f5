# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True
"""HMAC-SHA1 (RFC 2104, RFC 3174) and CRC-32, for the STUN checks that are answered without Python.

Our own because no library that a wheel brings can be called for them without the interpreter's lock: libsrtp keeps its
hash to itself, and Python's OpenSSL is not always a shared one. Nothing else uses it: keys are made in Python.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from media.native.wire cimport load32, store32

cdef enum:
    BLOCK_BYTES = 64
    LENGTH_BYTES = 8
    INNER_PAD = 0x36
    OUTER_PAD = 0x5C
    CRC_POLYNOMIAL = 0xEDB88320   # ISO 3309, bits turned round

cdef uint32_t[256] crc_table


cdef void fill_crc_table() noexcept nogil:
    cdef uint32_t value
    cdef int i, _
    for i in range(256):
        value = <uint32_t>i
        for _ in range(8):
            value = (value >> 1) ^ (<uint32_t>CRC_POLYNOMIAL if value & 1 else 0)
        crc_table[i] = value


fill_crc_table()


cdef uint32_t crc32(const uint8_t* data, size_t size) noexcept nogil:
    """Return the checksum that zlib calls crc32."""
    cdef uint32_t value = <uint32_t>CRC_FIRST
    cdef size_t i
    for i in range(size):
        value = (value >> 8) ^ crc_table[(value ^ data[i]) & 0xFF]
    return value ^ <uint32_t>CRC_FIRST


cdef inline uint32_t rotate(uint32_t value, int bits) noexcept nogil:
    return (value << bits) | (value >> (32 - bits))


cdef void begin(uint32_t* state) noexcept nogil:
    state[0] = 0x67452301
    state[1] = <uint32_t>0xEFCDAB89
    state[2] = <uint32_t>0x98BADCFE
    state[3] = 0x10325476
    state[4] = <uint32_t>0xC3D2E1F0


cdef void compress(uint32_t* state, const uint8_t* block) noexcept nogil:
    """Take in one block of 64 bytes (RFC 3174 section 6.1)."""
    cdef uint32_t words[80]
    cdef uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4]
    cdef uint32_t mixed
    cdef int i
    for i in range(16):
        words[i] = load32(block + 4 * i)
    for i in range(16, 80):
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1)
    for i in range(80):
        if i < 20:
            mixed = ((b & c) | (~b & d)) + 0x5A827999
        elif i < 40:
            mixed = (b ^ c ^ d) + 0x6ED9EBA1
        elif i < 60:
            mixed = ((b & c) | (b & d) | (c & d)) + <uint32_t>0x8F1BBCDC
        else:
            mixed = (b ^ c ^ d) + <uint32_t>0xCA62C1D6
        mixed = mixed + rotate(a, 5) + e + words[i]
        e = d
        d = c
        c = rotate(b, 30)
        b = a
        a = mixed
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e


cdef void finish(uint32_t* state, const uint8_t* data, size_t size, uint64_t before, uint8_t* digest) noexcept nogil:
    """Take in the rest, of which `before` bytes went in already, with the padding, and write the digest."""
    cdef uint8_t last[2 * BLOCK_BYTES]
    cdef uint64_t bits = (before + size) * 8
    cdef size_t left, padded
    cdef int i
    while size >= BLOCK_BYTES:
        compress(state, data)
        data += BLOCK_BYTES
        size -= BLOCK_BYTES
    left = size
    padded = BLOCK_BYTES if left < BLOCK_BYTES - LENGTH_BYTES else 2 * BLOCK_BYTES
    memset(last, 0, sizeof(last))
    memcpy(last, data, left)
    last[left] = 0x80
    store32(last + padded - LENGTH_BYTES, <uint32_t>(bits >> 32))
    store32(last + padded - 4, <uint32_t>bits)
    compress(state, last)
    if padded > BLOCK_BYTES:
        compress(state, last + BLOCK_BYTES)
    for i in range(5):
        store32(digest + 4 * i, state[i])


cdef void hmac_key(HmacKey* key, const uint8_t* secret, size_t size) noexcept nogil:
    """Prepare a key, so that each digest costs two blocks less."""
    cdef uint8_t block[BLOCK_BYTES]
    cdef uint32_t state[5]
    cdef int i
    memset(block, 0, BLOCK_BYTES)
    if size > BLOCK_BYTES:
        begin(state)
        finish(state, secret, size, 0, block)
    else:
        memcpy(block, secret, size)
    for i in range(BLOCK_BYTES):
        block[i] ^= INNER_PAD
    begin(key.inner)
    compress(key.inner, block)
    for i in range(BLOCK_BYTES):
        block[i] ^= INNER_PAD ^ OUTER_PAD
    begin(key.outer)
    compress(key.outer, block)


cdef void hmac_sha1(const HmacKey* key, const uint8_t* data, size_t size, uint8_t* digest) noexcept nogil:
    """Write the 20 bytes of the digest of `data`."""
    cdef uint8_t inside[DIGEST_BYTES]
    cdef uint32_t state[5]
    memcpy(state, key.inner, sizeof(state))
    finish(state, data, size, BLOCK_BYTES, inside)
    memcpy(state, key.outer, sizeof(state))
    finish(state, inside, DIGEST_BYTES, BLOCK_BYTES, digest)


cdef bint same_digest(const uint8_t* left, const uint8_t* right) noexcept nogil:
    """Compare in a time that does not tell where they differ."""
    cdef uint8_t difference = 0
    cdef int i
    for i in range(DIGEST_BYTES):
        difference |= left[i] ^ right[i]
    return difference == 0


def sign(bytes secret, bytes message) -> bytes:
    """Return the 20 bytes of HMAC-SHA1, for tests."""
    cdef HmacKey key
    cdef uint8_t digest[DIGEST_BYTES]
    hmac_key(&key, secret, len(secret))
    hmac_sha1(&key, message, len(message), digest)
    return (<char*>digest)[:DIGEST_BYTES]


def checksum(bytes message) -> int:
    """Return the CRC-32, for tests."""
    return crc32(message, len(message))
