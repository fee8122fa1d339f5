"""Chromium takes our answers: every section ends as negotiated, and its first ICE check shows that it read our side."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aioice import stun
from playwright.sync_api import Browser, Page, sync_playwright

from media.rtp.parameters import Candidate, Fingerprint, IceCredentials, LocalTransport, Mid, Ssrc
from signaling.sdp import (
    NegotiatedOffer,
    NegotiationPolicy,
    PublishSection,
    RejectedSection,
    SlotSection,
    SlotSsrcs,
    compare_offers,
    negotiate,
    parse_offer,
    write_answer,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LOOPBACK = "127.0.0.1"
FINGERPRINT = Fingerprint("sha-256", ":".join(["5A"] * 32))
PAGE = """
window.start = (configuration) => { window.pc = new RTCPeerConnection(configuration); };
window.canvasTrack = () => {
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').fillRect(0, 0, 9, 9);
  return canvas.captureStream(10).getVideoTracks()[0];
};
window.join = () => {
  const sendEncodings = [{rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'}];
  pc.addTransceiver('audio', {direction: 'sendonly'});
  pc.addTransceiver('video', {direction: 'sendonly', sendEncodings});
  pc.addTransceiver('video', {direction: 'sendonly'});
  pc.addTransceiver('audio', {direction: 'sendonly'});
  for (let i = 0; i < 4; i++) pc.addTransceiver('audio', {direction: 'recvonly'});
  for (let i = 0; i < 10; i++) pc.addTransceiver('video', {direction: 'recvonly'});
  pc.createDataChannel('chat');
};
window.prefer = (mime, sendEncodings) => {
  const transceiver = pc.addTransceiver(canvasTrack(), {direction: 'sendonly', sendEncodings});
  const {codecs} = RTCRtpSender.getCapabilities('video');
  transceiver.setCodecPreferences(
    [...codecs.filter(c => c.mimeType === mime), ...codecs.filter(c => c.mimeType === 'video/rtx')]);
};
window.offer = async () => { await pc.setLocalDescription(); return pc.localDescription.sdp; };
window.answer = (sdp) => pc.setRemoteDescription({type: 'answer', sdp});
window.transceivers = () => pc.getTransceivers().map(t => ({
  mid: t.mid, direction: t.currentDirection, stopped: t.stopped,
  codecs: t.sender.getParameters().codecs.map(c => c.mimeType + ' ' + c.payloadType),
  rids: t.sender.getParameters().encodings.map(e => e.rid ?? null),
  extensions: t.sender.getParameters().headerExtensions.map(e => e.uri),
  received: t.receiver.getParameters().codecs.map(c => c.mimeType),
}));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--allow-loopback-in-peer-connection"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto("about:blank")
    page.evaluate(f"() => {{ {PAGE} }}")
    yield page
    page.close()


def local_transport(*, port: int = 9, generation: int = 1) -> LocalTransport:
    ice = IceCredentials(f"ours{generation}", f"{generation}" * 24)
    return LocalTransport(ice, FINGERPRINT, (Candidate(LOOPBACK, port, 2_130_706_431, "1"),))


def ssrcs_for(negotiated: NegotiatedOffer) -> dict[Mid, SlotSsrcs]:
    return {
        consumer.mid: SlotSsrcs(Ssrc(1_000_000 + int(consumer.mid) * 2), Ssrc(1_000_001 + int(consumer.mid) * 2))
        for consumer in negotiated.consumers
    }


def exchange(
    page: Page,
    *,
    local: LocalTransport | None = None,
    policy: NegotiationPolicy | None = None,
    version: int = 1,
) -> NegotiatedOffer:
    """Negotiate once: Chromium's offer, our answer, set on its side without an error."""
    negotiated = negotiate(parse_offer(page.evaluate("offer()")), policy=policy or NegotiationPolicy())
    answer = write_answer(negotiated, local or local_transport(), ssrcs_for(negotiated), version=version)
    page.evaluate("sdp => answer(sdp)", answer)
    assert page.evaluate("pc.signalingState") == "stable"
    return negotiated


def transceivers(page: Page) -> dict[str, dict[str, Any]]:
    return {row["mid"]: row for row in page.evaluate("transceivers()")}


@pytest.mark.parametrize("bundle_policy", ["balanced", "max-compat", "max-bundle"])
def test_the_sdk_joins_with_all_its_sections(page: Page, bundle_policy: str) -> None:
    page.evaluate("policy => { start({bundlePolicy: policy}); join(); }", bundle_policy)
    negotiated = exchange(page)
    by_mid = transceivers(page)
    kinds = [type(section) for section in negotiated.sections]
    assert kinds == [PublishSection] * 4 + [SlotSection] * 14 + [RejectedSection]
    assert [by_mid[str(mid)]["direction"] for mid in range(18)] == ["sendonly"] * 4 + ["recvonly"] * 14
    camera = by_mid["1"]
    assert camera["rids"] == ["q", "h", "f"]
    assert camera["codecs"][0].startswith("video/VP8 ")
    assert any("transport-wide-cc" in uri for uri in camera["extensions"])
    assert not any("dependency-descriptor" in uri for uri in camera["extensions"]), "VP8 has a descriptor of its own"
    assert not any("toffset" in uri for uri in camera["extensions"])
    assert {"video/VP8", "video/VP9", "video/AV1", "video/H264", "video/rtx"} <= set(by_mid["9"]["received"])
    assert by_mid["0"]["codecs"][0].startswith("audio/opus ")


def test_the_first_ice_check_names_both_sides(page: Page) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOOPBACK, 0))
        server.settimeout(10)
        local = local_transport(port=server.getsockname()[1])
        page.evaluate("() => { start({}); join(); }")
        negotiated = exchange(page, local=local)
        check = stun.parse_message(server.recv(1500))
        page.evaluate("pc.close()")
    assert check.attributes["USERNAME"] == f"{local.ice.ufrag}:{negotiated.remote.ice.ufrag}"
    check.check_message_integrity(local.ice.password.encode())


@pytest.mark.parametrize(
    ("mime", "encodings"),
    [
        ("video/VP8", [{"rid": "q", "scaleResolutionDownBy": 2}, {"rid": "h", "active": False}]),
        ("video/VP9", [{"scalabilityMode": "L3T3_KEY"}]),
        ("video/AV1", [{"scalabilityMode": "L3T3_KEY"}]),
        ("video/H264", [{"rid": "q", "scaleResolutionDownBy": 2}, {"rid": "h"}]),
        ("video/H264", [{}]),
    ],
)
def test_each_codec_is_sent_as_preferred(page: Page, mime: str, encodings: list[dict[str, object]]) -> None:
    page.evaluate("([mime, encodings]) => { start({}); prefer(mime, encodings); }", [mime, encodings])
    negotiated = exchange(page)
    (sender,) = transceivers(page).values()
    assert sender["direction"] == "sendonly"
    assert sender["codecs"][0].startswith(mime)
    (producer,) = negotiated.producers
    assert [encoding.rid for encoding in producer.encodings] == [encoding.get("rid") for encoding in encodings]
    assert sender["codecs"][0].endswith(f" {producer.codecs[0].payload_type}")


def test_a_later_offer_restarts_ice_and_adds_and_ends_sections(page: Page) -> None:
    page.evaluate("() => { start({}); join(); }")
    first = exchange(page)
    again = exchange(page, version=2)
    unchanged = compare_offers(first, again)
    assert (unchanged.ice_restart, unchanged.added, unchanged.removed, unchanged.extensions) == (False, (), (), {})

    page.evaluate("pc.restartIce()")
    restarted = exchange(page, local=local_transport(generation=2), version=3)
    assert compare_offers(again, restarted).ice_restart

    page.evaluate("() => { pc.getTransceivers()[2].stop(); pc.getTransceivers()[5].direction = 'inactive'; }")
    stopped = exchange(page, local=local_transport(generation=2), version=4)
    change = compare_offers(restarted, stopped)
    assert (change.ice_restart, set(change.removed)) == (False, {"2", "5"})
    assert transceivers(page)["5"]["direction"] == "inactive"

    page.evaluate("() => { pc.addTransceiver('video', {direction: 'recvonly'}); }")
    recycled = exchange(page, local=local_transport(generation=2), version=5)
    (added,) = compare_offers(stopped, recycled).added
    assert isinstance(added, SlotSection)
    assert added.offered.index == 2
    assert len(recycled.sections) == len(first.sections)
    assert transceivers(page)[added.mid]["direction"] == "recvonly"


def test_what_the_policy_forbids_is_stopped_and_the_rest_goes_on(page: Page) -> None:
    page.evaluate("() => { start({}); join(); }")
    exchange(page, policy=NegotiationPolicy(publish=frozenset(), forbidden=frozenset({Mid("9")})))
    by_mid = transceivers(page)
    assert not {"0", "1", "2", "3", "9"} & by_mid.keys()  # a rejected transceiver is stopped and gone
    assert {row["direction"] for row in by_mid.values()} == {"recvonly"}
    assert len(by_mid) == 13
