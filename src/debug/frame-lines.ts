/** What `debug` tells of the frames of the box itself: one line for each, by what the frame carries. */
import { ARP_REQUEST, parseArp } from "../arp.js";
import { BFD_PORT } from "../bfd/index.js";
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_SCTP,
  IP_PROTOCOL_UDP,
  PROTOCOLS,
  PROTOCOLS6,
} from "../config/names.js";
import { ETHERTYPE_ARP, ethertypeOf, parseIp, parseUdp } from "../frame.js";
import { ICMP, ICMP4, ICMP6, type NeighborMessage, parseNeighborMessage } from "../icmp.js";
import { type Address, formatAddress, formatIpv4 } from "../ip.js";
import { HSRP_PORTS } from "../hsrp/index.js";
import { bfdLine, hsrpLine, sctpLine } from "./control-lines.js";
import { countedText, type OwnFrame, type OwnPacket } from "./own-frame.js";
import type { DebugLine } from "./topics.js";

/** Undefined: it is nothing that any topic tells of. */
export function frameLine(own: OwnFrame): DebugLine | undefined {
  const { frame, networkOffset } = own;
  const bytes = frame.subarray(networkOffset);
  const ethertype = ((frame[networkOffset - 2] ?? 0) << 8) | (frame[networkOffset - 1] ?? 0);
  if (ethertype === ETHERTYPE_ARP) return arpLine(own, bytes);
  const packet = parseIp(bytes);
  if (packet === undefined || ethertype !== ethertypeOf(packet.source)) return undefined;
  return packetLine({ ...own, packet });
}

function packetLine(own: OwnPacket): DebugLine | undefined {
  const { packet, sctpPort } = own;
  if (packet.fragment !== undefined) return undefined;
  switch (packet.protocol) {
    case IP_PROTOCOL_ICMP:
      return icmpLine(own);
    case IP_PROTOCOL_ICMP6: {
      const message = parseNeighborMessage(packet);
      return message === undefined ? icmpLine(own) : discoveryLine(own, message);
    }
    case IP_PROTOCOL_SCTP:
      return sctpLine(own, packet.payload);
    case IP_PROTOCOL_UDP: {
      const datagram = parseUdp(packet.payload);
      if (datagram === undefined) return undefined;
      const { destination: port, payload } = datagram;
      if (HSRP_PORTS.has(port)) return hsrpLine(own, payload);
      if (port === BFD_PORT) return bfdLine(own, payload);
      return port === sctpPort || datagram.source === sctpPort ? sctpLine(own, payload) : undefined;
    }
    default:
      return undefined;
  }
}

function arpLine(own: OwnFrame, bytes: Uint8Array): DebugLine {
  const message = parseArp(bytes);
  const way = own.direction === "in" ? "rcvd" : "sent";
  if (message === undefined) {
    const text = () => `IP ARP: ${way} malformed message ${own.interface}${countedText(own)}`;
    return { topics: ["arp"], subject: { interfaces: [own.interface] }, text };
  }
  const { operation, sender, target } = message;
  return {
    topics: ["arp"],
    subject: { interfaces: [own.interface], addresses: [sender.address, target.address] },
    text: () =>
      `IP ARP: ${way} ${operation === ARP_REQUEST ? "req" : "rep"} src ${formatIpv4(sender.address)} ${sender.mac}, ` +
      `dst ${formatIpv4(target.address)} ${operation === ARP_REQUEST ? "" : `${target.mac} `}${own.interface}${countedText(own)}`,
  };
}

/** As IOS shortens them. */
const DISCOVERY_NAMES = {
  "neighbor-solicitation": "NS",
  "neighbor-advertisement": "NA",
  "router-solicitation": "RS",
  "router-advertisement": "RA",
  redirect: "Redirect",
} as const satisfies Record<NeighborMessage["kind"], string>;

function discoveryLine(own: OwnPacket, message: NeighborMessage): DebugLine {
  const { packet, direction } = own;
  const { source, destination } = packet;
  const target = "target" in message ? message.target : undefined;
  return {
    topics: ["ipv6 nd"],
    subject: {
      interfaces: [own.interface],
      addresses: [source, destination, ...(target === undefined ? [] : [target])],
    },
    text: () => {
      const about = target === undefined ? "" : ` for ${formatAddress(target)}`;
      const way = direction === "in" ? "Received" : "Sending";
      const ends = `from ${formatAddress(source)} to ${formatAddress(destination)}`;
      return `ICMPv6-ND: ${way} ${DISCOVERY_NAMES[message.kind]}${about} on ${own.interface} ${ends}${countedText(own)}`;
    },
  };
}

/** By type; every other one is told by its number. */
const ICMP_NAMES: ReadonlyMap<number, string> = new Map([
  [ICMP4.echoReply, "echo reply"],
  [ICMP4.unreachable, "destination unreachable"],
  [ICMP4.redirect, "redirect"],
  [ICMP4.echo, "echo"],
  [ICMP4.timeExceeded, "time exceeded"],
  [ICMP4.timestamp, "timestamp request"],
]);
const ICMP6_NAMES: ReadonlyMap<number, string> = new Map([
  [ICMP6.unreachable, "destination unreachable"],
  [ICMP6.tooBig, "packet too big"],
  [ICMP6.timeExceeded, "time exceeded"],
  [ICMP6.echo, "echo"],
  [ICMP6.echoReply, "echo reply"],
]);
const ERROR_HEADER = 8;
/** Codes mean something in errors only. */
const ICMP4_ERRORS: ReadonlySet<number> = new Set([ICMP4.unreachable, ICMP4.redirect, ICMP4.timeExceeded]);
const ICMP6_ERROR_LAST = 127;

function icmpLine(own: OwnPacket): DebugLine {
  const { packet, direction } = own;
  const { source, destination, protocol, payload } = packet;
  const message = ICMP.parse(payload);
  const isV6 = protocol === IP_PROTOCOL_ICMP6;
  const isError =
    message !== undefined && (isV6 ? message.type <= ICMP6_ERROR_LAST : ICMP4_ERRORS.has(message.type));
  const about = isError ? parseQuoted(payload.subarray(ERROR_HEADER)) : undefined;
  return {
    topics: ["ip icmp"],
    subject: {
      interfaces: [own.interface],
      addresses: [source, destination, ...(about === undefined ? [] : [about.source, about.destination])],
    },
    text: () => {
      const name = (isV6 ? ICMP6_NAMES : ICMP_NAMES).get(message?.type ?? -1);
      const what =
        message === undefined ? "malformed message" : (name ?? `type ${message.type} code ${message.code}`);
      const code = isError && name !== undefined ? ` (code ${message.code})` : "";
      const way = direction === "in" ? "rcvd" : "sent";
      return (
        `ICMP${isV6 ? "v6" : ""}: ${what}${code} ${way}, src ${formatAddress(source)}, dst ${formatAddress(destination)}, ` +
        `${own.interface}${about === undefined ? "" : `, about ${quotedText(about)}`}${countedText(own)}`
      );
    },
  };
}

interface Quoted {
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
}

/** The packet that an error is about, of which there is only the beginning. */
function parseQuoted(bytes: Uint8Array): Quoted | undefined {
  // The lengths are those of the whole packet: what is not quoted reads as zeros.
  const whole = new Uint8Array(0xffff);
  whole.set(bytes.subarray(0, whole.length));
  return parseIp(whole);
}

function quotedText({ source, destination, protocol }: Quoted): string {
  const names = typeof source === "number" ? PROTOCOLS : PROTOCOLS6;
  return `${names.name(protocol) ?? `protocol ${protocol}`} ${formatAddress(source)} -> ${formatAddress(destination)}`;
}
