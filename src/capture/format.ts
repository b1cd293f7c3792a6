/**
 * The two capture formats as numbers: magics, block types, option codes, fixed sizes, and the bounds that
 * this reader sets. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */

/** The longest captured packet that is believed; libpcap and Wireshark draw the line here too. */
export const CAPTURED_MAX = 262_144;

/**
 * The longest pcapng block that is believed. Nothing of this size is allocated before its bytes have arrived.
 */
export const BLOCK_MAX = 16 * 1024 * 1024;

/** The longest piece of a file that may be pushed at once: offsets into it are kept in 32 bits. */
export const PIECE_MAX = 2 ** 31;

/** Interface descriptions in one file, over all its sections: they are kept, so their number has a bound. */
export const INTERFACES_MAX = 65_536;

/** Bytes of an interface's name or description that are kept. */
export const TEXT_MAX = 256;

export interface PcapKind {
  /** The first four bytes, read in the order in which the file was written. */
  readonly magic: number;
  /** Digits of the fraction of a second: 6 or 9. */
  readonly fractionDigits: number;
  /** Bytes before the data of each packet. */
  readonly recordHeader: number;
}

export const PCAP_MICROSECONDS: PcapKind = { magic: 0xa1b2c3d4, fractionDigits: 6, recordHeader: 16 };
export const PCAP_NANOSECONDS: PcapKind = { magic: 0xa1b23c4d, fractionDigits: 9, recordHeader: 16 };
/**
 * Kuznetzov's libpcap: each record also holds interface index, protocol and packet type, which are not read.
 */
const PCAP_MODIFIED: PcapKind = { magic: 0xa1b2cd34, fractionDigits: 6, recordHeader: 24 };

export const PCAP_KINDS: readonly PcapKind[] = [PCAP_MICROSECONDS, PCAP_NANOSECONDS, PCAP_MODIFIED];

export const PCAP_FILE_HEADER = 24;
export const PCAP_VERSION_MAJOR = 2;
export const PCAP_VERSION_MINOR = 4;
/** The link type shares its word with the length of the frame check sequence, in the upper bits. */
export const PCAP_LINK_TYPE_MASK = 0xffff;

/** The same in both byte orders, so that it can be known before the order is. */
export const SECTION_HEADER = 0x0a0d0d0a;
export const INTERFACE_DESCRIPTION = 1;
/** Obsolete, but found in old files. */
export const PACKET = 2;
export const SIMPLE_PACKET = 3;
export const ENHANCED_PACKET = 6;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
export const PCAPNG_VERSION_MAJOR = 1;
/** Written by some tools instead of 0; the format is the same. */
export const PCAPNG_VERSION_MINORS: readonly number[] = [0, 2];

/** Block type, total length in front, total length behind. */
export const BLOCK_OVERHEAD = 12;
/** Type and total length: what must be there before a block's size is known. */
export const BLOCK_HEADER = 8;

/** Where the fixed fields of each block that is read end, from the start of the block. */
export const SECTION_HEADER_FIXED = 24;
export const INTERFACE_DESCRIPTION_FIXED = 16;
export const SIMPLE_PACKET_FIXED = 12;
/** Also of the obsolete packet block. */
export const ENHANCED_PACKET_FIXED = 28;

export const OPTION_END = 0;
export const OPTION_COMMENT = 1;
export const SECTION_APPLICATION = 4;
export const INTERFACE_NAME = 2;
export const INTERFACE_DESCRIPTION_TEXT = 3;
export const INTERFACE_TIME_RESOLUTION = 9;
export const INTERFACE_TIME_OFFSET = 14;

export const OPTION_HEADER = 4;
export const OPTION_LENGTH_MAX = 65_535;

/** if_tsresol when the option is absent: microseconds. */
export const TIME_RESOLUTION_DEFAULT = 6;

/** The next multiple of four: pcapng pads packets and options to it. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
