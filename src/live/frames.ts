/** Looks at frames that the dataplane thread handles one by one: their tag (IEEE 802.1Q), and where they go. */
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from "../frame.js";
import { type Address, bytesToBigint } from "../ip.js";

const MAC_LENGTH = 6;
const ADDRESSES = 2 * MAC_LENGTH;
const TAG = 4;
const TPID = 0x8100;
/** Without a tag. */
export const ETHERNET_HEADER = 14;
const IPV4_DESTINATION = ETHERNET_HEADER + 16;
const IPV6_DESTINATION = ETHERNET_HEADER + 24;
const IPV6_ADDRESS = 16;

/** The frame with a tag in front of its ethertype. */
export function addedTag(frame: Uint8Array, vlan: number): Uint8Array {
  const tagged = new Uint8Array(frame.length + TAG);
  tagged.set(frame.subarray(0, ADDRESSES));
  tagged.set([TPID >> 8, TPID & 255, vlan >> 8, vlan & 255], ADDRESSES);
  tagged.set(frame.subarray(ADDRESSES), ADDRESSES + TAG);
  return tagged;
}

/** A frame that has a tag where `vlan` is not 0, without it. */
export function withoutTag(frame: Uint8Array, vlan: number): Uint8Array {
  if (vlan === 0) return frame;
  const plain = new Uint8Array(frame.length - TAG);
  plain.set(frame.subarray(0, ADDRESSES));
  plain.set(frame.subarray(ADDRESSES + TAG), ADDRESSES);
  return plain;
}

/** Its next hop is not known: the core leaves all zeros for the destination. */
export const isForNobody = (frame: Uint8Array): boolean =>
  frame.subarray(0, MAC_LENGTH).every((byte) => byte === 0);

/** Destination of the IP packet in a frame without a tag. */
export function destinationOf(frame: Uint8Array): Address | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  switch (view.getUint16(ADDRESSES)) {
    case ETHERTYPE_IPV4:
      return view.getUint32(IPV4_DESTINATION);
    case ETHERTYPE_IPV6:
      return bytesToBigint(frame.subarray(IPV6_DESTINATION, IPV6_DESTINATION + IPV6_ADDRESS));
    default:
      return undefined;
  }
}
