/** The association of a configuration as an endpoint. */
import { encapsulationPort, usedAssociation } from "../check/topology.js";
import { type Config, DEFAULTS } from "../config/model.js";
import { IP_PROTOCOL_SCTP, IP_PROTOCOL_UDP } from "../config/names.js";
import { STREAMS } from "../redundancy/index.js";
import { Endpoint, type EndpointOptions, OVER_IP, type SctpAction, type SctpInput } from "../sctp/index.js";
import type { ControlOptions, DatagramInput, SendAction } from "./actions.js";

/** Room of the association for what the sync has under way, and for the messages beside it. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;

/** What a configuration says of the association: plain data. */
export interface Ends extends Omit<EndpointOptions, "random" | "secret"> {
  /** The UDP port of both boxes, or OVER_IP. */
  readonly remoteUdpPort: number;
}

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
    remoteUdpPort: encapsulationPort(association) ?? OVER_IP,
  };
}

export function newEndpoint(ends: Ends, { random, secret }: ControlOptions): Endpoint {
  return new Endpoint({ ...ends, random, secret });
}

/** The packet of the association in a datagram, be it in the wrong place; undefined: the datagram is for somebody else. */
export function sctpPacketOf(input: DatagramInput, ends: Ends | undefined): SctpInput | undefined {
  const { source, destination, payload } = input;
  const packet = { kind: "datagram", from: source, to: destination, bytes: payload } as const;
  if (input.protocol === IP_PROTOCOL_SCTP) return packet;
  const isOurs = input.port === (ends?.remoteUdpPort || DEFAULTS.encapsulationPort);
  return isOurs ? { ...packet, udpPort: input.sourcePort } : undefined;
}

/** What the outside sends with: nothing looks at it. */
const TTL = 64;

/** A packet of the association as it leaves an interface: in UDP (RFC 6951) from this port, or over IP. */
export function datagramOf(
  { from, to, udpPort, bytes }: Extract<SctpAction, { kind: "transmit" }>,
  name: string,
  ownUdpPort: number,
): SendAction {
  const carried = {
    kind: "send",
    interface: name,
    source: from,
    destination: to,
    ttl: TTL,
    payload: bytes,
  } as const;
  return ownUdpPort === OVER_IP
    ? { ...carried, protocol: IP_PROTOCOL_SCTP }
    : { ...carried, protocol: IP_PROTOCOL_UDP, sourcePort: ownUdpPort, port: udpPort };
}
