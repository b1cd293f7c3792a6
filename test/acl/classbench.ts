/**
 * Long IPv4 lists with the shape of the access lists that ClassBench was modelled on (Taylor, Turner, "ClassBench: A
 * Packet Classification Benchmark", INFOCOM 2005): networks that lie in each other, hosts behind them, well-known
 * destination ports, few source ports, special entries before general ones; and packets that these lists see.
 */
import type { AclPacket } from "../../src/acl/evaluate.js";
import type { Ace, AddressMatch, PortMatch } from "../../src/config/model.js";
import { ipv4Mask } from "../../src/ip.js";
import type { Random } from "../model/random.js";

/** Entries for each network that they are about. */
const ENTRIES_PER_NETWORK = 12;
const NETWORKS_MIN = 4;
/** The first addresses of the blocks that the networks lie in, and their prefix lengths. */
const BLOCKS: [base: number, prefixLength: number][] = [
  [0x0a000000, 8],
  [0xac100000, 12],
  [0xc0a80000, 16],
  [0x01000000, 1],
];
const SOURCE_LENGTHS = [
  [12, 0],
  [3, 8],
  [8, 16],
  [5, 20],
  [22, 24],
  [5, 27],
  [5, 28],
  [40, 32],
] as const;
const DESTINATION_LENGTHS = [
  [8, 0],
  [2, 8],
  [6, 16],
  [4, 22],
  [30, 24],
  [5, 30],
  [45, 32],
] as const;
const PROTOCOLS = [
  [70, 6],
  [20, 17],
  [4, 1],
  [6, undefined],
] as const;
const SERVICES = [
  20, 21, 22, 25, 53, 80, 110, 123, 143, 161, 389, 443, 445, 993, 1433, 1521, 3306, 3389, 5060, 8080,
];
const PORT_FORMS = [
  [20, "any"],
  [8, "high"],
  [6, "range"],
  [55, "service"],
  [11, "port"],
] as const;
const HIGH_PORTS: PortMatch = { op: "gt", value: 1023 };
const POSITION = { line: 1, column: 1 };

/** So many entries, different from each other; the last is `permit ip any any`. */
export function classBenchEntries(random: Random, count: number): Ace[] {
  const networks = Array.from({ length: Math.max(NETWORKS_MIN, count / ENTRIES_PER_NETWORK) }, () => {
    const [base, prefixLength] = random.pick(BLOCKS);
    return (base | (random.u32() & ~ipv4Mask(prefixLength))) >>> 0;
  });
  const seen = new Set<string>();
  const drawn: { entry: Ace; length: number }[] = [];
  while (drawn.length < count - 1) {
    const lengths = [random.weighted(SOURCE_LENGTHS), random.weighted(DESTINATION_LENGTHS)] as const;
    const protocol = random.weighted(PROTOCOLS);
    const hasPorts = protocol === 6 || protocol === 17;
    const entry = entryOf(drawn.length, {
      protocol,
      source: networkIn(random, networks, lengths[0]),
      destination: networkIn(random, networks, lengths[1]),
      sourcePort: hasPorts && random.chance(0.06) ? HIGH_PORTS : undefined,
      destinationPort: hasPorts ? randomPort(random) : undefined,
    });
    const text = JSON.stringify([
      entry.protocol,
      entry.source,
      entry.destination,
      entry.sourcePort,
      entry.destinationPort,
    ]);
    if (seen.has(text)) continue;
    seen.add(text);
    drawn.push({ entry, length: lengths[0] + lengths[1] });
  }
  drawn.sort((a, b) => (b.length >> 4) - (a.length >> 4));
  return [...drawn.map(({ entry }) => entry), entryOf(0, {})].map((entry, place) => ({
    ...entry,
    sequence: (place + 1) * 10,
  }));
}

function entryOf(place: number, fields: Partial<Ace>): Ace {
  return {
    kind: "ace",
    at: POSITION,
    sequence: 0,
    action: place % 3 === 0 ? "permit" : "deny",
    source: { kind: "any" },
    destination: { kind: "any" },
    established: false,
    fragments: false,
    ...fields,
  };
}

/** A network of the length that holds, or lies in, one of the networks. */
function networkIn(random: Random, networks: number[], prefixLength: number): AddressMatch {
  if (prefixLength === 0) return { kind: "any" };
  const host = prefixLength > 24 ? random.int(256) : 0;
  const address = ((random.pick(networks) & ipv4Mask(24)) | host) & ipv4Mask(prefixLength);
  return { kind: "wildcard", address: address >>> 0, wildcard: ~ipv4Mask(prefixLength) >>> 0 };
}

function randomPort(random: Random): PortMatch | undefined {
  switch (random.weighted(PORT_FORMS)) {
    case "any":
      return undefined;
    case "high":
      return HIGH_PORTS;
    case "range": {
      const low = random.between(1024, 40_000);
      return { op: "range", low, high: low + random.between(1, 200) };
    }
    case "service":
      return { op: "eq", values: [random.pick(SERVICES)] };
    case "port":
      return { op: "eq", values: [random.int(65536)] };
  }
}

/** Of the packets, one in ten is meant for the last entry, the others for any. */
const LAST_SHARE = 0.1;

/** A packet that one of the entries matches, if none before it does. */
export function classBenchPacket(random: Random, entries: Ace[]): AclPacket {
  const entry = random.chance(LAST_SHARE) ? entries.at(-1)! : random.pick(entries);
  const protocol = entry.protocol ?? random.pick([1, 6, 17, 47]);
  const hasPorts = protocol === 6 || protocol === 17;
  return {
    source: addressIn(random, entry.source),
    destination: addressIn(random, entry.destination),
    protocol,
    sourcePort: hasPorts ? portIn(random, entry.sourcePort) : undefined,
    destinationPort: hasPorts ? portIn(random, entry.destinationPort) : undefined,
    ttl: 64,
  };
}

function addressIn(random: Random, match: AddressMatch): number {
  return match.kind === "wildcard" ? (match.address | (random.u32() & match.wildcard)) >>> 0 : random.u32();
}

function portIn(random: Random, match: PortMatch | undefined): number {
  switch (match?.op) {
    case "eq":
      return match.values[0]!;
    case "gt":
      return random.between(match.value + 1, 65535);
    case "range":
      return random.between(match.low, match.high);
    default:
      return random.int(65536);
  }
}
