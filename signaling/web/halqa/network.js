/** What the browser knows of the network and the page: a good moment to try again, or to doubt what we have. */

/** @typedef {EventTarget & {type?: string}} NetworkInformation  not in every browser */

/**
 * Call `changed` whenever the network or the page comes back, or another network took over, until `signal` ends it.
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
export function watchNetwork(changed, signal) {
  window.addEventListener('online', changed, { signal });
  // A page that was frozen in the background missed everything that happened.
  window.addEventListener('pageshow', changed, { signal });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') changed();
  }, { signal });
  const connection = /** @type {{connection?: NetworkInformation}} */ (navigator).connection;
  let type = connection?.type;
  connection?.addEventListener('change', () => {
    if (connection.type === type) return;  // estimates of speed change all the time
    type = connection.type;
    changed();
  }, { signal });
}
