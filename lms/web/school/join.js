/** Into the room of a class, in a tab of its own; what opens it is in the address's fragment, which no log sees. */

/** @import { Api } from './api.js' */
/** @import { Language } from './language.js' */

/**
 * Open the media server's class page. To be called while a click is handled: browsers open tabs then only.
 * @param {Api} api
 * @param {Language} language
 * @param {string} classId
 * @param {() => Promise<void>} [first]  what must be done before
 * @throws {import('./api.js').ApiError}
 */
export async function enterClass(api, language, classId, first) {
  const tab = window.open('', '_blank');
  if (tab !== null) tab.document.title = language.text('join.opening');
  try {
    await first?.();
    const ticket = await api.post(`/live-classes/${classId}/join`, {});
    const link = `${ticket.link}&lang=${language.current}`;
    if (tab === null) {  // tabs are forbidden to us
      location.assign(link);
      return;
    }
    tab.opener = null;
    tab.location.replace(link);
  } catch (error) {
    tab?.close();
    throw error;
  }
}
