/** One error type, and the tables that turn browser, WebSocket and HTTP failures into its codes. */

/**
 * Everything that the SDK throws or reports. `code` is stable and meant for programs; `message` is English, for logs.
 *
 * From devices: `device_refused` `device_missing` `device_busy` `device_unsupported` `device_lost` `screen_cancelled`.
 * From the connection: `unreachable` `timeout` `connection_lost` `media_failed` `codec_unsupported` `closed`, and
 * `wrong_state` for a call out of turn. Any other code is the server's own (protocol.md), e.g. `token_expired`.
 */
export class HalqaError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{source?: string, cause?: unknown}} [details]  source: the track source that it is about
   */
  constructor(code, message, { source, cause } = {}) {
    super(message, { cause });
    this.name = 'HalqaError';
    this.code = code;
    /** @type {string|undefined} */
    this.source = source;
  }
}

/** WebSocket close code -> why the room was closed (protocol.md; 1xxx: RFC 6455 section 7.4.1). */
const CLOSE_REASONS = new Map([
  [1000, 'left'],
  [1001, 'shutting_down'],
  [1008, 'slow_reader'],
  [1009, 'message_too_big'],
  [1011, 'internal'],
  [1012, 'shutting_down'],
  [4000, 'bad_message'],
  [4001, 'token_expired'],
  [4003, 'join_timeout'],
  [4004, 'replaced'],
  [4005, 'media_failed'],
  [4010, 'shutting_down'],
]);

/**
 * @param {number} closeCode
 * @returns {string} the reason; `connection_lost` for a code that says nothing more (1006 and unknown ones)
 */
export function closeReason(closeCode) {
  return CLOSE_REASONS.get(closeCode) ?? 'connection_lost';
}

/** DOMException name of getUserMedia and getDisplayMedia -> our code (Media Capture and Streams section 10). */
const CAPTURE_CODES = new Map([
  ['NotAllowedError', 'device_refused'],
  ['SecurityError', 'device_refused'],
  ['NotFoundError', 'device_missing'],
  ['OverconstrainedError', 'device_missing'],
  ['NotReadableError', 'device_busy'],
  ['AbortError', 'device_busy'],
]);

/**
 * @param {unknown} error  what a capture call threw
 * @param {'camera'|'microphone'|'screen'} source
 * @returns {HalqaError}
 */
export function captureError(error, source) {
  if (error instanceof HalqaError) return error;
  const name = error instanceof Error ? error.name : '';
  const code = CAPTURE_CODES.get(name) ?? 'device_unsupported';
  // A closed chooser and a refused permission look the same to a page; for a screen the chooser is far likelier.
  const ours = source === 'screen' && code === 'device_refused' ? 'screen_cancelled' : code;
  return new HalqaError(ours, `${source}: ${error instanceof Error ? error.message : error}`, { source, cause: error });
}
