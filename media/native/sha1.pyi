"""HMAC-SHA1 and CRC-32, for the STUN checks that are answered without Python."""

def sign(secret: bytes, message: bytes) -> bytes:
    """Return the 20 bytes of HMAC-SHA1, for tests."""

def checksum(message: bytes) -> int:
    """Return the CRC-32, for tests."""
