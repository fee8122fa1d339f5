"""What a consumer sends of what comes: continuous numbers over switches, pauses, loss and dropped layers."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.native.forward import Forwarder
from tests.oracle import forward as oracle
from tests.oracle.agreement import outcome
from tests.oracle.forward import Packet

FIRSTS = [0, 1, 127, 32767, 32768, 65534, 65535]
BASE = 65536

packets = st.tuples(
    st.just("packet"),
    st.sampled_from([0, 0, 0, 1]),  # source
    st.sampled_from([1, 1, 1, 2, 4]),  # distance from the last number
    st.sampled_from([False, False, False, True]),  # key frame
    st.sampled_from([0, 0, 1, 2, 255]),  # temporal layer
    st.booleans(),  # layer sync
    st.sampled_from([1, 1, 1, 0]),  # payload
    st.sampled_from([0, 3000]),  # timestamp step
)
steps = st.one_of(
    packets,
    packets,
    packets,
    st.tuples(st.just("late"), st.integers(0, 1), st.integers(1, 12)),
    st.tuples(st.just("target"), st.integers(0, 1)),
    st.tuples(st.just("temporal"), st.sampled_from([0, 1, 2, 255])),
    st.tuples(st.sampled_from(["skip", "forget"]), st.integers(0, 1)),
    st.tuples(st.sampled_from(["resync", "detach", "pad", "pad"])),
    st.tuples(st.just("wait"), st.integers(0, 2_000_000)),
    st.tuples(st.just("hasten"), st.integers(-9_000, 270_000)),
)
OPENING: list[tuple[object, ...]] = [("target", 0), ("temporal", 1), ("packet", 0, 1, True, 0, False, 1, 3000)]


def decide(native: Forwarder, packet: Packet, now_us: int, *, is_new: bool, alignment: int | None = None) -> object:
    return native.decide(
        packet.source,
        packet.extended,
        packet.timestamp,
        key_frame=packet.key_frame,
        temporal_id=packet.temporal_id,
        layer_sync=packet.layer_sync,
        picture_id=packet.picture_id,
        tl0=packet.tl0,
        payload_length=packet.payload_length,
        frame_number=packet.frame_number,
        is_new=is_new,
        alignment=alignment,
        now_us=now_us,
    )


@given(st.lists(steps, min_size=10, max_size=60), st.sampled_from(FIRSTS), st.none() | st.integers(0, 2**32 - 1))
def test_equals_its_twin(script: list[tuple[object, ...]], first: int, alignment: int | None) -> None:
    native, twin = Forwarder(True, first), oracle.Forwarder(first)
    newest = [Packet(0, BASE, 90_000, picture_id=32760, tl0=250), Packet(1, BASE * 2 - 3, 2**32 - 4000, picture_id=9)]
    now_us = 1_000_000
    for step in [*OPENING, *script]:
        match step:
            case ("packet", int(source), int(distance), bool(key), int(layer), bool(sync), int(size), int(later)):
                last = newest[source]
                packet = newest[source] = replace(
                    last,
                    extended=last.extended + distance,
                    timestamp=(last.timestamp + later) & 0xFFFFFFFF,
                    key_frame=key,
                    temporal_id=layer,
                    layer_sync=sync,
                    payload_length=size,
                    picture_id=(last.picture_id + (later > 0)) & 0x7FFF,
                    tl0=(last.tl0 + (layer == 0 and later > 0)) & 0xFF,
                    frame_number=last.extended & 0xFFFF if source else -1,
                )
                now_us += 5000
                expected = twin.new(packet, now_us, alignment)
                assert decide(native, packet, now_us, is_new=True, alignment=alignment) == expected
            case ("late", int(source), int(back)):
                packet = replace(newest[source], extended=newest[source].extended - back, payload_length=1)
                assert decide(native, packet, now_us, is_new=False) == twin.late(packet)
            case ("target", int(source)):
                native.set_target(source)
                twin.target = source
            case ("temporal", int(layer)):
                native.set_temporal(layer)
                twin.wanted_layer = layer
            case ("resync",):
                native.resync()
                twin.interrupted = True
            case ("skip", int(source)):
                last = newest[source]
                newest[source] = replace(last, extended=last.extended + 1)
                native.skip(source, last.extended + 1)
                twin.skip(source, last.extended + 1)
            case ("forget", int(source)):
                newest[source] = replace(newest[source], extended=BASE + 5)
                native.forget(source)
                twin.forget(source)
            case ("pad",):
                assert outcome(native.pad) == outcome(twin.pad)
            case ("detach",):
                native.detach()
                twin.detach()
            case ("hasten", int(behind)):
                twin.live = (newest[twin.target].timestamp + behind) & 0xFFFFFFFF
                native.hasten(twin.live)
            case ("wait", int(pause_us)):
                now_us += pause_us
            case _:
                raise AssertionError(step)
    for number in range(twin.next - 20, twin.next + 2):
        assert native.resend(number & 0xFFFF) == twin.resend(number & 0xFFFF)


@pytest.mark.parametrize("first", FIRSTS)
def test_switch_continues_what_the_viewer_has_seen(first: int) -> None:
    forwarder = Forwarder(True, first)
    forwarder.set_target(0)
    assert forwarder.decide(0, BASE, 1000, key_frame=True, picture_id=5, tl0=7, now_us=1) == (
        first,
        1000,
        5,
        7,
        0,
        True,
    )
    assert forwarder.decide(0, BASE + 1, 1000, picture_id=5, tl0=7, now_us=1) is not None
    forwarder.set_target(1)
    assert forwarder.decide(1, 9 * BASE, 77, picture_id=900, tl0=3, now_us=2) is None, "no key frame, no switch"
    switched = forwarder.decide(1, 9 * BASE + 1, 77, key_frame=True, picture_id=901, tl0=3, now_us=33_334)
    assert switched == ((first + 2) & 0xFFFF, 1000 + 2999, 6, 8, 0, True)


def test_reports_join_two_clocks_exactly() -> None:
    forwarder = Forwarder(True, 1)
    forwarder.set_target(0)
    forwarder.decide(0, BASE, 50_000, key_frame=True, now_us=0)
    forwarder.set_target(1)
    # Source 1 runs 20000 behind source 0 at the same instant; one frame of 33 ms later, seen 60 ms later.
    joined = forwarder.decide(1, BASE, 50_000 - 20_000 + 3000, key_frame=True, alignment=20_000, now_us=60_000)
    assert joined is not None
    assert joined[1] == 53_000


def test_packet_of_a_hole_keeps_the_number_that_was_kept_for_it() -> None:
    forwarder = Forwarder(True, 100)
    forwarder.set_target(0)
    forwarder.decide(0, BASE, 0, key_frame=True)
    after = forwarder.decide(0, BASE + 3, 3000)
    late = forwarder.decide(0, BASE + 1, 3000, is_new=False)
    assert after is not None
    assert late is not None
    assert (late[0], after[0]) == (101, 103)
    assert forwarder.resend(102) == (0, BASE + 2)
    assert forwarder.resend(104) is None


def test_late_packet_of_a_pause_gets_no_number() -> None:
    forwarder = Forwarder(True, 100)
    forwarder.set_target(0)
    forwarder.decide(0, BASE, 0, key_frame=True)
    forwarder.resync()
    assert forwarder.decide(0, BASE + 2, 3000) is None, "waits for a key frame"
    assert forwarder.decide(0, BASE + 1, 3000, is_new=False) is None
    assert forwarder.decide(0, BASE + 3, 6000, key_frame=True, now_us=10_000) == (101, 900, 1, 1, 0, True)


@pytest.mark.parametrize("first", FIRSTS)
def test_padding_takes_a_number_that_nobody_can_ask_for(first: int) -> None:
    forwarder = Forwarder(True, first)
    with pytest.raises(ValueError, match="nothing flows"):
        forwarder.pad()
    forwarder.set_target(0)
    key = forwarder.decide(0, 10, 0, key_frame=True)
    assert key is not None
    assert [forwarder.pad(), forwarder.pad()] == [(first + 1) % 65536, (first + 2) % 65536]
    following = forwarder.decide(0, 11, 3000)
    assert following is not None
    assert (key[0], following[0], following[2]) == (first, (first + 3) % 65536, key[2])
    assert forwarder.resend((first + 1) % 65536) is None
    assert [forwarder.resend(number % 65536) for number in (first, first + 3)] == [(0, 10), (0, 11)]


@pytest.mark.parametrize("first", [0, 2**32 - 90_000, 2**32 - 1])
def test_what_is_shown_in_haste_keeps_the_pace_of_the_viewer(first: int) -> None:
    forwarder = Forwarder(True, 1)
    forwarder.set_target(0)
    forwarder.hasten((first + 90_000) & 0xFFFFFFFF)
    shown = []
    for number in range(60):  # thirty a second: the first second is the past
        timestamp = (first + number * 3_000) & 0xFFFFFFFF
        numbers = forwarder.decide(0, BASE + number, timestamp, key_frame=number == 0)
        assert numbers is not None
        shown.append(numbers[1])
    steps = [(later - earlier) & 0xFFFFFFFF for earlier, later in itertools.pairwise(shown)]
    assert shown[0] == first
    assert set(steps[:30]) == {1_000}
    assert set(steps[30:]) == {3_000}
    assert decide(forwarder, Packet(0, BASE + 7, (first + 21_000) & 0xFFFFFFFF), 0, is_new=False) == (
        8, shown[7], 0, 0, 0, False,
    )  # fmt: skip
