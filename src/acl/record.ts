/**
 * What one entry of a list asks, spelled out as records: a box over the words of the ACL key, and a condition for what
 * no interval can say. An entry makes one record for each combination of its addresses, its services and the
 * intervals of its ports and TTL; a packet matches the entry when it matches one of them.
 */
import {
  APPLIES_FRAGMENT,
  APPLIES_WHOLE,
  KX_AH,
  KX_DESTINATION,
  KX_HOP_BY_HOP,
  KX_MOBILITY,
  KX_ROUTING,
  KX_UNDETERMINED,
  TYPE_ANY,
  TYPE_GIVEN,
} from "../../assembly/layout.js";
import type { Ace, Config, Family } from "../config/model.js";
import {
  ANY_BYTE,
  ANY_PORT,
  addressBoxes,
  type Box,
  BYTE_MAX,
  intervalsOf,
  type Masked,
  PORT_MAX,
} from "./box.js";
import type { Condition, NetworkCondition, TransportCondition } from "./condition.js";
import { expandAddresses, expandServices, hasLayer4Conditions, PROTOCOL, type Service } from "./evaluate.js";

export interface AclRecord {
  /** Rule number, from 0. */
  rule: number;
  box: Box;
  condition: Condition;
}

const IGMP = 2;

/** The records of one entry, or how many there would be when that is more than `limit`. */
export function recordsOf(
  config: Config,
  family: Family,
  ace: Ace,
  rule: number,
  limit: number,
): AclRecord[] | number {
  const network = networkCondition(ace);
  if (network === undefined) return [];
  const sources = addressBoxes(expandAddresses(config, ace.source), family);
  const destinations = addressBoxes(expandAddresses(config, ace.destination), family);
  const transports = expandServices(config, ace).flatMap((service) => transportsOf(ace, service, family));
  const ttls = ace.ttl === undefined ? [undefined] : intervalsOf(ace.ttl, BYTE_MAX);
  const count = sources.length * destinations.length * transports.length * ttls.length;
  if (count > limit) return count;

  const records: AclRecord[] = [];
  for (const transport of transports) {
    for (const ttl of ttls) {
      for (const source of sources) {
        for (const destination of destinations) {
          records.push({
            rule,
            box: source.words.concat(destination.words, transport.words),
            condition: {
              network,
              transport: transport.condition,
              ttl,
              source: source.masked,
              destination: destination.masked,
            },
          });
        }
      }
    }
  }
  return records;
}

// ------------------------------------------------------------------------------------------------- IP header

/** What the entry asks of the IP header and its extensions; undefined when no packet can have it. */
function networkCondition(ace: Ace): NetworkCondition | undefined {
  const tos = tosOf(ace);
  if (tos === "contradiction") return undefined;
  const extensions =
    (ace.routing ? KX_ROUTING : 0) |
    (ace.mobility ? KX_MOBILITY : 0) |
    (ace.destinationOption ? KX_DESTINATION : 0) |
    (ace.hopByHop ? KX_HOP_BY_HOP : 0) |
    (ace.authenticationHeader ? KX_AH : 0) |
    (ace.undeterminedTransport ? KX_UNDETERMINED : 0);
  return {
    timeRange: ace.timeRange,
    tos,
    extensions: extensions === 0 ? undefined : extensions,
    flowLabel: ace.flowLabel,
    option: ace.option === "any" ? TYPE_ANY : given(ace.option),
    routingType: given(ace.routing?.type),
    mobilityType: given(ace.mobility?.type),
    destinationOption: given(ace.destinationOption?.type),
  };
}

function given(type: number | undefined): number | undefined {
  return type === undefined ? undefined : TYPE_GIVEN + type;
}

/** The parts of the type of service byte that entries name (RFC 791, 1349, 2474, 3168). */
const TOS_PARTS = [
  { field: "precedence", mask: 0xe0, shift: 5 },
  { field: "tos", mask: 0x1e, shift: 1 },
  { field: "dscp", mask: 0xfc, shift: 2 },
  { field: "ecn", mask: 0x03, shift: 0 },
] as const;

/** All parts together; they contradict each other when no byte has them all. */
function tosOf(ace: Ace): Masked | "contradiction" | undefined {
  let mask = 0;
  let value = 0;
  for (const part of TOS_PARTS) {
    const wanted = ace[part.field];
    if (wanted === undefined) continue;
    const bits = wanted << part.shift;
    if ((bits & ~part.mask) !== 0 || ((bits ^ value) & mask & part.mask) !== 0) return "contradiction";
    mask |= part.mask;
    value |= bits;
  }
  return mask === 0 ? undefined : { mask, value };
}

// ------------------------------------------------------------------------------------------------- transport

/** Ports and protocol, the last three words of a box, with what is asked besides. */
interface Transport {
  words: Box;
  condition: TransportCondition;
}

/**
 * What an entry with one of its services asks of the transport, for whole packets and for non-initial fragments. These
 * show no layer 4: an entry that asks for it permits them on layer 3 alone, and never denies them.
 */
function transportsOf(ace: Ace, service: Service, family: Family): Transport[] {
  const asksLayer4 = hasLayer4Conditions(ace, service);
  const fragments = ace.action === "permit" || !asksLayer4 ? APPLIES_FRAGMENT : 0;
  return protocolsOf(service, family).flatMap(({ protocol, extensions }): Transport[] => {
    const layer3 = (applies: number): Transport[] =>
      applies === 0
        ? []
        : [{ words: [ANY_PORT, ANY_PORT, protocolWord(protocol)], condition: { applies, extensions } }];
    if (ace.fragments) return layer3(fragments);
    if (!asksLayer4) return layer3(APPLIES_WHOLE | APPLIES_FRAGMENT);
    const able = protocolsWithFields(ace, service, family);
    const named = protocol === undefined ? able : able.filter((each) => each === protocol);
    const both = named.flatMap((each) => layer4(ace, service, each, APPLIES_WHOLE | fragments, extensions));
    if (protocol !== undefined && both.length > 0) return both;
    const whole = named.flatMap((each) => layer4(ace, service, each, APPLIES_WHOLE, extensions));
    return [...whole, ...layer3(fragments)];
  });
}

/** `ahp` is also a packet with that extension header, whatever comes behind it. */
function protocolsOf(service: Service, family: Family): { protocol?: number; extensions?: number }[] {
  const { protocol } = service;
  return protocol === PROTOCOL.ah && family === 6 ? [{ protocol }, { extensions: KX_AH }] : [{ protocol }];
}

/** The protocols whose packets have every field that is asked for. */
function protocolsWithFields(ace: Ace, service: Service, family: Family): number[] {
  const { flags } = ace;
  if (flags?.mode === "all" && (flags.set & flags.clear) !== 0) return [];
  const icmp = family === 4 ? PROTOCOL.icmp : PROTOCOL.icmp6;
  const asked: number[][] = [];
  if (service.sourcePort ?? service.destinationPort) asked.push([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp]);
  if (ace.established || flags !== undefined) asked.push([PROTOCOL.tcp]);
  if (service.icmp !== undefined) asked.push([icmp]);
  if (ace.igmpType !== undefined) asked.push([IGMP]);
  return asked.reduce((all, some) => all.filter((protocol) => some.includes(protocol)));
}

function layer4(
  ace: Ace,
  service: Service,
  protocol: number,
  applies: number,
  extensions?: number,
): Transport[] {
  const condition = {
    applies,
    extensions,
    flags: ace.flags,
    established: ace.established,
    icmpType: service.icmp?.type ?? ace.igmpType,
    icmpCode: service.icmp?.code,
  };
  const sources = service.sourcePort ? intervalsOf(service.sourcePort, PORT_MAX) : [ANY_PORT];
  const destinations = service.destinationPort ? intervalsOf(service.destinationPort, PORT_MAX) : [ANY_PORT];
  return sources.flatMap((source) =>
    destinations.map((destination) => ({ words: [source, destination, protocolWord(protocol)], condition })),
  );
}

function protocolWord(protocol: number | undefined): Box[number] {
  return protocol === undefined ? ANY_BYTE : [protocol, protocol];
}
