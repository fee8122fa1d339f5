"""Unit tests of consent: what is answered without Python is what the ICE agent would have answered, and no more."""

from __future__ import annotations

import pytest

from media.native.consent import Answerer
from media.rtp.parameters import Address
from media.transport.counters import DropCounters
from media.transport.ice import IceAgent
from media.transport.outputs import SendDatagram
from tests.unit.transport.support import ADDRESS, LOCAL, OTHER_ADDRESS, REMOTE, START, check

USERNAME = f"{LOCAL.ufrag}:{REMOTE.ufrag}".encode()
PASSWORD = LOCAL.password.encode()
IPV6 = 10
DUAL_STACK: Address = ("::ffff:192.0.2.10", 40000)
V6: Address = ("2001:db8::17", 51234)


def answerer(source: Address = ADDRESS, family: int = 2) -> Answerer:
    return Answerer(USERNAME, PASSWORD, source, family)


def answer_of_the_agent(datagram: bytes, source: Address) -> bytes:
    agent = IceAgent(LOCAL, REMOTE, drops=DropCounters(), now=START)
    agent.receive(datagram, source, now=START)
    (answer,) = [output.data for output in agent.take_output() if isinstance(output, SendDatagram)]
    return answer


@pytest.mark.parametrize(("source", "family"), [(ADDRESS, 2), (DUAL_STACK, IPV6), (V6, IPV6)])
@pytest.mark.parametrize("nominate", [False, True])
def test_a_repeated_check_gets_the_agents_answer(source: Address, family: int, nominate: bool) -> None:
    datagram = check(nominate=nominate)
    assert answerer(source, family).answer(datagram, source) == answer_of_the_agent(datagram, source)


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(check(username="serverufrag1:somebody"), id="another name"),
        pytest.param(check(password="a-password-that-is-wrong"), id="a wrong seal"),
        pytest.param(check(controlled=True), id="a peer that wants to be led"),
        pytest.param(check()[:-8], id="cut off"),
        pytest.param(check() + b"\0\0\0\0", id="longer than it says"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12), id="no credentials"),
        pytest.param(b"\x00\x11\x00\x00\x21\x12\xa4\x42" + bytes(12), id="an indication"),
        pytest.param(b"\x00\x01\x00\x04\x21\x12\xa4\x42" + bytes(12) + b"\0\x06\xff\xff", id="past the end"),
    ],
)
def test_whatever_else_comes_is_for_the_agent(datagram: bytes) -> None:
    answers = answerer()
    assert answers.answer(datagram, ADDRESS) is None
    assert answers.heard() == (0, b"")


def test_a_check_from_elsewhere_is_for_the_agent() -> None:
    assert answerer().answer(check(), OTHER_ADDRESS) is None


def test_a_flipped_bit_in_what_is_sealed_is_for_the_agent() -> None:
    datagram = check(transaction_id=bytes(12))
    answers = answerer()
    for at in range(len(datagram) - 8):  # FINGERPRINT apart
        changed = datagram[:at] + bytes([datagram[at] ^ 1]) + datagram[at + 1 :]
        assert answers.answer(changed, ADDRESS, now_us=at * 1_000_000) is None, at


def test_more_checks_than_anybody_needs_are_for_the_agent() -> None:
    answers = answerer()
    answered = sum(answers.answer(check(), ADDRESS, now_us=1000) is not None for _ in range(50))
    assert answered == 20
    assert answers.answer(check(), ADDRESS, now_us=1_100_000) is not None


def test_time_and_transactions_are_told_once() -> None:
    answers = answerer()
    ids = [bytes([number]) * 12 for number in range(30)]
    for number, transaction_id in enumerate(ids):
        assert answers.answer(check(transaction_id=transaction_id), ADDRESS, now_us=1 + number * 100_000)
    assert answers.heard() == (2_900_001, b"".join(ids[-24:]))
    assert answers.heard() == (2_900_001, b"")


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="129 bytes, expected 1 to 128"):
        Answerer(b"u" * 129, PASSWORD, ADDRESS)
