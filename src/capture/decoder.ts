/** What the decoders of pcap and pcapng have in common, and what they tell the reader about the capture. */
import type { PacketBatch } from "./batch.js";
import type { LinkType } from "./link.js";

/** One interface of a capture. A pcap file has one, without a name. */
export interface CaptureInterface {
  /** Position among all interfaces of the file, from 0: what `interfaceIndex` of a packet means. */
  readonly index: number;
  /** pcapng section, from 0. */
  readonly section: number;
  /**
   * Position within the section, from 0: Wireshark's frame.interface_id. The same as `index` in the first
   * section.
   */
  readonly number: number;
  readonly name?: string;
  readonly description?: string;
  /** As in the file. */
  readonly linkType: number;
  /** Undefined: not one of LINK_TYPES. */
  readonly link: LinkType | undefined;
  /** Bytes of each packet that were kept at most; 0: all. */
  readonly snapLength: number;
}

/** The bytes to decode: those of `bytes` from `at` to `end`. A decoder moves `at` forward. */
export interface Window {
  bytes: Uint8Array;
  view: DataView;
  at: number;
  end: number;
}

/** Why a decoder stopped at `window.at`. */
export type Stop =
  /** The batch is full, or has to be handed over before what follows. */
  | "batch"
  /** What stands at `at` takes at least so many bytes, more than are there. */
  | number
  /** What stands at `at` is broken, in words. */
  | { readonly broken: string };

export interface Decoder {
  /** What the file is a sequence of. */
  readonly unit: "record" | "block";
  /** Units read so far. */
  readonly units: number;
  /** Byte order of what is being read. */
  readonly littleEndian: boolean;
  /** Reads whole units from the window, appending their packets to the batch, until it has to stop. */
  decode(window: Window, batch: PacketBatch): Stop;
}
