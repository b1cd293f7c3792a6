/** A firewall in a test: frames in, one line of verdict out, with a clock of its own. */
import { Dataplane, type DataplaneOptions } from "../../src/index.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { ETHERTYPE, ethernet, FLAG, fragmentsOf4, ip, ipv4, tcp, udp } from "../support/frames.js";
import { OFFICE, SEED } from "./support.js";

const module = new WebAssembly.Module(await readCoreFile());

export const CLIENT = "10.0.0.5";
export const SERVER = "198.51.100.7";

/** What a frame came to, as one line: `pass new_session 1>2`. */
export type Line = string;

export class Firewall {
  readonly dataplane: Dataplane;
  nowMs: number;

  constructor(options: Partial<DataplaneOptions> = {}) {
    this.nowMs = options.nowMs ?? 0;
    this.dataplane = Dataplane.createSync(module, {
      config: OFFICE,
      seed: SEED,
      ...options,
      capacity: { sessions: 1024, batch: 64, fragments: 32, events: 64, ...options.capacity },
    });
  }

  /** Sends frames together on one interface; their verdicts, then those of released fragments. */
  send(ingress: number, ...frames: Uint8Array[]): Line[] {
    const { batch } = this.dataplane;
    batch.clear();
    frames.forEach((frame, i) => {
      if (!batch.add(frame, ingress, i)) throw new Error("the batch is full");
    });
    return this.outputs(this.dataplane.process(this.nowMs));
  }

  /** The verdict of one frame. */
  one(ingress: number, frame: Uint8Array): Line {
    const lines = this.send(ingress, frame);
    if (lines.length !== 1) throw new Error(`one frame came to ${lines.join(", ")}`);
    return lines[0]!;
  }

  outputs(count: number): Line[] {
    const { batch } = this.dataplane;
    return Array.from({ length: count }, (_, i) => {
      const way = batch.verdict(i) === "pass" ? ` ${batch.ingress(i)}>${batch.egress(i)}` : "";
      return `${batch.verdict(i)} ${batch.reason(i)}${way}`;
    });
  }
}

/** A TCP segment from the client to the server, or back. */
export const out = (
  flags: number,
  fields: { seq?: number; ack?: number; payload?: Uint8Array } = {},
): Uint8Array => segment(CLIENT, 40000, SERVER, 80, flags, fields);
export const back = (
  flags: number,
  fields: { seq?: number; ack?: number; payload?: Uint8Array } = {},
): Uint8Array => segment(SERVER, 80, CLIENT, 40000, flags, fields);

export function segment(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  flags: number,
  fields: { seq?: number; ack?: number; payload?: Uint8Array } = {},
): Uint8Array {
  return ethernet(ip({ source, destination }, tcp({ sourcePort, destinationPort, flags, ...fields })));
}

export function datagram(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  payload = new Uint8Array(20),
): Uint8Array {
  return ethernet(ip({ source, destination }, udp({ sourcePort, destinationPort, payload })));
}

/** A UDP datagram from the client to the server in fragments that end at `cuts`. */
export function fragments(id: number, size: number, cuts: number[]): Uint8Array[] {
  const payload = Uint8Array.from({ length: size }, (_, i) => i & 255);
  const packet = ipv4(
    { source: CLIENT, destination: SERVER },
    udp({ sourcePort: 5000, destinationPort: 6000, payload }),
  );
  return fragmentsOf4(packet, id, cuts).map((fragment) => ethernet(fragment));
}

/** An ARP request of the client for the firewall. */
export function arp(): Uint8Array {
  const request = new Uint8Array(28);
  request.set([0, 1, 8, 0, 6, 4, 0, 1]);
  return ethernet(request, { type: ETHERTYPE.arp, destination: [255, 255, 255, 255, 255, 255] });
}

/** The three packets of a handshake, as [interface, frame]. */
export const HANDSHAKE: readonly (readonly [number, Uint8Array])[] = [
  [1, out(FLAG.syn, { seq: 1000 })],
  [2, back(FLAG.syn | FLAG.ack, { seq: 9000, ack: 1001 })],
  [1, out(FLAG.ack, { seq: 1001, ack: 9001 })],
];

/** A firewall with one open connection. */
export function established(options: Partial<DataplaneOptions> = {}): Firewall {
  const firewall = new Firewall(options);
  for (const [ingress, frame] of HANDSHAKE) {
    const line = firewall.one(ingress, frame);
    if (!line.startsWith("pass")) throw new Error(`the handshake ends with ${line}`);
    firewall.nowMs++;
  }
  return firewall;
}
