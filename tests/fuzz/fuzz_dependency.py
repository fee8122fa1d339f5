"""Dependency descriptors from arbitrary bytes, after a structure of a browser; what is written anew says the same."""

from __future__ import annotations

from contextlib import suppress

from media.native.dependency import DependencyReader, write_active
from media.native.rtp import MalformedPacket

# Structures of L3T3 and L1T3, chains left out; then values that name their templates.
L3T3 = bytes.fromhex(
    "80000080081485214eaaaaabffc63cf0430c10c302aa80abf0063c00430010c002a000a800060000400016d549241b82b04a094106e0ac12"
    "82500809f8059813f80b3827f81678"
)
L1T3 = bytes.fromhex("fd000087a214eaa860414d14101013f00b30")
SEEDS = [
    L3T3,
    L1T3,
    bytes.fromhex("c00001"),
    bytes.fromhex("c1000240fe"),
    bytes.fromhex("c20003302aaa4120"),
    bytes.fromhex("80000180030200"),
]


def target(data: bytes) -> None:
    for structure in (None, L3T3, L1T3):
        reader, again = DependencyReader(), DependencyReader()
        for each in (reader, again):
            if structure is not None:
                with suppress(MalformedPacket):
                    each.read(structure)
        with suppress(MalformedPacket):
            read = reader.read(data)
            assert read.switches & ~read.required == 0
            assert read.required & ~read.present == 0
            count = len(reader.targets())
            assert read.present >> count == 0
            assert all(1 <= each <= 4096 for each in read.references)
            told = write_active(data, count, 1)
            if told is not None:
                assert again.read(told) == read._replace(active=1)
