"""ICE checks of a full, controlling agent (RFC 8445 section 7.2.2), and answers to those of a full server."""

from __future__ import annotations

import hmac
import secrets
import struct
import zlib
from typing import Final

from media.rtp.parameters import Address, IceCredentials
from media.transport.stun import (
    ATTRIBUTE_FINGERPRINT,
    ATTRIBUTE_ICE_CONTROLLING,
    ATTRIBUTE_MESSAGE_INTEGRITY,
    ATTRIBUTE_PRIORITY,
    ATTRIBUTE_USE_CANDIDATE,
    ATTRIBUTE_USERNAME,
    BINDING_REQUEST,
    BINDING_SUCCESS,
    MAGIC_COOKIE,
    MalformedStun,
    build_success,
    parse_stun,
    xor_mapped_address,
)

HOST_PRIORITY: Final = 2_113_937_151
TIE_BREAKER: Final = secrets.token_bytes(8)
_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_INTEGRITY_BYTES: Final = 24
_FINGERPRINT_BYTES: Final = 8
_FINGERPRINT_XOR: Final = 0x5354554E


def build_check(local: IceCredentials, remote: IceCredentials, transaction: bytes) -> bytes:
    """Return a check that nominates; `transaction` has 12 bytes."""
    username = f"{remote.ufrag}:{local.ufrag}".encode()
    body = _attribute(ATTRIBUTE_USERNAME, username)
    body += _attribute(ATTRIBUTE_PRIORITY, HOST_PRIORITY.to_bytes(4))
    body += _attribute(ATTRIBUTE_ICE_CONTROLLING, TIE_BREAKER) + _attribute(ATTRIBUTE_USE_CANDIDATE, b"")
    head = _HEADER.pack(BINDING_REQUEST, len(body) + _INTEGRITY_BYTES, MAGIC_COOKIE, transaction)
    body += _attribute(ATTRIBUTE_MESSAGE_INTEGRITY, hmac.digest(remote.password.encode(), head + body, "sha1"))
    message = _HEADER.pack(BINDING_REQUEST, len(body) + _FINGERPRINT_BYTES, MAGIC_COOKIE, transaction) + body
    checksum = zlib.crc32(message) ^ _FINGERPRINT_XOR
    return message + _attribute(ATTRIBUTE_FINGERPRINT, checksum.to_bytes(4))


def answer_check(request: bytes, source: Address, local: IceCredentials) -> bytes | None:
    """Return the answer to a server's own check, None if it is not one, or not for us."""
    try:
        message = parse_stun(request)
    except MalformedStun:
        return None
    key = local.password.encode()
    if message.message_type != BINDING_REQUEST or message.username is None or not message.has_integrity(key):
        return None
    if message.username.partition(b":")[0] != local.ufrag.encode():
        return None
    return build_success(message.transaction_id, xor_mapped_address(source, message.transaction_id), key)


def succeeded(response: bytes, transactions: set[bytes], remote: IceCredentials) -> bool:
    """Whether this is the authentic, positive answer to a check of ours."""
    try:
        message = parse_stun(response)
    except MalformedStun:
        return False
    if message.message_type != BINDING_SUCCESS or message.transaction_id not in transactions:
        return False
    return message.has_integrity(remote.password.encode())


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)
