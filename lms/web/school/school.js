/** The school's page: who is logged in sees today's classes and how it goes; everybody else logs in. */

import { Api } from './api.js';
import { Bell } from './bell.js';
import { Classes } from './classes.js';
import { AccessCode } from './code.js';
import { find } from './dom.js';
import { Language } from './language.js';
import { MailedLink, takeMailedLink } from './link.js';
import { Login } from './login.js';
import { Progress } from './progress.js';
import { AttendanceSheet } from './sheet.js';

/** @import { ApiError } from './api.js' */
/** @import { Myself } from './types.js' */

const AWAY_LOOK_MS = 5_000;
const REDEEMING = 'access_codes:redeem';
const LEARNING = ['student', 'observer'];

const language = new Language();
const api = new Api(language);
const announcer = find(document, '#announcer', HTMLElement);
const notice = find(document, '#notice', HTMLElement);
const away = find(document, '#away', HTMLElement);
const question = find(document, '#question', HTMLDialogElement);
const views = find(document, '#views', HTMLElement);
/** @type {Myself|null} */
let me = null;
let awayTimer = 0;

const sheet = new AttendanceSheet(find(document, '#sheet', HTMLDialogElement), api, language, tell);
const announce = (/** @type {string} */ text) => { announcer.textContent = text; };
const surroundings = { tell, ask, announce, openSheet: sheet.open.bind(sheet) };
const classes = new Classes(find(document, '#classes', HTMLElement), api, language, surroundings);
const code = new AccessCode(find(document, '#code', HTMLElement), api, language, () => void classes.look());
const progress = new Progress(find(document, '#progress', HTMLElement), api, language, tell);
const login = new Login(find(document, '#login', HTMLElement), api, language, (who) => void enter(who, true));
const bell = new Bell(api, () => void classes.look());
const mailed = takeMailedLink();

language.addEventListener('change', label);
api.addEventListener('out', () => leave(language.text('error.logged_out')));
api.addEventListener('in', () => void begin());
api.addEventListener('away', watchAway);
api.addEventListener('back', () => {
  away.hidden = true;
  clearInterval(awayTimer);
});
find(document, '#language', HTMLButtonElement).addEventListener('click', () => void changeLanguage());
find(document, '#logout', HTMLButtonElement).addEventListener('click', () => void logOut());
find(notice, 'button', HTMLButtonElement).addEventListener('click', () => { notice.hidden = true; });
window.addEventListener('hashchange', () => route(true));
await language.begin();
if (mailed === null) await begin();
else await new MailedLink(find(document, '#mailed', HTMLElement), api, language, tellAtLogin).follow(mailed);
label();

/** @param {string} message  of what became of a link */
function tellAtLogin(message) {
  leave('');
  login.say(message);
}

async function begin() {
  if (!api.isIn) {
    leave('');
    return;
  }
  try {
    await enter(await api.get('/auth/me'), false);
  } catch (error) {
    const { code } = /** @type {ApiError} */ (error);
    if (code === 'away') setTimeout(() => void begin(), AWAY_LOOK_MS);
    else if (me === null) leave(code === 'logged_out' ? language.text('error.logged_out') : '');
  }
}

/**
 * @param {Myself} who
 * @param {boolean} isNew  they just logged in
 */
async function enter(who, isNew) {
  if (me !== null && me.id !== who.id) forget();
  me = who;
  language.timeZone = who.time_zone ?? undefined;
  await language.prefer(who.language);
  login.hide();
  notice.hidden = true;
  find(views, '[href="#progress"]', HTMLElement).hidden = !LEARNING.some((role) => who.roles.includes(role));
  for (const each of ['#views', '#logout', '#person']) find(document, each, HTMLElement).hidden = false;
  find(document, '#person bdi', HTMLElement).textContent = who.name;
  code.show(who.permissions.includes(REDEEMING));
  bell.start();
  route(isNew);
}

/** @param {string} message  why, if it was not their wish */
function leave(message) {
  me = null;
  bell.stop();
  forget();
  sheet.close();
  question.close();
  classes.hide();
  progress.hide();
  for (const each of ['#views', '#logout', '#person']) find(document, each, HTMLElement).hidden = true;
  label();
  login.show(message);
}

/** What was shown of somebody is nobody else's business. */
function forget() {
  classes.forget();
  code.forget();
  progress.forget();
}

async function logOut() {
  leave('');
  try {
    await api.logOut();
  } catch (error) {
    tell(/** @type {ApiError} */ (error));
  }
}

/** @param {boolean} isFocused  whether the heading gets the focus: after somebody went there */
function route(isFocused) {
  if (me === null) return;
  const isProgress = location.hash === '#progress' && LEARNING.some((role) => me?.roles.includes(role));
  for (const link of views.querySelectorAll('a')) {
    if (link.hash === (isProgress ? '#progress' : '#classes')) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (isProgress) {
    classes.hide();
    void progress.show(me);
  } else {
    progress.hide();
    classes.show();
  }
  label();
  if (isFocused) find(document, isProgress ? '#progress-title' : '#classes-title', HTMLElement).focus();
}

/**
 * Change to the other language; who is logged in has chosen it for the account, for mails and other devices too. The
 * server is told first: what it says next is to be in the language of the page.
 */
async function changeLanguage() {
  if (me !== null) {
    me.language = language.other;
    try {
      await api.change('/auth/me', { language: language.other });
    } catch (error) {
      tell(/** @type {ApiError} */ (error));
    }
  }
  await language.toggle();
}

function label() {
  const button = find(document, '#language', HTMLButtonElement);
  button.textContent = language.text('language.switch');
  button.lang = language.current === 'en' ? 'ar' : 'en';
  const view = me === null ? 'login.title' : location.hash === '#progress' ? 'views.progress' : 'views.classes';
  document.title = `${language.text(view)} · ${language.text('brand')}`;
  away.textContent = language.text('error.away');
}

/** @param {ApiError} error */
function tell(error) {
  if (error.code === 'away' || error.code === 'logged_out') return;  // is told elsewhere
  if (error.code === undefined) throw error;
  find(notice, 'p', HTMLElement).textContent = error.message;
  notice.hidden = false;
}

/** Say that the server is away, and look for it until it is back. */
function watchAway() {
  away.hidden = false;
  clearInterval(awayTimer);
  awayTimer = setInterval(() => {
    if (api.isIn) api.get('/auth/me').catch(() => {});
    else fetch('/health').then(({ ok }) => { away.hidden = ok; }).catch(() => {});
  }, AWAY_LOOK_MS);
}

/**
 * @param {string} text
 * @param {string} yes  what the button says that does it
 * @returns {Promise<boolean>}
 */
function ask(text, yes) {
  find(question, '#question-text', HTMLElement).textContent = text;
  const button = find(question, '.yes', HTMLButtonElement);
  button.textContent = yes;
  return new Promise((resolve) => {
    const answer = (/** @type {boolean} */ isYes) => {
      resolve(isYes);
      question.close();
    };
    button.onclick = () => answer(true);
    find(question, '.no', HTMLButtonElement).onclick = () => answer(false);
    question.onclose = () => resolve(false);
    question.showModal();
  });
}
