"""STUN binding messages (RFC 8489) with ICE's attributes (RFC 8445 section 16.1): parsed, checked, answered.

Our own rather than a library's because an agent must see what it does not know (error 420), must refuse cut-off
attributes, and because a server answers hundreds of checks a second.
"""

from __future__ import annotations

import functools
import hmac
import ipaddress
import struct
import zlib
from dataclasses import dataclass

from media.errors import RemoteError
from media.rtp.parameters import Address

MAGIC_COOKIE = 0x2112A442
HEADER_BYTES = 20

BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

ATTRIBUTE_USERNAME = 0x0006
ATTRIBUTE_MESSAGE_INTEGRITY = 0x0008
ATTRIBUTE_ERROR_CODE = 0x0009
ATTRIBUTE_UNKNOWN_ATTRIBUTES = 0x000A
ATTRIBUTE_XOR_MAPPED_ADDRESS = 0x0020
ATTRIBUTE_PRIORITY = 0x0024
ATTRIBUTE_USE_CANDIDATE = 0x0025
ATTRIBUTE_FINGERPRINT = 0x8028
ATTRIBUTE_ICE_CONTROLLED = 0x8029
ATTRIBUTE_ICE_CONTROLLING = 0x802A

USERNAME_BYTES_MAX = 513  # RFC 5389 section 15.3, the looser of the two limits (RFC 8489 says 509)
UNKNOWN_ATTRIBUTES_MAX = 16  # told back in an error 420; more are not worth a longer answer

_COMPREHENSION_OPTIONAL = 0x8000
_UNDERSTOOD = frozenset(
    {
        0x0001,  # MAPPED-ADDRESS
        ATTRIBUTE_USERNAME,
        ATTRIBUTE_MESSAGE_INTEGRITY,
        ATTRIBUTE_ERROR_CODE,
        ATTRIBUTE_UNKNOWN_ATTRIBUTES,
        0x0014,  # REALM
        0x0015,  # NONCE
        ATTRIBUTE_XOR_MAPPED_ADDRESS,
        ATTRIBUTE_PRIORITY,
        ATTRIBUTE_USE_CANDIDATE,
    }
)
_INTEGRITY_BYTES = 20  # HMAC-SHA1
_INTEGRITY_ATTRIBUTE_BYTES = 24
_FINGERPRINT_ATTRIBUTE_BYTES = 8
_FINGERPRINT_XOR = 0x5354554E
_FAMILY_IPV4, _FAMILY_IPV6 = 1, 2

_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_UNSIGNED = struct.Struct("!I")


class MalformedStun(RemoteError):
    """Bytes that are no well-formed STUN message."""


@dataclass(frozen=True, slots=True)
class StunMessage:
    """What an ICE-lite agent needs of one message. Attributes behind MESSAGE-INTEGRITY are not in it."""

    message_type: int
    """Method and class together, e.g. BINDING_REQUEST."""
    transaction_id: bytes
    username: bytes | None
    priority: int | None
    use_candidate: bool
    controlling: bool
    controlled: bool
    unknown_required: tuple[int, ...]
    """Comprehension-required attributes that we do not know, at most UNKNOWN_ATTRIBUTES_MAX."""
    integrity: bytes | None
    """The 20 bytes of MESSAGE-INTEGRITY."""
    integrity_input: bytes
    """What the HMAC covers, with the length field as RFC 8489 section 14.5 wants it; empty without integrity."""

    def has_integrity(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY is there and made with `key` (the password in UTF-8); constant time."""
        if self.integrity is None:
            return False
        return hmac.compare_digest(self.integrity, hmac.digest(key, self.integrity_input, "sha1"))


def parse_stun(data: bytes) -> StunMessage:
    """Parse one STUN datagram (RFC 8489 section 5); a FINGERPRINT, if present, must be last and right.

    Raises MalformedStun, and nothing else. Of attributes given twice the first counts (section 14).
    """
    size = len(data)
    if size < HEADER_BYTES:
        raise MalformedStun(f"STUN message is {size} bytes, expected at least {HEADER_BYTES}")
    message_type, length, cookie, transaction_id = _HEADER.unpack_from(data)
    if cookie != MAGIC_COOKIE or message_type & 0xC000:
        raise MalformedStun("STUN header has no magic cookie")
    if length != size - HEADER_BYTES or length & 3:
        raise MalformedStun(f"STUN length field is {length}, {size - HEADER_BYTES} bytes follow the header")

    first: dict[int, bytes] = {}
    unknown: list[int] = []
    integrity_offset = 0
    position = HEADER_BYTES
    while position < size:
        attribute, value_size = _ATTRIBUTE.unpack_from(data, position)
        value_start = position + 4
        following = value_start + ((value_size + 3) & ~3)
        if following > size:
            raise MalformedStun(f"STUN attribute 0x{attribute:04x} of {value_size} bytes runs past the end")
        if attribute == ATTRIBUTE_FINGERPRINT:
            _check_fingerprint(data, position, value_size)
        elif integrity_offset:
            pass  # not authenticated, so not there (RFC 8489 section 14.5)
        elif attribute == ATTRIBUTE_MESSAGE_INTEGRITY:
            if value_size != _INTEGRITY_BYTES:
                raise MalformedStun(f"MESSAGE-INTEGRITY is {value_size} bytes, expected {_INTEGRITY_BYTES}")
            integrity_offset = position
        elif attribute < _COMPREHENSION_OPTIONAL and attribute not in _UNDERSTOOD:
            if len(unknown) < UNKNOWN_ATTRIBUTES_MAX:
                unknown.append(attribute)
        elif attribute not in first:
            first[attribute] = data[value_start : value_start + value_size]
        position = following
    return _message(data, message_type, transaction_id, first, tuple(unknown), integrity_offset)


def build_success(transaction_id: bytes, mapped: bytes, key: bytes) -> bytes:
    """Build the success response to a check: where we saw it come from, integrity and fingerprint.

    `mapped` is made by `xor_mapped_address` with the same transaction id.
    """
    body = _ATTRIBUTE.pack(ATTRIBUTE_XOR_MAPPED_ADDRESS, len(mapped)) + mapped
    return _seal(BINDING_SUCCESS, transaction_id, body, key)


def build_error(transaction_id: bytes, code: int, key: bytes | None, unknown: tuple[int, ...] = ()) -> bytes:
    """Build an error response (RFC 8489 section 14.8); with integrity only if the request was authenticated.

    The reason phrase stays empty: an answer to a stranger must not be longer than his question.
    """
    body = _ATTRIBUTE.pack(ATTRIBUTE_ERROR_CODE, 4) + struct.pack("!HBB", 0, code // 100, code % 100)
    if unknown:
        value = struct.pack(f"!{len(unknown)}H", *unknown)
        body += _ATTRIBUTE.pack(ATTRIBUTE_UNKNOWN_ATTRIBUTES, len(value)) + value + bytes(-len(value) % 4)
    return _seal(BINDING_ERROR, transaction_id, body, key)


def xor_mapped_address(address: Address, transaction_id: bytes) -> bytes:
    """Return the value of XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).

    An IPv4 address written as IPv6, as a dual-stack socket gives it, is told as the IPv4 address that it is.
    """
    packed = _pack(address[0])
    port = address[1] ^ (MAGIC_COOKIE >> 16)
    mask = MAGIC_COOKIE.to_bytes(4, "big") + transaction_id
    masked = int.from_bytes(packed, "big") ^ int.from_bytes(mask[: len(packed)], "big")
    family = _FAMILY_IPV4 if len(packed) == 4 else _FAMILY_IPV6
    return struct.pack("!BBH", 0, family, port) + masked.to_bytes(len(packed), "big")


@functools.lru_cache(maxsize=4096)
def _pack(host: str) -> bytes:
    """Return the bytes of an IP address; peers ask for the same again every few seconds."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.packed


def _message(
    data: bytes,
    message_type: int,
    transaction_id: bytes,
    first: dict[int, bytes],
    unknown: tuple[int, ...],
    offset: int,
) -> StunMessage:
    username = first.get(ATTRIBUTE_USERNAME)
    if username is not None and len(username) > USERNAME_BYTES_MAX:
        raise MalformedStun(f"USERNAME is {len(username)} bytes, expected at most {USERNAME_BYTES_MAX}")
    priority = first.get(ATTRIBUTE_PRIORITY)
    if priority is not None and len(priority) != 4:
        raise MalformedStun(f"PRIORITY is {len(priority)} bytes, expected 4")
    integrity: bytes | None = None
    integrity_input = b""
    if offset:
        integrity = data[offset + 4 : offset + _INTEGRITY_ATTRIBUTE_BYTES]
        covered = offset - HEADER_BYTES + _INTEGRITY_ATTRIBUTE_BYTES
        integrity_input = data[:2] + covered.to_bytes(2, "big") + data[4:offset]
    return StunMessage(
        message_type=message_type,
        transaction_id=transaction_id,
        username=username,
        priority=None if priority is None else int.from_bytes(priority, "big"),
        use_candidate=ATTRIBUTE_USE_CANDIDATE in first,
        controlling=ATTRIBUTE_ICE_CONTROLLING in first,
        controlled=ATTRIBUTE_ICE_CONTROLLED in first,
        unknown_required=unknown,
        integrity=integrity,
        integrity_input=integrity_input,
    )


def _check_fingerprint(data: bytes, offset: int, value_size: int) -> None:
    if value_size != 4 or offset + _FINGERPRINT_ATTRIBUTE_BYTES != len(data):
        raise MalformedStun("FINGERPRINT is not the last attribute")
    if _UNSIGNED.unpack_from(data, offset + 4)[0] != zlib.crc32(data[:offset]) ^ _FINGERPRINT_XOR:
        raise MalformedStun("FINGERPRINT does not match")


def _seal(message_type: int, transaction_id: bytes, body: bytes, key: bytes | None) -> bytes:
    """Put header, MESSAGE-INTEGRITY (if there is a key) and FINGERPRINT around the attributes."""
    if key is not None:
        length = len(body) + _INTEGRITY_ATTRIBUTE_BYTES
        covered = _HEADER.pack(message_type, length, MAGIC_COOKIE, transaction_id) + body
        body += _ATTRIBUTE.pack(ATTRIBUTE_MESSAGE_INTEGRITY, _INTEGRITY_BYTES) + hmac.digest(key, covered, "sha1")
    length = len(body) + _FINGERPRINT_ATTRIBUTE_BYTES
    message = _HEADER.pack(message_type, length, MAGIC_COOKIE, transaction_id) + body
    checksum = zlib.crc32(message) ^ _FINGERPRINT_XOR
    return message + _ATTRIBUTE.pack(ATTRIBUTE_FINGERPRINT, 4) + _UNSIGNED.pack(checksum)
