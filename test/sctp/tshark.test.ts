/** Wireshark reads what we send: every chunk, every checksum. */
import { afterAll, describe, expect, test } from "vitest";
import { PcapWriter } from "../../src/capture/index.js";
import { CHUNK_TYPES, type Chunk } from "../../src/sctp/chunk.js";
import { UDP_ENCAPSULATION_PORT } from "../../src/sctp/index.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { ethernet, ipv4, udp } from "../support/frames.js";
import { ADDRESSES, other, parse, SIDES, World } from "./world.js";

const folder = scratchFolder();
afterAll(() => folder.remove());

/** A life of two endpoints in which every kind of chunk is sent. */
function life(): World {
  const faults = { loss: 0.1, duplicate: 0.1, jitterMs: 5 };
  const world = new World({ seed: 7, paths: 2, faults });
  world.isRecording = true;
  world.connect();
  for (let i = 0; i < 40; i++) {
    for (const side of SIDES) world.send(side, i % 3, 1 + i * 150, { isUnordered: i % 5 === 0 });
    world.runFor(20);
  }
  world.runFor(5000);
  // Something unknown, which is reported.
  world.provoke("b", [{ kind: "unknown", type: 0xff, flags: 0, bytes: Uint8Array.of(0xff, 0, 0, 6, 1, 2) }]);
  world.provoke("a", [
    {
      kind: "init",
      flags: 0,
      initiateTag: 5,
      advertisedWindow: 65_536,
      outboundStreams: 1,
      inboundStreams: 1,
      initialTsn: 1,
      parameters: [{ kind: "unknown", type: 0xcabc, bytes: Uint8Array.of(0xca, 0xbc, 0, 4) }],
    },
  ]);
  world.restart("a");
  world.step("a", { kind: "connect" });
  world.runFor(5000);
  world.send("a", 0, 5000);
  world.step("a", { kind: "shutdown" });
  world.runFor(5000);
  world.step("a", { kind: "connect" });
  world.runFor(5000);
  world.step("b", { kind: "abort" });
  world.runFor(100);
  return world;
}

/** The type of a chunk, and of those that it reports, which tshark lists too. */
function typesOf(chunk: Chunk): number[] {
  if (chunk.kind === "unknown") return [chunk.type];
  const causes = chunk.kind === "error" ? chunk.causes : [];
  const reported = causes.flatMap((cause) => (cause.kind === "unrecognizedChunk" ? [cause.bytes[0]!] : []));
  return [CHUNK_TYPES[chunk.kind], ...reported];
}

/** The recorded packets as UDP over IPv4 over Ethernet. */
function captureOf(world: World): Uint8Array {
  const writer = new PcapWriter({ linkType: 1 });
  world.sent.forEach(({ atMs, from, path, bytes }) => {
    const segment = udp({
      sourcePort: UDP_ENCAPSULATION_PORT,
      destinationPort: UDP_ENCAPSULATION_PORT,
      payload: bytes,
    });
    const addresses = { source: ADDRESSES[from][path]!, destination: ADDRESSES[other(from)][path]! };
    const data = ethernet(ipv4(addresses, segment));
    const timeSeconds = Math.floor(atMs / 1000);
    const timeNanos = Math.floor((atMs % 1000) * 1e6);
    writer.write({ interfaceIndex: 0, timeSeconds, timeNanos, data, wireLength: data.length });
  });
  return writer.drain();
}

describe.skipIf(lacking("tshark"))("tshark", () => {
  const world = life();
  const path = folder.write("life.pcap", captureOf(world));
  const tshark = (...options: string[]) => {
    const checks = ["-o", "sctp.checksum:CRC 32c", "-o", "udp.check_checksum:TRUE"];
    const { stdout, status } = run("tshark", "-n", "-r", path, ...checks, ...options);
    expect(status).toBe(0);
    return stdout.split("\n").slice(0, -1);
  };

  test("finds the chunks that we have sent, in the same packets", () => {
    const ours = world.sent.map(({ bytes }) => parse(bytes).chunks.flatMap(typesOf).join(","));
    expect(tshark("-T", "fields", "-e", "sctp.chunk_type")).toEqual(ours);
    const sent = new Set(ours.flatMap((line) => line.split(",").map(Number)));
    expect(Object.values(CHUNK_TYPES).filter((type) => !sent.has(type))).toEqual([]);
  });

  test("calls every checksum good and nothing malformed", () => {
    const GOOD = "1";
    const status = tshark("-T", "fields", "-e", "sctp.checksum.status", "-e", "udp.checksum.status");
    expect(status).toHaveLength(world.sent.length);
    expect(status.filter((line) => line !== `${GOOD}\t${GOOD}`)).toEqual([]);
    expect(
      tshark("-Y", "_ws.malformed || sctp.checksum_bad.expert || sctp.sack_gap_block_malformed"),
    ).toEqual([]);
    const ERROR = "8388608";
    expect(tshark("-Y", `_ws.expert.severity >= ${ERROR}`)).toEqual([]);
  });
});
