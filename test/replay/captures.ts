/** Small captures for the tests of the replay, and a firewall to send them through. */
import { CaptureReader, type Packet, PcapngWriter } from "../../src/capture/index.js";
import { type Capacity, Dataplane } from "../../src/index.js";
import { Replay, type ReplayOptions } from "../../src/replay/replay.js";
import type { VerdictRow } from "../../src/report/verdict.js";
import { ethernet, FLAG, ip, tcp, udp } from "../support/frames.js";

export const INSIDE = "10.1.1.5";
export const OUTSIDE = "198.51.100.7";

/** Seconds since 1970 at which the captures begin. */
export const BEGIN = 1_700_000_000;

/** An office: everything may go out, nothing may come in but the web to one server, and pings to the firewall. */
export const OFFICE = `
hostname Office
ip inspect name FW tcp
ip inspect name FW udp timeout 30
ip inspect name FW icmp
ip inspect name FW fragment maximum 100 timeout 5
interface GigabitEthernet0/0
 ip address 10.1.1.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
 ip access-group OUTSIDE-IN in
 ip inspect FW out
ip route 0.0.0.0 0.0.0.0 203.0.113.254
ip access-list extended OUTSIDE-IN
 permit tcp any host 10.1.1.80 eq www
 permit icmp any host 203.0.113.1 echo
 deny ip any any log
end
`;

/** One packet of a capture that is to be made: its bytes, and when it came. */
export interface Entry {
  data: Uint8Array;
  /** Milliseconds since BEGIN. */
  ms: number;
  interfaceIndex?: number;
  wireLength?: number;
  comments?: string[];
}

/** A pcapng file. `links`: the link type of each interface; Ethernet alone when absent. */
export function captureOf(
  entries: readonly Entry[],
  links: readonly { linkType: number; name?: string }[] = ETHERNET,
) {
  const writer = new PcapngWriter("test");
  for (const link of links) writer.addInterface({ ...link, snapLength: 0 });
  for (const { data, ms, interfaceIndex = 0, wireLength = data.length, comments } of entries) {
    const time = { timeSeconds: BEGIN + Math.floor(ms / 1000), timeNanos: Math.round((ms % 1000) * 1e6) };
    writer.write({ interfaceIndex, ...time, data, wireLength, ...(comments && { comments }) });
  }
  return writer.drain();
}

const ETHERNET = [{ linkType: 1, name: "eth0" }];

export function udpFrame(
  outward: boolean,
  port: number,
  payload = new Uint8Array(4),
  insideHost = INSIDE,
): Uint8Array {
  const [source, destination] = outward ? [insideHost, OUTSIDE] : [OUTSIDE, insideHost];
  const [sourcePort, destinationPort] = outward ? [port, 5000] : [5000, port];
  return ethernet(ip({ source, destination }, udp({ sourcePort, destinationPort, payload })));
}

export function tcpFrame(
  outward: boolean,
  flags: number,
  seq: number,
  ack: number,
  payload?: Uint8Array,
): Uint8Array {
  const [source, destination] = outward ? [INSIDE, OUTSIDE] : [OUTSIDE, INSIDE];
  const [sourcePort, destinationPort] = outward ? [40_000, 80] : [80, 40_000];
  return ethernet(
    ip({ source, destination }, tcp({ sourcePort, destinationPort, flags, seq, ack, payload })),
  );
}

/** A connection that is opened, used and closed: ten packets, 10 ms apart. */
export function connection(fromMs = 0): Entry[] {
  const data = new Uint8Array(100);
  return [
    tcpFrame(true, FLAG.syn, 1000, 0),
    tcpFrame(false, FLAG.syn | FLAG.ack, 5000, 1001),
    tcpFrame(true, FLAG.ack, 1001, 5001),
    tcpFrame(true, FLAG.ack | FLAG.psh, 1001, 5001, data),
    tcpFrame(false, FLAG.ack, 5001, 1101),
    tcpFrame(false, FLAG.ack | FLAG.psh, 5001, 1101, data),
    tcpFrame(true, FLAG.ack, 1101, 5101),
    tcpFrame(true, FLAG.fin | FLAG.ack, 1101, 5101),
    tcpFrame(false, FLAG.fin | FLAG.ack, 5101, 1102),
    tcpFrame(true, FLAG.ack, 1102, 5102),
  ].map((frame, i) => ({ data: frame, ms: fromMs + 10 * i }));
}

export async function firewall(capacity: Partial<Capacity> = {}, config = OFFICE): Promise<Dataplane> {
  return Dataplane.create({ config, capacity, wallClock: new Date(BEGIN * 1000) });
}

export interface Replayed {
  replay: Replay;
  dataplane: Dataplane;
  rows: VerdictRow[];
  packets: (Packet | undefined)[];
  problem: string | undefined;
}

/** Replays a file, read in pieces of so many bytes, and collects the verdicts. */
export async function replayed(
  file: Uint8Array,
  options: ReplayOptions & { capacity?: Partial<Capacity>; chunk?: number; dataplane?: Dataplane } = {},
): Promise<Replayed> {
  const { capacity, chunk = 65_536, dataplane = await firewall(capacity) } = options;
  const rows: VerdictRow[] = [];
  const packets: (Packet | undefined)[] = [];
  const replay = new Replay(dataplane, {
    verdicts: (row, packet) => {
      rows.push({ ...row });
      packets.push(packet && { ...packet, data: packet.data.slice() });
    },
    ...options,
  });
  const reader = new CaptureReader();
  let problem: string | undefined;
  const take = () => {
    for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
      problem ??= replay.feed(batch, reader.interfaces)?.problem;
    }
  };
  for (let at = 0; at < file.length; at += chunk) {
    reader.push(file.slice(at, at + chunk));
    take();
  }
  reader.end();
  take();
  const left = replay.finish(reader.interfaces)?.problem;
  return { replay, dataplane, rows, packets, problem: problem ?? left };
}
