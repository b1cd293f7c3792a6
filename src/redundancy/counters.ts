/**
 * What the machine counts. A refusal is something that the peer, or somebody who pretends to be the peer, got wrong;
 * an event is something that went as it should. Names are stable: reports and JSON use them.
 */

/** Why a frame is refused, in the order of the checks. */
export const REFUSALS = {
  closed: "there is no association",
  short: "shorter than a frame without contents",
  magic: "not a frame of this protocol",
  version: "another protocol version",
  long: "longer than a frame may be",
  length: "the length in the frame is not that of the message",
  kind: "no such kind of message",
  stream: "not the stream that the frame was made for, or not that of its kind",
  unkeyed: "without a key, and a key is configured here",
  keyed: "with a key, and none is configured here",
  reflected: "our own frame",
  association: "of another association",
  boot: "of an earlier start of the peer",
  tag: "not authentic: another key, or altered on the way",
  replay: "its number is not above those before",
  reopened: "the association is open already",
  content: "the contents are not those of its kind",
  generation: "session records of another generation",
  unexpected: "nothing of the kind is expected now",
} as const satisfies Record<string, string>;
export type Refusal = keyof typeof REFUSALS;
export const REFUSAL_NAMES = Object.keys(REFUSALS) as readonly Refusal[];

export const COUNTED = [
  "framesSent",
  "framesReceived",
  "dataSent",
  "dataReceived",
  /** Session records that were to be sent while there was nobody to take them. */
  "dataUnsent",
  /** Frames that are missing between two that came. */
  "framesMissing",
  "keepAlivesSent",
  "keepAlivesReceived",
  "associations",
  "peerLosses",
  "takeovers",
  "rolesLost",
  "resumptions",
  "conflicts",
  "stalls",
  "probes",
  "denials",
  "bulkBegun",
  "bulkCompleted",
  "bulkFailed",
  "switchoversBegun",
  "switchoversDone",
  "switchoversFailed",
  "coreFailures",
  /** The peer was lost, or had to begin again, while it took our sessions. */
  "standbyFailures",
] as const;
export type Counted = (typeof COUNTED)[number];

export interface Counters {
  events: Record<Counted, number>;
  refused: Record<Refusal, number>;
}

export function newCounters(): Counters {
  const zeros = <T extends string>(names: readonly T[]) =>
    Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;
  return { events: zeros(COUNTED), refused: zeros(REFUSAL_NAMES) };
}
