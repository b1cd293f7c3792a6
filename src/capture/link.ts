/**
 * Link types: where the network layer of a captured frame begins and what it is. The core reads Ethernet
 * headers itself; for the other link types it is told the ethertype and the number of bytes in front of the
 * payload. Source: the list of link-layer header types of tcpdump.org.
 */

/**
 * What `locate` found, in one number: the ethertype, and in the low eight bits the length of the link header.
 */
export type Located = number;

/** Ethertype that tells the core to read the Ethernet header itself. */
export const ETHERTYPE_IN_FRAME = 0;
/**
 * Ethertype of what has none: another protocol family, a link header that is cut short, an unknown link type.
 */
export const ETHERTYPE_UNKNOWN = 0xffff;

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** Smaller values in an ethertype field are 802.3 lengths or Linux's own numbers. */
const ETHERTYPE_MIN = 0x0600;

export function located(ethertype: number, headerLength: number): Located {
  return (ethertype << 8) | headerLength;
}

export function ethertypeOf(found: Located): number {
  return found >>> 8;
}

export function headerLengthOf(found: Located): number {
  return found & 0xff;
}

type Locate = (bytes: Uint8Array, offset: number, capturedLength: number) => Located;

export interface LinkType {
  /** As in the file. */
  readonly number: number;
  readonly name: string;
  readonly locate: Locate;
}

const UNKNOWN = located(ETHERTYPE_UNKNOWN, 0);
const IN_FRAME = located(ETHERTYPE_IN_FRAME, 0);
const RAW_IPV4 = located(ETHERTYPE_IPV4, 0);
const RAW_IPV6 = located(ETHERTYPE_IPV6, 0);

/** No link header; the version in the first four bits decides. */
function rawIp(bytes: Uint8Array, offset: number, capturedLength: number): Located {
  if (capturedLength === 0) return UNKNOWN;
  const version = bytes[offset]! >>> 4;
  return version === 4 ? RAW_IPV4 : version === 6 ? RAW_IPV6 : UNKNOWN;
}

const FAMILY_LENGTH = 4;
const FAMILY_IPV4 = 2;
/** AF_INET6 of Linux, of NetBSD, OpenBSD and Npcap, of FreeBSD, of macOS. */
const FAMILIES_IPV6: readonly number[] = [10, 24, 28, 30];

function family(value: number): Located {
  if (value === FAMILY_IPV4) return located(ETHERTYPE_IPV4, FAMILY_LENGTH);
  if (FAMILIES_IPV6.includes(value)) return located(ETHERTYPE_IPV6, FAMILY_LENGTH);
  return located(ETHERTYPE_UNKNOWN, FAMILY_LENGTH);
}

/**
 * The address family in the byte order of the machine that captured: all values are small, so the zeros tell.
 */
function nullLoopback(bytes: Uint8Array, offset: number, capturedLength: number): Located {
  if (capturedLength < FAMILY_LENGTH) return UNKNOWN;
  const first = u16(bytes, offset);
  const second = u16(bytes, offset + 2);
  if (first === 0) return family(second);
  return second === 0
    ? family((first >>> 8) | ((first & 0xff) << 8))
    : located(ETHERTYPE_UNKNOWN, FAMILY_LENGTH);
}

/** OpenBSD's loopback: the address family, always in network order. */
function loop(bytes: Uint8Array, offset: number, capturedLength: number): Located {
  if (capturedLength < FAMILY_LENGTH) return UNKNOWN;
  return u16(bytes, offset) === 0
    ? family(u16(bytes, offset + 2))
    : located(ETHERTYPE_UNKNOWN, FAMILY_LENGTH);
}

/** Linux hardware types whose "protocol" is not an ethertype: frame relay, 802.11 with radiotap, netlink. */
const HARDWARE_WITHOUT_ETHERTYPE: readonly number[] = [770, 803, 824];

function cooked(hardware: number, protocol: number, headerLength: number): Located {
  const known = protocol >= ETHERTYPE_MIN && !HARDWARE_WITHOUT_ETHERTYPE.includes(hardware);
  return located(known ? protocol : ETHERTYPE_UNKNOWN, headerLength);
}

const COOKED_V1 = { length: 16, hardware: 2, protocol: 14 };
const COOKED_V2 = { length: 20, hardware: 8, protocol: 0 };

function cookedLink(layout: typeof COOKED_V1): Locate {
  return (bytes, offset, capturedLength) =>
    capturedLength < layout.length
      ? UNKNOWN
      : cooked(u16(bytes, offset + layout.hardware), u16(bytes, offset + layout.protocol), layout.length);
}

/** Every link type that the firewall judges; packets of any other are read but not judged. */
export const LINK_TYPES: readonly LinkType[] = [
  { number: 0, name: "null/loopback", locate: nullLoopback },
  { number: 1, name: "Ethernet", locate: () => IN_FRAME },
  // 12 and 14: libpcap's DLT_RAW on most systems and on OpenBSD, which files hold although they should not.
  { number: 12, name: "raw IP", locate: rawIp },
  { number: 14, name: "raw IP", locate: rawIp },
  { number: 101, name: "raw IP", locate: rawIp },
  { number: 108, name: "OpenBSD loopback", locate: loop },
  { number: 113, name: "Linux cooked v1", locate: cookedLink(COOKED_V1) },
  { number: 228, name: "raw IPv4", locate: () => RAW_IPV4 },
  { number: 229, name: "raw IPv6", locate: () => RAW_IPV6 },
  { number: 276, name: "Linux cooked v2", locate: cookedLink(COOKED_V2) },
];

const BY_NUMBER: ReadonlyMap<number, LinkType> = new Map(LINK_TYPES.map((link) => [link.number, link]));

/**
 * The link type of that number, or undefined: its packets are delivered, but where IP begins is not known.
 */
export function linkType(number: number): LinkType | undefined {
  return BY_NUMBER.get(number);
}

/**
 * Where the payload of one frame begins and what it is: `ethertypeOf(result)`, `headerLengthOf(result)`.
 * Ethernet gives ETHERTYPE_IN_FRAME and length 0. Reads only the `capturedLength` bytes at `offset`, and
 * allocates nothing.
 */
export function locate(
  link: LinkType | undefined,
  bytes: Uint8Array,
  offset: number,
  capturedLength: number,
): Located {
  return link === undefined ? UNKNOWN : link.locate(bytes, offset, capturedLength);
}

/** In network order. */
function u16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}
