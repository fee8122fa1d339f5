"""The ICE-lite agent: whom it answers, what it refuses, where it sends, when it ends."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from aioice import stun as aioice_stun

from media.rtp.parameters import Address, IceCredentials
from media.transport.counters import DropCounters, DropReason
from media.transport.ice import IceAgent, IceConfig
from media.transport.ice_credentials import make_credentials
from media.transport.outputs import (
    AddressForgotten,
    AddressSelected,
    AddressValidated,
    Closed,
    CloseReason,
    ConsentExpired,
    IceOutput,
    PathAlive,
    PathSilent,
    SendDatagram,
)
from media.transport.stun import MAGIC_COOKIE
from tests.unit.transport.support import ADDRESS, LOCAL, OTHER_ADDRESS, REMOTE, START, check, dropped

NEW_LOCAL = IceCredentials("serverufrag2", "server-password-two-24ch")
NEW_REMOTE = IceCredentials("clientufrag2", "client-password-two-24ch")


class Agent(IceAgent):
    """An agent with its drops at hand."""

    def __init__(self, config: IceConfig | None = None) -> None:
        self.drops = DropCounters()
        super().__init__(LOCAL, REMOTE, drops=self.drops, now=START, config=config)

    def hear(self, data: bytes, source: Address = ADDRESS, *, now: float = START) -> list[IceOutput]:
        self.receive(data, source, now=now)
        return self.take_output()


def error_code(output: IceOutput) -> int | None:
    assert isinstance(output, SendDatagram)
    return aioice_stun.parse_message(output.data).error_code


def test_the_first_valid_check_is_answered_and_selects() -> None:
    agent = Agent()
    response, validated, selected = agent.hear(check(transaction_id=bytes(range(12))))
    assert isinstance(response, SendDatagram)
    assert response.destination == ADDRESS
    answer = aioice_stun.parse_message(response.data)
    assert answer.message_class is aioice_stun.Class.RESPONSE
    assert answer.transaction_id == bytes(range(12))
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ADDRESS
    assert answer.check_message_integrity(LOCAL.password.encode())
    assert validated == AddressValidated(ADDRESS)
    assert selected == AddressSelected(ADDRESS)
    assert agent.is_validated(ADDRESS, now=START)
    assert not agent.is_validated(OTHER_ADDRESS, now=START)
    assert dropped(agent.drops) == {}


def test_further_checks_are_only_answered() -> None:
    agent = Agent()
    agent.hear(check())
    (response,) = agent.hear(check(nominate=True), now=START + 2.5)
    assert error_code(response) is None


def test_an_ipv6_peer() -> None:
    response = Agent().hear(check(), ("2001:db8::7", 40000))[0]
    assert isinstance(response, SendDatagram)
    answer = aioice_stun.parse_message(response.data)
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ("2001:db8::7", 40000)


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (check(password="not the password"), 401, DropReason.STUN_WRONG_INTEGRITY),
        (check(password=REMOTE.password), 401, DropReason.STUN_WRONG_INTEGRITY),
        (check(username=f"{LOCAL.ufrag}:someoneelse1"), 401, DropReason.STUN_WRONG_USERNAME),
        (check(username=f"{REMOTE.ufrag}:{LOCAL.ufrag}"), 401, DropReason.STUN_WRONG_USERNAME),
        (check(username=f"{LOCAL.ufrag}:"), 401, DropReason.STUN_WRONG_USERNAME),
        (check(controlled=True), 487, DropReason.STUN_ROLE_CONFLICT),
    ],
    ids=["password", "their_password", "remote_ufrag", "swapped", "no_remote_ufrag", "role"],
)
def test_refused_checks_get_an_error_and_change_nothing(data: bytes, code: int, reason: DropReason) -> None:
    agent = Agent()
    (response,) = agent.hear(data)
    assert error_code(response) == code
    assert dropped(agent.drops) == {reason: 1}
    assert agent.selected is None
    assert agent.next_timeout() == START + 30


def attributes(*pairs: tuple[int, bytes]) -> bytes:
    body = b"".join(
        kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
        for kind, value in pairs
    )
    return b"\x00\x01" + len(body).to_bytes(2, "big") + MAGIC_COOKIE.to_bytes(4, "big") + bytes(12) + body


def test_credentials_are_asked_for() -> None:
    agent = Agent()
    username = f"{LOCAL.ufrag}:{REMOTE.ufrag}".encode()
    for data in (attributes((6, username)), attributes((8, bytes(20)))):
        (response,) = agent.hear(data)
        assert error_code(response) == 400
    assert dropped(agent.drops) == {DropReason.STUN_NO_CREDENTIALS: 2}


def test_unknown_required_attributes_are_told() -> None:
    message = aioice_stun.Message(aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{LOCAL.ufrag}:{REMOTE.ufrag}"
    message.attributes["REQUESTED-TRANSPORT"] = 17  # TURN's, and so unknown here
    message.add_message_integrity(LOCAL.password.encode())
    agent = Agent()
    (response,) = agent.hear(bytes(message))
    assert isinstance(response, SendDatagram)
    answer = aioice_stun.parse_message(response.data)
    assert answer.error_code == 420
    assert b"\x00\x0a\x00\x02\x00\x19\x00\x00" in response.data
    assert answer.check_message_integrity(LOCAL.password.encode())
    assert agent.selected is None


def test_a_stranger_gets_no_more_than_he_sends() -> None:
    agent = Agent()
    assert agent.hear(attributes()) == []
    assert dropped(agent.drops) == {DropReason.STUN_NO_CREDENTIALS: 1, DropReason.STUN_ERROR_WITHHELD: 1}
    for data in (check(password="wrong"), check(username="serverufrag1:x"), attributes((6, b"serverufrag1:x"))):
        for output in agent.hear(data):
            assert isinstance(output, SendDatagram)
            assert len(output.data) <= len(data)


def test_a_flood_of_wrong_checks_is_answered_ten_times_and_does_no_harm() -> None:
    agent = Agent()
    agent.hear(check())
    forged = check(password="wrong", nominate=True)
    answers = sum(len(agent.hear(forged, OTHER_ADDRESS)) for _ in range(10_000))
    assert answers == 10
    assert agent.selected == ADDRESS
    assert not agent.is_validated(OTHER_ADDRESS, now=START)
    assert error_code(agent.hear(check())[0]) is None  # the honest one is still heard
    assert dropped(agent.drops)[DropReason.STUN_WRONG_INTEGRITY] == 10_000


def test_a_flood_of_valid_checks_is_bounded() -> None:
    agent = Agent()
    answers = [agent.hear(check(), (f"192.0.2.{n % 256}", n)) for n in range(1000)]
    assert sum(1 for outputs in answers if outputs) == 200
    assert len(agent._addresses) == 16
    assert len(agent._transactions) == 24
    assert dropped(agent.drops) == {DropReason.STUN_RATE: 800}


def test_indications_are_silent_and_responses_are_dropped() -> None:
    agent = Agent()
    for kind, reasons in (
        (aioice_stun.Class.INDICATION, {}),
        (aioice_stun.Class.RESPONSE, {DropReason.STUN_UNEXPECTED: 1}),
        (aioice_stun.Class.ERROR, {DropReason.STUN_UNEXPECTED: 2}),
    ):
        message = aioice_stun.Message(aioice_stun.Method.BINDING, kind)
        message.add_fingerprint()
        assert agent.hear(bytes(message)) == []
        assert dropped(agent.drops) == reasons
    assert agent.next_timeout() == START + 30


def test_hostile_bytes_are_counted() -> None:
    dice = random.Random(5)
    agent = Agent()
    for _ in range(500):
        assert agent.hear(dice.randbytes(dice.randrange(200))) == []
    whole = check()
    for size in range(len(whole)):
        assert agent.hear(whole[:size]) == []
    assert agent.hear(b"\x00\x01" + bytes(2000)) == []
    assert dropped(agent.drops) == {DropReason.STUN_MALFORMED: 500 + len(whole), DropReason.TOO_LARGE: 1}


def test_a_plain_check_from_a_second_address_does_not_move_the_transport() -> None:
    agent = Agent()
    agent.hear(check(nominate=True))
    assert AddressSelected(OTHER_ADDRESS) not in agent.hear(check(), OTHER_ADDRESS, now=START + 1)
    assert agent.is_validated(OTHER_ADDRESS, now=START + 1)
    assert agent.selected == ADDRESS


def test_a_nominating_check_from_a_new_address_moves_the_transport() -> None:
    agent = Agent()
    agent.hear(check(nominate=True))
    outputs = agent.hear(check(nominate=True), OTHER_ADDRESS, now=START + 1)
    assert outputs[1:] == [AddressValidated(OTHER_ADDRESS), AddressSelected(OTHER_ADDRESS)]
    assert agent.hear(check(nominate=True), now=START + 2)[1:] == [AddressSelected(ADDRESS)]


def test_nat_rebinding_without_nomination_moves_off_a_silent_address() -> None:
    agent = Agent()
    agent.hear(check(nominate=True))
    rebound: Address = (ADDRESS[0], 61000)
    assert AddressSelected(rebound) not in agent.hear(check(), rebound, now=START + 4.9)
    assert AddressSelected(rebound) in agent.hear(check(), rebound, now=START + 5)


def test_a_copied_check_from_another_address_is_dropped() -> None:
    agent = Agent()
    captured = check(nominate=True)
    agent.hear(captured)
    assert agent.hear(captured, OTHER_ADDRESS) == []
    assert dropped(agent.drops) == {DropReason.STUN_REPLAYED: 1}
    assert agent.selected == ADDRESS
    assert len(agent.hear(captured)) == 1  # a retransmission is answered again


def test_nobody_checks() -> None:
    agent = Agent()
    agent.handle_timeout(now=START + 29.9)
    assert agent.take_output() == []
    agent.handle_timeout(now=START + 30)
    assert agent.take_output() == [Closed(CloseReason.NO_CHECK)]
    assert agent.next_timeout() is None
    assert agent.hear(check()) == []
    assert dropped(agent.drops) == {DropReason.CLOSED: 1}


def test_silence_is_told_consent_ends_and_the_transport_waits_for_the_peer() -> None:
    agent = Agent()
    agent.hear(check())
    agent.hear(check(), now=START + 20)
    agent.hear(check(password="wrong"), now=START + 40)
    assert agent.next_timeout() == START + 32.5
    agent.handle_timeout(now=START + 32.5)
    assert agent.take_output() == [PathSilent()]
    assert agent.next_timeout() == START + 50
    agent.handle_timeout(now=START + 49.9)
    assert agent.take_output() == []
    assert agent.selected == ADDRESS
    agent.handle_timeout(now=START + 50)
    agent.handle_timeout(now=START + 51)
    assert agent.take_output() == [ConsentExpired(), AddressForgotten(ADDRESS)]
    assert agent.selected is None
    assert not agent.is_validated(ADDRESS, now=START + 51)
    outputs = agent.hear(check(), now=START + 300)
    assert outputs[1:] == [PathAlive(), AddressValidated(ADDRESS), AddressSelected(ADDRESS)]
    assert agent.next_timeout() == START + 312.5


def test_a_peer_that_stays_silent_is_given_up() -> None:
    agent = Agent()
    agent.hear(check())
    agent.handle_timeout(now=START + 30)
    assert agent.take_output() == [PathSilent(), ConsentExpired(), AddressForgotten(ADDRESS)]
    assert agent.next_timeout() == START + 330
    agent.handle_timeout(now=START + 330)
    assert agent.take_output() == [Closed(CloseReason.CONSENT_EXPIRED)]


def test_a_peer_that_seems_to_have_moved_is_told_at_once() -> None:
    agent = Agent()
    agent.suspect()
    assert agent.take_output() == []
    agent.hear(check())
    agent.suspect()
    agent.suspect()
    assert agent.take_output() == [PathSilent()]
    assert agent.selected == ADDRESS
    outputs = agent.hear(check(nominate=True), OTHER_ADDRESS, now=START + 0.1)
    assert PathAlive() in outputs
    assert agent.selected == OTHER_ADDRESS
    agent.close()
    agent.suspect()
    assert agent.take_output() == []


def test_silence_is_told_once_and_its_end_too() -> None:
    agent = Agent()
    agent.hear(check())
    agent.handle_timeout(now=START + 13)
    agent.handle_timeout(now=START + 14)
    assert agent.take_output() == [PathSilent()]
    assert PathAlive() in agent.hear(check(), now=START + 15)
    assert PathAlive() not in agent.hear(check(), now=START + 16)


def test_silent_addresses_are_forgotten() -> None:
    agent = Agent()
    agent.hear(check(nominate=True))
    agent.hear(check(), OTHER_ADDRESS)
    agent.hear(check(), now=START + 20)
    assert agent.next_timeout() == START + 30
    assert not agent.is_validated(OTHER_ADDRESS, now=START + 30)
    agent.handle_timeout(now=START + 30)
    assert agent.take_output() == [AddressForgotten(OTHER_ADDRESS)]
    assert agent.next_timeout() == START + 32.5


def test_the_oldest_address_gives_way_but_never_the_selected() -> None:
    agent = Agent(IceConfig(addresses_max=3))
    agent.hear(check(nominate=True))
    others: list[Address] = [("198.51.100.1", port) for port in range(5)]
    outputs = [output for other in others for output in agent.hear(check(), other)]
    assert [output.address for output in outputs if isinstance(output, AddressForgotten)] == others[:3]
    assert agent.selected == ADDRESS
    assert agent.is_validated(ADDRESS, now=START)


def restarted() -> Agent:
    agent = Agent()
    agent.hear(check(nominate=True))
    agent.restart(NEW_LOCAL, NEW_REMOTE, now=START + 1)
    return agent


def test_old_credentials_live_until_the_new_ones_are_used() -> None:
    agent = restarted()
    assert error_code(agent.hear(check(), now=START + 2)[0]) is None
    outputs = agent.hear(check(NEW_LOCAL, NEW_REMOTE, nominate=True), OTHER_ADDRESS, now=START + 3)
    assert outputs[1:] == [AddressValidated(OTHER_ADDRESS), AddressSelected(OTHER_ADDRESS)]
    assert error_code(agent.hear(check(nominate=True), now=START + 4)[0]) == 401
    assert agent.selected == OTHER_ADDRESS


@pytest.mark.parametrize(
    "mixed",
    [
        lambda: check(NEW_LOCAL, REMOTE),
        lambda: check(LOCAL, NEW_REMOTE),
        lambda: check(NEW_LOCAL, NEW_REMOTE, password=LOCAL.password),
    ],
)
def test_generations_do_not_mix(mixed: Callable[[], bytes]) -> None:
    agent = restarted()
    assert error_code(agent.hear(mixed())[0]) == 401
    assert error_code(agent.hear(check())[0]) is None  # nor did it end the old generation


def test_a_restart_gives_new_checks_time_to_arrive_but_no_consent() -> None:
    agent = Agent(IceConfig(silence_max_s=35.0))
    agent.hear(check())
    agent.restart(NEW_LOCAL, NEW_REMOTE, now=START + 29)
    agent.handle_timeout(now=START + 30)
    assert ConsentExpired() in agent.take_output()
    assert agent.next_timeout() == START + 39
    agent.hear(check(NEW_LOCAL, NEW_REMOTE), OTHER_ADDRESS, now=START + 38)
    assert agent.selected == OTHER_ADDRESS


def test_a_clock_that_steps_back_is_survived() -> None:
    agent = Agent()
    agent.hear(check())
    agent.hear(check(), now=START - 100)
    assert agent.next_timeout() == START + 12.5


def test_credentials_are_ice_characters() -> None:
    credentials = make_credentials(random.Random(1).randbytes)
    assert len(credentials.ufrag) == 12
    assert len(credentials.password) == 24
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    assert set(credentials.ufrag + credentials.password) <= allowed
    assert credentials.password not in repr(credentials)


def test_repeated_checks_that_were_answered_for_it_keep_consent_alive() -> None:
    agent = IceAgent(LOCAL, REMOTE, drops=DropCounters(), now=START)
    assert agent.repeated_check is None
    agent.receive(check(nominate=True), ADDRESS, now=START)
    agent.take_output()
    repeated = agent.repeated_check
    assert repeated is not None
    assert (repeated.source, repeated.username) == (ADDRESS, f"{LOCAL.ufrag}:{REMOTE.ufrag}".encode())
    for second in range(10, 60, 10):
        agent.note_answered(ADDRESS, [bytes([second]) * 12], now=START + second)
        agent.handle_timeout(now=START + second + 0.5)
        assert agent.take_output() == []
    assert agent.selected == ADDRESS
    agent.handle_timeout(now=START + 50 + 12.5)
    assert agent.take_output() == [PathSilent()]
    assert agent.repeated_check is None  # the next one says that the peer is back
    agent.note_answered(ADDRESS, [], now=START + 63)
    assert agent.take_output() == [PathAlive()]


def test_a_check_that_was_answered_for_it_cannot_be_replayed_from_elsewhere() -> None:
    agent = IceAgent(LOCAL, REMOTE, drops=DropCounters(), now=START)
    agent.receive(check(nominate=True), ADDRESS, now=START)
    agent.take_output()
    agent.note_answered(ADDRESS, [b"recorded....", b"another....."], now=START + 2.5)
    agent.receive(check(nominate=True, transaction_id=b"recorded...."), OTHER_ADDRESS, now=START + 3)
    assert agent.take_output() == []
    assert agent.selected == ADDRESS


def test_checks_heard_from_where_the_peer_is_no_more_count_for_nothing() -> None:
    agent = IceAgent(LOCAL, REMOTE, drops=DropCounters(), now=START)
    agent.receive(check(nominate=True), ADDRESS, now=START)
    agent.receive(check(nominate=True), OTHER_ADDRESS, now=START + 1)
    agent.take_output()
    agent.note_answered(ADDRESS, [bytes(12)], now=START + 100)
    agent.handle_timeout(now=START + 14)
    assert agent.take_output() == [PathSilent()]
