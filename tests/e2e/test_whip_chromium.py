"""Chromium publishes by WHIP and watches by WHEP, with nothing but RTCPeerConnection and fetch."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import launch
from tests.support.whip import PATIENCE_S, Server, serve, token, watch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SCRIPT = """
window.exchange = async (address, token) => {
  await pc.setLocalDescription();
  const answer = await fetch(address, {
    method: 'POST', body: pc.localDescription.sdp,
    headers: {'Content-Type': 'application/sdp', Authorization: `Bearer ${token}`},
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  window.resource = new URL(answer.headers.get('Location'), address).href;
  window.etag = answer.headers.get('ETag');
  window.token = token;
  window.answered = await answer.text();
  await pc.setRemoteDescription({type: 'answer', sdp: answered});
};
window.publish = async (address, token) => {
  window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 1280, height: 720}});
  pc.addTransceiver(stream.getAudioTracks()[0], {direction: 'sendonly', streams: [stream]});
  const sendEncodings = [
    {rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'f'},
  ];
  pc.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly', streams: [stream], sendEncodings});
  await exchange(address, token);
};
window.watch = async (address, token) => {
  window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const stream = new MediaStream();
  pc.ontrack = ({track}) => stream.addTrack(track);
  pc.addTransceiver('audio', {direction: 'recvonly'});
  pc.addTransceiver('video', {direction: 'recvonly'});
  await exchange(address, token);
  window.video = document.createElement('video');
  video.srcObject = stream;
  video.muted = true;
  await video.play();
};
window.received = async () => {
  const found = {};
  (await pc.getStats()).forEach((report) => {
    if (report.type === 'inbound-rtp') found[report.kind] = report;
  });
  return {
    frames: found.video?.framesDecoded ?? 0, height: found.video?.frameHeight ?? 0,
    packets: found.audio?.packetsReceived ?? 0, state: pc.connectionState,
  };
};
window.restart = async () => {
  pc.restartIce();
  await pc.setLocalDescription();
  const wanted = /^(a=(ice-ufrag|ice-pwd|mid|candidate|group).*|m=.*)$/;
  const lines = pc.localDescription.sdp.split('\\r\\n').filter((line) => wanted.test(line));
  const answer = await fetch(resource, {
    method: 'PATCH', body: lines.join('\\r\\n') + '\\r\\n',
    headers: {
      'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': etag, Authorization: `Bearer ${token}`,
    },
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  window.etag = answer.headers.get('ETag');
  const fragment = await answer.text();
  let renewed = answered;
  for (const name of ['ice-ufrag', 'ice-pwd']) {
    const value = fragment.match(new RegExp(`a=${name}:(.*)`))[1].trim();
    renewed = renewed.replace(new RegExp(`a=${name}:.*`, 'g'), `a=${name}:${value}`);
  }
  window.answered = renewed;
  await pc.setRemoteDescription({type: 'answer', sdp: renewed});
};
window.hangUp = async () => {
  const answer = await fetch(resource, {method: 'DELETE', headers: {Authorization: `Bearer ${token}`}});
  pc.close();
  return answer.status;
};
"""


async def open_page(browser: Browser, server: Server, host: str) -> Page:
    """Open a page at another name of this computer: for the browser, the server is of another site."""
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{server.url.replace('127.0.0.1', host)}/page")
    await page.add_script_tag(content=SCRIPT)
    return page


async def wait_for_picture(page: Page, *, frames: int, height: int | None = None) -> dict[str, Any]:
    """Wait until so many more frames are decoded, of this height if it is given, with sound beside them."""
    before = (await page.evaluate("received()"))["frames"]
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now: dict[str, Any] = await page.evaluate("received()")
            if now["frames"] >= before + frames and now["packets"] > 0 and height in (None, now["height"]):
                return now
            await asyncio.sleep(0.2)


async def test_chromium_publishes_and_two_kinds_of_viewers_decode() -> None:
    async with serve() as server, launch() as browser:
        publisher = await open_page(browser, server, "localhost")
        await publisher.evaluate(
            "([address, token]) => publish(address, token)", [f"{server.url}/whip/algebra", token("amal")]
        )
        viewer = await open_page(browser, server, "localhost")
        stage = f"{server.url}/whep/algebra"
        await viewer.evaluate("([address, token]) => watch(address, token)", [stage, token("badr")])
        await wait_for_picture(viewer, frames=30, height=720)  # the stage is sent as large as there is
        low = await open_page(browser, server, "localhost")
        await low.evaluate("([address, token]) => watch(address, token)", [f"{stage}?layer=q", token("badr")])
        await wait_for_picture(low, frames=20, height=180)
        seen = await watch(server, "chen", "?layer=h", height=360)
        assert (seen["height"], seen["deleted"]) == (360, 200)
        assert seen["loudest"] > 1000  # the fake microphone beeps
        await viewer.evaluate("restart()")
        await publisher.evaluate("restart()")
        assert (await wait_for_picture(viewer, frames=60))["state"] == "connected"
        assert server.whip.streams == 3
        assert [await page.evaluate("hangUp()") for page in (viewer, low, publisher)] == [200, 200, 200]
        assert (server.whip.streams, server.signaling.rooms) == (0, 0)
