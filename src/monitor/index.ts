/** `monitor capture`: what the rest of the project uses of this folder. */
export { CaptureBuffer } from "./buffer.js";
export { Captures, CAPTURES_MAX } from "./captures.js";
