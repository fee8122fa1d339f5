/** One error type, and the tables that turn browser, WebSocket and HTTP failures into its codes. */

/**
 * Everything that the SDK throws or reports. `code` is stable and meant for programs; `message` is English, for logs.
 *
 * From devices: `device_refused` `device_missing` `device_busy` `device_unsupported` `device_lost` `screen_cancelled`.
 * From the connection: `unreachable` `timeout` `connection_lost` `media_failed` `codec_unsupported` `closed`,
 * `interrupted` (the connection broke, and whether the request was done is not known), and `wrong_state` for a call out
 * of turn. Any other code is the server's own (protocol.md), e.g. `token_expired`.
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

/**
 * What to do when a WebSocket closed: `end` it; `resume` (we may still be in the room); `join` again (we are out, and
 * may come back); `refresh` the token, or end without a way to.
 * @typedef {'end'|'resume'|'join'|'refresh'} Verdict
 */

/** WebSocket close code -> why, and what to do (protocol.md; 1xxx: RFC 6455 section 7.4.1). */
const CLOSE_CODES = new Map(/** @type {[number, [string, Verdict]][]} */ ([
  [1000, ['left', 'end']],
  [1001, ['shutting_down', 'resume']],
  [1008, ['slow_reader', 'resume']],
  [1009, ['message_too_big', 'end']],
  [1011, ['internal', 'resume']],
  [1012, ['shutting_down', 'resume']],
  [4000, ['bad_message', 'end']],
  [4001, ['token_expired', 'refresh']],
  [4003, ['join_timeout', 'join']],
  [4004, ['replaced', 'end']],
  [4005, ['media_failed', 'join']],
  [4006, ['removed', 'end']],
  [4007, ['sent_back', 'join']],
  [4008, ['replaced', 'end']],
  [4009, ['moved', 'join']],
  [4010, ['shutting_down', 'join']],
  [4011, ['ended', 'end']],
]));

/**
 * @param {number} closeCode
 * @returns {string} the reason; `connection_lost` for a code that says nothing more (1006 and unknown ones)
 */
export function closeReason(closeCode) {
  return CLOSE_CODES.get(closeCode)?.[0] ?? 'connection_lost';
}

/**
 * @param {number} closeCode
 * @returns {Verdict}
 */
export function closeVerdict(closeCode) {
  return CLOSE_CODES.get(closeCode)?.[1] ?? 'resume';
}

/** Errors of opening, joining and resuming after which another try may succeed; every other one is final. */
const PASSING = new Set([
  'unreachable', 'timeout', 'interrupted', 'shutting_down', 'draining', 'join_timeout', 'internal', 'too_many_requests',
  'rate_limited',
]);

/**
 * @param {unknown} error
 * @returns {boolean} whether trying again makes sense
 */
export function isPassing(error) {
  return error instanceof HalqaError && PASSING.has(error.code);
}

/**
 * @param {unknown} error
 * @param {string} code  what it counts as, unless it is a HalqaError
 * @returns {HalqaError}
 */
export function asHalqaError(error, code) {
  return error instanceof HalqaError ? error : new HalqaError(code, String(error), { cause: error });
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
