/**
 * What a record asks of a packet beyond its box, and how that is stored: AC_* of assembly/layout.ts.
 */
import * as L from "../../assembly/layout.js";
import type { Ace } from "../config/model.js";
import { ANY_BYTE, BYTE_MAX, type Interval, type Masked } from "./box.js";

/** A field that is undefined asks nothing. */
export interface Condition {
  network: NetworkCondition;
  transport: TransportCondition;
  ttl?: Interval;
  /** Address bits, for wildcards with gaps. */
  source?: Masked;
  destination?: Masked;
}

/** What is asked of the IP header and its extensions. */
export interface NetworkCondition {
  timeRange?: string;
  tos?: Masked;
  /** KX_*, all of them. */
  extensions?: number;
  flowLabel?: number;
  /** TYPE_GIVEN + a type, or TYPE_ANY. */
  option?: number;
  routingType?: number;
  mobilityType?: number;
  destinationOption?: number;
}

/** What is asked beyond it. */
export interface TransportCondition {
  /** APPLIES_*: the packets that the record is about. */
  applies: number;
  /** KX_*, all of them too. */
  extensions?: number;
  flags?: Ace["flags"];
  established?: boolean;
  icmpType?: number;
  icmpCode?: number;
}

const FLOW_LABEL_MASK = 0xfffff;
/** `established` is ACK or RST. */
const ESTABLISHED_FLAGS = 0x14;

/** The stored form. `timeRange` is the number of the condition's time range, from 1, or 0. */
export function encodeCondition(condition: Condition, timeRange: number): Uint8Array {
  const { network, transport } = condition;
  const bytes = new Uint8Array(L.ACL_CONDITION_SIZE);
  const view = new DataView(bytes.buffer);
  const [ttlLow, ttlHigh] = condition.ttl ?? ANY_BYTE;
  bytes[L.AC_APPLIES] = transport.applies;
  bytes[L.AC_TIME_RANGE] = timeRange;
  bytes[L.AC_TOS_MASK] = network.tos?.mask ?? 0;
  bytes[L.AC_TOS_VALUE] = network.tos?.value ?? 0;
  bytes[L.AC_TTL_LOW] = ttlLow;
  bytes[L.AC_TTL_SPAN] = ttlHigh - ttlLow;
  bytes[L.AC_EXTENSIONS] = (network.extensions ?? 0) | (transport.extensions ?? 0);
  view.setUint32(L.AC_SOURCE_MASK, condition.source?.mask ?? 0, true);
  view.setUint32(L.AC_SOURCE_VALUE, condition.source?.value ?? 0, true);
  view.setUint32(L.AC_DESTINATION_MASK, condition.destination?.mask ?? 0, true);
  view.setUint32(L.AC_DESTINATION_VALUE, condition.destination?.value ?? 0, true);
  view.setUint32(L.AC_FLOW_LABEL_MASK, network.flowLabel === undefined ? 0 : FLOW_LABEL_MASK, true);
  view.setUint32(L.AC_FLOW_LABEL_VALUE, network.flowLabel ?? 0, true);
  view.setUint16(L.AC_OPTION, network.option ?? 0, true);
  view.setUint16(L.AC_ROUTING_TYPE, network.routingType ?? 0, true);
  view.setUint16(L.AC_MOBILITY_TYPE, network.mobilityType ?? 0, true);
  view.setUint16(L.AC_DESTINATION_OPTION, network.destinationOption ?? 0, true);
  if (transport.flags?.mode === "all") {
    bytes[L.AC_FLAGS_MASK] = transport.flags.set | transport.flags.clear;
    bytes[L.AC_FLAGS_VALUE] = transport.flags.set;
  } else if (transport.flags !== undefined) {
    bytes[L.AC_ANY] = 1;
    bytes[L.AC_ANY_SET] = transport.flags.set;
    bytes[L.AC_ANY_CLEAR] = transport.flags.clear;
  }
  bytes[L.AC_ESTABLISHED] = transport.established ? ESTABLISHED_FLAGS : 0;
  setExact(bytes, L.AC_ICMP_TYPE_MASK, L.AC_ICMP_TYPE_VALUE, transport.icmpType);
  setExact(bytes, L.AC_ICMP_CODE_MASK, L.AC_ICMP_CODE_VALUE, transport.icmpCode);
  return bytes;
}

function setExact(bytes: Uint8Array, mask: number, value: number, wanted: number | undefined): void {
  if (wanted === undefined) return;
  bytes[mask] = BYTE_MAX;
  bytes[value] = wanted;
}

/** The distinct conditions of a section, each stored once and named by its number. */
export interface ConditionTable {
  stored: Uint8Array[];
  /** By what they say. */
  numbers: Map<string, number>;
  /** By number: whether nothing is asked. */
  empty: boolean[];
}

export function conditionTable(): ConditionTable {
  return { stored: [], numbers: new Map(), empty: [] };
}

/** The number of a condition in the table, where it is added if it is new. */
export function internCondition(
  table: ConditionTable,
  condition: Condition,
  timeRange: (name: string) => number,
): number {
  const text = JSON.stringify(condition);
  let number = table.numbers.get(text);
  if (number === undefined) {
    const name = condition.network.timeRange;
    const bytes = encodeCondition(condition, name === undefined ? 0 : timeRange(name));
    number = table.stored.push(bytes) - 1;
    table.numbers.set(text, number);
    table.empty.push(asksNothing(bytes));
  }
  return number;
}

const NOTHING_ASKED = encodeCondition({ network: {}, transport: { applies: 0 } }, 0);

function asksNothing(bytes: Uint8Array): boolean {
  return bytes.every((byte, at) => at === L.AC_APPLIES || byte === NOTHING_ASKED[at]);
}
