/**
 * What the two threads of a live box tell each other, in the slots of two rings. Frames and session records cross as bytes
 * behind a fixed header; what is rare crosses as JSON.
 *
 *   header   interface u8 | cause u8 | network offset u16 | MTU u32 | address family u8, 3 bytes unused | address, 16 bytes
 *   then     the frame, or the records
 *
 * Both rings keep their order: what a box does first ("forward from now on") arrives before what it says next ("the virtual
 * address is here").
 */
import * as L from "../../assembly/layout.js";
import { addressBytes, formatMac, type Mac, macBytes } from "../frame.js";
import { type Address, bytesToBigint } from "../ip.js";
import type { SessionsAction, SessionsInput } from "../node/shared-sessions.js";
import { newRing, type RingMemory, type RingReader, type RingWriter } from "../ring.js";

/** Why an ICMP error may be due. */
export const REPORT_CAUSES = ["ttl", "too-big", "no-route", "prohibited"] as const;
export type ReportCause = (typeof REPORT_CAUSES)[number];

/** What an ICMP error may be due for, by the reason of the drop. */
const CAUSES: ReadonlyMap<number, ReportCause> = new Map([
  [L.R_TTL_EXPIRED, "ttl"],
  [L.R_TOO_BIG, "too-big"],
  [L.R_NO_ROUTE, "no-route"],
]);

export const causeOf = (reason: number): ReportCause => CAUSES.get(reason) ?? "prohibited";

/** For the thread that moves the packets. */
export type ToDataplane =
  | { readonly kind: "sessions"; readonly input: SessionsInput }
  /** A frame without VLAN tag: of the box itself, or one that was given to be resolved. */
  | {
      readonly kind: "transmit";
      readonly interface: number;
      readonly frame: Uint8Array;
      readonly isForwarded: boolean;
    }
  /** A neighbour is at this MAC address; undefined: nobody knows any more. */
  | {
      readonly kind: "neighbor";
      readonly interface: number;
      readonly address: Address;
      readonly mac: Mac | undefined;
    }
  /** Whether the box is the one with this virtual MAC address. `successor`: own address of the one that has it now. */
  | {
      readonly kind: "station";
      readonly interface: number;
      readonly mac: Mac;
      readonly isOwned: boolean;
      readonly successor?: Mac;
    }
  /** A pause of so long may cost the active role from now on. */
  | { readonly kind: "patience"; readonly stallMs: number }
  /** The answer to "stalled": roles are settled, packets may go on. */
  | { readonly kind: "resume" }
  /** Another box has the role that was handed over, or nobody took it. */
  | { readonly kind: "succeeded" };

/** For the thread of the machines. */
export type ToControl =
  | { readonly kind: "sessions"; readonly action: SessionsAction }
  /** A frame for the box itself, as it arrived. */
  | {
      readonly kind: "local";
      readonly interface: number;
      readonly networkOffset: number;
      readonly frame: Uint8Array;
    }
  /** A frame that is ready but for the MAC address of its next hop. */
  | {
      readonly kind: "resolve";
      readonly interface: number;
      readonly nextHop: Address;
      readonly frame: Uint8Array;
    }
  /** A frame as it arrived that does not go on. `mtu`: of the next link. */
  | {
      readonly kind: "report";
      readonly interface: number;
      readonly networkOffset: number;
      readonly cause: ReportCause;
      readonly mtu: number;
      readonly frame: Uint8Array;
    }
  /** The thread stood still for so long that another box may have taken over: it takes no packets until "resume". */
  | { readonly kind: "stalled"; readonly pauseMs: number };

const INTERFACE = 0;
const CAUSE = 1;
const NETWORK_OFFSET = 2;
const MTU = 4;
const FAMILY = 8;
const ADDRESS = 12;
const HEADER = ADDRESS + 16;
const MAC_LENGTH = 6;

/** Kinds of slots. */
const SLOT = {
  json: 1,
  /** The input "frame" of the sessions, or their action "send". */
  records: 2,
  transmit: 3,
  neighbor: 4,
  local: 5,
  resolve: 6,
  report: 7,
  /** "transmit" of a frame that is not the box's own. */
  forward: 8,
} as const;

/** A ring of messages in one direction. `slots`: a power of two. */
export function newMessageRing(slots: number): RingMemory {
  return newRing(slots, HEADER + L.FRAME_MAX);
}

/** False: the ring is full, or the message longer than a slot; both are rare, and the ring counts the former. */
export function writeToDataplane(ring: RingWriter, message: ToDataplane): boolean {
  switch (message.kind) {
    case "sessions":
      return message.input.kind === "frame"
        ? ring.write(message.input.bytes, SLOT.records)
        : writeJson(ring, message);
    case "transmit":
      return writeFrame(
        ring,
        message.isForwarded ? SLOT.forward : SLOT.transmit,
        message.interface,
        message.frame,
      );
    case "neighbor":
      return writeNeighbor(ring, message);
    case "station":
    case "patience":
    case "resume":
    case "succeeded":
      return writeJson(ring, message);
  }
}

/** Takes the oldest message, its bytes copied; undefined: there is none. */
export function readToDataplane(ring: RingReader): ToDataplane | undefined {
  const slot = ring.peek();
  if (slot === undefined) return undefined;
  const message = parseToDataplane(slot.kind, slot.bytes);
  ring.release();
  return message;
}

function parseToDataplane(kind: number, bytes: Uint8Array): ToDataplane {
  switch (kind) {
    case SLOT.records:
      return { kind: "sessions", input: { kind: "frame", bytes: bytes.slice() } };
    case SLOT.transmit:
    case SLOT.forward: {
      const isForwarded = kind === SLOT.forward;
      return { kind: "transmit", interface: bytes[INTERFACE]!, frame: bytes.slice(HEADER), isForwarded };
    }
    case SLOT.neighbor: {
      const mac = bytes.subarray(HEADER);
      return {
        kind: "neighbor",
        interface: bytes[INTERFACE]!,
        address: readAddress(bytes),
        mac: mac.length === MAC_LENGTH ? formatMac(mac) : undefined,
      };
    }
    default:
      return readJson(bytes);
  }
}

export function writeToControl(ring: RingWriter, message: ToControl): boolean {
  switch (message.kind) {
    case "sessions":
      return message.action.kind === "send"
        ? ring.write(message.action.bytes, SLOT.records)
        : writeJson(ring, message);
    case "local":
      return writeFrame(ring, SLOT.local, message.interface, message.frame, (view) => {
        view.setUint16(NETWORK_OFFSET, message.networkOffset);
      });
    case "resolve":
      return writeFrame(ring, SLOT.resolve, message.interface, message.frame, (view) => {
        writeAddress(view, message.nextHop);
      });
    case "report":
      return writeFrame(ring, SLOT.report, message.interface, message.frame, (view) => {
        view.setUint8(CAUSE, REPORT_CAUSES.indexOf(message.cause));
        view.setUint16(NETWORK_OFFSET, message.networkOffset);
        view.setUint32(MTU, message.mtu);
      });
    case "stalled":
      return writeJson(ring, message);
  }
}

export function readToControl(ring: RingReader): ToControl | undefined {
  const slot = ring.peek();
  if (slot === undefined) return undefined;
  const message = parseToControl(slot.kind, slot.bytes);
  ring.release();
  return message;
}

function parseToControl(kind: number, bytes: Uint8Array): ToControl {
  if (kind === SLOT.records) return { kind: "sessions", action: { kind: "send", bytes: bytes.slice() } };
  if (kind === SLOT.json) return readJson(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const numbered = { interface: bytes[INTERFACE]!, frame: bytes.slice(HEADER) };
  switch (kind) {
    case SLOT.local:
      return { kind: "local", ...numbered, networkOffset: view.getUint16(NETWORK_OFFSET) };
    case SLOT.resolve:
      return { kind: "resolve", ...numbered, nextHop: readAddress(bytes) };
    default:
      return {
        kind: "report",
        ...numbered,
        cause: REPORT_CAUSES[bytes[CAUSE]!]!,
        networkOffset: view.getUint16(NETWORK_OFFSET),
        mtu: view.getUint32(MTU),
      };
  }
}

function writeFrame(
  ring: RingWriter,
  kind: number,
  number: number,
  frame: Uint8Array,
  fill?: (view: DataView) => void,
): boolean {
  const slot = frame.length > L.FRAME_MAX ? undefined : ring.claim();
  if (slot === undefined) return false;
  slot[INTERFACE] = number;
  fill?.(new DataView(slot.buffer, slot.byteOffset));
  slot.set(frame, HEADER);
  ring.publish(HEADER + frame.length, kind);
  return true;
}

function writeNeighbor(ring: RingWriter, message: Extract<ToDataplane, { kind: "neighbor" }>): boolean {
  const mac = message.mac === undefined ? new Uint8Array() : Uint8Array.from(macBytes(message.mac));
  return writeFrame(ring, SLOT.neighbor, message.interface, mac, (view) => {
    writeAddress(view, message.address);
  });
}

function writeAddress(view: DataView, address: Address): void {
  view.setUint8(FAMILY, typeof address === "bigint" ? 6 : 4);
  addressBytes(address).forEach((byte, i) => {
    view.setUint8(ADDRESS + i, byte);
  });
}

function readAddress(bytes: Uint8Array): Address {
  if (bytes[FAMILY] === 6) return bytesToBigint(bytes.subarray(ADDRESS, ADDRESS + 16));
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(ADDRESS);
}

const writeJson = (ring: RingWriter, message: ToDataplane | ToControl): boolean =>
  ring.write(new TextEncoder().encode(JSON.stringify(message)), SLOT.json);

const readJson = <T>(bytes: Uint8Array): T => JSON.parse(new TextDecoder().decode(bytes.slice())) as T;
