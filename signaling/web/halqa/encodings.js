/** How each source is encoded: simulcast or layers; a screen in two encodings of one size, so that text is legible. */

import { HalqaError } from './errors.js';

/** @import { VideoCodec } from './types.js' */

/** @typedef {RTCRtpEncodingParameters & {maxBitrate: number, scalabilityMode: string}} LayeredParameters */

/**
 * @typedef {object} Encoding  as the server writes it
 * @property {string|null} rid
 * @property {boolean} active
 * @property {number} max_bitrate_bps
 * @property {number} [scale_resolution_down_by]  of a layered stream: nobody needs a larger picture
 */

/**
 * Lowest first, as the server expects: rid, divisor of the captured size, bits per second. Of 720p that makes 320x180,
 * 640x360 and 1280x720.
 */
const CAMERA_SIMULCAST = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];

/** These codecs put their layers into one stream (SVC), so one encoding serves every viewer. */
const LAYERED_CODECS = new Set(['VP9', 'AV1']);
/** Three sizes and three frame rates; who sees the largest is not sent the smaller ones, but for key frames. */
const CAMERA_SCALABILITY_MODE = 'L3T3_KEY';
/** One size and three frame rates: text in a smaller size is not legible. */
const SCREEN_SCALABILITY_MODE = 'L1T3';
/** Of one size. */
const SINGLE_MAX_BITRATE_BPS = 1_500_000;
/** Of several sizes together, which Chromium sends beside each other: as much as the simulcast. */
const LAYERED_MAX_BITRATE_BPS = 2_100_000;
/** Of the scale: 2,100,000 bit/s for three sizes are 600,000 for the two smaller and 170,000 for the smallest. */
const BITRATE_POWER = 1.8;
/** Chromium makes as many sizes, each twice as large as the next, as leave one of so many pixels a side. */
const LAYER_SIDE_MIN = 240;

/** A page of text at 1080p with scrolling; more is rarely used by encoders at 15-30 frames a second. */
const SCREEN_MAX_BITRATE_BPS = 2_500_000;

/**
 * A voice, and what is played on a shared screen. Told a maximum, Chromium sends at it, not up to it; and packets of a
 * voice must stay small enough to be repeated for who loses some.
 */
export const VOICE_ENCODINGS = [{ maxBitrate: 32_000 }];
export const PLAYED_ENCODINGS = [{ maxBitrate: 96_000 }];

/**
 * Both in the size of the screen: who has a narrow network sees the same text, sharp a second after it changes, at
 * fewer frames. The lower one fits into 300 kbit/s beside a voice. Chromium takes the least of the frame rates for all
 * if one is left out.
 */
const SCREEN_SIMULCAST = [
  { rid: 'q', scaleResolutionDownBy: 1, maxFramerate: 5, maxBitrate: 200_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxFramerate: 30, maxBitrate: SCREEN_MAX_BITRATE_BPS },
];

/**
 * @param {VideoCodec} [codec]
 * @param {string} [scalabilityMode]  e.g. "L1T3" (WebRTC-SVC section 6); only for VP9 and AV1, else "L3T3_KEY"
 * @returns {RTCRtpEncodingParameters[]}
 */
export function cameraEncodings(codec, scalabilityMode) {
  if (codec !== undefined && LAYERED_CODECS.has(codec)) {
    const mode = scalabilityMode ?? CAMERA_SCALABILITY_MODE;
    return [layered(mode.startsWith('L1') ? SINGLE_MAX_BITRATE_BPS : LAYERED_MAX_BITRATE_BPS, mode)];
  }
  return CAMERA_SIMULCAST.map((encoding) => ({ ...encoding }));
}

/**
 * @param {VideoCodec} [codec]
 * @returns {RTCRtpEncodingParameters[]}
 */
export function screenEncodings(codec) {
  if (codec !== undefined && LAYERED_CODECS.has(codec)) {
    return [layered(SCREEN_MAX_BITRATE_BPS, SCREEN_SCALABILITY_MODE)];
  }
  return SCREEN_SIMULCAST.map((encoding) => ({ ...encoding }));
}

/**
 * Do what the server says about encodings: nobody watches one, or less may be sent. It never makes us send more than we
 * would by ourselves. Unknown rids are passed over.
 * @param {RTCRtpSender} sender
 * @param {Encoding[]} wanted
 * @param {RTCRtpEncodingParameters[]} own  as the sender was made
 */
export async function applyLayers(sender, wanted, own) {
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) {
    const told = wanted.find(({ rid }) => (rid ?? undefined) === encoding.rid || wanted.length === 1);
    if (!told) continue;
    const ours = own.find(({ rid }) => rid === encoding.rid || own.length === 1);
    const ourMost = ours?.maxBitrate ?? Infinity;
    encoding.active = told.active;
    if (told.max_bitrate_bps > 0) encoding.maxBitrate = Math.min(told.max_bitrate_bps, ourMost);
    if (isLayered(ours)) limitSize(sender.track, encoding, told.scale_resolution_down_by ?? 1, ours);
  }
  await sender.setParameters(parameters);
}

/**
 * Leave out the sizes that nobody needs. A smaller picture does that by itself where its own smaller sizes would be too
 * small to be made; that is quicker than another mode, which begins with a new encoder.
 * @param {MediaStreamTrack|null} track
 * @param {RTCRtpEncodingParameters} encoding  changed
 * @param {number} scale
 * @param {LayeredParameters} ours
 */
function limitSize(track, encoding, scale, ours) {
  encoding.scaleResolutionDownBy = scale;
  if (scale > 1) {
    const most = Math.round(ours.maxBitrate / scale ** BITRATE_POWER);
    encoding.maxBitrate = Math.min(encoding.maxBitrate ?? most, most);
  }
  const [, sizes, rest] = /** @type {string[]} */ (/^L(\d)(.*)$/.exec(ours.scalabilityMode));
  const { width = 0, height = 0 } = track?.getSettings() ?? {};
  const left = Math.max(1, Number(sizes) - Math.round(Math.log2(scale)));
  const made = 1 + Math.floor(Math.log2(Math.max(1, Math.max(width, height) / scale / LAYER_SIDE_MIN)));
  const mode = made <= left ? ours.scalabilityMode : `L${left}${left > 1 ? rest : rest.replace(/_KEY.*$|h.*$/, '')}`;
  /** @type {LayeredParameters} */ (encoding).scalabilityMode = mode;
}

/**
 * @param {RTCRtpEncodingParameters} [encoding]
 * @returns {encoding is LayeredParameters}
 */
function isLayered(encoding) {
  return /^L[2-9]/.test(/** @type {Partial<LayeredParameters>} */ (encoding ?? {}).scalabilityMode ?? '');
}

/**
 * The codec preferences for a video section that shall use `codec` and nothing else (with its retransmissions).
 * @param {VideoCodec} codec
 * @returns {RTCRtpCodec[]}
 * @throws {HalqaError} `codec_unsupported`
 */
export function codecPreferences(codec) {
  const wanted = new Set([`video/${codec}`.toLowerCase(), 'video/rtx']);
  const all = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const codecs = all.filter((each) => wanted.has(each.mimeType.toLowerCase()));
  if (!codecs.some((each) => each.mimeType.toLowerCase() !== 'video/rtx')) {
    throw new HalqaError('codec_unsupported', `this browser cannot send ${codec}`);
  }
  return codecs;
}

/**
 * @param {number} maxBitrate  bits per second
 * @param {string} scalabilityMode
 * @returns {LayeredParameters}
 */
function layered(maxBitrate, scalabilityMode) {
  return { maxBitrate, scalabilityMode };  // TypeScript's own list lacks it (WebRTC-SVC section 5.1)
}
