/** The model's section 3: fragments are held until their datagram is complete, and then decided once. */
import { HELD_FRAME_MAX } from "../../assembly/layout.js";
import { walkChain } from "./ip.js";
import {
  IP_PROTOCOL_ICMP,
  IP_PROTOCOL_ICMP6,
  IP_PROTOCOL_TCP,
  IP_PROTOCOL_UDP,
} from "../../src/config/names.js";
import { type Family, type Frame, type IpPacket, type Refusal, refuse } from "./packet.js";

export interface FragmentLimits {
  /** Frames that there is memory for; also the most datagrams. */
  pool: number;
  /** Held frames in all, of a source, of a datagram. */
  frames: number;
  perSource: number;
  perDatagram: number;
  timeoutMs: number;
}

export interface Held {
  frame: Frame;
  packet: IpPacket;
  ingress: string | undefined;
}

interface Datagram {
  sinceMs: number;
  source: string;
  /** In order of arrival. */
  held: Held[];
  /** Payload bytes in all, once the last fragment was seen. */
  total: number | undefined;
  poisoned: boolean;
}

export type FragmentAnswer =
  | { kind: "held" }
  /** Dropped; `released` are dropped with it. */
  | { kind: "dropped"; reason: string; released: Held[] }
  | { kind: "complete"; datagram: IpPacket | Refusal; released: Held[] };

const MAX_DATAGRAM = 65535;

/** Bytes of transport header that the first fragment must hold. */
function headerNeeded(family: Family, protocol: number): number {
  if (protocol === IP_PROTOCOL_TCP) return 20;
  if (protocol === IP_PROTOCOL_UDP) return 8;
  return protocol === (family === 4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMP6) ? 8 : 0;
}

/** What is wrong with one fragment, whatever the rest of its datagram is. */
function checkFragment(frame: Frame, packet: IpPacket): Refusal | undefined {
  const { offset, length, more, protocol } = packet.fragment!;
  if (length === 0 || (more && length % 8 !== 0)) return refuse("fragment_malformed");
  if (offset + length > MAX_DATAGRAM - packet.headerLength) return refuse("fragment_oversize");
  if (frame.bytes.length < frame.wireLength) return refuse("frame_truncated");
  if (frame.bytes.length > HELD_FRAME_MAX) return refuse("fragment_too_large");
  if (offset === 0 && length < headerNeeded(packet.family, protocol)) return refuse("fragment_tiny");
  if (offset === 8 && protocol === IP_PROTOCOL_TCP) return refuse("fragment_tiny");
  return undefined;
}

export class FragmentTable {
  private readonly datagrams = new Map<string, Datagram>();
  /** Frames that have left since the call began: their memory is not free before the next one. */
  private lent = 0;

  /** A call of the firewall begins: gives up what has waited its time, in order of arrival. */
  begin(limits: FragmentLimits, nowMs: number): Held[] {
    this.lent = 0;
    const released: Held[] = [];
    for (const [key, datagram] of this.datagrams) {
      if (nowMs - datagram.sinceMs < limits.timeoutMs) continue;
      this.datagrams.delete(key);
      released.push(...this.release(datagram));
    }
    return released;
  }

  /** Takes one fragment. */
  add(entry: Held, limits: FragmentLimits, nowMs: number): FragmentAnswer {
    const { frame, packet, ingress } = entry;
    const refusal = checkFragment(frame, packet);
    if (refusal !== undefined) return { kind: "dropped", reason: refusal.refused, released: [] };

    const { id, offset, length, more } = packet.fragment!;
    const end = offset + length;
    const source = `${packet.family} ${packet.source}`;
    const protocol = packet.family === 4 ? packet.protocol : "";
    const key = `${source} ${packet.destination} ${id} ${protocol} ${ingress}`;
    const known = this.datagrams.get(key);
    const datagram = known ?? { sinceMs: nowMs, source, held: [], total: undefined, poisoned: false };
    const drop = (reason: string, released: Held[] = []): FragmentAnswer => ({
      kind: "dropped",
      reason,
      released,
    });

    if (datagram.poisoned) return drop("fragment_overlap");
    const ranges = datagram.held.map((other) => other.packet.fragment!);
    if (ranges.some((other) => other.offset === offset && other.length === length))
      return drop("fragment_overlap");
    const overlaps = ranges.some((other) => offset < other.offset + other.length && other.offset < end);
    const endsTwice = !more && datagram.total !== undefined;
    const behindEnd = datagram.total !== undefined && end > datagram.total;
    const endsBefore = !more && ranges.some((other) => other.offset + other.length > end);
    if (overlaps || endsTwice || behindEnd || endsBefore) {
      datagram.poisoned = true;
      return drop("fragment_overlap", this.release(datagram));
    }

    const total = more ? datagram.total : end;
    const bytes = ranges.reduce((sum, other) => sum + other.length, length);
    if (bytes === total) {
      this.datagrams.delete(key);
      const whole = reassemble([...datagram.held, entry], bytes);
      return { kind: "complete", datagram: whole, released: this.release(datagram) };
    }
    if (this.isFull(known, source, limits)) return drop("fragment_table_full");
    this.datagrams.set(key, datagram);
    datagram.held.push(entry);
    datagram.total = total;
    return { kind: "held" };
  }

  private isFull(known: Datagram | undefined, source: string, limits: FragmentLimits): boolean {
    const all = [...this.datagrams.values()];
    const count = (of: Datagram[]) => of.reduce((sum, { held }) => sum + held.length, 0);
    if (known === undefined && all.length >= limits.pool) return true;
    if (count(all) + this.lent >= limits.pool || count(all) >= limits.frames) return true;
    if (count(all.filter((datagram) => datagram.source === source)) >= limits.perSource) return true;
    return known !== undefined && known.held.length >= limits.perDatagram;
  }

  /** Frames that wait. */
  heldNow(): number {
    return [...this.datagrams.values()].reduce((sum, { held }) => sum + held.length, 0);
  }

  /** Gives up everything. */
  flush(): Held[] {
    const released = [...this.datagrams.values()].flatMap((datagram) => datagram.held);
    this.datagrams.clear();
    return released;
  }

  private release(datagram: Datagram): Held[] {
    this.lent += datagram.held.length;
    return datagram.held.splice(0);
  }
}

/** The packet that the fragments are parts of, with the headers of the first one. */
function reassemble(held: Held[], length: number): IpPacket | Refusal {
  const whole = new Uint8Array(length);
  for (const { packet } of held) whole.set(packet.fragment!.data, packet.fragment!.offset);
  const first = held.find(({ packet }) => packet.fragment!.offset === 0)!.packet;
  const inFirstFragment = first.fragment!.length;
  // A datagram leaves in the pieces that it came in.
  const uncuttable = Math.max(...held.map(({ packet }) => packet.uncuttable));
  const datagram = { ...first, payload: whole, payloadLength: length, uncuttable, inFirstFragment };
  delete datagram.fragment;
  if (first.family === 4) return datagram;

  const { seen, extensions, type } = first.fragment!.chain!;
  const chain = { type, at: 0, extensions, seen: new Map(seen) };
  const refusal = walkChain(chain, whole, length);
  if (refusal !== undefined) return refusal;
  datagram.inFirstFragment -= chain.at;
  datagram.protocol = chain.type;
  datagram.payload = whole.subarray(chain.at);
  datagram.payloadLength = length - chain.at;
  return datagram;
}
