"""Batched datagrams, and addresses in the kernel's form."""

from collections.abc import Sequence
from typing import Self

from typing_extensions import disjoint_base

@disjoint_base
class AddressList:
    """Destinations in the kernel's form, for repeated sends."""

    def __new__(cls, addresses: Sequence[tuple[str, int]], family: int = 2) -> Self: ...
    @property
    def count(self) -> int: ...

def send_plain(descriptor: int, destinations: AddressList, sizes: Sequence[int], gso: bool = False) -> tuple[int, int]:
    """Return (datagrams sent, CPU nanoseconds of this thread); 0 sent if `gso` was asked for and is refused."""

def round_trip_address(host: str, port: int, family: int = 2) -> tuple[str, int]:
    """Parse and format an address again (tests); ValueError for what is no address."""
