/** Frames of the box itself, as `debug` is given them. */
import type { IpPacket } from "../frame.js";

/** A frame that came for the box, or that it sent. */
export interface OwnFrame {
  /** Full name. */
  readonly interface: string;
  readonly direction: "in" | "out";
  readonly frame: Uint8Array;
  readonly networkOffset: number;
  /** What the router counted on account of it, which tells what it made of it. */
  readonly counted?: readonly string[];
  /** UDP port of the association; undefined: it travels over IP, or there is none. */
  readonly sctpPort?: number | undefined;
}

/** An IP packet, and the frame that it came in. */
export interface OwnPacket extends OwnFrame {
  readonly packet: IpPacket;
}

/** ` (arp_not_for_us)`: what became of it, where the router has counted it. */
export const countedText = ({ counted = [] }: OwnFrame): string =>
  counted.length === 0 ? "" : ` (${counted.join(", ")})`;
