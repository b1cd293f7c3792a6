/** SCTP for one peer: the endpoint, its options, what goes in and what comes out. */
export { PATH_STATES, type PathState } from "./association.js";
export { DOWN_REASONS, type DownReason, type SctpAction } from "./context.js";
export { type CountedEvent, type Counters, EVENTS, REFUSALS, type Refusal } from "./counters.js";
export { encapsulatedMtu, OVER_IP, UDP_ENCAPSULATION_PORT } from "./encapsulation.js";
export { Endpoint, type SctpInput } from "./endpoint.js";
export type { OutgoingMessage } from "./outbound.js";
export { parsePacket } from "./packet.js";
export type { InboundMessage } from "./reassembly.js";
export type { Datagram } from "./receive.js";
export type { EndpointOptions } from "./settings.js";
export type { StateName } from "./states.js";
export type { EndpointView, PathView } from "./view.js";
