/** BFD: what the rest of the project uses of this folder. */
export type { BfdAction, BfdInput, Liveness, Parameters, Path } from "./actions.js";
export { Bfd, type BfdOptions, SESSIONS_MAX } from "./bfd.js";
export { REFUSAL_NAMES, REFUSALS, type Refusal } from "./refusals.js";
export { STATE_NAMES } from "./session.js";
export { keyOf } from "./sha1.js";
export { COUNTED, type Counters, isSamePath } from "./state.js";
export type { Diagnostic, State } from "./table.js";
export type { NeighborView } from "./view.js";
export { BFD_ECHO_PORT, BFD_MULTIHOP_PORT, BFD_PORT, type ControlPacket, parsePacket } from "./wire.js";
