import { describe, expect, test } from "vitest";
import { emitPacket, type HsrpPacket, PAYLOAD_MAX, parsePacket } from "../../src/hsrp/packet.js";
import { isRefused, type Refusal } from "../../src/hsrp/refusals.js";
import { STATES } from "../../src/hsrp/table.js";
import { OPCODES, STATE_CODES, type Version } from "../../src/hsrp/wire.js";
import { Random } from "../model/random.js";
import { bytesOf, GOLDEN, hexOf } from "./golden.js";

const versionOf = (message: HsrpPacket["message"]): Version => message.version;

function parsed(bytes: Uint8Array, version: Version): HsrpPacket {
  const judged = parsePacket(bytes, version);
  if (isRefused(judged)) throw new Error(`refused: ${judged.refusal}`);
  return judged.value;
}

function refusalOf(bytes: Uint8Array, version: Version): Refusal | undefined {
  const judged = parsePacket(bytes, version);
  return isRefused(judged) ? judged.refusal : undefined;
}

describe.each(GOLDEN)("$name", ({ hex, message, credential }) => {
  const bytes = bytesOf(hex);
  const version = versionOf(message);

  test("is read", () => {
    expect(parsed(bytes, version)).toMatchObject({ message, credential });
  });

  test("is written", () => {
    expect(hexOf(emitPacket({ message, credential }))).toBe(hexOf(bytes));
  });

  test("is refused when it is cut short, unless a whole record is left", () => {
    // What stays valid: version 1 without its MD5 TLV, version 2 without its credential.
    const whole = { 1: [20], 2: [42] }[version];
    for (let length = 0; length < bytes.length; length++) {
      const refusal = refusalOf(bytes.subarray(0, length), version);
      if (whole.includes(length)) expect(refusal).toBeUndefined();
      else expect(refusal, `${length} bytes`).toBe(version === 2 && length === 0 ? "content" : "length");
    }
  });

  test("is refused with a byte too many", () => {
    const longer = new Uint8Array([...bytes, 0xff]);
    // An advertise packet has a length of its own; what follows is not part of it.
    const isAdvertise = message.kind === "interface" && version === 1;
    expect(refusalOf(longer, version)).toBe(isAdvertise ? undefined : "length");
  });

  test("is another version's problem", () => {
    const other = version === 1 ? 2 : 1;
    expect(refusalOf(bytes, other)).toBeDefined();
  });
});

test("every operation and state of both versions is read and written", () => {
  for (const golden of GOLDEN) {
    const { message, credential } = golden;
    if (message.kind !== "group" || credential.kind !== "text") continue;
    for (const opcode of Object.keys(OPCODES) as (keyof typeof OPCODES)[]) {
      for (const state of STATES) {
        const bytes = emitPacket({ message: { ...message, opcode, state }, credential });
        expect(parsed(bytes, message.version).message).toEqual({ ...message, opcode, state });
      }
    }
  }
  expect(Object.keys(STATE_CODES[2])).toEqual(["disabled", ...STATES]);
});

describe("numbers that mean nothing are refused by name", () => {
  const [hello1] = GOLDEN;
  const version1 = (at: number, value: number) => {
    const bytes = bytesOf(hello1!.hex);
    bytes[at] = value;
    return bytes;
  };
  const version2 = (at: number, value: number) => {
    const bytes = bytesOf(GOLDEN.find(({ name }) => name === "version 2 hello, MD5")!.hex);
    bytes[at] = value;
    return bytes;
  };

  test.each<[string, Uint8Array, Version, Refusal]>([
    ["version 1: version byte", version1(0, 1), 1, "version"],
    ["version 1: operation", version1(1, 4), 1, "opcode"],
    ["version 1: state 3", version1(2, 3), 1, "state"],
    ["version 1: state 32", version1(2, 32), 1, "state"],
    ["advertise: type", bytesOf("00030002000a02000000000100000000"), 1, "content"],
    ["advertise: length", bytesOf("00030001000b02000000000100000000"), 1, "length"],
    ["advertise: state", bytesOf("00030001000a00000000000100000000"), 1, "state"],
    ["version 2: version byte", version2(2, 1), 2, "version"],
    ["version 2: operation", version2(3, 3), 2, "opcode"],
    ["version 2: state", version2(4, 7), 2, "state"],
    ["version 2: IP version", version2(5, 5), 2, "family"],
    ["version 2: length of the group state", version2(1, 39), 2, "length"],
    ["version 2: length of the MD5 TLV", version2(43, 27), 2, "length"],
    ["version 2: algorithm", version2(44, 2), 2, "authentication_algorithm"],
    ["version 2: nothing but authentication", version2(0, 0).subarray(42), 2, "content"],
    ["longer than a frame", new Uint8Array(PAYLOAD_MAX + 1), 1, "length"],
  ])("%s", (_name, bytes, version, refusal) => {
    expect(refusalOf(bytes, version)).toBe(refusal);
  });
});

describe("TLVs", () => {
  const hello2 = GOLDEN.find(({ name }) => name === "version 2 hello, Active")!;
  const unknown = "c8 03 010203";

  test("of an unknown type are skipped by their length, wherever they stand", () => {
    const [groupState, text] = [hello2.hex.replace(/\s/g, "").slice(0, 84), "0308636973636f000000"];
    for (const order of [
      [unknown, groupState, text],
      [groupState, unknown, text],
      [groupState, text, unknown],
      [text, groupState, unknown, "ff00"],
    ]) {
      expect(parsed(bytesOf(order.join("")), 2)).toMatchObject({
        message: hello2.message,
        credential: hello2.credential,
      });
    }
  });

  test("follow the fixed record of version 1 too", () => {
    const hello1 = GOLDEN[0]!;
    expect(parsed(bytesOf(hello1.hex + unknown), 1)).toMatchObject({ credential: hello1.credential });
  });

  test("that may stand once do not stand twice", () => {
    expect(refusalOf(bytesOf(hello2.hex + "0308636973636f000000"), 2)).toBe("repeated_tlv");
    expect(refusalOf(bytesOf(hello2.hex + hello2.hex), 2)).toBe("repeated_tlv");
  });

  test("a group state counts before an interface state", () => {
    expect(parsed(bytesOf(`0204 0001 0002 ${hello2.hex}`), 2).message).toEqual(hello2.message);
  });
});

test("text is eight bytes at most, without the zeros behind it", () => {
  const { message } = GOLDEN[0]!;
  const written = (text: string) =>
    parsed(emitPacket({ message, credential: { kind: "text", text } }), 1).credential;
  expect(written("12345678")).toEqual({ kind: "text", text: "12345678" });
  expect(written("123456789")).toEqual({ kind: "text", text: "12345678" });
  expect(written("")).toEqual({ kind: "text", text: "" });
  expect(written("a\u00e9\0b")).toEqual({ kind: "text", text: "a\u00e9\0b" });
});

test("version 1 rounds times up to seconds, and never to 0 or beyond its byte", () => {
  const message = GOLDEN[0]!.message as Extract<HsrpPacket["message"], { kind: "group" }>;
  const times = (helloMs: number, holdMs: number) => {
    const bytes = emitPacket({ message: { ...message, helloMs, holdMs }, credential: { kind: "none" } });
    return [bytes[3], bytes[4]];
  };
  expect(times(15, 50)).toEqual([1, 1]);
  expect(times(250, 1001)).toEqual([1, 2]);
  expect(times(254_000, 255_000)).toEqual([254, 255]);
  expect(times(3000, 300_000)).toEqual([3, 255]);
});

test("an advertise packet of IOS 12.4 has a length of its own", () => {
  const { message } = parsed(bytesOf("00030001000e0300000100026f000000"), 1);
  expect(message).toEqual({
    kind: "interface",
    version: 1,
    state: "active",
    activeGroups: 1,
    passiveGroups: 2,
  });
});

test("a disabled group has no number in version 1: it is told as Initial", () => {
  const message = GOLDEN[0]!.message as Extract<HsrpPacket["message"], { kind: "group" }>;
  const bytes = emitPacket({ message: { ...message, state: "disabled" }, credential: { kind: "none" } });
  expect(parsed(bytes, 1).message).toMatchObject({ state: "initial" });
});

test("random bytes and damaged packets are a packet or a refusal, never a throw", () => {
  const random = new Random(2281);
  let accepted = 0;
  for (let round = 0; round < 20_000; round++) {
    const source = round % 2 === 0 ? bytesOf(random.pick(GOLDEN).hex) : new Uint8Array(random.int(80));
    const bytes = source.slice(0, random.between(0, source.length));
    for (let flips = random.int(4); flips > 0 && bytes.length > 0; flips--) {
      bytes[random.int(bytes.length)] = random.int(256);
    }
    for (const version of [1, 2] as const) {
      const judged = parsePacket(bytes, version);
      if (isRefused(judged)) expect(judged.refusal).toMatch(/^[a-z_]+$/);
      else {
        accepted += 1;
        const again = parsePacket(emitPacket(judged.value), version);
        expect(again).toMatchObject({ value: { message: judged.value.message } });
      }
    }
  }
  expect(accepted).toBeGreaterThan(1000);
});
