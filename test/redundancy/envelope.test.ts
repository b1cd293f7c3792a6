/** Frames and messages: both directions, cut short at each length, altered in each byte, and every reason to refuse. */
import { createHmac, hkdfSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ADDRESSES_MAX } from "../../src/redundancy/canonical.js";
import { helloOf, NAME_BYTES_MAX } from "../../src/redundancy/compatibility.js";
import { REFUSAL_NAMES } from "../../src/redundancy/counters.js";
import {
  CONTENTS_MAX,
  type Envelope,
  FRAME_MAX,
  HEADER_SIZE,
  isAuthentic,
  KINDS,
  MAGIC,
  nobleMac,
  openingKey,
  PROTOCOL_VERSION,
  readFrame,
  sealFrame,
  sessionKey,
  STREAMS,
  TAG_SIZE,
} from "../../src/redundancy/envelope.js";
import { emit, list, parse, record, text, u8 } from "../../src/redundancy/fields.js";
import { emitMessage, GROUPS_MAX, type Message, parseMessage } from "../../src/redundancy/message.js";
import { Duo } from "./duo.js";
import { identity, randomOf } from "./pair.js";

const ENVELOPE: Envelope = {
  kind: "state",
  stream: "control",
  isKeyed: true,
  generation: 0x01020304,
  bootId: 0x1112131415161718n,
  senderNonce: 0x2122232425262728n,
  receiverNonce: 0x3132333435363738n,
  sequence: 2 ** 40 + 5,
};
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) & 255);

describe("a frame", () => {
  const key = openingKey("a-shared-key");
  const contents = bytesOf(5);
  const frame = sealFrame(nobleMac, key, ENVELOPE, contents);

  test("has the layout that the drawing says, byte for byte", () => {
    const header =
      "54575246" +
      "01" +
      "02" +
      "00" +
      "01" +
      "00000005" +
      "01020304" +
      "1112131415161718" +
      "2122232425262728" +
      "3132333435363738" +
      "0000010000000005";
    expect(hex(frame.subarray(0, HEADER_SIZE))).toBe(header);
    expect(hex(frame.subarray(HEADER_SIZE, HEADER_SIZE + 5))).toBe(hex(contents));
    expect(frame.length).toBe(HEADER_SIZE + 5 + TAG_SIZE);
    expect([MAGIC, PROTOCOL_VERSION, KINDS[2], STREAMS[0]]).toEqual([0x54575246, 1, "state", "control"]);
  });

  test("has the keys and the tag that another implementation computes", () => {
    const info = (label: string) => `twinwall redundancy 1 ${label}`;
    const opening = hkdfSync("sha256", "a-shared-key", "", info("opening"), 32);
    expect(hex(key)).toBe(hex(new Uint8Array(opening)));
    const salt = Buffer.from("21222324252627283132333435363738", "hex");
    const session = hkdfSync("sha256", "a-shared-key", salt, info("session"), 32);
    const { senderNonce, receiverNonce } = ENVELOPE;
    expect(hex(sessionKey("a-shared-key", senderNonce, receiverNonce))).toBe(hex(new Uint8Array(session)));
    expect(sessionKey("a-shared-key", receiverNonce, senderNonce)).not.toEqual(new Uint8Array(session));
    const tag = createHmac("sha256", key).update(frame.subarray(0, -TAG_SIZE)).digest().subarray(0, TAG_SIZE);
    expect(hex(frame.subarray(-TAG_SIZE))).toBe(hex(tag));
  });

  test("is read back", () => {
    const read = readFrame(frame);
    if (typeof read === "string") throw new Error(read);
    expect(read.header).toEqual({ ...ENVELOPE, magic: MAGIC, version: PROTOCOL_VERSION, length: 5 });
    expect(read.contents).toEqual(contents);
    expect(isAuthentic(nobleMac, key, frame)).toBe(true);
  });

  test("takes another function for the same code", () => {
    const platform = (k: Uint8Array, bytes: Uint8Array) => createHmac("sha256", k).update(bytes).digest();
    expect(sealFrame(platform, key, ENVELOPE, contents)).toEqual(frame);
    expect(isAuthentic(platform, key, frame)).toBe(true);
  });

  test("cut short at any length it is refused", () => {
    for (let length = 0; length < frame.length; length++) {
      const reason = length < HEADER_SIZE + TAG_SIZE ? "short" : "length";
      expect(readFrame(frame.subarray(0, length))).toBe(reason);
    }
  });

  test("with any bit altered it is refused, or not authentic", () => {
    for (let at = 0; at < frame.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const altered = frame.slice();
        altered[at]! ^= 1 << bit;
        const isTaken = typeof readFrame(altered) !== "string" && isAuthentic(nobleMac, key, altered);
        expect(isTaken).toBe(false);
      }
    }
  });

  test("is not authentic with another key", () => {
    expect(isAuthentic(nobleMac, openingKey("a-shared-keY"), frame)).toBe(false);
    expect(isAuthentic(nobleMac, openingKey(undefined), frame)).toBe(false);
  });

  test("holds CONTENTS_MAX bytes and no more", () => {
    const largest = sealFrame(
      nobleMac,
      key,
      { ...ENVELOPE, kind: "data", stream: "bulk" },
      bytesOf(CONTENTS_MAX),
    );
    expect(largest.length).toBe(FRAME_MAX);
    expect(typeof readFrame(largest)).toBe("object");
    const longer = new Uint8Array(FRAME_MAX + 1);
    longer.set(largest);
    expect(readFrame(longer)).toBe("long");
    expect(() => sealFrame(nobleMac, key, ENVELOPE, bytesOf(CONTENTS_MAX + 1))).toThrow(RangeError);
  });

  test("of random bytes is refused, and nothing throws", () => {
    const random = randomOf(3);
    for (let i = 0; i < 20_000; i++) {
      const bytes = Uint8Array.from({ length: random() % 200 }, () => random());
      // Half of them look right at first.
      if (i % 2 === 0) bytes.set(frame.subarray(0, Math.min(bytes.length, random() % HEADER_SIZE)));
      const read = readFrame(bytes);
      expect(typeof read === "string" || !isAuthentic(nobleMac, key, bytes)).toBe(true);
    }
  });
});

const NUMBERS = { sent: 3, received: 2 ** 33 };
const MESSAGES: readonly Message[] = [
  { kind: "open", addresses: [0x0a010102, 0x20010db8n << 96n] },
  { kind: "hello", ...helloOf(identity("a"), []) },
  {
    kind: "state",
    state: "standbyHot",
    group: "standby",
    priority: 100,
    holdings: "complete",
    verdict: "compatible",
    isInMaintenance: true,
    isDegraded: false,
    bulk: 3,
    answered: 0xffffffff,
    activeGroups: ["INSIDE", "Außen/IPv6"],
  },
  { kind: "keepAlive", control: NUMBERS, dynamic: NUMBERS, bulk: NUMBERS },
  { kind: "probe", token: 7 },
  { kind: "youLost", reason: "activeGWdown" },
  { kind: "switchoverRequest", token: 8, reason: "userInitiated" },
  { kind: "switchoverReady", token: 8, isReady: true },
  { kind: "handOver", token: 8, reason: "userForced" },
  { kind: "bulkRequest", bulk: 9 },
  { kind: "bulkAgain", bulk: 9 },
  { kind: "reload" },
];

describe("every message", () => {
  test("is in the list", () => {
    expect(MESSAGES.map(({ kind }) => kind)).toEqual(KINDS.filter((kind) => kind !== "data"));
  });

  test("fits into a frame, however long its lists are", () => {
    const state = MESSAGES.find((message) => message.kind === "state")!;
    const longest = "x".repeat(NAME_BYTES_MAX);
    const largest: readonly Message[] = [
      { kind: "open", addresses: Array.from({ length: ADDRESSES_MAX }, () => 1n << 127n) },
      { ...state, activeGroups: Array.from({ length: GROUPS_MAX }, () => longest) },
    ];
    for (const message of largest) {
      const bytes = emitMessage(message);
      expect(bytes.length).toBeLessThanOrEqual(CONTENTS_MAX);
      expect(parseMessage(message.kind, bytes)).toEqual(message);
    }
  });

  test.each(MESSAGES.map((message) => [message.kind, message] as const))("%s comes back", (kind, message) => {
    const bytes = emitMessage(message);
    expect(bytes.length).toBeLessThanOrEqual(CONTENTS_MAX);
    expect(parseMessage(kind, bytes)).toEqual(message);
  });

  test.each(MESSAGES.map((message) => [message.kind, message] as const))(
    "%s cut short at any length, or with a byte more, is none",
    (kind, message) => {
      const bytes = emitMessage(message);
      for (let length = 0; length < bytes.length; length++) {
        expect(parseMessage(kind, bytes.subarray(0, length))).toBeUndefined();
      }
      expect(parseMessage(kind, Uint8Array.of(...bytes, 0))).toBeUndefined();
    },
  );

  test.each(MESSAGES.map((message) => [message.kind, message] as const))(
    "%s with any byte altered is none, or another message in full",
    (kind, message) => {
      const bytes = emitMessage(message);
      const random = randomOf(5);
      for (let at = 0; at < bytes.length; at++) {
        for (const value of [0, 1, 0x7f, 0x80, 0xff, random() & 255]) {
          if (bytes[at] === value) continue;
          const altered = bytes.slice();
          altered[at] = value;
          const read = parseMessage(kind, altered);
          if (read !== undefined) expect(hex(emitMessage(read))).toBe(hex(altered));
        }
      }
    },
  );
});

describe("fields", () => {
  test("a text that could drive a terminal is none, nor is one that is no UTF-8 or too long", () => {
    const field = text(4);
    const read = (...bytes: number[]) => parse(field, Uint8Array.of(0, bytes.length, ...bytes));
    expect(read(0x61, 0xc3, 0xa9)).toBe("aé");
    expect(read(0x1b, 0x5b)).toBeUndefined();
    expect(read(0xe2, 0x80, 0xae)).toBeUndefined();
    expect(read(0xc3)).toBeUndefined();
    expect(read(1, 2, 3, 4, 5)).toBeUndefined();
    expect(read(...[..."abcde"].map((each) => each.charCodeAt(0)))).toBeUndefined();
  });

  test("a list longer than its bound is none, whatever it claims", () => {
    const field = list(u8, 2);
    expect(parse(field, Uint8Array.of(0, 2, 7, 8))).toEqual([7, 8]);
    expect(parse(field, Uint8Array.of(0, 3, 7, 8, 9))).toBeUndefined();
    expect(parse(field, Uint8Array.of(0xff, 0xff))).toBeUndefined();
  });

  test("a record without fields is no byte", () => {
    expect(emit(record({}), {})).toEqual(new Uint8Array(0));
  });
});

describe("who is listened to", () => {
  const key = "a-shared-key";
  /** Every reason that a test of this group has reached. */
  const reached = new Set<string>();
  const note = (duo: Duo, side: "a" | "b") => {
    const refused = duo.refused(side);
    for (const reason of Object.keys(refused)) reached.add(reason);
    return refused;
  };
  /** An open association, and a frame of A that B has not seen. */
  const opened = () => {
    const duo = new Duo({ key }).boot().associate().talk();
    duo.group("a", "active");
    return { duo, frame: duo.wire.a.splice(0)[0]! };
  };
  /** What changes when B hears something: nothing. */
  const unmoved = (duo: Duo, hear: () => void) => {
    const before = duo.machines.b.fingerprint();
    hear();
    expect(duo.machines.b.fingerprint()).toBe(before);
  };

  test("the real frame is", () => {
    const { duo, frame } = opened();
    duo.step("b", { kind: "message", ...frame });
    expect(duo.view("b").peer.state).toBe("active");
    expect(note(duo, "b")).toEqual({});
  });

  test("the same frame again is not, and an older one neither", () => {
    const { duo, frame } = opened();
    duo.group("a", "standby");
    const [newer] = duo.wire.a.splice(0);
    duo.step("b", { kind: "message", ...newer! });
    unmoved(duo, () => {
      duo.step("b", { kind: "message", ...newer! });
      duo.step("b", { kind: "message", ...frame });
    });
    expect(note(duo, "b")).toEqual({ replay: 2 });
  });

  test.each([
    ["short", (bytes: Uint8Array) => bytes.subarray(0, 10)],
    ["magic", (bytes: Uint8Array) => bytes.with(0, 0)],
    ["version", (bytes: Uint8Array) => bytes.with(4, 2)],
    ["kind", (bytes: Uint8Array) => bytes.with(5, KINDS.length)],
    ["stream", (bytes: Uint8Array) => bytes.with(6, 1)],
    ["stream", (bytes: Uint8Array) => bytes.with(6, 3)],
    ["content", (bytes: Uint8Array) => bytes.with(7, 2)],
    ["unkeyed", (bytes: Uint8Array) => bytes.with(7, 0)],
    ["length", (bytes: Uint8Array) => bytes.with(11, 0)],
    ["tag", (bytes: Uint8Array) => bytes.with(15, 99)],
    ["boot", (bytes: Uint8Array) => bytes.with(16, bytes[16]! ^ 1)],
    ["association", (bytes: Uint8Array) => bytes.with(24, bytes[24]! ^ 1)],
    ["association", (bytes: Uint8Array) => bytes.with(32, bytes[32]! ^ 1)],
    ["tag", (bytes: Uint8Array) => bytes.with(HEADER_SIZE, 0)],
    ["tag", (bytes: Uint8Array) => bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1)],
    ["long", (bytes: Uint8Array) => Uint8Array.from({ length: FRAME_MAX + 1 }, (_, i) => bytes[i] ?? 0)],
  ])("a frame that is altered: %s", (reason, alter) => {
    const { duo, frame } = opened();
    unmoved(duo, () => duo.step("b", { kind: "message", stream: frame.stream, bytes: alter(frame.bytes) }));
    expect(note(duo, "b")).toEqual({ [reason]: 1 });
  });

  test("on another stream a frame is refused, even if somebody moved it", () => {
    const { duo, frame } = opened();
    unmoved(duo, () => duo.step("b", { kind: "message", stream: 1, bytes: frame.bytes }));
    unmoved(duo, () => duo.step("b", { kind: "message", stream: 9, bytes: frame.bytes }));
    expect(note(duo, "b")).toEqual({ stream: 2 });
  });

  test("our own frames are refused when somebody sends them back", () => {
    const { duo } = opened();
    duo.group("b", "standby");
    const [own] = duo.wire.b.splice(0);
    unmoved(duo, () => duo.step("b", { kind: "message", ...own! }));
    expect(note(duo, "b")).toEqual({ reflected: 1 });
  });

  test("a whole earlier association is refused when it is sent again", () => {
    const duo = new Duo({ key }).boot().associate().talk();
    duo.group("a", "active");
    duo.talk();
    const old = duo.frames("a");
    duo.associate("down").associate("up").talk();
    expect(duo.view("b").peer.state).toBe("active");
    unmoved(duo, () => {
      for (const frame of old) duo.step("b", { kind: "message", ...frame });
    });
    expect(note(duo, "b")).toEqual({ association: old.length - 1, reopened: 1 });
  });

  test("an old opening before the real one does not keep the peer out", () => {
    const duo = new Duo({ key }).boot().associate().talk();
    const [old] = duo.frames("a");
    duo.associate("down").associate("up");
    duo.step("b", { kind: "message", ...old! });
    expect(duo.view("b").link).toBeUndefined();
    duo.talk();
    expect(duo.view("b").peer.state).toBe("negotiation");
    expect(duo.view("a").peer.state).toBe("negotiation");
    // A has refused what B said to whoever sent the old opening.
    expect(Object.keys(duo.refused("a"))).toEqual(["association"]);
  });

  test("a flood of openings holds a bounded number, and the real one gets in", () => {
    const recorded = Array.from({ length: 10 }, (_, i) => {
      const duo = new Duo({ key, machine: { random: randomOf(100 + i) } }).boot().associate();
      return duo.frames("a")[0]!;
    });
    const duo = new Duo({ key }).boot().associate();
    for (const frame of recorded) duo.step("b", { kind: "message", ...frame });
    for (const frame of recorded.slice(-2)) duo.step("b", { kind: "message", ...frame });
    expect(note(duo, "b")).toEqual({ replay: 2 });
    duo.talk();
    expect(duo.view("b").peer.state).toBe("negotiation");
  });

  test("another key keeps the boxes apart, and both say so", () => {
    const duo = new Duo({
      identities: { a: identity("a", { key }), b: identity("b", { key: "another-key" }) },
    });
    duo.boot().associate().talk();
    expect(duo.states()).toBe("negotiation negotiation");
    expect([duo.view("a").link, duo.view("b").link]).toEqual([undefined, undefined]);
    expect([note(duo, "a"), note(duo, "b")]).toEqual([{ tag: 1 }, { tag: 1 }]);
    expect(duo.all("a", "log").map(({ text: line }) => line)).toContainEqual(
      "%RF_INTERDEV-4-REFUSED: a message of the peer was refused: not authentic: another key, or altered on the way",
    );
  });

  test("a key on one side only keeps them apart", () => {
    const duo = new Duo({ identities: { a: identity("a", { key }), b: identity("b") } })
      .boot()
      .associate()
      .talk();
    expect([note(duo, "a"), note(duo, "b")]).toEqual([{ unkeyed: 1 }, { keyed: 1 }]);
    expect(duo.view("a").isAuthenticated).toBe(true);
    expect(duo.view("b").isAuthenticated).toBe(false);
  });

  test("without a key damage is still found, and the log says that attackers are not", () => {
    const duo = new Duo().boot().associate();
    const [frame] = duo.wire.a;
    duo.step("b", { kind: "message", stream: 0, bytes: frame!.bytes.with(50, 0xff) });
    duo.talk();
    expect(note(duo, "b")).toEqual({ tag: 1 });
    expect(duo.view("b").peer.state).toBe("negotiation");
    expect(duo.all("b", "log").map(({ text: line }) => line)).toContainEqual(
      "%RF_INTERDEV-4-NO_KEY: messages of the pair are not authenticated: no key-string",
    );
  });

  test("before an association there is nobody to listen to", () => {
    const { frame } = opened();
    const duo = new Duo({ key }).boot();
    unmoved(duo, () => duo.step("b", { kind: "message", ...frame }));
    expect(note(duo, "b")).toEqual({ closed: 1 });
  });

  test("records that nobody expects, or of another generation, are refused", () => {
    const duo = new Duo({ key }).boot().associate().talk();
    duo.step("a", { kind: "data", stream: "bulk", payload: bytesOf(3) });
    duo.talk();
    expect(note(duo, "b")).toEqual({ unexpected: 1 });
    const pair = new Duo({ key }).synchronised();
    pair.step("a", { kind: "data", stream: "dynamic", payload: bytesOf(3) });
    const [late] = pair.wire.a.splice(0);
    // B has heard of a newer generation when the records of the old one come.
    pair.group("a", "other");
    pair.group("a", "active");
    pair.talk();
    const { bulk } = pair.last("b", "bulk-await")!;
    expect(bulk).toBe(2);
    pair.step("b", { kind: "message", ...late! });
    expect(note(pair, "b")).toEqual({ generation: 1 });
  });

  test("an opening that says something else is refused", () => {
    const duo = new Duo({ key }).boot().associate();
    const opening = sealFrame(
      nobleMac,
      openingKey(key),
      { ...ENVELOPE, kind: "open", receiverNonce: 0n, sequence: 1 },
      Uint8Array.of(0, 1, 9),
    );
    duo.step("b", { kind: "message", stream: 0, bytes: opening });
    const answered = sealFrame(nobleMac, openingKey(key), { ...ENVELOPE, kind: "open" }, Uint8Array.of(0, 0));
    duo.step("b", { kind: "message", stream: 0, bytes: answered });
    expect(note(duo, "b")).toEqual({ content: 1, association: 1 });
  });

  test("every reason to refuse was reached", () => {
    expect([...reached].sort()).toEqual([...REFUSAL_NAMES].sort());
  });
});
