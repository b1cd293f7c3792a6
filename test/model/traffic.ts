/**
 * Random traffic that a seed repeats: many conversations at once, each as hosts lead it, with repetitions, faults and
 * attacks in between, on several interfaces, in a time that now and then leaps beyond a timeout.
 */
import { type Extension, ethernet, extension, ipv4, ipv6, MAC_A, udp } from "../support/frames.js";
import { tcpConversation } from "./conversations.js";
import type { Conversation, Emission, Host } from "./endpoint.js";
import {
  fragmented,
  icmpError,
  icmpOther,
  linkChatter,
  nonsense,
  otherProtocol,
  pingConversation,
  udpConversation,
} from "./datagrams.js";
import { mutate } from "./mutations.js";
import type { Frame } from "./packet.js";
import type { Random } from "./random.js";

/** The surroundings of the firewall: who is where. */
export interface Surroundings {
  /** Stations that begin conversations, and those that they begin them with. */
  clients: Host[];
  servers: Host[];
  /** Own addresses of the firewall. */
  own: Host[];
  /** Every interface name, down ones too. */
  interfaces: string[];
  /** Interface that carries a subinterface, and its VLAN id. */
  tags: Map<string, { parent: string; vlan: number }>;
  serverPorts: number[];
  /** How many ports a client uses: few, and they are used again soon. */
  clientPorts: number;
  /** Share of the frames whose interface is not told. */
  withoutIngress: number;
  /** How often each kind of conversation begins. */
  mix: Record<ConversationKind, number>;
  /** Share of the packets that are changed on their way. */
  mutated: number;
}

export type ConversationKind =
  | "tcp"
  | "udp"
  | "ping"
  | "icmpOther"
  | "icmpError"
  | "other"
  | "fragments"
  | "chatter"
  | "nonsense"
  | "toFirewall"
  | "flood";

/** The traffic of a middling day. */
export const MIX: Record<ConversationKind, number> = {
  tcp: 40,
  udp: 16,
  ping: 10,
  icmpOther: 3,
  icmpError: 45,
  other: 6,
  fragments: 12,
  chatter: 8,
  nonsense: 8,
  toFirewall: 3,
  flood: 1,
};

/** Conversations at a time. */
const PARALLEL = 24;
/** Packets that can be repeated, or quoted by an ICMP error. */
const REMEMBERED = 256;
/** Leaps that meet the timeouts of the configurations exactly, just not, and by far. */
const LEAPS = [
  999, 1000, 1999, 2000, 2999, 3000, 5000, 10_000, 20_000, 29_999, 30_000, 60_000, 300_000, 3_700_000,
];

export interface Arriving {
  frame: Frame;
  /** Milliseconds. */
  atMs: number;
}

interface Remembered {
  emission: Emission;
  packet: Uint8Array;
}

export class Traffic {
  private readonly r: Random;
  private readonly world: Surroundings;
  private readonly running: Conversation[] = [];
  private readonly remembered: Remembered[] = [];
  private readonly late: Emission[] = [];
  private nowMs = 1_000_000;
  /** Index of the conversation that spoke last. */
  private turn = 0;
  private count = 0;

  constructor(r: Random, surroundings: Surroundings) {
    this.r = r;
    this.world = surroundings;
  }

  /** The next frame; its cookie counts from 0. */
  next(): Arriving {
    const { r } = this;
    this.nowMs += r.weighted([
      [3500, 0],
      [1400, r.int(3)],
      [60, r.int(100)],
      [5, r.int(2000)],
      [2, r.pick(LEAPS)],
    ]);
    if (r.chance(0.0005)) this.nowMs -= r.int(500);
    const emission = this.nextEmission();
    this.nowMs += emission.waitMs ?? 0;
    return { frame: this.frameOf(emission), atMs: this.nowMs };
  }

  private nextEmission(): Emission {
    const { r } = this;
    // Reordered: some packets wait a little.
    if (this.late.length > 0 && r.chance(0.3)) return this.late.shift()!;
    for (;;) {
      if (this.running.length < PARALLEL) this.running.push(this.begin());
      // Packets of one conversation often come in a row.
      if (r.chance(0.4)) this.turn = r.int(this.running.length);
      const step = this.running[this.turn]!.next();
      if (step.done) {
        this.running[this.turn] = this.begin();
      } else if (r.chance(0.01) && this.late.length < 8) {
        this.late.push(step.value);
      } else if (!r.chance(0.004)) {
        return step.value;
      }
    }
  }

  private begin(): Conversation {
    const { r, world } = this;
    const kinds = Object.entries(world.mix) as [ConversationKind, number][];
    const kind = r.weighted(kinds.map(([name, weight]) => [weight, name] as const));
    const a = r.pick(world.clients);
    const family = typeof a.address;
    const b = r.pick(world.servers.filter((host) => typeof host.address === family));
    const own = r.pick(world.own.filter((host) => typeof host.address === family));
    const server = r.chance(0.05) ? r.between(1, 65535) : r.pick(world.serverPorts);
    const ports = { client: 1024 + r.int(world.clientPorts), server };
    const [from, to] = r.chance(0.9) ? [a, b] : [b, a];
    switch (kind) {
      case "tcp":
        return tcpConversation(r, from, to, ports);
      case "udp":
        return udpConversation(r, from, to, ports);
      case "ping":
        return pingConversation(r, from, to);
      case "icmpOther":
        return icmpOther(r, from, to);
      case "icmpError": {
        if (this.remembered.length === 0) return linkChatter(r, from, to);
        const { emission, packet } = r.pick(this.remembered);
        const family = typeof emission.from.address;
        const router = r.pick(world.servers.filter((host) => typeof host.address === family));
        return icmpError(r, emission, packet, router);
      }
      case "other":
        return otherProtocol(r, from, to);
      case "fragments":
        return fragmented(r, from, to, ports);
      case "chatter":
        return linkChatter(r, from, to);
      case "nonsense":
        return nonsense(r, from, to);
      case "toFirewall":
        return r.chance(0.5) ? tcpConversation(r, a, own, ports) : pingConversation(r, a, own);
      case "flood":
        return flood(r, from, to);
    }
  }

  private frameOf(emission: Emission): Frame {
    const { r } = this;
    let bytes = emission.frame;
    let ethertype: number | undefined;
    if (bytes === undefined) {
      let packet = emission.packet ?? this.packetOf(emission);
      if (r.chance(0.02) && this.remembered.length > 0) {
        const again = r.pick(this.remembered);
        packet = again.packet;
        emission = again.emission;
      }
      this.remember({ emission, packet });
      if (r.chance(this.world.mutated)) {
        // Sometimes the sound packet comes as well: what was changed is then an attack and not a loss.
        if (r.chance(0.7)) this.late.push({ ...emission, packet });
        packet = mutate(r, packet);
      }
      if (r.chance(0.03)) {
        ethertype = r.chance(0.97)
          ? (packet[0] ?? 0) >> 4 === 6
            ? 0x86dd
            : 0x0800
          : r.pick([0x0806, 0x8100, 0x88cc]);
        bytes = packet;
      } else {
        bytes = this.linkFrame(emission, packet);
      }
    }
    let wireLength = bytes.length;
    if (r.chance(0.01)) bytes = bytes.slice(0, r.int(bytes.length + 1));
    else if (r.chance(0.002)) wireLength = r.int(bytes.length + 40);
    const offload = r.chance(0.02) ? r.pick(["transport", "all"] as const) : undefined;
    const ingress = this.ingressOf(emission.from);
    return { bytes, wireLength, ingress, ethertype, offload, cookie: this.count++ };
  }

  private remember(what: Remembered): void {
    if (this.remembered.length < REMEMBERED) this.remembered.push(what);
    else this.remembered[this.r.int(REMEMBERED)] = what;
  }

  private packetOf({ from, to, segment, ttl: wanted }: Emission): Uint8Array {
    const { r } = this;
    const ttl = wanted ?? (r.chance(0.003) ? r.int(3) : 64);
    const tos = r.chance(0.05) ? r.int(256) : 0;
    const { address: source } = from;
    const { address: destination } = to;
    if (typeof source === "number") {
      const options = r.chance(0.012) ? ipOptions(r) : [];
      return ipv4(
        { source, destination, ttl, tos, id: r.int(0x10000), dontFragment: r.chance(0.5), options },
        segment!,
      );
    }
    const extensions = r.chance(0.06) ? extensionsOf(r) : [];
    const flowLabel = r.chance(0.1) ? r.int(0x100000) : 0;
    return ipv6({ source, destination, hopLimit: ttl, trafficClass: tos, flowLabel, extensions }, segment!);
  }

  private linkFrame(emission: Emission, packet: Uint8Array): Uint8Array {
    const { r } = this;
    const tags: number[] = [];
    const tag = this.world.tags.get(emission.from.interface);
    if (tag !== undefined && !r.chance(0.01)) tags.push(tag.vlan);
    if (r.chance(0.01))
      tags.unshift(...r.pick([[0], [20], [7], [0, 20], [20, 7], [1, 2, 3], [1, 2, 3, 4], [0, 0, 0]]));
    const group = emission.group ? !r.chance(0.02) : r.chance(0.002);
    const destination = group
      ? r.pick([
          [255, 255, 255, 255, 255, 255],
          [1, 0, 94, 0, 0, 1],
        ])
      : r.chance(0.005)
        ? [2, 9, 9, 9, 9, 9]
        : MAC_A;
    const trailer = r.chance(0.05) ? r.bytes(r.int(20)) : undefined;
    const tagTypes = tags.map(() => (r.chance(0.9) ? 0x8100 : r.pick([0x88a8, 0x9100])));
    const type = r.chance(0.001) ? r.int(0x10000) : undefined;
    return ethernet(packet, {
      destination,
      tags,
      tagTypes,
      trailer,
      type: type ?? (packet.length === 0 ? 0x0800 : undefined),
    });
  }

  private ingressOf(from: Host): string | undefined {
    const { r, world } = this;
    if (r.chance(world.withoutIngress)) return undefined;
    if (r.chance(0.01)) return r.pick(world.interfaces);
    if (r.chance(0.0005)) return "GigabitEthernet9/9";
    return world.tags.get(from.interface)?.parent ?? from.interface;
  }
}

/** IPv4 options, good and bad. */
function ipOptions(r: Random): number[] {
  return r.pick([
    [1, 1, 1, 0],
    [148, 4, 0, 0],
    [7, 7, 4, 0, 0, 0, 0],
    [131, 7, 4, 10, 0, 0, 1],
    [1, 137, 3, 4],
    [68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [148, 1, 0, 0],
    [148, 40, 0, 0],
    [1, 1, 1, 148],
    [0, 131, 3, 4],
    [148, 4, 0, 0, 131, 3, 4, 0],
    [130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
}

/** Chains of IPv6 extension headers, good and bad. */
function extensionsOf(r: Random): Extension[] {
  const alert = [5, 2, 0, 0];
  return r.pick([
    () => [extension.hopByHop(alert)],
    () => [extension.destination()],
    () => [extension.hopByHop(), extension.destination(), extension.routing(2, 0), extension.destination()],
    () => [extension.routing(2, r.int(2))],
    () => [extension.routing(0, 0)],
    () => [extension.authentication()],
    () => [extension.fragment(r.u32(), 0, false)],
    () => [extension.mobility(r.int(9))],
    () => [{ type: 139, body: [0, 0, 0, 0, 0, 0, 0] }],
    () => [extension.destination(), extension.hopByHop()],
    () => [extension.destination(), extension.destination(), extension.destination()],
    () => [extension.routing(2, 0), extension.routing(2, 0)],
    () => new Array<Extension>(r.between(7, 10)).fill(extension.mobility(1)),
    () => [extension.hopByHop([0xc2, 4, 0, 1, 0, 0])],
    () => [extension.destination([5, 200, 0, 0])],
    () => [{ type: r.pick([0, 60, 43, 51]), body: [r.int(256), 0, 0, 0, 0, 0, 0] }],
    () => [extension.destination([0, 0, 5, 2, 0, 0, 30, 1, 9])],
  ])();
}

/** Many beginnings, with an answer at most. */
function* flood(r: Random, a: Host, b: Host): Conversation {
  const tcpShare = r.pick([1, 1, 0.5, 0]);
  const answered = r.pick([0, 0.2, 1]);
  for (let i = r.between(20, 400); i > 0; i--) {
    const ports = { client: r.between(1024, 65535), server: r.between(1, 1024) };
    if (r.chance(tcpShare)) {
      const first = tcpConversation(r, a, b, ports).next();
      if (!first.done) yield first.value;
      continue;
    }
    const { client, server } = ports;
    yield { from: a, to: b, segment: udp({ sourcePort: client, destinationPort: server }) };
    if (r.chance(answered))
      yield { from: b, to: a, segment: udp({ sourcePort: server, destinationPort: client }) };
  }
}
