"""Readers of bytes and bits that raise where the data ends: what the payload oracles stand on."""

from __future__ import annotations

from media.native.payload import Facts

NOTHING = Facts(
    key_frame=False,
    frame_start=False,
    temporal_id=None,
    spatial_id=None,
    layer_sync=False,
    picture_id=None,
    picture_id_bits=0,
    picture_id_offset=0,
    tl0=None,
    tl0_offset=0,
    width=0,
    height=0,
)


class TruncatedError(Exception):
    """The data ends before the value."""


class ForbiddenValueError(Exception):
    """The format forbids the value."""


class ByteReader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.position : self.position + count]
        if len(taken) < count:
            raise TruncatedError
        self.position += count
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    @property
    def rest(self) -> bytes:
        return self.data[self.position :]


class BitReader:
    """A string of 0 and 1, read from the left."""

    def __init__(self, data: bytes) -> None:
        self.digits = "".join(f"{byte:08b}" for byte in data)

    def bits(self, count: int) -> int:
        taken, self.digits = self.digits[:count], self.digits[count:]
        if len(taken) < count:
            self.digits = ""
            raise TruncatedError
        return int(taken or "0", 2)

    def unsigned(self) -> int:
        """ue(v) of H.264, uvlc() of AV1; 32 leading zeros or more are refused."""
        zeros = len(self.digits) - len(self.digits.lstrip("0"))
        if zeros >= 32:
            raise TruncatedError
        self.bits(zeros + 1)
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)
