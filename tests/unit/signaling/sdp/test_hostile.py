"""Hostile SDP: any text gives SdpError or a result, in bounded time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.sdp import SdpError, SdpLimits, parse_offer
from tests.fuzz.fuzz_sdp import SEEDS, target
from tests.unit.signaling.sdp.offers import REAL_OFFERS, audio, offer

SMALL = [text for text in REAL_OFFERS.values() if len(text) < 10_000]
LINES = sorted({line for text in REAL_OFFERS.values() for line in text.splitlines()})
SECONDS_MAX = 1.0  # for 256 KiB; a quarter of a second on the development machine at worst


@pytest.mark.parametrize("name", REAL_OFFERS)
def test_every_prefix(name: str) -> None:
    data = REAL_OFFERS[name].encode()
    step = max(1, len(data) // 500)
    for size in range(0, len(data), step):
        target(data[:size])


@pytest.mark.parametrize("name", [name for name, text in REAL_OFFERS.items() if len(text) < 10_000])
def test_each_line_missing_or_twice(name: str) -> None:
    lines = REAL_OFFERS[name].splitlines(keepends=True)
    for index in range(len(lines)):
        target("".join(lines[:index] + lines[index + 1 :]).encode())
        target("".join([*lines[: index + 1], *lines[index:]]).encode())


@pytest.mark.parametrize("name", [name for name, text in REAL_OFFERS.items() if len(text) < 5_000])
def test_each_line_cut_short(name: str) -> None:
    lines = REAL_OFFERS[name].splitlines(keepends=True)
    for index, line in enumerate(lines):
        for size in range(0, len(line), 3):
            target("".join([*lines[:index], line[:size] + "\n", *lines[index + 1 :]]).encode())


@given(st.sampled_from(SMALL), st.data())
def test_lines_are_moved_doubled_and_replaced(text: str, data: st.DataObject) -> None:
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                lines[at] = data.draw(st.sampled_from(LINES))
            case 1:
                lines.insert(at, data.draw(st.sampled_from(LINES)))
            case 2:
                lines.insert(at, "a=" + data.draw(st.text(max_size=40)))
            case _:
                moved = lines.pop(at)
                lines.insert(data.draw(st.integers(0, len(lines))), moved)
    target("\n".join(lines).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(LINES), st.integers(0, 200), st.text(max_size=8))
def test_characters_are_put_into_lines(line: str, at: int, added: str) -> None:
    broken = line[:at] + added + line[at:]
    target(offer(audio("0", "sendonly", broken)).encode("utf-8", "surrogatepass"))


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=60), max_size=40))
def test_random_lines_make_sections(lines: list[str]) -> None:
    head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    target("\r\n".join(head + lines).encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    target(data)


def test_the_seeds_are_taken_whole() -> None:
    for seed in SEEDS:
        target(seed)


def test_a_megabyte_is_refused_by_its_size() -> None:
    started = time.thread_time()
    with pytest.raises(SdpError, match="1048576 characters, expected at most 262144"):
        parse_offer("v" * 2**20)
    assert time.thread_time() - started < 0.1  # microseconds, on a machine with nothing else to do


HEAD = "v=0\no=- 1 1 IN IP4 0.0.0.0\n"
SIZE = SdpLimits().size_characters


@pytest.mark.parametrize(
    "text",
    [
        "\n" * SIZE,
        "\r" * SIZE,
        HEAD + "a=" + "x" * (SIZE - 100),
        HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 0\n" * 8_000,
        HEAD + ("m=audio 9 UDP/TLS/RTP/SAVPF 96\n" + "a=rtcp-fb:* nack\n" * 150) * 64,
        HEAD
        + "m=audio 9 UDP/TLS/RTP/SAVPF 96\n"
        + ("a=fmtp:96 " + ";".join(f"k{n}=v" for n in range(30)) + "\n") * 1000,
        HEAD + ("m=audio 9 RTP/SAVPF " + " ".join(map(str, range(64))) + "\n" + "a=rtpmap:96 x/1\n" * 64) * 64,
        HEAD + "m=audio 9 X y\n" + ("a=simulcast:send " + ",".join(map(str, range(900))) + "\n") * 60,
        HEAD + "m=audio 9 X y\n" + ("a=ssrc-group:FID " + " ".join(map(str, range(900))) + "\n") * 60,
        HEAD + "m=audio 9 X y\n" + ("a=fingerprint:sha-256 " + "AB:" * 1300 + "\n") * 60,
        HEAD + "".join(f"a=group:BUNDLE {' '.join(map(str, range(900)))}\n" for _ in range(60)),
    ],
)
def test_time_is_bounded_at_full_size(text: str) -> None:
    started = time.thread_time()
    try:
        parse_offer(text[:SIZE])
    except SdpError as error:
        assert len(str(error)) < 500
    assert time.thread_time() - started < SECONDS_MAX
