/** ARP for IPv4 over Ethernet (RFC 826). */
import type { Mac } from "./mac.js";
import { record } from "./record.js";

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

const ARP = record({
  hardware: "u16",
  protocol: "u16",
  hardwareLength: "u8",
  protocolLength: "u8",
  operation: "u16",
  senderMac: "mac",
  senderAddress: "u32",
  targetMac: "mac",
  targetAddress: "u32",
});
/** The only kind that is spoken: Ethernet and IPv4, with addresses of six and four bytes. */
const ETHERNET_IPV4 = { hardware: 1, protocol: 0x0800, hardwareLength: 6, protocolLength: 4 };

export interface ArpEnd {
  readonly mac: Mac;
  readonly address: number;
}

export interface ArpMessage {
  readonly operation: typeof ARP_REQUEST | typeof ARP_REPLY;
  readonly sender: ArpEnd;
  readonly target: ArpEnd;
}

export function arpMessage(operation: number, sender: ArpEnd, target: ArpEnd): Uint8Array {
  return ARP.emit({
    ...ETHERNET_IPV4,
    operation,
    senderMac: sender.mac,
    senderAddress: sender.address,
    targetMac: target.mac,
    targetAddress: target.address,
  });
}

/** Undefined: cut short, of another kind, or neither a request nor a reply. */
export function parseArp(bytes: Uint8Array): ArpMessage | undefined {
  const message = ARP.parse(bytes);
  if (message === undefined) return undefined;
  for (const [name, value] of Object.entries(ETHERNET_IPV4)) {
    if (message[name as keyof typeof ETHERNET_IPV4] !== value) return undefined;
  }
  const { operation, senderMac, senderAddress, targetMac, targetAddress } = message;
  if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return undefined;
  return {
    operation,
    sender: { mac: senderMac, address: senderAddress },
    target: { mac: targetMac, address: targetAddress },
  };
}
