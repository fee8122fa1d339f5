"""Scripts for pages of the class: they use the SDK as an application does, and ask the browser for its statistics."""

from __future__ import annotations

from typing import Final

INSTRUMENT: Final = r"""
window.connections = [];
const Plain = RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(...given) { super(...given); window.connections.push(this); }
  setRemoteDescription(description) {
    if (description.type !== 'answer' || !window.relayPort) return super.setRemoteDescription(description);
    const sdp = description.sdp.replace(/^(a=candidate:.* 127\.0\.0\.1) \d+ /gm, `$1 ${window.relayPort} `);
    return super.setRemoteDescription({ type: 'answer', sdp });
  }
};
// A screen of text: a line more twice a second.
navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
  const paper = canvas.getContext('2d');
  paper.font = '24px sans-serif';
  let line = 0;
  const write = () => {
    paper.fillStyle = line % 2 ? '#fff' : '#eef';
    paper.fillRect(0, (line % 20) * 36, 1280, 36);
    paper.fillStyle = '#000';
    paper.fillText(`Line ${line}: the derivative of x^${line} is ${line} x^${line - 1}`, 20, (line % 20) * 36 + 26);
    line += 1;
  };
  write();
  setInterval(write, 500);
  return canvas.captureStream(5);
};
"""
"""Has all media go through the relay's port, and shares a drawn screen instead of a real one."""

JOIN: Final = """
async ({ name, token, relayPort }) => {
  window.relayPort = relayPort;
  const { Room, roomAddress } = await import('/sdk/halqa/index.js');
  const room = window.room = new Room();
  const connected = new Promise((resolve, reject) => room.on('state', ({ state, reason }) => {
    if (state === 'connected') resolve();
    if (state === 'closed') reject(new Error(reason));
  }));
  await room.connect(roomAddress(location.origin, name), token, {});
  await connected;
  for (const slot of room.slots) {  // nothing is decoded for nobody
    const player = document.createElement(slot.kind === 'audio' ? 'audio' : 'video');
    player.muted = slot.kind !== 'audio';
    player.srcObject = new MediaStream([slot.mediaTrack]);
    document.body.append(player);
    player.play().catch(() => {});  // what carries nothing yet plays once it does
  }
}
"""

PUBLISH: Final = """
async (sources) => { for (const source of sources) await room[`publish${source}`](); }
"""

REPORTS: Final = """
async () => {
  const used = new Map(room.slots.filter(({ track }) => track).map(({ mid, kind }) => [mid, kind]));
  const found = [];
  for (const connection of window.connections) {
    (await connection.getStats()).forEach((report) => {
      const slot = used.get(report.mid);
      if (report.type === 'inbound-rtp' && slot) found.push({ ...report, slot, at_ms: performance.now() });
    });
  }
  return found;
}
"""
"""Reports of the slots that carry something, with the slot's kind: "audio", "video" or "screen"."""
