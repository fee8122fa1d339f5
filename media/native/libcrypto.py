"""Where OpenSSL's functions are inside the pylibsrtp wheel, and the keys that RTP is sealed with.

The wheel brings its own OpenSSL, which libsrtp seals with. media/native/sealer.pyx calls the same one without libsrtp
in between, through addresses that the dynamic linker knows by name. C declares no signature there to check, so version
and known answers decide. There is no fallback.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from media.native.libsrtp import Profile, SrtpUnavailable, import_binding

OPENSSL_MAJOR_TESTED: Final = 3
SALT_BYTES_EXTENDED: Final = 14
"""Of the master salt that keys are derived with: GCM's 12 bytes and two zeros (RFC 7714 section 11)."""
LABEL_ENCRYPTION: Final = 0
LABEL_SALT: Final = 2
LABEL_PLACE_BITS: Final = 64
"""The label stands above the 48 bits of an index and the 16 of a block count (RFC 3711 section 4.3.1)."""


class CipherFunctions(NamedTuple):
    """Addresses of OpenSSL's functions by their names."""

    EVP_CIPHER_CTX_new: int
    EVP_CIPHER_CTX_free: int
    EVP_CIPHER_CTX_ctrl: int
    EVP_EncryptInit_ex: int
    EVP_Cipher: int
    EVP_aes_128_gcm: int
    EVP_aes_256_gcm: int


def locate_cipher() -> CipherFunctions:
    """Return the functions of the OpenSSL that pylibsrtp brings; SrtpUnavailable says what was expected and found."""
    return locate_in(ctypes.CDLL(str(import_binding().__file__)))


def locate_in(library: ctypes.CDLL) -> CipherFunctions:
    """Return the functions of this library, if it shows them and is the OpenSSL that was tested."""
    addresses = [_address(library, name) for name in CipherFunctions._fields]
    version = _function(library, "OPENSSL_version_major")()
    if version != OPENSSL_MAJOR_TESTED:
        raise SrtpUnavailable(f"pylibsrtp brings OpenSSL {version}, expected {OPENSSL_MAJOR_TESTED}")
    return CipherFunctions(*addresses)


def _function(library: ctypes.CDLL, name: str) -> Any:
    try:
        return library[name]
    except AttributeError as error:
        raise SrtpUnavailable(f"pylibsrtp shows no function {name} of its OpenSSL: {error}") from error


def _address(library: ctypes.CDLL, name: str) -> int:
    address = ctypes.cast(_function(library, name), ctypes.c_void_p).value
    assert address is not None
    return address


def derive_rtp_keys(profile: Profile, key_and_salt: bytes) -> tuple[bytes, bytes]:
    """Return session key and session salt of RTP (RFC 3711 section 4.3, RFC 7714 section 11)."""
    key, salt = key_and_salt[: profile.key_bytes], key_and_salt[profile.key_bytes :]
    return (
        _derive(key, salt, LABEL_ENCRYPTION, profile.key_bytes),
        _derive(key, salt, LABEL_SALT, profile.salt_bytes),
    )


def _derive(master_key: bytes, master_salt: bytes, label: int, size: int) -> bytes:
    block = int.from_bytes(master_salt.ljust(SALT_BYTES_EXTENDED, b"\0"), "big") << 16
    block ^= label << LABEL_PLACE_BITS
    stream = Cipher(algorithms.AES(master_key), modes.CTR(block.to_bytes(16, "big"))).encryptor()
    return stream.update(bytes(size)) + stream.finalize()
