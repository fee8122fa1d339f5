/** Where a room is served, and why its door did not open. */

import { HalqaError } from './errors.js';

/**
 * @param {string} server  origin of the media server with an optional path, e.g. "https://media.example.org"
 * @param {string} room  room name
 * @returns {string} the room's WebSocket address
 */
export function roomAddress(server, room) {
  return webSocketAddress(`${server.replace(/\/+$/, '')}/v1/rooms/${encodeURIComponent(room)}/ws`);
}

/**
 * @param {string} address  http(s) or ws(s)
 * @returns {string} the same with ws(s)
 */
export function webSocketAddress(address) {
  return address.replace(/^http/i, 'ws');
}

/** HTTP status of a refused door -> our code, where the server's body names none. */
const STATUS_CODES = new Map([
  [401, 'bad_token'],
  [403, 'not_allowed'],
  [429, 'too_many_requests'],
  [503, 'shutting_down'],
]);

/** Then the server counts as unreachable: longer than a cold TLS handshake on a poor mobile network. */
const DIAGNOSIS_TIMEOUT_MS = 5000;

/**
 * Find out why a WebSocket did not open. A page is not told (only "1006"), so ask the same address by plain HTTP, where
 * the server checks the token before it looks for an upgrade.
 * @param {string} address
 * @param {string} token
 * @returns {Promise<HalqaError>}
 */
export async function diagnose(address, token) {
  let response;
  try {
    response = await fetch(address.replace(/^ws/i, 'http'), {
      headers: { Authorization: `Bearer ${token}` },
      cache: 'no-store',
      signal: AbortSignal.timeout(DIAGNOSIS_TIMEOUT_MS),
    });
  } catch (cause) {
    return new HalqaError('unreachable', `no answer from ${new URL(address).host}`, { cause });
  }
  const error = (await response.json().catch(() => null))?.error;
  const code = error?.code ?? STATUS_CODES.get(response.status) ?? 'unreachable';
  if (code === 'upgrade_required') return new HalqaError('unreachable', 'HTTP gets through, but WebSocket does not');
  return new HalqaError(code, error?.message ?? `the server answered with status ${response.status}`);
}
