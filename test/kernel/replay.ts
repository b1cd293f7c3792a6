/**
 * Replays a capture through the firewall the way the Linux kernel was given it: the same packets, on the same side,
 * with its timers, under the policy "inside may open, answers may return".
 */
import { readFileSync } from "node:fs";
import * as L from "../../assembly/layout.js";
import { CaptureReader, ethertypeOf, headerLengthOf, locate } from "../../src/capture/index.js";
import { Dataplane } from "../../src/index.js";

/** The kernel's policy and timers as a running configuration. */
const CONFIG = `
ip inspect tcp synwait-time 120
ip inspect tcp finwait-time 120
ip inspect tcp idle-time 432000
ip inspect udp idle-time 120
ip inspect dns-timeout 120
ip inspect name FW tcp
ip inspect name FW udp
ip inspect name FW icmp timeout 30
ip inspect name FW ip timeout 600
ip inspect name FW fragment maximum 4000 timeout 30
ipv6 inspect name FW tcp
ipv6 inspect name FW udp
ipv6 inspect name FW icmp timeout 30
ipv6 inspect name FW ip timeout 600
interface GigabitEthernet0/0
 ip address 192.0.2.253 255.255.255.252
interface GigabitEthernet0/1
 ip address 192.0.2.249 255.255.255.252
 ip access-group CLOSED in
 ipv6 traffic-filter CLOSED in
 ip inspect FW out
 ipv6 inspect FW out
ip access-list extended CLOSED
 deny ip any any
ipv6 access-list CLOSED
 deny ipv6 any any
`;
const INSIDE = "GigabitEthernet0/0";
const OUTSIDE = "GigabitEthernet0/1";
const DATAPLANE = {
  config: CONFIG,
  pair: [INSIDE, OUTSIDE] as const,
  checksums: false,
  capacity: { sessions: 65536, fragments: 4096, batch: 16 },
};

/** A row of `packets` in a *.kernel.json: frame, direction, verdict, rule met, state, flags. */
export type KernelRow = [
  frame: number,
  direction: string,
  verdict: string,
  rule: string,
  state: string,
  flags: string,
];

export interface KernelRecord {
  file: string;
  packets: KernelRow[];
}

/** What the firewall did with a frame. */
export interface Decision {
  verdict: string;
  reason: string;
}

/** Whether the kernel was given the packet. */
export function wasSent([, direction]: KernelRow): boolean {
  return direction === "io" || direction === "oi";
}

/** Decides every packet that the kernel was given; by frame number. */
export async function decideCapture(path: string, record: KernelRecord): Promise<Map<number, Decision>> {
  const firewall = await Dataplane.create(DATAPLANE);
  const { batch } = firewall;
  const inside = firewall.interfaceNumber(INSIDE)!;
  const outside = firewall.interfaceNumber(OUTSIDE)!;
  const rows = new Map(record.packets.map((row) => [row[0], row]));
  const decisions = new Map<number, Decision>();
  const collect = (outputs: number): void => {
    for (let i = 0; i < outputs; i++) {
      if (batch.verdictCode(i) !== L.VERDICT_HELD) {
        decisions.set(batch.cookie(i), { verdict: batch.verdict(i), reason: batch.reason(i) });
      }
    }
  };

  const reader = new CaptureReader();
  let frame = 0;
  let nowMs = 0;
  const drain = (): void => {
    for (let packets = reader.next(); packets !== undefined; packets = reader.next()) {
      for (let i = 0; i < packets.count; i++) {
        const row = rows.get(++frame);
        if (row === undefined || !wasSent(row)) continue;
        const { link } = reader.interfaces[packets.interfaceIndex[i]!]!;
        const offset = packets.offset[i]!;
        const captured = packets.capturedLength[i]!;
        const found = locate(link, packets.bytes, offset, captured);
        const header = Math.min(headerLengthOf(found), captured);
        nowMs = packets.timeSeconds[i]! * 1000 + packets.timeNanos[i]! / 1e6;
        collect(firewall.expire(nowMs));
        batch.clear();
        const wire = packets.wireLength[i]! - header;
        const ingress = row[1] === "io" ? inside : outside;
        batch.addFrom(
          packets.bytes,
          offset + header,
          captured - header,
          wire,
          ingress,
          ethertypeOf(found),
          0,
          frame,
        );
        collect(firewall.process(nowMs));
      }
    }
  };
  reader.push(new Uint8Array(readFileSync(path)));
  drain();
  reader.end();
  drain();
  collect(firewall.flush(nowMs));
  return decisions;
}
