/** The public face of the Halqa browser SDK: `import { Room, roomAddress } from '/sdk/halqa/index.js'`. */

export { roomAddress } from './address.js';
export { checkConnection } from './check.js';
export { listDevices, openCamera, openCameraAndMicrophone, openMicrophone, openScreen } from './capture.js';
export { HalqaError } from './errors.js';
export { Room } from './room.js';
export { loudness } from './slots.js';
export { readClaims } from './token.js';
