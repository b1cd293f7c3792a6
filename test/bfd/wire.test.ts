/** Packets: golden ones in both directions, cut at each length, with every byte wrong, and as Wireshark reads them. */
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { keyOf, REFUSAL_NAMES } from "../../src/bfd/index.js";
import { KEY_ID, sign, UNSIGNED, verify } from "../../src/bfd/sha1.js";
import { DIAGNOSTICS, STATES } from "../../src/bfd/table.js";
import {
  BFD_PORT,
  CONTROL,
  type ControlPacket,
  emitPacket,
  METICULOUS_SHA1,
  parsePacket,
  SHA1_SECTION,
  SIGNED_SIZE,
} from "../../src/bfd/wire.js";
import { PcapWriter } from "../../src/capture/index.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { ethernet, ipv4, udp } from "../support/frames.js";
import { ADDRESSES, FAST, other, World } from "./world.js";

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const PLAIN: ControlPacket = {
  state: "up",
  diagnostic: "detectionTimeExpired",
  isPoll: true,
  isFinal: false,
  multiplier: 3,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0xa0b0c0d0,
  desiredMinTxMicroseconds: 5000,
  requiredMinRxMicroseconds: 3000,
};
const SIGNED: ControlPacket = {
  ...PLAIN,
  state: "init",
  isPoll: false,
  isFinal: true,
  authentication: { keyId: 1, sequence: 0xfffffffe, digest: new Uint8Array(20).fill(0xaa) },
};

/** Written out by hand from the figures of RFC 5880 sections 4.1 and 4.4. */
const GOLDEN: readonly (readonly [name: string, hex: string, packet: ControlPacket])[] = [
  ["plain", "21 e0 03 18 01020304 a0b0c0d0 00001388 00000bb8 00000000", PLAIN],
  [
    "with meticulous keyed SHA1",
    `21 94 03 34 01020304 a0b0c0d0 00001388 00000bb8 00000000 05 1c 01 00 fffffffe ${"aa".repeat(20)}`,
    SIGNED,
  ],
];

describe.each(GOLDEN)("golden packet: %s", (_name, hex, packet) => {
  test("is read", () => {
    expect(parsePacket(bytesOf(hex))).toMatchObject({ value: packet });
  });
  test("is written", () => {
    expect(hexOf(emitPacket(packet))).toBe(hex.replaceAll(" ", ""));
  });
  test("is refused cut short at each length", () => {
    const bytes = bytesOf(hex);
    for (let length = 0; length < bytes.length; length++) {
      const expected = length < CONTROL.size ? "short" : "length";
      expect(parsePacket(bytes.subarray(0, length))).toEqual({ refusal: expected });
    }
  });
  test("is read with something behind it", () => {
    expect(parsePacket(Uint8Array.of(...bytesOf(hex), 1, 2, 3))).toMatchObject({ value: packet });
  });
});

/** Offsets by name, so that a case says what it changes. */
const at = (name: Parameters<typeof CONTROL.offsetOf>[0]): number => CONTROL.offsetOf(name);
const inSection = (name: Parameters<typeof SHA1_SECTION.offsetOf>[0]): number =>
  CONTROL.size + SHA1_SECTION.offsetOf(name);
const changed = (packet: ControlPacket, change: (bytes: Uint8Array) => void): Uint8Array => {
  const bytes = emitPacket(packet);
  change(bytes);
  return bytes;
};

test.each([
  ["version", changed(PLAIN, (bytes) => (bytes[at("versionDiagnostic")] = 0x41))],
  ["version", changed(PLAIN, (bytes) => (bytes[at("versionDiagnostic")] = 0x01))],
  ["length", changed(PLAIN, (bytes) => (bytes[at("length")] = 23))],
  ["length", changed(PLAIN, (bytes) => (bytes[at("length")] = 25))],
  ["length", changed(SIGNED, (bytes) => (bytes[at("length")] = 25))],
  ["multiplier", changed(PLAIN, (bytes) => (bytes[at("multiplier")] = 0))],
  ["multipoint", changed(PLAIN, (bytes) => (bytes[at("stateFlags")]! |= 0x01))],
  ["demand", changed(PLAIN, (bytes) => (bytes[at("stateFlags")]! |= 0x02))],
  ["my_discriminator", emitPacket({ ...PLAIN, myDiscriminator: 0 })],
  ["your_discriminator", emitPacket({ ...PLAIN, yourDiscriminator: 0 })],
  ["your_discriminator", emitPacket({ ...PLAIN, state: "init", yourDiscriminator: 0 })],
  ["authentication_type", changed(SIGNED, (bytes) => (bytes[inSection("type")] = 4))],
  ["authentication_type", changed(SIGNED, (bytes) => (bytes[inSection("length")] = 27))],
  ["authentication_type", changed(SIGNED, (bytes) => (bytes[at("length")] = SIGNED_SIZE - 1))],
] as const)("refused: %s", (refusal, bytes) => {
  expect(REFUSAL_NAMES).toContain(refusal);
  expect(parsePacket(bytes)).toEqual({ refusal });
});

test.each(["down", "adminDown"] as const)("who is %s need not know our discriminator", (state) => {
  expect(parsePacket(emitPacket({ ...PLAIN, state, yourDiscriminator: 0 }))).toHaveProperty("value");
});

test("whatever the bytes are, they are read or refused, and what is read is written back", () => {
  let read = 0;
  const bytes = fc.uint8Array({ minLength: SIGNED_SIZE, maxLength: SIGNED_SIZE });
  const property = fc.property(bytes, fc.nat(SIGNED_SIZE), fc.boolean(), (random, length, isLikely) => {
    const packet = random.slice(0, isLikely ? SIGNED_SIZE : length);
    if (isLikely) {
      packet[at("versionDiagnostic")] = 0x20 | (random[0]! & 0x1f);
      packet[at("stateFlags")]! &= 0xf4;
      packet[at("length")] = random[1]! & 0x04 ? SIGNED_SIZE : CONTROL.size;
      packet[inSection("type")] = METICULOUS_SHA1;
      packet[inSection("length")] = SHA1_SECTION.size;
    }
    const parsed = parsePacket(packet);
    if ("refusal" in parsed) return REFUSAL_NAMES.includes(parsed.refusal);
    read += 1;
    const { diagnostic = "none" } = parsed.value;
    expect(parsePacket(emitPacket(parsed.value))).toEqual({ value: { ...parsed.value, diagnostic } });
    return true;
  });
  fc.assert(property, { numRuns: 3000 });
  expect(read).toBeGreaterThan(500);
});

describe("the digest", () => {
  const packet = (): Uint8Array =>
    emitPacket({ ...PLAIN, authentication: { keyId: KEY_ID, sequence: 7, digest: UNSIGNED } });
  const key = keyOf("one key of two");

  test("is that of the key, and of no other", () => {
    const signed = packet();
    sign(signed, key);
    expect(verify(signed, key)).toBe(true);
    expect(verify(signed, keyOf("another key"))).toBe(false);
    expect(verify(packet(), key)).toBe(false);
  });

  test("is SHA1 over the packet with the key in its place", async () => {
    const signed = packet();
    sign(signed, key);
    const covered = packet();
    covered.set(key, inSection("digest"));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", covered));
    expect(hexOf(signed.subarray(inSection("digest")))).toBe(hexOf(digest));
  });

  test("covers every bit", () => {
    const signed = packet();
    sign(signed, key);
    for (let bit = 0; bit < signed.length * 8; bit++) {
      const altered = signed.slice();
      altered[bit >> 3]! ^= 1 << (bit & 7);
      expect(verify(altered, key)).toBe(false);
    }
  });
});

const folder = scratchFolder();
afterAll(() => folder.remove());

describe.skipIf(lacking("tshark"))("tshark", () => {
  /** A life of two sessions: they come up, ask for other intervals, lose each other, and end. */
  function life(key: Uint8Array | undefined): World {
    const world = new World({ seed: 3, key }).bootBoth().settle();
    world.configure("a", { ...FAST, desiredMinTxMs: 50, multiplier: 5 }).runFor(200);
    world.deaf.add("a");
    world.runFor(2000);
    world.deaf.clear();
    world.settle();
    world.step("b", { kind: "stop" });
    return world.runFor(50);
  }

  function captureOf(world: World): Uint8Array {
    const writer = new PcapWriter({ linkType: 1 });
    world.sent.forEach(({ atMs, from, send }) => {
      const { sourcePort, ttl, payload } = send;
      const segment = udp({ sourcePort, destinationPort: send.port, payload });
      const data = ethernet(
        ipv4({ source: ADDRESSES[from], destination: ADDRESSES[other(from)], ttl }, segment),
      );
      const timeSeconds = Math.floor(atMs / 1000);
      const timeNanos = Math.floor((atMs % 1000) * 1e6);
      writer.write({ interfaceIndex: 0, timeSeconds, timeNanos, data, wireLength: data.length });
    });
    return writer.drain();
  }

  const FIELDS = [
    ...["version", "diag", "sta", "flags.p", "flags.f", "flags.a", "flags.d", "detect_time_multiplier"],
    ...["my_discriminator", "your_discriminator", "desired_min_tx_interval", "required_min_rx_interval"],
    "auth.type",
  ];

  test.each([
    ["with a key", keyOf("Pair-Key-of-2-boxes")],
    ["without", undefined],
  ])("reads what was sent, without a warning: %s", (name, key) => {
    const world = life(key);
    const path = folder.write(`${name}.pcap`, captureOf(world));
    const { stdout: complaints } = run("tshark", "-r", path, "-Y", "_ws.expert or not bfd", "-T", "text");
    expect(complaints).toBe("");
    const options = FIELDS.flatMap((field) => ["-e", `bfd.${field}`]);
    const { stdout, status } = run("tshark", "-r", path, "-T", "fields", ...options);
    expect(status).toBe(0);
    const rows = stdout.split("\n").slice(0, -1);
    expect(rows).toHaveLength(world.sent.length);
    const flag = (isSet: boolean): string => (isSet ? "1" : "0");
    rows.forEach((row, i) => {
      const { packet, send } = world.sent[i]!;
      expect(send.port).toBe(BFD_PORT);
      expect(row.split("\t").map((text) => (text === "" ? "" : `${Number(text)}`))).toEqual([
        "1",
        `${DIAGNOSTICS.indexOf(packet.diagnostic!)}`,
        `${STATES.indexOf(packet.state)}`,
        flag(packet.isPoll),
        flag(packet.isFinal),
        flag(key !== undefined),
        "0",
        `${packet.multiplier}`,
        `${packet.myDiscriminator}`,
        `${packet.yourDiscriminator}`,
        `${packet.desiredMinTxMicroseconds}`,
        `${packet.requiredMinRxMicroseconds}`,
        key === undefined ? "" : `${METICULOUS_SHA1}`,
      ]);
    });
    const states = new Set(world.sent.map(({ packet }) => packet.state));
    expect([...states].sort()).toEqual([...STATES].sort());
  });
});
