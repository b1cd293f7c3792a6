/** An access list in plain JavaScript: its lines in one typed array, read in order until one matches. */
import * as L from "../../assembly/layout.js";
import { ipv4Mask } from "../../src/ip.js";
import type { Line } from "../keys.js";

const LINE_WORDS = 8;
const ANY_PROTOCOL = 256;

export class JavascriptList {
  readonly #lines: Int32Array;

  constructor(lines: readonly Line[]) {
    this.#lines = new Int32Array(lines.length * LINE_WORDS);
    lines.forEach(({ source, destination, sourcePorts, destinationPorts, protocol = ANY_PROTOCOL }, i) => {
      const ports = [
        (sourcePorts[0] << 16) | sourcePorts[1],
        (destinationPorts[0] << 16) | destinationPorts[1],
      ];
      const addresses = [source, destination].flatMap(({ address, length }) => [address, ipv4Mask(length)]);
      this.#lines.set([...addresses, ...ports, protocol], i * LINE_WORDS);
    });
  }

  /** Number + 1 of the first line that matches the key at word `at`, 0 when none does. */
  search(keys: Int32Array, at: number): number {
    const lines = this.#lines;
    const source = keys[at + L.K_SOURCE / 4]!;
    const destination = keys[at + L.K_DESTINATION / 4]!;
    const sourcePort = keys[at + L.K_SOURCE_PORT / 4]!;
    const destinationPort = keys[at + L.K_DESTINATION_PORT / 4]!;
    const protocol = keys[at + L.K_PROTOCOL / 4]!;
    for (let line = 0; line < lines.length; line += LINE_WORDS) {
      if ((source & lines[line + 1]!) !== lines[line]) continue;
      if ((destination & lines[line + 3]!) !== lines[line + 2]) continue;
      if (lines[line + 6] !== protocol && lines[line + 6] !== ANY_PROTOCOL) continue;
      const sourcePorts = lines[line + 4]!;
      if (sourcePort < sourcePorts >>> 16 || sourcePort > (sourcePorts & 0xffff)) continue;
      const destinationPorts = lines[line + 5]!;
      if (destinationPort < destinationPorts >>> 16 || destinationPort > (destinationPorts & 0xffff))
        continue;
      return line / LINE_WORDS + 1;
    }
    return 0;
  }
}
