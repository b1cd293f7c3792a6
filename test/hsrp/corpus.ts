/** Captures of real routers, where they are at hand, with what tshark made of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PacketInput } from "../../src/hsrp/index.js";
import { bytesToBigint } from "../../src/ip.js";
import { readCapture } from "../capture/read.js";
import { bytesOf } from "./golden.js";

const CORPUS = fileURLToPath(new URL("../../../shared/pcaps/hsrp/", import.meta.url));
export const names = existsSync(CORPUS)
  ? readdirSync(CORPUS).filter((name) => /HSRP.*\.pcap(ng)?$/i.test(name) && !name.includes("arp-hsrp"))
  : [];

/** What tshark made of a packet, numbers as on the wire; of an advertisement only that it was one. */
export interface Told {
  frame: number;
  /** In seconds. */
  time: number;
  version: 1 | 2;
  opcode: number;
  state?: number;
  group: number;
  priority: number;
  hellotime: number;
  holdtime: number;
  vip: string;
  auth: { type: string; data?: string; digest?: string; key?: string };
}

/** A packet of a capture, as a machine gets it. */
export type Captured = Pick<PacketInput, "source" | "destination" | "ttl" | "payload">;

/** What an Ethernet frame carries in UDP, VLAN tags or not. */
function carriedBy(frame: Uint8Array): Captured {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let at = 12;
  while (view.getUint16(at) === 0x8100) at += 4;
  const packet = at + 2;
  const isIpv6 = view.getUint16(at) === 0x86dd;
  const udp = packet + (isIpv6 ? 40 : 4 * (frame[packet]! & 15));
  const payload = frame.subarray(udp + 8, udp + view.getUint16(udp + 4));
  const wide = (from: number) => bytesToBigint(frame.subarray(from, from + 16));
  return isIpv6
    ? { source: wide(packet + 8), destination: wide(packet + 24), ttl: frame[packet + 7]!, payload }
    : {
        source: view.getUint32(packet + 12),
        destination: view.getUint32(packet + 16),
        ttl: frame[packet + 8]!,
        payload,
      };
}

export function packetsOf(name: string): ({ told: Told } & Captured)[] {
  const { packets } = readCapture(readFileSync(CORPUS + name), 65_536);
  const truth = JSON.parse(readFileSync(`${CORPUS}${name}.truth.json`, "utf8"));
  const messages: readonly Told[] = truth.hsrp?.messages ?? [];
  return messages.map((told) => ({ told, ...carriedBy(bytesOf(packets[told.frame - 1]!.hex)) }));
}
