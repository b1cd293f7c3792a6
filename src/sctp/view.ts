/**
 * What an endpoint shows of itself, and its state as one canonical text.
 */
import type { Address } from "../ip.js";
import type { PathState } from "./association.js";
import type { EndpointState } from "./context.js";
import type { Counters } from "./counters.js";
import { dequeLength } from "../deque.js";
import { windowBytes } from "./inbound.js";
import type { Settings } from "./settings.js";
import { STATE_NAMES, type StateName } from "./states.js";

export interface PathView {
  index: number;
  local: Address;
  remote: Address;
  udpPort: number;
  state: PathState;
  /** Undefined before the first sample. */
  srttMs: number | undefined;
  rttvarMs: number;
  rtoMs: number;
  cwndBytes: number;
  ssthreshBytes: number;
  flightBytes: number;
  /** In a row. */
  errors: number;
}

export interface EndpointView {
  mode: EndpointState["mode"];
  state: StateName;
  /** User data may flow. */
  isUp: boolean;
  localTag: number;
  peerTag: number;
  outboundStreams: number;
  inboundStreams: number;
  /** Waiting and not acknowledged, with the overhead of each message. */
  queuedBytes: number;
  waitingMessages: number;
  outstandingChunks: number;
  peerWindowBytes: number;
  /** Received and not delivered. */
  heldBytes: number;
  windowBytes: number;
  /** Of the association, in a row. */
  errors: number;
  paths: PathView[];
  counters: Counters;
}

export function viewOf(state: EndpointState, settings: Settings): EndpointView {
  const { association } = state;
  return {
    mode: state.mode,
    state: STATE_NAMES[state.code],
    isUp: association?.isUp ?? false,
    localTag: association?.localTag ?? 0,
    peerTag: association?.peerTag ?? 0,
    outboundStreams: association?.outbound.streams.length ?? 0,
    inboundStreams: association?.inbound.reassembly.streams.length ?? 0,
    queuedBytes: association?.outbound.queuedBytes ?? 0,
    waitingMessages: association?.outbound.waitingMessages ?? 0,
    outstandingChunks: association === undefined ? 0 : dequeLength(association.outbound.outstanding),
    peerWindowBytes: association?.outbound.peerWindowBytes ?? 0,
    heldBytes: association?.inbound.reassembly.heldBytes ?? 0,
    windowBytes: association === undefined ? 0 : windowBytes(association.inbound, settings),
    errors: association?.errors ?? 0,
    paths: (association?.paths ?? []).map((path) => ({
      index: path.index,
      ...settings.pairs[path.index]!,
      udpPort: state.udpPorts[path.index]!,
      state: path.state,
      srttMs: path.srttMs,
      rttvarMs: path.rttvarMs,
      rtoMs: path.rtoMs,
      cwndBytes: path.cwndBytes,
      ssthreshBytes: path.ssthreshBytes,
      flightBytes: path.flightBytes,
      errors: path.errors,
    })),
    counters: { ...state.counters },
  };
}

/**
 * A text that is equal for states that behave equally: instants (names in AtMs) relative to the last step, no counters,
 * keys in order.
 */
export function fingerprintOf(state: EndpointState): string {
  const write = (value: unknown, name: string): string => {
    if (typeof value === "number") return String(name.endsWith("AtMs") ? value - state.nowAtMs : value);
    if (value instanceof Uint8Array) return `<${Array.from(value).join(" ")}>`;
    if (value instanceof Map) {
      const entries = [...value].sort(([one], [other]) => Number(one) - Number(other));
      return `{${entries.map(([key, each]) => `${key}:${write(each, "")}`).join(",")}}`;
    }
    if (Array.isArray(value)) return `[${value.map((each) => write(each, "")).join(",")}]`;
    if (typeof value !== "object" || value === null) return String(value);
    const entries = Object.entries(value)
      .filter(([key]) => key !== "counters")
      .sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${entries.map(([key, each]) => `${key}:${write(each, key)}`).join(",")}}`;
  };
  return write(state, "");
}
