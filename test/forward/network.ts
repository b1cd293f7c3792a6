/** A live router between three devices, one of which carries subinterfaces, and random packets for it. */
import * as L from "../../assembly/layout.js";
import { formatMac } from "../../src/frame.js";
import { Dataplane, type DataplaneOptions } from "../../src/index.js";
import { type Address, formatAddress, ipv4Mask, formatIpv4, parseAddress } from "../../src/ip.js";
import { readCoreFile } from "../../src/io/wasm.js";
import { Random } from "../model/random.js";
import {
  ethernet,
  extension,
  fragmentsOf4,
  fragmentsOf6,
  ipv4,
  ipv6,
  type Segment,
  tcp,
  udp,
} from "../support/frames.js";
import type { Device, ForwardRoute } from "./model.js";

export const coreModule = new WebAssembly.Module(new Uint8Array(await readCoreFile()));

export const NAMES = [
  "GigabitEthernet0/0",
  "GigabitEthernet0/1",
  "GigabitEthernet0/2",
  "GigabitEthernet0/2.20",
  "GigabitEthernet0/2.30",
] as const;

const macOf = (last: number): number[] => [0x02, 0, 0, 0, 0x10, last];

/** By number - 1. */
export const DEVICES: readonly Device[] = [
  { number: 1, port: 3, mac: macOf(1), vlan: 0, mtu: 0 },
  { number: 2, port: 7, mac: macOf(2), vlan: 0, mtu: 1280 },
  { number: 3, port: 0, mac: macOf(3), vlan: 0, mtu: 1500 },
  { number: 4, port: 0, mac: macOf(3), vlan: 20, mtu: 1500 },
  { number: 5, port: 0, mac: macOf(3), vlan: 30, mtu: 600 },
];

const address = (text: string): Address => parseAddress(text)!;
const network4 = (number: number): number => (10 << 24) | (number << 16);
const network6 = (number: number): bigint => address(`2001:db8:${number}::`) as bigint;
const SUBNET_PREFIX = { 4: 16, 6: 64 } as const;

/** The address of the router, and of a neighbour, on an interface. */
export const own = (number: number, v6: boolean): Address => host(number, v6, 1);
export function host(number: number, v6: boolean, place: number): Address {
  return v6 ? network6(number) + BigInt(place) : (network4(number) + place) >>> 0;
}

/** Static routes of both families to random prefixes, one in another, by neighbours or each other. */
export function randomRoutes(random: Random, count: number): ForwardRoute[] {
  const routes = new Map<string, ForwardRoute>();
  for (let i = 0; i < count; i++) {
    const v6 = random.chance(0.4);
    const number = random.between(1, DEVICES.length);
    const gateway = host(number, v6, random.between(2, 9));
    const prefixLength = v6 ? random.pick([20, 32, 40, 48, 63, 64, 65, 127, 128]) : random.between(5, 32);
    const network = v6 ? randomNetwork6(random, prefixLength) : randomNetwork4(random, prefixLength);
    routes.set(`${network}/${prefixLength}`, { network, prefixLength, interface: number, gateway });
  }
  return [...routes.values()];
}

function randomNetwork4(random: Random, prefixLength: number): number {
  // Few values for each part, so that networks lie in each other.
  const value =
    (random.pick([172, 192]) << 24) | (random.int(2) << 23) | (random.int(4) << 16) | random.int(1024);
  return (value & ipv4Mask(prefixLength)) >>> 0;
}

function randomNetwork6(random: Random, prefixLength: number): bigint {
  const value =
    (0x2001_0db9n << 96n) |
    (BigInt(random.int(4)) << 80n) |
    (BigInt(random.int(4)) << 63n) |
    BigInt(random.int(4));
  const rest = BigInt(128 - prefixLength);
  return (value >> rest) << rest;
}

/** What the configuration says of the same network. */
export function configOf(routes: readonly ForwardRoute[], more = ""): string {
  const interfaces = NAMES.map((name, i) => {
    const { number, vlan } = DEVICES[i]!;
    return `interface ${name}
${vlan === 0 ? "" : ` encapsulation dot1Q ${vlan}\n`} ip address ${formatAddress(own(number, false))} 255.255.0.0
 ipv6 address ${formatAddress(own(number, true))}/64
!`;
  });
  const lines = routes.map(({ network, prefixLength, gateway }) =>
    typeof network === "number"
      ? `ip route ${formatIpv4(network)} ${formatIpv4(ipv4Mask(prefixLength))} ${formatAddress(gateway!)}`
      : `ipv6 route ${formatAddress(network)}/${prefixLength} ${formatAddress(gateway!)}`,
  );
  return `ip options ignore\n${interfaces.join("\n")}\n${lines.join("\n")}\n${more}\nend\n`;
}

export function connectedRoutes(): ForwardRoute[] {
  return DEVICES.flatMap(({ number }) => [
    { network: network4(number), prefixLength: SUBNET_PREFIX[4], interface: number },
    { network: network6(number), prefixLength: SUBNET_PREFIX[6], interface: number },
  ]);
}

/** Hash keys that are the same in every run. */
export const SEED = new Random(4).bytes(64);

/** A live router with these routes. */
export function liveRouter(config: string, options: Partial<DataplaneOptions> = {}): Dataplane {
  const dataplane = Dataplane.createSync(coreModule, {
    config,
    mtus: new Map(NAMES.map((name, i) => [name, DEVICES[i]!.mtu])),
    seed: SEED,
    ...options,
    capacity: { sessions: 1024, batch: 128, fragments: 64, events: 64, ...options.capacity },
  });
  dataplane.forwarding.enable({
    interfaces: DEVICES.map(({ number, port, mac }) => ({ number, port, mac: formatMac(mac) })),
  });
  return dataplane;
}

const PORTS = { sourcePort: 5000, destinationPort: 6000 };

/** Frames that arrive on the device of an interface: one packet, perhaps in fragments. */
export function randomFrames(
  random: Random,
  routes: readonly ForwardRoute[],
): { number: number; frames: Uint8Array[] } {
  const v6 = random.chance(0.4);
  const family = routes.filter(({ network }) => (typeof network === "bigint") === v6);
  const number = random.between(1, DEVICES.length);
  const fields = {
    source: host(number, v6, random.between(10, 200)),
    destination: random.chance(0.7)
      ? within(random, random.pick(family))
      : host(random.between(1, DEVICES.length), v6, random.between(2, 9)),
  };
  // Nothing that a dissector could take for a protocol.
  const payload = new Uint8Array(random.pick([0, 1, 18, 100, 551, 580, 1260, 1461])).fill(0x61);
  const segment: Segment = random.chance(0.5) ? udp({ ...PORTS, payload }) : tcp({ ...PORTS, payload });
  const ttl = random.pick([1, 2, 2, 64, 64, 128, 255]);
  const packets = v6 ? packets6(random, fields, ttl, segment) : packets4(random, fields, ttl, segment);
  const { mac, vlan } = DEVICES[number - 1]!;
  const frames = packets.map((packet) =>
    ethernet(packet, {
      destination: mac,
      tags: vlan === 0 ? (random.chance(0.05) ? [0] : []) : [vlan],
      trailer: random.bytes(random.pick([0, 0, 0, 1, 6, 46])),
    }),
  );
  return { number, frames };
}

interface Ends {
  source: Address;
  destination: Address;
}

function packets4(random: Random, ends: Ends, ttl: number, segment: Segment): Uint8Array[] {
  const id = random.int(65536);
  const dontFragment = random.chance(0.5);
  const options = random.chance(0.1) ? [148, 4, 0, 0] : [];
  const isCut = options.length === 0 && segment.bytes.length > 64 && random.chance(0.2);
  const packet = ipv4(
    { ...ends, ttl, id, tos: random.int(256), options, dontFragment: dontFragment && !isCut },
    segment,
  );
  return isCut ? random.shuffle(fragmentsOf4(packet, id, [40, 64])) : [packet];
}

function packets6(random: Random, ends: Ends, ttl: number, segment: Segment): Uint8Array[] {
  const extensions = random.chance(0.1) ? [extension.hopByHop(), extension.destination()] : [];
  const packet = ipv6({ ...ends, hopLimit: ttl, trafficClass: random.int(256), extensions }, segment);
  const isCut = extensions.length === 0 && segment.bytes.length > 64 && random.chance(0.2);
  return isCut ? random.shuffle(fragmentsOf6(packet, random.u32(), [40, 64])) : [packet];
}

function within(random: Random, { network, prefixLength }: ForwardRoute): Address {
  if (typeof network === "number") {
    const rest = 32 - prefixLength;
    return (network | (rest === 0 ? 0 : random.u32() >>> (32 - rest))) >>> 0;
  }
  const rest = BigInt(128 - prefixLength);
  return network | BigInt.asUintN(Number(rest), BigInt(random.u32()) | (BigInt(random.u32()) << 90n));
}

/** Names of FW_*. */
export const FORWARD_NAMES = new Map<number, string>([
  [L.FW_NONE, "none"],
  [L.FW_SEND, "send"],
  [L.FW_LOCAL, "local"],
  [L.FW_RESOLVE, "resolve"],
  [L.FW_TOO_BIG, "too big"],
  [L.FW_REPORT, "report"],
  [L.FW_FRAGMENT, "fragment"],
  [L.FW_DEFER, "defer"],
  [L.FW_WAIT, "wait"],
]);
