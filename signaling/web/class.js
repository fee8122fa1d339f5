/** The class page from link to goodbye: lobby, waiting room, class, end; and straight back after a reload. */

import { openCamera, openMicrophone, readClaims, Room, roomAddress } from './halqa/index.js';
import { Classroom } from './page/classroom.js';
import { find } from './page/dom.js';
import { Header } from './page/header.js';
import { Language } from './page/language.js';
import { followNewLinks, takeLink } from './page/link.js';
import { Lobby } from './page/lobby.js';
import { Notices } from './page/notices.js';
import { forgetStay, keepStay, readStay } from './page/stay.js';

/** @import { HalqaError } from './halqa/index.js' */
/** @import { Choice } from './page/lobby.js' */

/** What a moderator said is shown as it is; what the server says to developers is not. */
const SPOKEN = new Set(['removed', 'banned', 'ended', 'sent_back']);

const link = takeLink();
const claims = link === null ? null : readClaims(link.token);
const mayPublish = claims?.mayPublish ?? (() => true);

const language = new Language();
const announcer = find(document, '#announcer', HTMLElement);
const notices = new Notices(language, find(document, '#notice', HTMLElement), announcer);
const header = new Header(document, language);
const lobby = new Lobby(find(document, '#lobby', HTMLElement), language, notices);
const waiting = find(document, '#waiting', HTMLElement);
const ended = find(document, '#ended', HTMLElement);
/**
 * Why the end is shown, and what a moderator said; null while it is not.
 * @type {{reason: string, message: string}|null}
 */
let ending = null;

followNewLinks();
lobby.on('join', join);
language.on('change', showEnd);
find(ended, 'button', HTMLButtonElement).addEventListener('click', showLobby);
await language.begin(link?.language ?? null);
const stay = readStay();
if (link === null) end('link', '');
else if (stay === null) showLobby();
else await join({ ...stay, tracks: { camera: null, microphone: null } }, stay);

function showLobby() {
  if (link === null) return;
  ending = null;
  ended.hidden = true;
  header.entitle(link.title);
  lobby.begin({ title: link.title, name: claims?.name ?? (link.name || null), mayPublish });
}

/**
 * @param {Choice} choice
 * @param {{camera: boolean, microphone: boolean}} [former]  what was on before a reload: opened when we are in
 */
async function join(choice, former) {
  if (link === null) return;
  const room = new Room();
  /** @type {any} */ (window).halqaRoom = room;  // for a look from the console, and for tests
  header.follow(room);
  lobby.busy(true);
  room.on('state', ({ state }) => showWaiting(state === 'waiting' ? room : null));
  try {
    await room.connect(roomAddress(location.origin, link.room), link.token, { name: choice.name });
  } catch (error) {
    lobby.busy(false);
    const { code, message } = /** @type {HalqaError} */ (error);
    if (ending !== null) return;
    if (lobby.root.hidden && former === undefined) end(code, message);
    else refused(/** @type {HalqaError} */ (error), former !== undefined);
    return;
  }
  await enter(room, choice, former);
}

/**
 * @param {HalqaError} error
 * @param {boolean} isReload
 */
function refused(error, isReload) {
  forgetStay();
  if (isReload) showLobby();
  notices.error(error, () => lobby.submit());
}

/**
 * Somebody must let us in: nothing to do but to wait, or to go.
 * @param {Room|null} room  null: it is over
 */
function showWaiting(room) {
  const isNew = room !== null && waiting.hidden;
  waiting.hidden = room === null;
  if (room === null) return;
  find(document, '#classroom', HTMLElement).hidden = true;
  lobby.hide();
  const leave = find(waiting, 'button', HTMLButtonElement);
  leave.onclick = () => {
    room.leave();
    end('left', '');
  };
  if (isNew) find(waiting, 'h1', HTMLElement).focus();
}

/**
 * @param {Room} room
 * @param {Choice} choice
 * @param {{camera: boolean, microphone: boolean}} [former]
 */
async function enter(room, { name, tracks, deviceIds }, former) {
  notices.clear();
  lobby.end();
  header.entitle(link?.title ?? room.name);
  const classroom = new Classroom(find(document, '#classroom', HTMLElement), room, { language, notices }, deviceIds);
  /** What shall be on, as long as it is being opened. @type {{camera: boolean, microphone: boolean}|null} */
  let opening = former ?? { camera: tracks.camera !== null, microphone: tracks.microphone !== null };
  const isOn = (/** @type {'camera'|'microphone'} */ source) => (
    room.localTrack(source)?.muted === false || (opening?.[source] ?? false)
  );
  const leave = () => {
    const now = { name, camera: isOn('camera'), microphone: isOn('microphone'), deviceIds };
    room.leave();
    keepStay(now);
  };
  window.addEventListener('pagehide', leave);
  room.on('state', ({ state }) => {
    if (state !== 'closed' && state !== 'waiting') find(document, '#classroom', HTMLElement).hidden = false;
  });
  room.on('closed', ({ reason, message }) => {
    window.removeEventListener('pagehide', leave);
    forgetStay();
    classroom.stop();
    notices.clear();
    end(reason, message);
  });
  await classroom.publish(former === undefined ? tracks : await reopen(former, deviceIds));
  opening = null;
}

/**
 * @param {{camera: boolean, microphone: boolean}} former
 * @param {Record<'camera'|'microphone', string>} deviceIds
 */
async function reopen(former, deviceIds) {
  const opened = async (/** @type {boolean} */ isWanted, /** @type {() => Promise<MediaStreamTrack>} */ open) => {
    if (!isWanted) return null;
    return open().catch((error) => {
      notices.error(error);
      return null;
    });
  };
  const [camera, microphone] = await Promise.all([
    opened(former.camera, () => openCamera({ deviceId: deviceIds.camera })),
    opened(former.microphone, () => openMicrophone({ deviceId: deviceIds.microphone })),
  ]);
  return { camera, microphone };
}

/**
 * @param {string} reason
 * @param {string} message
 */
function end(reason, message) {
  ending = { reason, message };
  lobby.hide();
  lobby.release();
  waiting.hidden = true;
  showEnd();
  find(ended, 'h1', HTMLElement).focus();
}

function showEnd() {
  if (ending === null) return;
  const { reason, message } = ending;
  const key = language.firstKnown(`ended.${reason}`, 'ended.other');
  const isSpoken = SPOKEN.has(reason) && message !== '' && message !== reason;
  find(ended, 'h1', HTMLElement).textContent = language.text(key);
  find(ended, '.next', HTMLElement).textContent = language.text(`${key}.next`, { reason });
  const said = find(ended, '.said', HTMLElement);
  said.textContent = isSpoken ? message : '';
  said.hidden = !isSpoken;
  find(ended, 'button', HTMLButtonElement).hidden = link === null;
  ended.hidden = false;
}
