/** The association of a configuration as an endpoint. */
import { usedAssociation } from "../check/topology.js";
import { type Config, DEFAULTS } from "../config/model.js";
import { STREAMS } from "../redundancy/index.js";
import { Endpoint, type EndpointOptions, type SctpAction, UDP_ENCAPSULATION_PORT } from "../sctp/index.js";
import type { ControlOptions, NodeAction } from "./actions.js";

/** Room of the association for what the sync has under way, and for the messages beside it. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;

/** What a configuration says of the association: plain data. */
export type Ends = Omit<EndpointOptions, "random" | "secret">;

/** Undefined: there is no association that is complete and not shut down. */
export function endsOf(config: Config): Ends | undefined {
  const association = usedAssociation(config);
  if (association === undefined || association.shutdown) return undefined;
  const { localPort, remotePort, localIps, remoteIps } = association;
  const { retransmitTimeout, pathRetransmit, assocRetransmit } = association;
  if (localPort === undefined || remotePort === undefined || localIps.length === 0 || remoteIps.length === 0)
    return undefined;
  return {
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
  };
}

export function newEndpoint(ends: Ends, { random, secret }: ControlOptions): Endpoint {
  return new Endpoint({ ...ends, random, secret });
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
