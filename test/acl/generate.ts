/**
 * Random lists over a space so small that packets and entries often meet, and packets that lie on the bounds of what
 * the entries say. Every field of an entry occurs.
 */
import type { AclPacket, FlatAddressMatch } from "../../src/acl/evaluate.js";
import type {
  Ace,
  AddressMatch,
  Config,
  Family,
  GroupMember,
  NumberMatch,
  ObjectGroup,
  PortMatch,
} from "../../src/config/model.js";
import { type Address, ipv6Mask } from "../../src/ip.js";
import type { Random } from "../model/random.js";
import { at, configWith, permit } from "./entries.js";

const PORTS = [0, 1, 22, 23, 79, 80, 81, 1023, 1024, 65534, 65535];
const WITH_PORTS = [6, 17, 132];
const PROTOCOLS = { 4: [1, 2, 6, 17, 47, 51, 58, 132], 6: [1, 2, 6, 17, 51, 58, 59, 132] } as const;
const ICMP = { 4: 1, 6: 58 } as const;
const ICMP_TYPES = { 4: [0, 3, 8, 11], 6: [1, 3, 128, 136] } as const;
const TTLS = [0, 1, 2, 63, 64, 65, 254, 255];
const OPTIONS = [1, 7, 68, 131, 148];
const TIME_RANGES = ["night", "office", "holiday"];
const IPV4 = [
  0, 1, 0x0a000000, 0x0a0000fe, 0x0a000100, 0x0a00ffff, 0x0a4d0a09, 0xac100001, 0xc0a80101, 0xffffffff,
];
const IPV4_WILDCARDS = [0, 0, 0, 1, 3, 0xff, 0xff, 0xffff, 0xffffff, 0x00ff00ff, 0xfe, 0x80000001];
const IPV6_WORDS = [0n, 1n, 0x20010db8n, 0x80000000n, 0xffffffffn];
const IPV6_LENGTHS = [1, 16, 32, 33, 48, 48, 64, 64, 64, 65, 96, 97, 127, 128, 128, 128];

export interface RandomLists {
  config: Config;
  family: Family;
  entries: Ace[];
  timeRanges: readonly string[];
}

/** How many addresses of short lists are `any`; of long ones fewer, or nothing would reach their ends. */
const ANY_SHARE = 0.3;
const ANY_IN_LIST = 20;

/** A list `L` of so many entries, and the object groups that they name. */
export function randomList(random: Random, family: Family, length: number): RandomLists {
  const objectGroups = randomGroups(random, family);
  const anyShare = Math.min(ANY_SHARE, ANY_IN_LIST / length);
  const entries = Array.from({ length }, (_, place) => ({
    ...randomAce(random, family, anyShare),
    sequence: (place + 1) * 10,
  }));
  return {
    config: { ...configWith(entries, family), objectGroups },
    family,
    entries,
    timeRanges: TIME_RANGES,
  };
}

// ------------------------------------------------------------------------------------------------- entries

function randomAce(random: Random, family: Family, anyShare: number): Ace {
  const protocol = random.chance(0.75) ? random.pick(PROTOCOLS[family]) : undefined;
  const serviceGroup = random.chance(0.12) ? random.pick(["SERVICES", "ALL-SERVICES"]) : undefined;
  const some = <T>(probability: number, make: () => T): T | undefined =>
    random.chance(probability) ? make() : undefined;
  // Rarely also where the parser would not allow it: the model says what it means all the same.
  const likely = (right: boolean, probability: number): number => (right ? probability : 0.01);
  const hasPorts = protocol !== undefined && WITH_PORTS.includes(protocol);
  return {
    ...permit(),
    action: random.chance(0.6) ? "permit" : "deny",
    source: randomMatch(random, family, anyShare),
    destination: randomMatch(random, family, anyShare),
    protocol: serviceGroup === undefined ? protocol : undefined,
    serviceGroup,
    sourcePort: some(likely(hasPorts, 0.25), () => randomNumbers(random, PORTS)),
    destinationPort: some(likely(hasPorts, 0.6), () => randomNumbers(random, PORTS)),
    established: random.chance(likely(protocol === 6, 0.15)),
    flags: some(likely(protocol === 6, 0.2), () => randomFlags(random)),
    icmp: some(likely(protocol === ICMP[family], 0.6), () => randomIcmp(random, family)),
    igmpType: some(likely(protocol === 2, 0.4), () => random.pick([17, 18, 34])),
    fragments: random.chance(0.06),
    log: random.chance(0.1) ? random.pick(["log", "log-input"] as const) : undefined,
    precedence: some(0.04, () => random.int(8)),
    tos: some(0.04, () => random.int(16)),
    dscp: some(0.04, () => random.int(64)),
    ecn: some(0.04, () => random.int(4)),
    ttl: some(0.06, () => randomNumbers(random, TTLS)),
    timeRange: some(0.08, () => random.pick(TIME_RANGES)),
    ...(family === 4
      ? { option: some(0.06, () => random.pick([...OPTIONS, "any" as const])) }
      : randomExtensions(random, some)),
  };
}

function randomExtensions(
  random: Random,
  some: <T>(probability: number, make: () => T) => T | undefined,
): Partial<Ace> {
  const typed =
    (...types: number[]) =>
    (): { type?: number } => ({ type: some(0.5, () => random.pick(types)) });
  return {
    flowLabel: some(0.04, () => random.pick([0, 5, 0xfffff])),
    routing: some(0.04, typed(2, 4)),
    mobility: some(0.04, typed(1, 5)),
    destinationOption: some(0.04, typed(5, 201)),
    hopByHop: random.chance(0.04),
    authenticationHeader: random.chance(0.04),
    undeterminedTransport: random.chance(0.04),
  };
}

function randomFlags(random: Random): Ace["flags"] {
  return {
    mode: random.pick(["any", "all"] as const),
    set: random.int(64),
    clear: random.int(64) & random.int(64),
  };
}

function randomIcmp(random: Random, family: Family): { type: number; code?: number } {
  return { type: random.pick(ICMP_TYPES[family]), code: random.chance(0.5) ? random.int(3) : undefined };
}

/** Every operator, with values out of `values`. */
function randomNumbers(random: Random, values: readonly number[]): NumberMatch {
  const op = random.pick(["eq", "neq", "gt", "lt", "range"] as const);
  if (op === "eq" || op === "neq") {
    return { op, values: Array.from({ length: 1 + random.int(3) }, () => random.pick(values)) };
  }
  if (op === "gt" || op === "lt") return { op, value: random.pick(values) };
  const [low, high] = [random.pick(values), random.pick(values)].sort((a, b) => a - b) as [number, number];
  return { op, low, high };
}

function randomMatch(random: Random, family: Family, anyShare: number): AddressMatch {
  if (random.chance(anyShare)) return { kind: "any" };
  if (random.chance(anyShare / 2)) return { kind: "group", name: random.pick(["NETWORKS", "ALL-NETWORKS"]) };
  return randomNetwork(random, family);
}

function randomNetwork(random: Random, family: Family): Exclude<AddressMatch, { kind: "group" }> {
  if (family === 6) {
    const prefixLength = random.pick(IPV6_LENGTHS);
    return { kind: "prefix", address: randomIpv6(random) & ipv6Mask(prefixLength), prefixLength };
  }
  if (random.chance(0.1)) {
    return { kind: "prefix", address: randomIpv4(random), prefixLength: random.pick([0, 8, 16, 24, 31, 32]) };
  }
  const wildcard = random.pick(IPV4_WILDCARDS);
  return { kind: "wildcard", address: (randomIpv4(random) & ~wildcard) >>> 0, wildcard };
}

function randomIpv4(random: Random): number {
  return (random.pick(IPV4) ^ (random.chance(0.5) ? random.int(0x10000) : 0)) >>> 0;
}

function randomIpv6(random: Random): bigint {
  let address = 0n;
  for (let word = 0; word < 4; word++) address = (address << 32n) | random.pick(IPV6_WORDS);
  return random.chance(0.5)
    ? address ^ (BigInt(random.int(0x10000)) << random.pick([0n, 64n, 80n]))
    : address;
}

// ------------------------------------------------------------------------------------------------- groups

function randomGroups(random: Random, family: Family): Map<string, ObjectGroup> {
  const v6 = family === 6;
  const groups: ObjectGroup[] = [
    { at, name: "NETWORKS", kind: v6 ? "v6-network" : "network", members: networks(random, family) },
    {
      at,
      name: "ALL-NETWORKS",
      kind: v6 ? "v6-network" : "network",
      members: [...networks(random, family), { at, kind: "group", name: "NETWORKS" }],
    },
    { at, name: "SERVICES", kind: v6 ? "v6-service" : "service", members: services(random, family) },
    {
      at,
      name: "ALL-SERVICES",
      kind: v6 ? "v6-service" : "service",
      members: [{ at, kind: "group", name: "SERVICES" }, ...services(random, family)],
    },
  ];
  return new Map(groups.map((group) => [group.name, group]));
}

function networks(random: Random, family: Family): GroupMember[] {
  return Array.from({ length: random.int(4) }, (): GroupMember => {
    if (random.chance(0.5)) return { at, kind: "address", match: randomNetwork(random, family) };
    const ends: Address[] =
      family === 4 ? [randomIpv4(random), randomIpv4(random)] : [randomIpv6(random), randomIpv6(random)];
    const [low, high] = ends[0]! <= ends[1]! ? ends : ends.reverse();
    return { at, kind: "range", low: low!, high: high! };
  });
}

function services(random: Random, family: Family): GroupMember[] {
  return Array.from({ length: random.int(4) }, (): GroupMember => {
    if (random.chance(0.2)) return { at, kind: "service" };
    if (random.chance(0.3)) {
      const icmp = random.chance(0.7) ? randomIcmp(random, family) : undefined;
      return { at, kind: "service", protocols: [ICMP[family]], icmp };
    }
    const ports = (): PortMatch | undefined =>
      random.chance(0.5) ? randomNumbers(random, PORTS) : undefined;
    const protocols = random.pick([[6], [17], [6, 17]]);
    return { at, kind: "service", protocols, sourcePort: ports(), destinationPort: ports() };
  });
}

// ------------------------------------------------------------------------------------------------- packets

/** A packet on or beside the bounds of one of the entries. */
export function randomPacket(random: Random, { family, entries, config }: RandomLists): AclPacket {
  const ace = entries.length > 0 ? random.pick(entries) : undefined;
  const protocol =
    ace?.protocol !== undefined && random.chance(0.8) ? ace.protocol : random.pick(PROTOCOLS[family]);
  const hasPorts = WITH_PORTS.includes(protocol);
  const isIcmp = protocol === ICMP[family];
  const icmp = random.chance(0.7) ? ace?.icmp : undefined;
  const flags = random.chance(0.4) ? ace?.flags : undefined;
  const packet: AclPacket = {
    source: randomAddress(random, family, config, ace?.source),
    destination: randomAddress(random, family, config, ace?.destination),
    protocol,
    nonInitialFragment: random.chance(0.12),
    sourcePort: hasPorts ? randomValue(random, PORTS, ace?.sourcePort) : undefined,
    destinationPort: hasPorts ? randomValue(random, PORTS, ace?.destinationPort) : undefined,
    tcpFlags:
      protocol !== 6 ? undefined : flags ? flags.set | (random.int(64) & ~flags.clear) : random.int(256),
    icmpType: isIcmp ? (icmp?.type ?? random.pick(ICMP_TYPES[family])) : undefined,
    icmpCode: isIcmp ? (icmp?.code ?? random.int(4)) : undefined,
    igmpType: protocol === 2 ? random.pick([17, 18, 34]) : undefined,
    trafficClass: random.chance(0.5) ? trafficClassOf(ace) : random.int(256),
    ttl: randomValue(random, TTLS, ace?.ttl),
  };
  if (family === 4) {
    packet.options = random.chance(0.3) ? [random.pick(OPTIONS), ...(random.chance(0.5) ? [148] : [])] : [];
    return packet;
  }
  const has = (wanted: boolean | undefined): boolean => random.chance(wanted ? 0.8 : 0.1);
  packet.flowLabel = random.chance(0.5) ? ace?.flowLabel : random.pick([0, 5, 0xfffff]);
  if (has(ace?.routing !== undefined)) packet.routingType = random.pick([2, 4]);
  if (has(ace?.mobility !== undefined)) packet.mobilityType = random.pick([1, 5]);
  if (has(ace?.destinationOption !== undefined)) packet.destinationOptions = random.pick([[], [5], [201, 5]]);
  packet.hopByHop = has(ace?.hopByHop);
  packet.authenticationHeader = has(ace?.authenticationHeader);
  packet.undeterminedTransport = has(ace?.undeterminedTransport);
  return packet;
}

function trafficClassOf(ace: Ace | undefined): number {
  if (ace?.dscp !== undefined) return (ace.dscp << 2) | (ace.ecn ?? 0);
  return ((ace?.precedence ?? 0) << 5) | ((ace?.tos ?? 0) << 1) | (ace?.ecn ?? 0);
}

/** A number that the match mentions, the one before or behind it, or any. */
function randomValue(random: Random, values: readonly number[], match: NumberMatch | undefined): number {
  if (match === undefined || random.chance(0.2)) return random.pick(values);
  const mentioned =
    "values" in match ? match.values : "value" in match ? [match.value] : [match.low, match.high];
  const value = random.pick(mentioned) + random.between(-1, 1);
  return Math.min(Math.max(value, 0), values.at(-1)!);
}

/** An address at the bounds of a match, inside or just outside. */
function randomAddress(
  random: Random,
  family: Family,
  config: Config,
  match: AddressMatch | undefined,
): Address {
  const v6 = family === 6;
  const anywhere = (): Address => (v6 ? randomIpv6(random) : randomIpv4(random));
  if (match === undefined || match.kind === "any" || random.chance(0.15)) return anywhere();
  if (match.kind === "group") {
    const members = config.objectGroups.get(match.name)!.members;
    const member = members.length > 0 ? random.pick(members) : undefined;
    if (member?.kind === "address") return boundOf(random, member.match, anywhere);
    if (member?.kind === "range") return boundOf(random, member, anywhere);
    return anywhere();
  }
  return boundOf(random, match, anywhere);
}

function boundOf(random: Random, match: FlatAddressMatch, anywhere: () => Address): Address {
  switch (match.kind) {
    case "any":
      return anywhere();
    case "wildcard":
      return beside(random, (match.address | (random.u32() & match.wildcard)) >>> 0);
    case "prefix": {
      const { address, prefixLength } = match;
      if (typeof address === "number") return beside(random, address);
      return beside(
        random,
        random.chance(0.5) ? address : address | (ipv6Mask(128) ^ ipv6Mask(prefixLength)),
      );
    }
    case "range":
      return beside(random, random.chance(0.5) ? match.low : match.high);
  }
}

/** The address, or a neighbour of it. */
function beside(random: Random, address: Address): Address {
  const step = random.between(-1, 1);
  if (typeof address === "number") return (address + step) >>> 0;
  return BigInt.asUintN(128, address + BigInt(step));
}
