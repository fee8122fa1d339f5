/** The class page from link to goodbye: lobby, class, end, and again. */

import { readClaims, Room, roomAddress } from './halqa/index.js';
import { Classroom } from './page/classroom.js';
import { Header } from './page/header.js';
import { Language } from './page/language.js';
import { followNewLinks, takeLink } from './page/link.js';
import { Lobby } from './page/lobby.js';
import { Notices } from './page/notices.js';

/** @typedef {import('./page/link.js').Link} Link */

const find = (/** @type {string} */ selector) => document.querySelector(selector);

const link = takeLink();
const claims = link === null ? null : readClaims(link.token);
const mayPublish = claims?.mayPublish ?? (() => true);

const language = new Language();
const notices = new Notices(language, find('#notice'), find('#announcer'));
const header = new Header(document, language);
const lobby = new Lobby(find('#lobby'), language, notices);
const ended = find('#ended');
/** Why the end is shown; null while it is not. @type {string|null} */
let endReason = null;

followNewLinks();
lobby.on('join', join);
language.on('change', showEnd);
ended.querySelector('button').addEventListener('click', showLobby);
await language.begin(link?.language ?? null);
if (link === null) end('link');
else showLobby();

function showLobby() {
  endReason = null;
  ended.hidden = true;
  header.entitle(link.room);
  lobby.begin({ room: link.room, name: claims?.name ?? (link.name || null), mayPublish });
}

/** @param {import('./page/lobby.js').Choice} choice */
async function join(choice) {
  const room = new Room();
  window.halqaRoom = room;  // for a look from the console, and for tests
  header.follow(room);
  lobby.busy(true);
  try {
    await room.connect(roomAddress(location.origin, link.room), link.token, { name: choice.name });
  } catch (error) {
    lobby.busy(false);
    notices.error(error, () => lobby.submit());
    return;
  }
  await enter(room, choice);
}

/**
 * @param {Room} room
 * @param {import('./page/lobby.js').Choice} choice
 */
async function enter(room, { tracks, deviceIds }) {
  notices.clear();
  lobby.end();
  header.entitle(room.name);
  const classroom = new Classroom(find('#classroom'), room, { language, notices }, { mayPublish, deviceIds });
  const leave = () => room.leave();
  window.addEventListener('pagehide', leave);
  room.on('state', ({ state, reason }) => {
    if (state !== 'closed') return;
    window.removeEventListener('pagehide', leave);
    classroom.stop();
    notices.clear();
    end(reason);
  });
  await classroom.publish(tracks);
}

/** @param {string} reason */
function end(reason) {
  endReason = reason;
  showEnd();
  ended.querySelector('h1').focus();
}

function showEnd() {
  if (endReason === null) return;
  const key = language.firstKnown(`ended.${endReason}`, 'ended.other');
  ended.querySelector('h1').textContent = language.text(key);
  ended.querySelector('.next').textContent = language.text(`${key}.next`, { reason: endReason });
  ended.querySelector('button').hidden = link === null;
  ended.hidden = false;
}
