/** A router in virtual time, and frames for it that other code than the router's makes (test/support/frames.ts). */
import { type Address, parseAddress } from "../../src/ip.js";
import { Router, type RouterAction, type RouterInput, type RouterOptions } from "../../src/router/index.js";
import { configOf } from "../hsrp/world.js";
import { hexOf } from "../hsrp/golden.js";
import { ethernet, icmp6, ip, ipv6, udp } from "../support/frames.js";

export const INSIDE = "GigabitEthernet0/0";
export const OUTSIDE = "GigabitEthernet0/1";
export const UNCONFIGURED = "GigabitEthernet0/9";

export const MAC_INSIDE = "0200.0000.0001";
export const MAC_OUTSIDE = "0200.0000.0002";
export const VIRTUAL_MAC = "0000.0c07.ac01";
export const VIRTUAL_MAC6 = "0005.73a0.0006";
export const HOST_MAC = "0200.0000.00aa";
export const OTHER_MAC = "0200.0000.00bb";
export const LINK_LOCAL = "fe80::ff:fe00:1";
export const VIRTUAL6 = "fe80::5:73ff:fea0:6";

export const TEXT = `
interface ${INSIDE}
 ip address 10.0.0.1 255.255.255.0
 ipv6 address 2001:db8::1/64
 standby version 2
 standby 1 ip 10.0.0.3
 standby 1 mac-address ${VIRTUAL_MAC}
 standby 6 ipv6 autoconfig
 no shutdown
interface ${OUTSIDE}
 ip address 192.0.2.1 255.255.255.0
 ipv6 address 2001:db8:1::1/64
 no shutdown
ip route 198.51.100.0 255.255.255.0 192.0.2.254
ip route 203.0.113.0 255.255.255.0 Null0
`;

const ETHERNET_BROADCAST = [255, 255, 255, 255, 255, 255];

/** The bytes of a MAC address in Cisco's form. */
export function macOf(text: string): number[] {
  return (text.replaceAll(".", "").match(/../g) as string[]).map((byte) => Number.parseInt(byte, 16));
}

export const at = (text: string): Address => parseAddress(text)!;

export class Rig {
  readonly router: Router;
  nowMs = 0;
  /** Since `take` was last called. */
  #actions: RouterAction[] = [];

  constructor(changes: Partial<RouterOptions> & { text?: string } = {}) {
    const { text = TEXT, ...rest } = changes;
    this.router = new Router({ ...surroundings(text), random: () => 0, ...rest });
  }

  /** All links up, and the first announcements and duplicate address detection over. */
  static ready(changes: ConstructorParameters<typeof Rig>[0] = {}): Rig {
    const rig = new Rig(changes);
    for (const name of [INSIDE, OUTSIDE]) rig.input({ kind: "link", interface: name, isUp: true });
    rig.run(60_000);
    rig.take();
    return rig;
  }

  input(input: RouterInput): this {
    this.#actions.push(...this.router.step(input, this.nowMs));
    return this;
  }

  frame(frame: Uint8Array, on = INSIDE, networkOffset = 14): this {
    return this.input({ kind: "frame", interface: on, networkOffset, frame });
  }

  /** Lets time pass, with a tick whenever one is due. */
  run(ms: number): this {
    const untilMs = this.nowMs + ms;
    while (this.router.deadlineMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.router.deadlineMs);
      this.input({ kind: "tick" });
    }
    this.nowMs = untilMs;
    return this;
  }

  own(): this {
    const group = { interface: INSIDE, key: "in" } as const;
    this.input({ kind: "own", ...group, addresses: [at("10.0.0.3")], mac: VIRTUAL_MAC });
    return this.input({ kind: "own", ...group, key: "in6", addresses: [at(VIRTUAL6)], mac: VIRTUAL_MAC6 });
  }

  disown(): this {
    const group = { interface: INSIDE, key: "in" } as const;
    this.input({ kind: "disown", ...group, addresses: [at("10.0.0.3")], mac: VIRTUAL_MAC });
    return this.input({ kind: "disown", ...group, key: "in6", addresses: [at(VIRTUAL6)], mac: VIRTUAL_MAC6 });
  }

  resolve(address: string, bytes: Uint8Array = forwarded(), on = INSIDE): this {
    return this.input({
      kind: "resolve",
      interface: on,
      nextHop: at(address),
      networkOffset: 14,
      frame: bytes,
    });
  }

  /** What has come out since. */
  take(): RouterAction[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  taken<K extends RouterAction["kind"]>(kind: K): Extract<RouterAction, { kind: K }>[] {
    return this.take().filter((each): each is Extract<RouterAction, { kind: K }> => each.kind === kind);
  }

  /** The frames that left since, as text; by an interface. */
  sent(on?: string): string[] {
    return this.taken("transmit")
      .filter((each) => on === undefined || each.interface === on)
      .map(({ frame }) => hexOf(frame));
  }

  counted(name: keyof ReturnType<Router["counters"]>): number {
    return this.router.counters()[name];
  }

  /** The state of a neighbour; "none". */
  stateOf(address: string): string {
    const family = address.includes(":") ? 6 : 4;
    const found = this.router.neighbors(family, this.nowMs).find((each) => each.address === at(address));
    return found?.state ?? "none";
  }
}

export function surroundings(text: string): Omit<RouterOptions, "random"> {
  return {
    config: configOf(text),
    macs: new Map([
      [INSIDE, MAC_INSIDE],
      [OUTSIDE, MAC_OUTSIDE],
    ]),
    mtus: new Map([[OUTSIDE, 1400]]),
  };
}

/** A packet that is forwarded from outside to an inside host, as the core hands it over. */
export function forwarded(source = "198.51.100.7", destination = "10.0.0.9", length = 32): Uint8Array {
  const packet = ipPacketOf(source, destination, length);
  return ethernet(packet, { destination: [0, 0, 0, 0, 0, 0], source: macOf(VIRTUAL_MAC) });
}

function ipPacketOf(source: string, destination: string, length: number): Uint8Array {
  return ip(
    { source, destination },
    udp({ sourcePort: 5000, destinationPort: 6000, payload: new Uint8Array(length) }),
  );
}

export interface ArpFields {
  operation: 1 | 2;
  sender: string;
  senderMac?: string;
  target: string;
  targetMac?: string;
  destination?: string;
}

export function arp(fields: ArpFields): Uint8Array {
  const { operation, sender, senderMac = HOST_MAC, target, targetMac = "0000.0000.0000" } = fields;
  const four = (text: string) => text.split(".").map(Number);
  const body = [0, 1, 8, 0, 6, 4, 0, operation];
  const ends = [...macOf(senderMac), ...four(sender), ...macOf(targetMac), ...four(target)];
  return ethernet(Uint8Array.from([...body, ...ends]), {
    destination: fields.destination === undefined ? ETHERNET_BROADCAST : macOf(fields.destination),
    source: macOf(senderMac),
    type: 0x0806,
  });
}

export interface DiscoveryFields {
  type: number;
  source: string;
  destination: string;
  senderMac?: string;
  hopLimit?: number;
  code?: number;
  /** Of an advertisement: R 0x80, S 0x40, O 0x20. */
  flags?: number;
  target?: string;
  /** Type of the option with the sender's MAC address: 1 source, 2 target. */
  option?: 1 | 2;
  /** In place of the options. */
  tail?: number[];
  extensions?: Parameters<typeof ipv6>[0]["extensions"];
}

export function discovery(fields: DiscoveryFields): Uint8Array {
  const { type, source, destination, senderMac = HOST_MAC, option, flags = 0 } = fields;
  const target = fields.target === undefined ? [] : sixteen(fields.target);
  const options = fields.tail ?? (option === undefined ? [] : [option, 1, ...macOf(senderMac)]);
  const message = icmp6({
    type,
    code: fields.code ?? 0,
    identifier: flags << 8,
    payload: Uint8Array.from([...target, ...options]),
  });
  const { hopLimit = 255, extensions = [] } = fields;
  return ethernet(ipv6({ source, destination, hopLimit, extensions }, message), { source: macOf(senderMac) });
}

function sixteen(text: string): number[] {
  const hex = (at(text) as bigint).toString(16).padStart(32, "0");
  return Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
