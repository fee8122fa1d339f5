/** The media end of the fake server: a peer in a page of its own that answers offers and fills slots with pictures. */

const peers = [];
const pictures = new Map();

/** Forget everybody. */
window.reset = () => {
  for (const peer of peers.splice(0)) peer.close();
};

/** Answer an offer; slots stay empty until `carry`. */
window.answer = async (offer) => {
  const peer = new RTCPeerConnection();
  peers.push(peer);
  await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  const wanted = offer.split('\r\nm=').slice(1).map((section) => section.includes('a=recvonly'));
  peer.getTransceivers().forEach((transceiver, index) => {
    if (wanted[index]) transceiver.direction = 'sendonly';
  });
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== 'complete') {
    await new Promise((resolve) => peer.addEventListener('icegatheringstatechange', resolve, { once: true }));
  }
  return peer.localDescription.sdp;
};

/** Send picture `number` (null: nothing) to the slot `mid` of the newest peer; audio slots get a beeping microphone. */
window.carry = async (mid, number) => {
  const peer = peers.at(-1);
  const transceiver = peer.getTransceivers().find((each) => each.mid === mid);
  const isAudio = transceiver.receiver.track.kind === 'audio';
  const track = number === null ? null : await (isAudio ? beep() : picture(number));
  await transceiver.sender.replaceTrack(track);
};

/** Frames received from the page on section `mid`. */
window.framesFrom = async (mid) => {
  const report = await peers.at(-1).getTransceivers().find((each) => each.mid === mid).receiver.getStats();
  return [...report.values()].reduce((sum, { framesReceived = 0 }) => sum + framesReceived, 0);
};

async function beep() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  return stream.getAudioTracks()[0];
}

function picture(number) {
  if (!pictures.has(number)) pictures.set(number, draw(number));
  return pictures.get(number);
}

function draw(number) {
  const canvas = document.createElement('canvas');
  const isUpright = number % 5 === 4;
  [canvas.width, canvas.height] = isUpright ? [180, 320] : [320, 180];
  const context = canvas.getContext('2d');
  let frame = 0;
  setInterval(() => {
    frame += 1;
    const { width, height } = canvas;
    const shade = context.createLinearGradient(0, 0, width, height);
    shade.addColorStop(0, `hsl(${number * 47} 35% 55%)`);
    shade.addColorStop(1, `hsl(${number * 47 + 40} 30% 30%)`);
    context.fillStyle = shade;
    context.fillRect(0, 0, width, height);
    context.fillStyle = `hsl(${20 + number * 5} 45% ${45 + (number % 4) * 8}%)`;
    context.beginPath();
    context.arc(width / 2 + Math.sin(frame / 10) * 4, height * 0.42, height * 0.2, 0, 7);
    context.ellipse(width / 2, height * 1.02, height * 0.36, height * 0.34, 0, 0, 7);
    context.fill();
  }, 100);
  return canvas.captureStream(10).getVideoTracks()[0];
}
