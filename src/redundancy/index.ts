/** Redundancy of a pair: what the rest of the project uses of this folder. */
export type {
  HsrpCommand,
  HsrpNews,
  OperatorCommand,
  OperatorInput,
  RedundancyAction,
  RedundancyInput,
  RoleAction,
} from "./actions.js";
export { BULK_ATTEMPTS_MAX } from "./classify.js";
export { hashSections } from "./canonical.js";
export { compare, type Finding, type Hello, helloOf, isCompatible } from "./compatibility.js";
export { COUNTED, type Counters, REFUSAL_NAMES, REFUSALS, type Refusal } from "./counters.js";
export {
  CONTENTS_MAX,
  type DataStream,
  FRAME_MAX,
  type Mac,
  nobleMac,
  PROTOCOL_VERSION,
  STREAMS,
  type Stream,
  streamNumber,
} from "./envelope.js";
export { groupTimersOf, type Identity, identityOf, updateMsOf, type Surroundings } from "./identity.js";
export {
  HISTORY_MAX,
  RELOAD_MODES,
  type RedundancyOptions,
  type ReloadMode,
  type Timers,
} from "./options.js";
export { Redundancy } from "./redundancy.js";
export { SECTIONS, type Section } from "./sections.js";
export {
  cliNumber,
  type GroupRole,
  type Holdings,
  type Reason,
  REASONS,
  reasonNumber,
  RF_STATES,
  type RfState,
  type Role,
  type Takeover,
  TAKEOVERS,
} from "./states.js";
export type { RedundancyView, ShownState } from "./view.js";
