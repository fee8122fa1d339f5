/** How each source is encoded: simulcast or layers; a screen in two encodings of one size, so that text is legible. */

import { HalqaError } from './errors.js';

/** @import { VideoCodec } from './types.js' */

/** @typedef {{rid: string|null, active: boolean, max_bitrate_bps: number}} Encoding  as the server writes it */

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
/** Frame rate can be halved twice, the size cannot: what a server that does not drop spatial layers can still use. */
const DEFAULT_SCALABILITY_MODE = 'L1T3';
const LAYERED_MAX_BITRATE_BPS = 1_500_000;

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
 * @param {string} [scalabilityMode]  e.g. "L1T3", "L3T3_KEY" (WebRTC-SVC section 6); only for VP9 and AV1
 * @returns {RTCRtpEncodingParameters[]}
 */
export function cameraEncodings(codec, scalabilityMode) {
  if (codec !== undefined && LAYERED_CODECS.has(codec)) {
    return [layered(LAYERED_MAX_BITRATE_BPS, scalabilityMode)];
  }
  return CAMERA_SIMULCAST.map((encoding) => ({ ...encoding }));
}

/**
 * @param {VideoCodec} [codec]
 * @returns {RTCRtpEncodingParameters[]}
 */
export function screenEncodings(codec) {
  if (codec !== undefined && LAYERED_CODECS.has(codec)) return [layered(SCREEN_MAX_BITRATE_BPS)];
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
    const ours = own.find(({ rid }) => rid === encoding.rid || own.length === 1)?.maxBitrate ?? Infinity;
    encoding.active = told.active;
    if (told.max_bitrate_bps > 0) encoding.maxBitrate = Math.min(told.max_bitrate_bps, ours);
  }
  await sender.setParameters(parameters);
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
 * @param {string} [scalabilityMode]
 * @returns {RTCRtpEncodingParameters}
 */
function layered(maxBitrate, scalabilityMode = DEFAULT_SCALABILITY_MODE) {
  // TypeScript's own list lacks scalabilityMode (WebRTC-SVC section 5.1).
  return /** @type {RTCRtpEncodingParameters} */ ({ maxBitrate, scalabilityMode });
}
