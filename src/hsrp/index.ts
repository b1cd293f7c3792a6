/** HSRP: what the rest of the project uses of this folder. */
export type {
  AnnounceAction,
  DisownAction,
  HsrpAction,
  HsrpInput,
  HsrpReport,
  LogAction,
  Neighbor,
  OwnAction,
  PacketInput,
  PeerInput,
  RefusedAction,
  SendAction,
  StateAction,
} from "./actions.js";
export { HSRP_PORTS, type Transport, transportOf } from "./addresses.js";
export type { Generation } from "./classify.js";
export { type GroupChange, planGroups, type Setting } from "./configure.js";
export { announcementFrame, frameOf } from "./frames.js";
export { authenticationOf, optionsOf, type Surroundings } from "./from-config.js";
export { Hsrp } from "./hsrp.js";
export { STATE_NAMES } from "./log.js";
export {
  type Announcements,
  type Authentication,
  type HsrpGroup,
  type HsrpInterface,
  type HsrpOptions,
  keyOf,
} from "./options.js";
export { type Credential, emitPacket, type HsrpPacket, parsePacket } from "./packet.js";
export type { Key } from "./md5.js";
export { REFUSAL_NAMES, REFUSALS, type Refusal } from "./refusals.js";
export type { GroupSpec, InterfaceCounters } from "./state.js";
export { EVENTS, type Event, type State } from "./table.js";
export type { HsrpGroupView, RouterView } from "./view.js";
