/** A BFD session as the console and the metrics have it. */
import type { NeighborView } from "../../bfd/index.js";
import type { BfdNeighborView } from "../../console/backend.js";

/** As RFC 5880 writes them. */
const STATES = { down: "Down", init: "Init", up: "Up", adminDown: "AdminDown" } as const;

export const bfdNeighborOf = (each: NeighborView): BfdNeighborView => ({
  interface: each.interface,
  local: each.local,
  remote: each.remote,
  localDiscriminator: each.localDiscriminator,
  remoteDiscriminator: each.remoteDiscriminator,
  state: STATES[each.state],
  remoteState: STATES[each.remoteState],
  diagnostic: each.diagnostic,
  transmitMs: each.sendIntervalMs ?? 0,
  detectionMs: each.detectionMs,
  multiplier: each.parameters.multiplier,
  stateAgeMs: each.changedAgoMs,
  trustMs: each.trustMs,
  upCount: each.ups,
  received: each.received,
  sent: each.sent,
  ...(each.expiresInMs !== undefined && { lastReceivedMs: each.detectionMs - each.expiresInMs }),
  clients: ["HSRP", "redundancy"],
});
