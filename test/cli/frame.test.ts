import { describe, expect, test } from "vitest";
import { buildFrame } from "../../src/cli/frame.js";
import { parsePacket } from "../../src/cli/packet.js";
import { PcapngWriter } from "../../src/capture/index.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { repairChecksums } from "../support/frames.js";

/** Every protocol that has a header of its own, in both families, and one that has none. */
const PACKETS = [
  "tcp 10.0.0.5:40000 198.51.100.7:80 syn",
  "tcp 10.0.0.5:40000 198.51.100.7:80 ack urg psh",
  "tcp [2001:db8::1]:40000 [2001:db8::2]:80 fin ack",
  "udp 10.0.0.5:1 198.51.100.7:65535",
  "udp [2001:db8::1]:5 [2001:db8::2]:69",
  "icmp 10.0.0.5 198.51.100.7 echo",
  "icmp 10.0.0.5 198.51.100.7 port-unreachable",
  "icmp 10.0.0.5 198.51.100.7 ttl-exceeded",
  "icmp 2001:db8::1 2001:db8::2 echo-request",
  "icmp 2001:db8::1 2001:db8::2 packet-too-big",
  "sctp 10.0.0.1:5000 10.0.0.2:65535",
  "gre 10.0.0.5 198.51.100.7",
  "99 2001:db8::1 2001:db8::2",
];

function frameOf(text: string, ttl?: number) {
  const result = parsePacket(text.split(" "));
  if ("problem" in result) throw new Error(result.problem);
  return buildFrame(result.value, ttl);
}

test.each(PACKETS)("the checksums and lengths of %s", (text) => {
  const { bytes, ethertype } = frameOf(text);
  expect(ethertype).toBe(text.includes("2001:") ? 0x86dd : 0x0800);
  const repaired = bytes.slice();
  repairChecksums(repaired);
  expect(repaired).toEqual(bytes);
  const length = ethertype === 0x0800 ? (bytes[2]! << 8) | bytes[3]! : 40 + ((bytes[4]! << 8) | bytes[5]!);
  expect(length).toBe(bytes.length);
});

test("the TTL is the one that is asked for", () => {
  expect(frameOf(PACKETS[0]!, 1).bytes[8]).toBe(1);
  expect(frameOf("udp [2001:db8::1]:5 [2001:db8::2]:69", 255).bytes[7]).toBe(255);
});

test("a sum that comes out as 0 is written as all ones: 0 means none in UDP", () => {
  const seen: number[] = [];
  for (let port = 0; port < 65_536; port++) {
    const { bytes } = frameOf(`udp 10.0.0.5:${port} 198.51.100.7:7`);
    seen.push((bytes[26]! << 8) | bytes[27]!);
  }
  expect(seen).not.toContain(0);
  expect(seen).toContain(0xffff);
});

describe.skipIf(lacking("tshark"))("Wireshark agrees", () => {
  test("addresses, ports, flags, types and checksums of every packet", () => {
    const folder = scratchFolder();
    const writer = new PcapngWriter();
    writer.addInterface({ linkType: 101, snapLength: 0 });
    for (const text of PACKETS) {
      const { bytes } = frameOf(text);
      writer.write({
        interfaceIndex: 0,
        timeSeconds: 0,
        timeNanos: 0,
        data: bytes,
        wireLength: bytes.length,
      });
    }
    const checks = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
    const fields = ["ip.proto", "ipv6.nxt", "tcp.flags", "icmp.type", "icmpv6.type", "_ws.expert.message"];
    const { stdout } = run(
      "tshark",
      "-r",
      folder.write("explain.pcapng", writer.drain()),
      ...checks,
      "-T",
      "fields",
      ...fields.flatMap((field) => ["-e", field]),
    );
    folder.remove();
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(PACKETS.length);
    expect(stdout).not.toMatch(/[Bb]ad checksum|[Mm]alformed|bogus/i);
    expect(lines[0]).toMatch(/^6\t\t0x0002\t/);
    expect(lines[2]).toMatch(/^\t6\t0x0011\t/);
    // The quoted packet has a protocol of its own.
    expect(lines[6]).toMatch(/^1,17\t\t\t3\t/);
    expect(lines[9]).toMatch(/^\t58,17\t\t\t2\t/);
  });
});
