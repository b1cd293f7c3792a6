/** The router: what the rest of the project uses of this folder. */
export type {
  Configuration,
  IncomingDatagram,
  IncomingPacket,
  OutgoingDatagram,
  ReportCause,
  RouterAction,
  RouterInput,
  RouterOptions,
} from "./actions.js";
export { COUNTER_NAMES, COUNTERS, type CounterName, type Counters } from "./counters.js";
export { fragment } from "./fragment.js";
export { NEIGHBORS_MAX } from "./limits.js";
export { Router } from "./router.js";
export type { InterfaceView, NeighborView, RouteView } from "./view.js";
