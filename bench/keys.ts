/**
 * Access lists as a company has them, and packets for them, from a seed: networks inside networks, hosts, a few dozen
 * services, specific lines before general ones, a last line for the rest. Nine packets of ten belong to a line chosen
 * at random.
 */
import * as L from "../assembly/layout.js";
import { formatIpv4, ipv4Mask } from "../src/ip.js";
import { scramble } from "./scramble.js";

/** Keys of a run. */
export const KEYS_MAX = 65536;

/** A line of a list: prefixes, ports (both ends included), protocol; undefined any. */
export interface Line {
  readonly source: Prefix;
  readonly destination: Prefix;
  readonly sourcePorts: Range;
  readonly destinationPorts: Range;
  readonly protocol: number | undefined;
  readonly permit: boolean;
}

export interface Prefix {
  readonly address: number;
  readonly length: number;
}

export type Range = readonly [low: number, high: number];

const ANY_PORT: Range = [0, 65535];
const HIGH_PORTS: Range = [1024, 65535];
const SERVICES = [
  80, 443, 53, 25, 22, 21, 110, 143, 389, 445, 1433, 1521, 3306, 3389, 5060, 8080, 8443, 161, 123,
];
const PROTOCOLS = [6, 17, 1, 47];
const TCP = 6;
const UDP = 17;
const NAMES: Readonly<Record<number, string>> = { 1: "icmp", 6: "tcp", 17: "udp", 47: "gre" };

/** Shares of 100. */
type Shares<T> = readonly (readonly [share: number, value: T])[];

const SOURCE_LENGTHS: Shares<number> = [
  [12, 0],
  [3, 8],
  [8, 16],
  [5, 20],
  [22, 24],
  [10, 28],
  [40, 32],
];
const DESTINATION_LENGTHS: Shares<number> = [
  [8, 0],
  [2, 8],
  [6, 16],
  [4, 22],
  [25, 24],
  [10, 29],
  [45, 32],
];

class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to `sides` - 1. */
  roll(sides: number): number {
    this.#state = (this.#state + 1) >>> 0;
    return Math.floor((scramble(Math.imul(this.#state, 0x9e3779b1)) / 2 ** 32) * sides);
  }

  of<T>(values: readonly T[]): T {
    return values[this.roll(values.length)]!;
  }

  share<T>(shares: Shares<T>): T {
    let rest = this.roll(100);
    for (const [share, value] of shares) {
      if (rest < share) return value;
      rest -= share;
    }
    return shares.at(-1)![1];
  }
}

/** A list of `count` lines, the last of which permits everything. */
export function makeLines(count: number): Line[] {
  const dice = new Dice(count);
  const places = Array.from({ length: Math.max(4, Math.floor(count / 12)) }, () =>
    dice.of([
      0x0a000000 + dice.roll(2 ** 24),
      0xac100000 + dice.roll(2 ** 20),
      0xc0a80000 + dice.roll(2 ** 16),
    ]),
  );
  const prefix = (lengths: Shares<number>): Prefix => {
    const length = dice.share(lengths);
    const place = dice.of(places);
    const address = length > 24 ? ((place & 0xffffff00) >>> 0) + dice.roll(256) : place;
    return { address: (address & ipv4Mask(length)) >>> 0, length };
  };
  const seen = new Set<string>();
  const lines: Line[] = [];
  while (lines.length < count - 1) {
    const protocol = dice.share<number | undefined>([
      [70, TCP],
      [20, UDP],
      [4, 1],
      [6, undefined],
    ]);
    const ported = protocol === TCP || protocol === UDP;
    const service = dice.roll(5) > 0 ? dice.of(SERVICES) : dice.roll(65536);
    const range = 1024 + dice.roll(40000);
    const line: Line = {
      source: prefix(SOURCE_LENGTHS),
      destination: prefix(DESTINATION_LENGTHS),
      sourcePorts: ported && dice.roll(100) < 4 ? HIGH_PORTS : ANY_PORT,
      destinationPorts: ported
        ? dice.share<Range>([
            [18, ANY_PORT],
            [8, HIGH_PORTS],
            [6, [range, range + 1 + dice.roll(200)]],
            [68, [service, service]],
          ])
        : ANY_PORT,
      protocol,
      permit: dice.roll(4) > 0,
    };
    const key = JSON.stringify({ ...line, permit: undefined });
    if (seen.has(key)) continue;
    seen.add(key);
    lines.push(line);
  }
  const width = ({ source, destination }: Line): number => (source.length + destination.length) >> 4;
  lines.sort((a, b) => width(b) - width(a));
  const all: Prefix = { address: 0, length: 0 };
  const rest = { source: all, destination: all, sourcePorts: ANY_PORT, destinationPorts: ANY_PORT };
  return [...lines, { ...rest, protocol: undefined, permit: true }];
}

/** A line as a configuration has it. */
export function textOf({
  source,
  destination,
  sourcePorts,
  destinationPorts,
  protocol,
  permit,
}: Line): string {
  const address = ({ address: value, length }: Prefix): string => {
    if (length === 0) return "any";
    if (length === 32) return `host ${formatIpv4(value)}`;
    return `${formatIpv4(value)} ${formatIpv4(~ipv4Mask(length) >>> 0)}`;
  };
  const ports = ([low, high]: Range): string => {
    if (low === 0 && high === 65535) return "";
    return low === high ? ` eq ${low}` : ` range ${low} ${high}`;
  };
  const name = protocol === undefined ? "ip" : NAMES[protocol];
  const action = permit ? "permit" : "deny";
  return ` ${action} ${name} ${address(source)}${ports(sourcePorts)} ${address(destination)}${ports(destinationPorts)}`;
}

/** KEYS_MAX keys as the core reads them, with addresses, ports and protocol. */
export function makeKeys(lines: readonly Line[]): Uint8Array {
  const dice = new Dice(lines.length + 1);
  const keys = new Uint32Array((KEYS_MAX * L.KEY_SIZE) / 4);
  const inside = ({ address, length }: Prefix): number =>
    (address | (dice.roll(2 ** 32) & ~ipv4Mask(length))) >>> 0;
  const port = ([low, high]: Range): number => low + dice.roll(high - low + 1);
  for (let i = 0; i < KEYS_MAX; i++) {
    const line = dice.roll(10) > 0 ? dice.of(lines) : lines.at(-1)!;
    const protocol = line.protocol ?? dice.of(PROTOCOLS);
    const at = (i * L.KEY_SIZE) / 4;
    const ported = protocol === TCP || protocol === UDP;
    keys[at + L.K_SOURCE / 4] = inside(line.source);
    keys[at + L.K_DESTINATION / 4] = inside(line.destination);
    keys[at + L.K_SOURCE_PORT / 4] = ported ? port(line.sourcePorts) : 0;
    keys[at + L.K_DESTINATION_PORT / 4] = ported ? port(line.destinationPorts) : 0;
    keys[at + L.K_PROTOCOL / 4] = protocol;
  }
  return new Uint8Array(keys.buffer);
}
