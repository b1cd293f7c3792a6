/** The association of a configuration as an endpoint. */
import { DEFAULTS, type IpcAssociation } from "../config/model.js";
import { STREAMS } from "../redundancy/index.js";
import { Endpoint, type SctpAction, UDP_ENCAPSULATION_PORT } from "../sctp/index.js";
import type { ControlOptions, NodeAction } from "./actions.js";

/** Room of the association for what the sync has under way, and for the messages beside it. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;

/** Undefined: the association is not complete. */
export function newEndpoint(
  {
    localPort,
    remotePort,
    localIps,
    remoteIps,
    retransmitTimeout,
    pathRetransmit,
    assocRetransmit,
  }: IpcAssociation,
  { random, secret }: ControlOptions,
): Endpoint | undefined {
  if (localPort === undefined || remotePort === undefined || localIps.length === 0 || remoteIps.length === 0)
    return undefined;
  return new Endpoint({
    localPort: localPort.value,
    remotePort: remotePort.value,
    localAddresses: localIps.map(({ address }) => address),
    remoteAddresses: remoteIps.map(({ address }) => address),
    rtoMinMs: retransmitTimeout?.minMs ?? DEFAULTS.retransmitMinMs,
    rtoMaxMs: retransmitTimeout?.maxMs ?? DEFAULTS.retransmitMaxMs,
    pathRetransmit: pathRetransmit?.value ?? DEFAULTS.pathRetransmit,
    assocRetransmit: assocRetransmit?.value ?? DEFAULTS.assocRetransmit,
    streams: STREAMS.length,
    sendQueueBytes: SEND_QUEUE_BYTES,
    random,
    secret,
  });
}

/** What the outside sends with: nothing looks at it. */
const TTL = 64;

/** A packet of the association as a UDP datagram of this interface (RFC 6951). */
export function datagramOf(
  { from, to, udpPort, bytes }: Extract<SctpAction, { kind: "transmit" }>,
  name: string,
): NodeAction {
  return {
    kind: "send",
    interface: name,
    source: from,
    destination: to,
    ttl: TTL,
    sourcePort: UDP_ENCAPSULATION_PORT,
    port: udpPort,
    payload: bytes,
  };
}
