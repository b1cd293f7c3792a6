/**
 * What INIT and INIT ACK say beyond their fixed fields (RFC 9260 sections 3.3.2, 3.3.3), read and written.
 */
import type { Address } from "../ip.js";
import type { Agreement } from "./association.js";
import { type Chunk, type ChunkOf, chunkLength } from "./chunk.js";
import { type Context, count } from "./context.js";
import { COOKIE_INCREMENT_MAX_MS } from "./cookie.js";
import { COMMON_HEADER } from "./packet.js";
import { PARAMETERS, type Parameter, unknownParameterRule } from "./parameter.js";
import { type Settings, WINDOW_MIN } from "./settings.js";
import { ITEM_HEADER, padded } from "./tlv.js";

type Init = ChunkOf<"init"> | ChunkOf<"initAck">;

/** What the parameters of an INIT or INIT ACK say. */
export interface Terms {
  /** Bit i: the peer has the address of path i. It always has the one that the packet came from. */
  pathMask: number;
  cookie: Uint8Array | undefined;
  incrementMs: number;
  hasHostName: boolean;
  /** Unknown parameters that the peer wants to hear about. */
  unrecognized: Uint8Array[];
}

/** The paths to this address of the peer. */
function pathMaskOf({ settings }: Context, remote: Address): number {
  return settings.pairs.reduce(
    (mask, pair, index) => (pair.remote === remote ? mask | (1 << index) : mask),
    0,
  );
}

export function readTerms(context: Context, parameters: readonly Parameter[]): Terms {
  const terms: Terms = {
    pathMask: pathMaskOf(context, context.settings.pairs[context.arrival!.path]!.remote),
    cookie: undefined,
    incrementMs: 0,
    hasHostName: false,
    unrecognized: [],
  };
  for (const parameter of parameters) {
    switch (parameter.kind) {
      case "ipv4Address":
      case "ipv6Address": {
        const mask = pathMaskOf(context, parameter.address);
        if (mask === 0) count(context, "address_unknown");
        terms.pathMask |= mask;
        break;
      }
      case "stateCookie":
        terms.cookie = parameter.bytes.slice();
        break;
      case "cookiePreservative":
        terms.incrementMs = Math.min(parameter.incrementMs, COOKIE_INCREMENT_MAX_MS);
        break;
      case "hostName":
        terms.hasHostName = true;
        break;
      case "unknown": {
        const { isSkipped, isReported } = unknownParameterRule(parameter.type);
        count(context, "parameter_unknown");
        if (isReported) terms.unrecognized.push(parameter.bytes);
        if (!isSkipped) return terms;
        break;
      }
      default: // known, and without meaning here
    }
  }
  return terms;
}

export function agreementOf(
  init: Init,
  terms: Terms,
  own: { localTag: number; localInitialTsn: number },
): Agreement {
  return {
    localTag: own.localTag,
    localInitialTsn: own.localInitialTsn,
    peerTag: init.initiateTag,
    peerInitialTsn: init.initialTsn,
    peerWindow: init.advertisedWindow,
    peerOutboundStreams: init.outboundStreams,
    peerInboundStreams: init.inboundStreams,
    pathMask: terms.pathMask,
  };
}

/** Section 3.3.2: what no INIT and no INIT ACK may say. */
export function isInitValid(init: Init): boolean {
  return init.outboundStreams > 0 && init.inboundStreams > 0 && init.advertisedWindow >= WINDOW_MIN;
}

function addressParameter(address: Address): Parameter {
  return typeof address === "number" ? { kind: "ipv4Address", address } : { kind: "ipv6Address", address };
}

/** Parameters that fit a chunk of the largest packet beside what is in it already. */
export function fittingReports(context: Context, chunk: Chunk, reports: readonly Uint8Array[]): Parameter[] {
  const parameters: Parameter[] = [];
  let room = context.settings.mtu - COMMON_HEADER - padded(chunkLength(chunk));
  for (const bytes of reports) {
    room -= padded(ITEM_HEADER + bytes.length);
    if (room < 0) break;
    parameters.push({ kind: "unrecognizedParameter", bytes });
  }
  return parameters;
}

/** What INITs and INIT ACKs of ours have in common. */
export function ownTerms(settings: Settings): Omit<ChunkOf<"init">, "kind" | "initiateTag" | "initialTsn"> {
  return {
    flags: 0,
    advertisedWindow: settings.receiveQueueBytes,
    outboundStreams: settings.streams,
    inboundStreams: settings.streams,
    parameters: settings.localAddresses.map(addressParameter),
  };
}

/** Of the family that both sides have. */
export function supportedAddressTypes({ localAddresses }: Settings): Parameter {
  const [first] = localAddresses;
  const form = typeof first === "number" ? PARAMETERS.ipv4Address : PARAMETERS.ipv6Address;
  return { kind: "supportedAddressTypes", values: [form.type] };
}
