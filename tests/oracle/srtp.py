"""Twin of SRTP and SRTCP (RFC 3711, RFC 7714) from primitives alone: key derivation, ciphers, packet index, replay."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

REPLAY_WINDOW = 1024  # packets
RTP_LABELS = (0, 1, 2)  # RFC 3711 4.3.2: encryption, authentication, salt
RTCP_LABELS = (3, 4, 5)
ENCRYPTED = 1 << 31  # the E bit beside the SRTCP index


class AuthenticationError(Exception):
    """The tag is not that of the packet."""


class ReplayError(Exception):
    """The packet index came before, or is too old to know."""


def keystream(key: bytes, initial: int, size: int) -> bytes:
    """Return `size` bytes of AES in counter mode from the 128-bit counter block `initial` (RFC 3711 4.1.1)."""
    encryptor = Cipher(algorithms.AES(key), modes.CTR(initial.to_bytes(16, "big"))).encryptor()
    return encryptor.update(bytes(size)) + encryptor.finalize()


def derive(master_key: bytes, master_salt: bytes, label: int, size: int) -> bytes:
    """Return a key (RFC 3711 4.3.3, key derivation rate 0); a salt of 96 bits is extended by zeros (RFC 7714 11)."""
    salt = int.from_bytes(master_salt.ljust(14, b"\0"), "big")
    return keystream(master_key, (salt ^ label << 48) << 16, size)


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def gcm_iv(salt: bytes, ssrc: bytes, index: int) -> bytes:
    """Return the 12-byte IV of a 48-bit packet index (RFC 7714 8.1, 9.1)."""
    return xor(bytes(2) + ssrc + index.to_bytes(6, "big"), salt)


@dataclass(frozen=True)
class GcmKeys:
    """AEAD with session key and salt."""

    key: bytes
    salt: bytes

    def seal(self, header: bytes, plain: bytes, ssrc: bytes, index: int) -> bytes:
        return header + AESGCM(self.key).encrypt(gcm_iv(self.salt, ssrc, index), plain, header)

    def open(self, header: bytes, sealed: bytes, ssrc: bytes, index: int) -> bytes:
        try:
            return header + AESGCM(self.key).decrypt(gcm_iv(self.salt, ssrc, index), sealed, header)
        except InvalidTag:
            raise AuthenticationError from None

    def seal_rtcp(self, packet: bytes, index: int) -> bytes:
        word = (ENCRYPTED | index).to_bytes(4, "big")
        header = packet[:8]
        sealed = AESGCM(self.key).encrypt(gcm_iv(self.salt, packet[4:8], index), packet[8:], header + word)
        return header + sealed + word

    def open_rtcp(self, packet: bytes, index: int) -> bytes:
        iv = gcm_iv(self.salt, packet[4:8], index)
        try:
            return packet[:8] + AESGCM(self.key).decrypt(iv, packet[8:-4], packet[:8] + packet[-4:])
        except InvalidTag:
            raise AuthenticationError from None


@dataclass(frozen=True)
class CounterKeys:
    """AES in counter mode with HMAC-SHA1, 80 bits of tag."""

    key: bytes
    salt: bytes
    authentication_key: bytes

    def tag(self, content: bytes) -> bytes:
        return hmac.new(self.authentication_key, content, hashlib.sha1).digest()[:10]

    def crypt(self, content: bytes, ssrc: bytes, index: int) -> bytes:
        salt = int.from_bytes(self.salt, "big")
        initial = salt << 16 ^ int.from_bytes(ssrc, "big") << 64 ^ index << 16
        return xor(content, keystream(self.key, initial, len(content)))

    def seal(self, header: bytes, plain: bytes, ssrc: bytes, index: int) -> bytes:
        sealed = header + self.crypt(plain, ssrc, index)
        return sealed + self.tag(sealed + (index >> 16).to_bytes(4, "big"))

    def open(self, header: bytes, sealed: bytes, ssrc: bytes, index: int) -> bytes:
        body, tag = sealed[:-10], sealed[-10:]
        if tag != self.tag(header + body + (index >> 16).to_bytes(4, "big")):
            raise AuthenticationError
        return header + self.crypt(body, ssrc, index)

    def seal_rtcp(self, packet: bytes, index: int) -> bytes:
        sealed = packet[:8] + self.crypt(packet[8:], packet[4:8], index) + (ENCRYPTED | index).to_bytes(4, "big")
        return sealed + self.tag(sealed)

    def open_rtcp(self, packet: bytes, index: int) -> bytes:
        if packet[-10:] != self.tag(packet[:-10]):
            raise AuthenticationError
        return packet[:8] + self.crypt(packet[8:-14], packet[4:8], index)


Keys = GcmKeys | CounterKeys


def session_keys(master_key: bytes, master_salt: bytes, labels: tuple[int, int, int]) -> Keys:
    """Return the keys of RTP or RTCP; a salt of 12 bytes says GCM, one of 14 bytes counter mode."""
    key = derive(master_key, master_salt, labels[0], len(master_key))
    salt = derive(master_key, master_salt, labels[2], len(master_salt))
    if len(master_salt) == 12:
        return GcmKeys(key, salt)
    return CounterKeys(key, salt, derive(master_key, master_salt, labels[1], 20))


def header_size(packet: bytes) -> int:
    """Return what stays in clear: fixed header, CSRCs, header extension."""
    size = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        size += 4 + 4 * int.from_bytes(packet[size + 2 : size + 4], "big")
    return size


@dataclass
class ReplayList:
    """Which packet indexes of one stream came (RFC 3711 3.3.2)."""

    highest: int = -1
    seen: set[int] = field(default_factory=set)

    def check(self, index: int) -> None:
        if index in self.seen or index <= self.highest - REPLAY_WINDOW:
            raise ReplayError

    def add(self, index: int) -> None:
        self.seen.add(index)
        self.highest = max(self.highest, index)


def estimate_index(highest: int, sequence_number: int) -> int:
    """Return the packet index nearest to `highest` that ends in this number (RFC 3711 3.3.1); first packets: ROC 0."""
    if highest < 0:
        return sequence_number
    rollover, last = highest >> 16, highest & 0xFFFF
    if last < 32768:
        if sequence_number - last > 32768 and rollover > 0:
            rollover -= 1
    elif last - 32768 > sequence_number:
        rollover += 1
    return rollover << 16 | sequence_number


class SrtpTwin:
    """One direction of SRTP and SRTCP for any number of streams."""

    def __init__(self, key_and_salt: bytes, salt_size: int) -> None:
        key, salt = key_and_salt[:-salt_size], key_and_salt[-salt_size:]
        self.rtp = session_keys(key, salt, RTP_LABELS)
        self.rtcp = session_keys(key, salt, RTCP_LABELS)
        self.rtcp_trailer = 4 if salt_size == 12 else 14
        self.streams: dict[bytes, ReplayList] = {}
        self.rtcp_streams: dict[bytes, ReplayList] = {}

    def protect(self, packet: bytes) -> bytes:
        """Seal; the same packet may be sealed again, but as libsrtp has it not below the window of what was sealed."""
        ssrc, size = packet[8:12], header_size(packet)
        stream = self.streams.setdefault(ssrc, ReplayList())
        index = estimate_index(stream.highest, int.from_bytes(packet[2:4], "big"))
        if index <= stream.highest - REPLAY_WINDOW:
            raise ReplayError
        stream.add(index)
        return self.rtp.seal(packet[:size], packet[size:], ssrc, index)

    def unprotect(self, packet: bytes) -> bytes:
        ssrc, size = packet[8:12], header_size(packet)
        stream = self.streams.get(ssrc, ReplayList())
        index = estimate_index(stream.highest, int.from_bytes(packet[2:4], "big"))
        stream.check(index)
        plain = self.rtp.open(packet[:size], packet[size:], ssrc, index)
        stream.add(index)
        self.streams[ssrc] = stream
        return plain

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Seal with the next index; the first is 1 as in libsrtp (RFC 3711 3.4 begins at 0; receivers take either)."""
        stream = self.rtcp_streams.setdefault(packet[4:8], ReplayList(highest=0))
        stream.highest += 1
        return self.rtcp.seal_rtcp(packet, stream.highest)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        position = len(packet) - self.rtcp_trailer
        index = int.from_bytes(packet[position : position + 4], "big") & ~ENCRYPTED
        stream = self.rtcp_streams.get(packet[4:8], ReplayList())
        stream.check(index)
        plain = self.rtcp.open_rtcp(packet, index)
        stream.add(index)
        self.rtcp_streams[packet[4:8]] = stream
        return plain
