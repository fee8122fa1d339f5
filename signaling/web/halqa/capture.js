/** Camera, microphone and screen as MediaStreamTracks, with failures as HalqaError. */

import { captureError, HalqaError } from './errors.js';

/** 720p is what the largest simulcast encoding carries; more would only be scaled down again. */
const CAMERA_SHAPE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const MICROPHONE_SHAPE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
/** Slides need few frames; a played video may use up to 30. */
const SCREEN_SHAPE = { frameRate: { ideal: 15, max: 30 } };

/**
 * @param {{deviceId?: string}} [options]
 * @returns {Promise<MediaStreamTrack>}
 */
export async function openCamera({ deviceId } = {}) {
  const stream = await capture('camera', { video: { ...CAMERA_SHAPE, ...chosen(deviceId) } });
  return stream.getVideoTracks()[0];
}

/**
 * @param {{deviceId?: string}} [options]
 * @returns {Promise<MediaStreamTrack>}
 */
export async function openMicrophone({ deviceId } = {}) {
  const stream = await capture('microphone', { audio: { ...MICROPHONE_SHAPE, ...chosen(deviceId) } });
  return stream.getAudioTracks()[0];
}

/**
 * Open both with one question to the user. What fails alone does not take the other with it.
 * @returns {Promise<{camera: MediaStreamTrack|HalqaError, microphone: MediaStreamTrack|HalqaError}>}
 */
export async function openCameraAndMicrophone() {
  try {
    const stream = await capture('camera', { video: CAMERA_SHAPE, audio: MICROPHONE_SHAPE });
    return { camera: stream.getVideoTracks()[0], microphone: stream.getAudioTracks()[0] };
  } catch (error) {
    if (!(error instanceof HalqaError) || error.code === 'device_unsupported' || error.code === 'device_refused') {
      // Asking again what was refused a moment ago would only annoy.
      const { code, message } = captureError(error, 'camera');
      const failed = (/** @type {string} */ source) => new HalqaError(code, message, { source, cause: error });
      return { camera: failed('camera'), microphone: failed('microphone') };
    }
  }
  const asResult = (/** @type {HalqaError} */ error) => error;
  const [camera, microphone] = await Promise.all([openCamera().catch(asResult), openMicrophone().catch(asResult)]);
  return { camera, microphone };
}

/**
 * Ask for a screen, window or tab. Must be called from a click or key press.
 * @param {{audio?: boolean, contentHint?: 'text'|'detail'|'motion'}} [options]
 *   audio: take the tab's or system's sound too where the browser offers it
 * @returns {Promise<{video: MediaStreamTrack, audio: MediaStreamTrack|null}>}
 */
export async function openScreen({ audio = true, contentHint = 'detail' } = {}) {
  if (!navigator.mediaDevices?.getDisplayMedia) {
    throw new HalqaError('device_unsupported', 'this browser cannot share a screen', { source: 'screen' });
  }
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN_SHAPE, audio });
    const [video] = stream.getVideoTracks();
    // "text" and "detail" make the encoder drop frames rather than sharpness (MediaStreamTrack Content Hints).
    video.contentHint = contentHint;
    return { video, audio: stream.getAudioTracks()[0] ?? null };
  } catch (error) {
    throw captureError(error, 'screen');
  }
}

/**
 * The cameras, microphones and loudspeakers of this device; labels are empty until a permission was given.
 * @returns {Promise<{cameras: MediaDeviceInfo[], microphones: MediaDeviceInfo[], speakers: MediaDeviceInfo[]}>}
 */
export async function listDevices() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return {
    cameras: devices.filter((device) => device.kind === 'videoinput'),
    microphones: devices.filter((device) => device.kind === 'audioinput'),
    speakers: devices.filter((device) => device.kind === 'audiooutput'),
  };
}

/**
 * @param {'camera'|'microphone'} source
 * @param {MediaStreamConstraints} constraints
 */
async function capture(source, constraints) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new HalqaError('device_unsupported', `no ${source} here: the page was not opened over HTTPS`, { source });
  }
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw captureError(error, source);
  }
}

/** @param {string} [deviceId] */
function chosen(deviceId) {
  return deviceId ? { deviceId: { exact: deviceId } } : {};
}
