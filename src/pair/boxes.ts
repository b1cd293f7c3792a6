/** The two boxes of a pair. */
import type { Mac } from "../frame.js";

export type BoxName = "A" | "B";
export const BOX_NAMES: readonly BoxName[] = ["A", "B"];

/** running; hung: nothing happens in it, what arrives waits; dead: it is gone, with all that it knew. */
export type BoxStatus = "running" | "hung" | "dead";

export const peerOf = (box: BoxName): BoxName => (box === "A" ? "B" : "A");

/** Virtual MAC addresses of HSRP: version 1, version 2, IPv6. */
export function isVirtual(mac: Mac): boolean {
  return /^(0000\.0c07\.ac|0000\.0c9f\.f|0005\.73a0\.0)/i.test(mac);
}
