/** A class that was open in this tab when the page was reloaded: go straight back in, as one was. */

const STORAGE_KEY = 'halqa.stay';

/** @typedef {Record<'camera'|'microphone', string>} DeviceIds */
/** @typedef {{name: string, camera: boolean, microphone: boolean, deviceIds: DeviceIds}} Stay */

/** @param {Stay} stay */
export function keepStay(stay) {
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(stay));
}

export function forgetStay() {
  sessionStorage.removeItem(STORAGE_KEY);
}

/**
 * It stays kept until it is forgotten: whoever reloads twice in a row is back as well.
 * @returns {Stay|null} only after a reload: a tab that was restored days later begins in the lobby
 */
export function readStay() {
  const kept = sessionStorage.getItem(STORAGE_KEY);
  const [navigation] = performance.getEntriesByType('navigation');
  const isReload = navigation instanceof PerformanceNavigationTiming && navigation.type === 'reload';
  try {
    return kept !== null && isReload ? JSON.parse(kept) : null;
  } catch {
    return null;
  }
}
