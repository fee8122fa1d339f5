/** Before the class: name, camera and microphone, with a look in the mirror and a level meter. */

import { HalqaError, listDevices, openCamera, openCameraAndMicrophone, openMicrophone } from '../halqa/index.js';
import { Emitter } from '../halqa/events.js';
import { find } from './dom.js';
import { showIcon } from './icons.js';
import { Meter } from './meter.js';

/** @typedef {'camera'|'microphone'} Device */
/**
 * @typedef {object} Choice
 * @property {string} name
 * @property {Record<Device, MediaStreamTrack|null>} tracks  open devices; null: join without it
 * @property {Record<Device, string>} deviceIds  chosen, for when it is turned on later
 */

/** @type {Device[]} */
const DEVICES = ['camera', 'microphone'];
const OPENERS = { camera: openCamera, microphone: openMicrophone };
const NAME_KEY = 'halqa.name';

/** @extends {Emitter<{join: Choice}>} */
export class Lobby extends Emitter {
  /** @type {Record<Device, MediaStreamTrack|null>} */
  #tracks = { camera: null, microphone: null };

  /**
   * @param {HTMLElement} root
   * @param {import('./language.js').Language} language
   * @param {import('./notices.js').Notices} notices
   */
  constructor(root, language, notices) {
    super();
    this.root = root;
    this.language = language;
    this.notices = notices;
    this.form = find(root, 'form', HTMLFormElement);
    this.name = find(root, 'input[name=name]', HTMLInputElement);
    this.video = find(root, 'video', HTMLVideoElement);
    this.meter = new Meter(find(root, '.meter', HTMLElement));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    for (const device of DEVICES) {
      this.#button(device).addEventListener('click', () => this.#toggle(device));
      this.#select(device).addEventListener('change', () => this.#turnOn(device));
    }
    navigator.mediaDevices?.addEventListener('devicechange', () => this.#listDevices());
    language.on('change', () => this.#listDevices());
  }

  /**
   * Show it, and open the devices that may be published.
   * @param {{title: string, name: string|null, mayPublish: (source: string) => boolean}} guest
   *   name: fixed by the token; null: to be asked
   */
  async begin({ title, name, mayPublish }) {
    this.root.hidden = false;
    find(this.root, '.room bdi', HTMLElement).textContent = title;
    this.name.value = name ?? localStorage.getItem(NAME_KEY) ?? '';
    labelOf(this.name).hidden = name !== null;
    const allowed = DEVICES.filter(mayPublish);
    for (const device of DEVICES) {
      this.#button(device).hidden = !allowed.includes(device);
      labelOf(this.#select(device)).hidden = !allowed.includes(device);
    }
    this.meter.element.hidden = !allowed.includes('microphone');
    find(this.root, '.preview', HTMLElement).hidden = allowed.length === 0;
    this.busy(false);
    await this.#open(allowed);
  }

  /** @param {boolean} isBusy  joining is under way */
  busy(isBusy) {
    const button = find(this.form, '[type=submit]', HTMLButtonElement);
    const key = isBusy ? 'lobby.joining' : 'lobby.join';
    button.disabled = isBusy;
    button.dataset.text = key;
    button.textContent = this.language.text(key);
  }

  /** Join with what is chosen now. */
  submit() {
    const name = this.name.value.trim();
    localStorage.setItem(NAME_KEY, name);
    const deviceIds = { camera: this.#select('camera').value, microphone: this.#select('microphone').value };
    this.notices.clear();
    this.emit('join', { name, tracks: this.#tracks, deviceIds });
  }

  /** Hide it, with the devices open: whoever waits at the door looks into the mirror no more, but goes in as chosen. */
  hide() {
    this.root.hidden = true;
    this.meter.watch(null);
    this.video.srcObject = null;
  }

  /** Hide it; the open devices belong to whom the choice was given. */
  end() {
    this.hide();
    this.#tracks = { camera: null, microphone: null };
  }

  /** Let go of the devices that nobody took. */
  release() {
    for (const device of DEVICES) this.#tracks[device]?.stop();
    this.#tracks = { camera: null, microphone: null };
  }

  /** @param {Device[]} allowed */
  async #open(allowed) {
    if (allowed.length === 2) {
      const { camera, microphone } = await openCameraAndMicrophone();
      if (camera instanceof HalqaError && microphone instanceof HalqaError) {
        this.#noneOpened({ camera, microphone }, allowed);
      } else {
        this.#took('camera', camera);
        this.#took('microphone', microphone);
      }
    } else {
      await Promise.all(allowed.map((device) => this.#turnOn(device)));
    }
    await this.#listDevices();
  }

  /**
   * One message for both: the second would hide the first.
   * @param {Record<Device, HalqaError>} errors
   * @param {Device[]} allowed
   */
  #noneOpened({ camera, microphone }, allowed) {
    const isSame = camera.code === microphone.code;
    const error = isSame ? new HalqaError(camera.code, camera.message, { source: 'devices' }) : camera;
    this.notices.error(error, () => this.#open(allowed));
  }

  /** @param {Device} device */
  async #toggle(device) {
    if (this.#tracks[device] === null) await this.#turnOn(device);
    else this.#set(device, null);
  }

  /** @param {Device} device */
  async #turnOn(device) {
    this.#set(device, null);
    const deviceId = this.#select(device).value;
    this.#took(device, await OPENERS[device]({ deviceId }).catch((error) => error));
    await this.#listDevices();
  }

  /**
   * @param {Device} device
   * @param {MediaStreamTrack|HalqaError} result
   */
  #took(device, result) {
    if (result instanceof MediaStreamTrack) {
      this.notices.clear();
      if (this.root.hidden) result.stop();
      else this.#set(device, result);
    } else {
      this.notices.error(result, () => this.#turnOn(device));
    }
  }

  /**
   * @param {Device} device
   * @param {MediaStreamTrack|null} track
   */
  #set(device, track) {
    this.#tracks[device]?.stop();
    this.#tracks[device] = track;
    const button = this.#button(device);
    button.setAttribute('aria-pressed', String(track !== null));
    showIcon(button, track === null ? `${device}-off` : device);
    if (device === 'microphone') this.meter.watch(track);
    else this.video.srcObject = track === null ? null : new MediaStream([track]);
    find(this.root, '.empty', HTMLElement).hidden = this.#tracks.camera !== null;
  }

  async #listDevices() {
    const { cameras, microphones } = await listDevices();
    this.#offer('camera', cameras);
    this.#offer('microphone', microphones);
  }

  /**
   * @param {Device} device
   * @param {MediaDeviceInfo[]} found
   */
  #offer(device, found) {
    const select = this.#select(device);
    const chosen = this.#tracks[device]?.getSettings().deviceId ?? select.value;
    select.replaceChildren(...found.map(({ label, deviceId }, index) => (
      new Option(label || this.language.text('lobby.unnamed', { number: index + 1 }), deviceId)
    )));
    if (found.length === 0) select.append(new Option(this.language.text('lobby.none'), ''));
    select.disabled = found.length === 0;
    if (found.some(({ deviceId }) => deviceId === chosen)) select.value = chosen;
  }

  /** @param {Device} device */
  #button(device) {
    return find(this.root, `.switches [name=${device}]`, HTMLButtonElement);
  }

  /** @param {Device} device */
  #select(device) {
    return find(this.form, `select[name=${device}]`, HTMLSelectElement);
  }
}

/**
 * @param {Element} field
 * @returns {HTMLElement}
 */
function labelOf(field) {
  return /** @type {HTMLElement} */ (field.closest('label'));
}
