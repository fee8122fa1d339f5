"""ICE and DTLS joined: a browser's whole arrival, and what strangers can and cannot do to it."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field

import pytest

from media.rtp.parameters import Address, IceCredentials
from media.transport.counters import DropReason
from media.transport.dtls import DtlsConnection
from media.transport.ice import IceConfig
from media.transport.keys import DtlsRole, SrtpKeys
from media.transport.outputs import (
    AddressForgotten,
    AddressSelected,
    AddressValidated,
    ApplicationData,
    Closed,
    CloseReason,
    Connected,
    ConsentExpired,
    DtlsDatagram,
    PathSilent,
    SendDatagram,
    TransportOutput,
)
from media.transport.transport import Transport, TransportConfig
from tests.unit.transport.support import (
    ADDRESS,
    LOCAL,
    OTHER_ADDRESS,
    REMOTE,
    START,
    certificate,
    check,
    context,
    dropped,
    dtls,
    services,
    transport,
)


@dataclass
class Browser:
    """A full ICE agent's datagrams and a DTLS client, at one address."""

    address: Address = ADDRESS
    dtls: DtlsConnection = field(default_factory=lambda: dtls(DtlsRole.CLIENT))
    keys: SrtpKeys | None = None
    closed: Closed | None = None

    def take_dtls(self) -> list[bytes]:
        datagrams = []
        for output in self.dtls.take_output():
            match output:
                case DtlsDatagram(data=data):
                    datagrams.append(data)
                case Connected(keys=keys):
                    self.keys = keys
                case Closed():
                    self.closed = output
                case ApplicationData():
                    raise AssertionError("the server sends none here")
        return datagrams

    def hello(self, *, now: float = START) -> bytes:
        self.dtls.start(now=now)
        (hello,) = self.take_dtls()
        return hello


def is_dtls(output: TransportOutput) -> bool:
    return isinstance(output, SendDatagram) and output.data[0] >= 20


def join(server: Transport, browser: Browser, *, now: float = START) -> list[TransportOutput]:
    """Check, then shake hands to the end; return all that the server put out beside datagrams."""
    outputs: list[TransportOutput] = []
    server.receive(check(nominate=True), browser.address, now=now)
    waiting = [browser.hello(now=now)]
    while True:
        for output in server.take_output():
            if not isinstance(output, SendDatagram):
                outputs.append(output)
            elif is_dtls(output):
                assert output.destination == server.selected
                browser.dtls.receive(output.data, now=now)
                waiting += browser.take_dtls()
        if not waiting:
            return outputs
        server.receive(waiting.pop(0), browser.address, now=now)


@pytest.mark.parametrize("application_data", [True, False])
def test_a_browser_joins(application_data: bool) -> None:
    shared = services()
    server, browser = transport(shared, application_data=application_data), Browser()
    validated, selected, connected = join(server, browser)
    assert validated == AddressValidated(ADDRESS)
    assert selected == AddressSelected(ADDRESS)
    assert isinstance(connected, Connected)
    assert browser.keys is not None
    assert connected.keys.inbound == browser.keys.outbound
    assert connected.keys.outbound == browser.keys.inbound
    assert server.connected
    assert shared.admission.in_progress == 0
    assert dropped(shared.drops) == {}
    assert server.next_timeout() == START + 5  # the last flight may be forgotten then
    server.handle_timeout(now=START + 5)
    assert server.next_timeout() == START + 12.5


def test_no_dtls_byte_is_heard_from_an_unchecked_address() -> None:
    shared = services()
    server, browser = transport(shared), Browser()
    hello = browser.hello()
    server.receive(hello, ADDRESS, now=START)
    server.receive(check(), ADDRESS, now=START)
    server.take_output()
    server.receive(hello, OTHER_ADDRESS, now=START)
    server.receive(hello, (ADDRESS[0], ADDRESS[1] + 1), now=START)
    assert server.take_output() == []
    assert shared.admission.admitted == 0
    assert dropped(shared.drops) == {DropReason.DTLS_UNCHECKED_ADDRESS: 3}
    server.receive(hello, ADDRESS, now=START)
    assert is_dtls(server.take_output()[0])


def test_dtls_begins_with_a_client_hello() -> None:
    shared = services()
    server = transport(shared)
    server.receive(check(), ADDRESS, now=START)
    for data in (b"\x14", b"\x17\xfe\xfd" + bytes(10), b"\x16" * 300):
        server.receive(data, ADDRESS, now=START)
    assert dropped(shared.drops) == {DropReason.DTLS_UNEXPECTED: 3}
    assert shared.admission.admitted == 0


def test_a_flood_of_client_hellos_from_elsewhere_disturbs_no_join() -> None:
    shared = services()
    server, browser = transport(shared), Browser()
    flood = Browser().hello()

    def pour(count: int) -> None:
        for number in range(count):
            server.receive(flood, ("203.0.113.9", 1024 + number % 50_000), now=START)

    pour(5000)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    pour(5000)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 4096
    server.receive(check(), ADDRESS, now=START)
    server.receive(browser.hello(), ADDRESS, now=START)
    pour(5000)
    server.handle_timeout(now=START + 0.2)
    browser.dtls.handle_timeout(now=START + 0.2)
    waiting = browser.take_dtls()
    for _ in range(5):
        for data in waiting:
            server.receive(data, ADDRESS, now=START + 0.3)
        pour(100)
        for output in server.take_output():
            if is_dtls(output):
                assert isinstance(output, SendDatagram)
                browser.dtls.receive(output.data, now=START + 0.3)
        waiting = browser.take_dtls()
    assert browser.keys is not None
    assert server.connected
    pour(5000)
    assert server.take_output() == []
    assert shared.admission.admitted == 1


def test_a_wrong_certificate_ends_the_transport() -> None:
    shared = services()
    server = transport(shared, fingerprints=(certificate("stranger").fingerprint,))
    browser = Browser()
    closed = join(server, browser)[-1]
    assert isinstance(closed, Closed)
    assert closed.reason is CloseReason.FINGERPRINT_MISMATCH
    assert not server.connected
    assert browser.closed is not None
    assert shared.admission.in_progress == 0


def test_handshakes_beyond_the_cap_wait_for_their_turn() -> None:
    shared = services(handshakes=2)
    servers = [transport(shared) for _ in range(4)]
    browsers = [Browser() for _ in range(4)]
    hellos = [browser.hello() for browser in browsers]
    for server, hello in zip(servers, hellos, strict=True):
        server.receive(check(), ADDRESS, now=START)
        server.receive(hello, ADDRESS, now=START)
    answered = [any(is_dtls(output) for output in server.take_output()) for server in servers]
    assert answered == [True, True, False, False]
    assert dropped(shared.drops) == {DropReason.DTLS_NOT_ADMITTED: 2}
    servers[0].close()
    servers[2].receive(hellos[2], ADDRESS, now=START + 0.05)
    assert any(is_dtls(output) for output in servers[2].take_output())
    servers[3].receive(hellos[3], ADDRESS, now=START + 0.05)
    assert servers[3].take_output() == []
    servers[1].handle_timeout(now=START + 10)
    assert servers[1].take_output()[-1] == Closed(CloseReason.HANDSHAKE_TIMEOUT)
    servers[3].receive(hellos[3], ADDRESS, now=START + 10)
    assert any(is_dtls(output) for output in servers[3].take_output())
    assert (shared.admission.in_progress, shared.admission.refused) == (2, 3)


def test_nobody_comes() -> None:
    server = transport()
    assert server.next_timeout() == START + 30
    server.handle_timeout(now=START + 30)
    assert server.take_output() == [Closed(CloseReason.NO_CHECK)]
    assert server.next_timeout() is None
    assert server.closed


def test_a_peer_that_checks_but_never_begins_dtls() -> None:
    server = transport()
    for second in range(0, 30, 5):
        server.receive(check(), ADDRESS, now=START + second)
    server.take_output()
    assert server.next_timeout() == START + 30
    server.handle_timeout(now=START + 30)
    assert server.take_output() == [Closed(CloseReason.HANDSHAKE_TIMEOUT)]


def test_a_handshake_that_stops_halfway() -> None:
    shared = services()
    server = transport(shared)
    server.receive(check(), ADDRESS, now=START)
    server.receive(Browser().hello(), ADDRESS, now=START)
    server.take_output()
    repeated = 0
    while not server.closed:
        now = server.next_timeout()
        assert now is not None
        server.handle_timeout(now=now)
        outputs = server.take_output()
        repeated += sum(is_dtls(output) for output in outputs)
    assert now == START + 10
    assert outputs == [Closed(CloseReason.HANDSHAKE_TIMEOUT)]
    assert repeated == 7
    assert shared.admission.in_progress == 0


def test_without_consent_nothing_is_sent_and_a_check_brings_all_back() -> None:
    server, browser = transport(application_data=True), Browser()
    join(server, browser)
    server.handle_timeout(now=START + 30)
    assert server.take_output() == [PathSilent(), ConsentExpired(), AddressForgotten(ADDRESS)]
    server.send_application_data(b"unheard")
    assert server.take_output() == []
    server.receive(check(), OTHER_ADDRESS, now=START + 90)
    assert AddressSelected(OTHER_ADDRESS) in server.take_output()
    assert server.send_application_data(b"heard")
    (output,) = server.take_output()
    assert isinstance(output, SendDatagram)
    assert output.destination == OTHER_ADDRESS


def test_a_silent_peer_is_given_up_without_a_word() -> None:
    server, browser = transport(), Browser()
    join(server, browser)
    server.handle_timeout(now=START + 30)
    server.take_output()
    server.handle_timeout(now=START + 330)
    assert server.take_output() == [Closed(CloseReason.CONSENT_EXPIRED)]


@pytest.mark.parametrize("application_data", [True, False])
def test_nat_rebinding_keeps_the_association(application_data: bool) -> None:
    server, browser = transport(application_data=application_data), Browser()
    join(server, browser)
    rebound: Address = (ADDRESS[0], 61000)
    browser.dtls.close()
    (goodbye,) = browser.take_dtls()
    server.receive(goodbye, rebound, now=START + 1)
    assert not server.closed
    server.receive(check(nominate=True), rebound, now=START + 1)
    assert server.take_output()[1:] == [AddressValidated(rebound), AddressSelected(rebound)]
    assert server.selected == rebound
    server.receive(goodbye, rebound, now=START + 1)
    outputs = server.take_output()
    assert outputs[-1] == Closed(CloseReason.PEER)
    assert all(output.destination == rebound for output in outputs if isinstance(output, SendDatagram))


def test_ice_restart_keeps_keys_and_association() -> None:
    server, browser = transport(application_data=True), Browser()
    join(server, browser)
    local, remote = IceCredentials("serverufrag2", "p" * 24), IceCredentials("clientufrag2", "q" * 24)
    server.restart_ice(local, remote, now=START + 1)
    server.receive(check(local, remote, nominate=True), OTHER_ADDRESS, now=START + 2)
    assert AddressSelected(OTHER_ADDRESS) in server.take_output()
    assert browser.dtls.send(b"after the restart")
    (message,) = browser.take_dtls()
    server.receive(message, OTHER_ADDRESS, now=START + 2)
    assert server.take_output() == [ApplicationData(b"after the restart")]


def test_application_data_goes_to_the_selected_address() -> None:
    server, browser = transport(application_data=True), Browser()
    assert not server.send_application_data(b"too early")
    join(server, browser)
    assert server.send_application_data(b"hello")
    (output,) = server.take_output()
    assert isinstance(output, SendDatagram)
    assert output.destination == ADDRESS
    browser.dtls.receive(output.data, now=START)
    assert browser.dtls.take_output() == [ApplicationData(b"hello")]


def test_close_is_final() -> None:
    shared = services()
    server = transport(shared)
    join(server, Browser())
    server.close()
    server.close()
    goodbye, closed = server.take_output()
    assert isinstance(goodbye, SendDatagram)
    assert closed == Closed(CloseReason.LOCAL)
    server.receive(check(), ADDRESS, now=START)
    server.handle_timeout(now=START + 100)
    server.restart_ice(LOCAL, REMOTE, now=START)
    assert not server.send_application_data(b"late")
    assert server.take_output() == []
    assert dropped(shared.drops) == {DropReason.CLOSED: 1}


def test_other_protocols_are_counted() -> None:
    shared = services()
    server = transport(shared)
    for data in (b"", b"\x80" + bytes(20), b"\x05", b"\xff"):
        server.receive(data, ADDRESS, now=START)
    assert dropped(shared.drops) == {DropReason.UNKNOWN_PROTOCOL: 4}


def test_the_selected_address_is_never_forgotten_while_it_is_selected() -> None:
    config = TransportConfig(ice=IceConfig(addresses_max=2))
    server = transport(config=config)
    join(server, Browser())
    for port in range(20):
        server.receive(check(), ("198.51.100.1", port), now=START)
    forgotten = [output.address for output in server.take_output() if isinstance(output, AddressForgotten)]
    assert len(forgotten) == 19
    assert ADDRESS not in forgotten


def test_a_peer_that_waits_for_our_client_hello() -> None:
    """FFmpeg's WHIP muxer offers a=setup:passive."""
    shared = services(handshakes=1)
    slot = shared.admission.enter()
    ours = transport(shared, dtls_role=DtlsRole.CLIENT)
    own = certificate("server").fingerprint
    peer = DtlsConnection(
        context("client"),
        role=DtlsRole.SERVER,
        remote_fingerprints=(own,),
        drops=shared.drops,
        application_data=False,
        now=START,
    )
    peer.start(now=START)
    ours.receive(check(), ADDRESS, now=START)
    assert not any(is_dtls(output) for output in ours.take_output())
    assert ours.next_timeout() == pytest.approx(START + 0.05)
    assert slot is not None
    slot.release()
    ours.handle_timeout(now=START + 0.05)
    keys: list[SrtpKeys] = []
    for _ in range(6):
        for output in ours.take_output():
            if isinstance(output, SendDatagram):
                assert output.destination == ADDRESS
                peer.receive(output.data, now=START + 0.1)
            elif isinstance(output, Connected):
                keys.append(output.keys)
        for answer in peer.take_output():
            if isinstance(answer, DtlsDatagram):
                ours.receive(answer.data, ADDRESS, now=START + 0.1)
            elif isinstance(answer, Connected):
                keys.append(answer.keys)
    assert len(keys) == 2
    assert keys[0].inbound == keys[1].outbound
    assert ours.connected
    assert shared.admission.in_progress == 0


def test_as_the_client_we_hear_no_client_hello() -> None:
    shared = services(handshakes=1)
    assert shared.admission.enter() is not None
    ours = transport(shared, dtls_role=DtlsRole.CLIENT)
    ours.receive(check(), ADDRESS, now=START)
    ours.receive(Browser().hello(), ADDRESS, now=START)
    assert dropped(shared.drops) == {DropReason.DTLS_UNEXPECTED: 1}
    ours.handle_timeout(now=START + 29)
    ours.handle_timeout(now=START + 30)
    assert ours.take_output()[-1] == Closed(CloseReason.HANDSHAKE_TIMEOUT)
