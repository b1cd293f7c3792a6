/** Frames that the kernel merged, cut up again: against the frames that they were merged of. */
import { describe, expect, test } from "vitest";
import { segments } from "../../src/live/segments.js";
import { parseAddress } from "../../src/ip.js";
import { ethernet, extension, FLAG, ipv4, ipv6, type Segment, tcp, udp } from "../support/frames.js";

const V4 = { source: parseAddress("192.0.2.1")!, destination: parseAddress("198.51.100.2")! };
const V6 = { source: parseAddress("2001:db8::1")!, destination: parseAddress("2001:db8:1::2")! };
const ETHERNET_HEADER = 14;
const TAG = 4;
const PAYLOAD = Uint8Array.from({ length: 2500 }, (_, i) => (i * 7) & 255);
const SIZE = 1000;
const STARTS = [0, SIZE, 2 * SIZE];
const part = (at: number): Uint8Array => PAYLOAD.subarray(at, at + SIZE);
const SEQUENCE = 0xffff_fe00;
const OPTIONS = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];

const tcpPart = (at: number, flags: number, payload: Uint8Array): Segment =>
  tcp({
    sourcePort: 443,
    destinationPort: 5000,
    seq: (SEQUENCE + at) >>> 0,
    ack: 7,
    flags,
    options: OPTIONS,
    payload,
  });
const udpPart = (payload: Uint8Array): Segment => udp({ sourcePort: 443, destinationPort: 5000, payload });
const { ack: ACK, psh: PSH, fin: FIN, cwr: CWR, ece: ECE } = FLAG;

describe.each([
  ["IPv4", (segment: Segment, id: number) => ipv4({ ...V4, id: 65_535 + id, dontFragment: true }, segment)],
  ["IPv6", (segment: Segment) => ipv6({ ...V6, extensions: [extension.destination()] }, segment)],
])("over %s", (_, packet) => {
  test.each([0, TAG])(
    "TCP: sequence numbers, and flags of the first and of the last, with %i bytes of tags",
    (tag) => {
      const frame = (segment: Segment, id: number) =>
        ethernet(packet(segment, id & 0xffff), { tags: tag === 0 ? [] : [20] });
      const merged = frame(tcpPart(0, ACK | PSH | FIN | CWR | ECE, PAYLOAD), 0);
      const flags = [ACK | CWR | ECE, ACK | ECE, ACK | ECE | PSH | FIN];
      expect(segments(merged, ETHERNET_HEADER + tag, SIZE)).toEqual(
        STARTS.map((at, i) => frame(tcpPart(at, flags[i]!, part(at)), i)),
      );
    },
  );

  test("UDP: datagrams of their own", () => {
    expect(segments(ethernet(packet(udpPart(PAYLOAD), 0)), ETHERNET_HEADER, SIZE)).toEqual(
      STARTS.map((at, i) => ethernet(packet(udpPart(part(at)), i))),
    );
  });
});

test("a frame that was not merged stays as it is", () => {
  const frame = ethernet(ipv4(V4, udpPart(PAYLOAD)));
  expect(segments(frame, ETHERNET_HEADER, 0)).toEqual([frame]);
});

test("what is no packet, or of a protocol that nobody merges, is none", () => {
  expect(segments(new Uint8Array(20), ETHERNET_HEADER, SIZE)).toEqual([]);
  const other = ipv4(V4, { protocol: 47, bytes: PAYLOAD });
  expect(segments(ethernet(other), ETHERNET_HEADER, SIZE)).toEqual([]);
});
