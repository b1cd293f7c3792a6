import { describe, expect, test } from "vitest";
import {
  Hsrp,
  type HsrpInput,
  type HsrpOptions,
  type PacketInput,
  transportOf,
} from "../../src/hsrp/index.js";
import { sign } from "../../src/hsrp/md5.js";
import { emitPacket, type GroupMessage, PAYLOAD_MAX } from "../../src/hsrp/packet.js";
import { REFUSAL_NAMES, REFUSALS, type Refusal } from "../../src/hsrp/refusals.js";
import { addressOf, bytesOf, GOLDEN } from "./golden.js";
import { optionsFor } from "./world.js";

const PEER = addressOf("10.0.0.2");
const HELLO: GroupMessage = {
  kind: "group",
  version: 1,
  family: 4,
  opcode: "hello",
  state: "standby",
  group: 1,
  priority: 100,
  helloMs: 1000,
  holdMs: 3000,
  virtualAddress: 0x0a000003,
};
const KEY = { id: 0, secret: "HAkey", acceptedUntilAtMs: Number.POSITIVE_INFINITY };

const plain = (changes: Partial<GroupMessage> = {}, text = "cisco"): Uint8Array =>
  emitPacket({ message: { ...HELLO, ...changes }, credential: { kind: "text", text } });
const signed = (changes: Partial<GroupMessage> = {}, key = KEY, address = PEER as number): Uint8Array =>
  sign({ ...HELLO, ...changes }, key, address);

function packet(changes: Partial<PacketInput> = {}): PacketInput {
  const { destination, ttl } = transportOf(1, 4);
  return {
    kind: "packet",
    interface: "GigabitEthernet0/0",
    source: PEER,
    destination,
    ttl,
    payload: plain(),
    sourceMac: "0200.0000.0002",
    ...changes,
  };
}

const TEXT: readonly string[] = [];
const MD5 = ["standby 1 authentication md5 key-string HAkey"];
const VERSION_2 = ["standby version 2"];
const V2_HELLO = GOLDEN.find(({ name }) => name === "version 2 hello, IPv6")!;

function configText(lines: readonly string[]): string {
  return [
    "interface GigabitEthernet0/0",
    " ip address 10.0.0.1 255.255.255.0",
    " ip address 10.0.1.1 255.255.255.0 secondary",
    " standby delay minimum 0 reload 0",
    " standby 1 ip 10.0.0.3",
    " standby 1 timers 1 3",
    ...lines.map((line) => ` ${line}`),
  ].join("\n");
}

/** A router that is Active since 4 s, at 10 s. */
function activeRouter(lines: readonly string[] = TEXT, changes: Partial<HsrpOptions> = {}): Hsrp {
  const machine = new Hsrp(optionsFor(configText(lines), 1, changes));
  machine.step({ kind: "link", interface: "GigabitEthernet0/0", isUp: true }, 0);
  for (let nowMs = machine.deadlineMs; nowMs < 10_000; nowMs = machine.deadlineMs) {
    machine.step({ kind: "tick" }, nowMs);
  }
  machine.step({ kind: "tick" }, 10_000);
  return machine;
}
const NOW_MS = 10_500;

interface Case {
  lines?: readonly string[];
  options?: Partial<HsrpOptions>;
  before?: readonly HsrpInput[];
  input: PacketInput;
  /** The line in the log. */
  log?: string;
}

const hello = (changes: Partial<GroupMessage>) => packet({ payload: plain(changes) });
const REFUSED = (refusal: Refusal) =>
  `%HSRP-4-REFUSED: GigabitEthernet0/0 packet from 10.0.0.2 ignored: ${REFUSALS[refusal]}`;
const BAD_AUTHENTICATION = "%HSRP-4-BADAUTH: Bad authentication from 10.0.0.2, group 1, remote state Standby";

/** One way at least to each refusal: a missing one does not compile. */
const CASES = {
  interface: [
    {
      before: [{ kind: "link", interface: "GigabitEthernet0/0", isUp: false }],
      input: packet(),
      log: REFUSED("interface"),
    },
    { input: packet({ source: addressOf("fe80::2"), destination: addressOf("ff02::66"), ttl: 255 }) },
  ],
  destination: [
    { input: packet({ destination: addressOf("224.0.0.102") }), log: REFUSED("destination") },
    { input: packet({ destination: addressOf("10.0.0.1") }) },
    { lines: VERSION_2, input: packet() },
  ],
  own_source: [
    {
      input: packet({ source: addressOf("10.0.0.1") }),
      log: "%HSRP-4-DUPADDR: Duplicate address 10.0.0.1 on GigabitEthernet0/0, sourced by 0200.0000.0002",
    },
    { input: packet({ source: addressOf("10.0.1.1") }) },
  ],
  foreign_source: [{ input: packet({ source: addressOf("10.9.0.2") }) }],
  unknown_peer: [{ options: withPeers(["10.0.0.7"]), input: packet(), log: REFUSED("unknown_peer") }],
  ttl: [
    { input: packet({ ttl: 2 }), log: REFUSED("ttl") },
    { input: packet({ ttl: 255 }) },
    { input: packet({ ttl: 0 }) },
  ],
  length: [
    { input: packet({ payload: plain().subarray(0, 19) }) },
    { input: packet({ payload: new Uint8Array(PAYLOAD_MAX + 1) }) },
  ],
  content: [{ input: packet({ payload: bytesOf("00030002000a02000000000100000000") }) }],
  repeated_tlv: [
    {
      lines: [...VERSION_2, "standby 1 authentication text x"],
      input: packet({
        destination: addressOf("224.0.0.102"),
        payload: bytesOf(`${V2_HELLO.hex}${V2_HELLO.hex}`),
      }),
    },
  ],
  version: [{ input: packet({ payload: bytesOf(`01${"00".repeat(19)}`) }) }],
  opcode: [{ input: packet({ payload: bytesOf(`0004${"00".repeat(18)}`) }) }],
  state: [{ input: packet({ payload: bytesOf(`000003${"00".repeat(17)}`) }) }],
  family: [
    {
      lines: VERSION_2,
      input: packet({ destination: addressOf("224.0.0.102"), payload: bytesOf(V2_HELLO.hex) }),
    },
  ],
  group: [{ input: hello({ group: 2 }) }],
  not_running: [
    {
      lines: ["standby 7 ip 10.0.9.3"],
      input: hello({ group: 7, virtualAddress: addressOf("10.0.9.3") }),
      log: REFUSED("not_running"),
    },
  ],
  priority: [
    {
      lines: VERSION_2,
      input: packet({
        destination: addressOf("224.0.0.102"),
        payload: emitPacket({
          message: { ...HELLO, version: 2, priority: 256 },
          credential: { kind: "text", text: "cisco" },
        }),
      }),
    },
  ],
  timers: [
    { input: hello({ helloMs: 0 }), log: REFUSED("timers") },
    { input: hello({ holdMs: 0 }) },
    { input: hello({ helloMs: 4000, holdMs: 3000 }) },
    { input: hello({ helloMs: 255_000, holdMs: 255_000 }) },
    {
      lines: VERSION_2,
      input: packet({
        destination: addressOf("224.0.0.102"),
        payload: emitPacket({
          message: { ...HELLO, version: 2, holdMs: 255_001 },
          credential: { kind: "text", text: "cisco" },
        }),
      }),
    },
  ],
  virtual_address: [
    {
      input: hello({ state: "active", virtualAddress: addressOf("10.0.0.4") as number }),
      log:
        "%HSRP-4-DIFFVIP1: GigabitEthernet0/0 Grp 1 active routers virtual IP address 10.0.0.4 is different to " +
        "the locally configured address 10.0.0.3",
    },
    { input: hello({ virtualAddress: 0 }), log: REFUSED("virtual_address") },
    { input: hello({ opcode: "resign", virtualAddress: 0 }) },
  ],
  repeated: [{ before: [packet()], input: packet(), log: REFUSED("repeated") }],
  rate: [
    {
      before: Array.from({ length: 40 }, () => packet({ payload: plain({}, "guess") })),
      input: packet(),
      log: REFUSED("rate"),
    },
  ],
  authentication_missing: [
    { lines: MD5, input: packet(), log: BAD_AUTHENTICATION },
    { input: packet({ payload: signed() }), log: BAD_AUTHENTICATION },
  ],
  authentication_text: [
    { input: packet({ payload: plain({}, "Cisco") }), log: BAD_AUTHENTICATION },
    { input: packet({ payload: plain({ opcode: "coup", priority: 255 }, "") }) },
    { input: packet({ payload: plain({ opcode: "resign" }, "cisco1") }) },
  ],
  authentication_algorithm: [{ lines: MD5, input: packet({ payload: withByte(signed(), 22, 2) }) }],
  authentication_key: [
    { lines: MD5, input: packet({ payload: signed({}, { ...KEY, id: 1 }) }), log: BAD_AUTHENTICATION },
  ],
  authentication_address: [{ lines: MD5, input: packet({ payload: signed({}, KEY, 0x0a000009) }) }],
  authentication_digest: [
    {
      lines: MD5,
      input: packet({ payload: signed({}, { ...KEY, secret: "guess" }) }),
      log: BAD_AUTHENTICATION,
    },
    { lines: MD5, input: packet({ payload: withByte(signed(), 5, 255) }) },
  ],
  resign_source: [{ input: hello({ opcode: "resign", state: "active" }), log: REFUSED("resign_source") }],
  contradiction: [
    {
      before: [{ kind: "peer", report: { active: [] }, generation: "equal" }],
      input: hello({ opcode: "coup", priority: 255 }),
      log: REFUSED("contradiction"),
    },
    {
      before: [{ kind: "peer", report: { active: [] }, generation: "equal" }],
      input: hello({ state: "active", priority: 255 }),
    },
  ],
} as const satisfies Record<Refusal, readonly Case[]>;

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value;
  return bytes;
}

function withPeers(peers: readonly string[]): Partial<HsrpOptions> {
  const { interfaces } = optionsFor(configText([]));
  return { interfaces: interfaces.map((each) => ({ ...each, peers: peers.map(addressOf) })) };
}

/** All that decides what the machine does, but not what it keeps to save work. */
function conduct(machine: Hsrp): string {
  return machine
    .fingerprint()
    .replace(/"rateAtMs":[\d.]+/g, "")
    .replace(/,"verified":\{[^{}]*\}/g, "");
}

describe.each(Object.entries(CASES) as [Refusal, readonly Case[]][])("%s", (refusal, cases) => {
  test.each(cases.map((each, i) => [i + 1, each] as const))(
    "case %i: ignored, counted, logged",
    (_number, each) => {
      const machine = activeRouter(each.lines, each.options);
      for (const input of each.before ?? []) machine.step(input, NOW_MS);
      machine.step({ kind: "tick" }, NOW_MS);
      const before = conduct(machine);
      const actions = machine.step(each.input, NOW_MS);

      const counters = machine.counters("GigabitEthernet0/0")!;
      expect(counters.refused[refusal]).toBe(1);
      expect(conduct(machine)).toBe(before);
      expect(actions.map(({ kind }) => kind)).toEqual(["refused", "log"]);
      expect(actions[0]).toMatchObject({ refusal });
      if (each.log !== undefined) expect(actions[1]).toMatchObject({ text: each.log });

      // One packet, one counter; the second of a kind is not logged so soon.
      const again = machine.step(each.input, NOW_MS);
      expect(again.map(({ kind }) => kind)).toEqual(["refused"]);
      expect(counters.refused[refusal]).toBe(2);
      const refused = REFUSAL_NAMES.reduce((sum, name) => sum + counters.refused[name], 0);
      expect(counters.received).toBe(counters.accepted + counters.advertisements + refused);
      expect(counters.received).toBe(2 + (each.before ?? []).filter(({ kind }) => kind === "packet").length);
    },
  );
});

describe("what is believed", () => {
  const isBelieved = (machine: Hsrp, input: PacketInput): boolean => {
    const before = machine.counters("GigabitEthernet0/0")!.accepted;
    machine.step(input, NOW_MS);
    return machine.counters("GigabitEthernet0/0")!.accepted === before + 1;
  };

  test("a hello with the default text", () => {
    expect(isBelieved(activeRouter(), packet())).toBe(true);
  });

  test("one from a secondary network of the interface", () => {
    expect(isBelieved(activeRouter(), packet({ source: addressOf("10.0.1.2") }))).toBe(true);
  });

  test("one from a configured peer", () => {
    expect(isBelieved(activeRouter(TEXT, withPeers(["10.0.0.7", "10.0.0.2"])), packet())).toBe(true);
  });

  test("a signed one", () => {
    expect(isBelieved(activeRouter(MD5), packet({ payload: signed() }))).toBe(true);
  });

  test("leniently, any TTL, and timers of 0 in version 1", () => {
    const lenient = { isLenient: true };
    expect(isBelieved(activeRouter(TEXT, lenient), packet({ ttl: 64 }))).toBe(true);
    expect(isBelieved(activeRouter(TEXT, lenient), hello({ helloMs: 0, holdMs: 0 }))).toBe(true);
    expect(isBelieved(activeRouter(TEXT, lenient), hello({ helloMs: 0, holdMs: 1000 }))).toBe(true);
    expect(isBelieved(activeRouter(TEXT, lenient), hello({ helloMs: 255_000, holdMs: 255_000 }))).toBe(false);
  });

  test("times of a coup or a resignation mean nothing", () => {
    expect(isBelieved(activeRouter(), hello({ opcode: "coup", priority: 90, helloMs: 0, holdMs: 0 }))).toBe(
      true,
    );
  });

  test("an advertisement is read, counted and of no effect", () => {
    const machine = activeRouter();
    const before = conduct(machine);
    const [advertise] = GOLDEN.filter(({ name }) => name.includes("advertise"));
    expect(machine.step(packet({ payload: bytesOf(advertise!.hex) }), 10_000)).toEqual([]);
    expect(machine.counters("GigabitEthernet0/0")!.advertisements).toBe(1);
    expect(conduct(machine)).toBe(before);
  });
});

test("an interface that nobody configured has no counters and no groups", () => {
  const machine = activeRouter();
  expect(machine.step(packet({ interface: "Serial0/0" }), NOW_MS)).toEqual([]);
  expect(machine.counters("Serial0/0")).toBeUndefined();
});

describe("a flood", () => {
  const FLOOD = 20_000;

  /** Runs the router from 10 s to 20 s while packets come all the time; the hellos that it sends. */
  function flooded(machine: Hsrp, flood: (i: number) => PacketInput, peerHello?: Uint8Array) {
    const sent: number[] = [];
    const spacingMs = 10_000 / FLOOD;
    for (let i = 0; i < FLOOD; i++) {
      const nowMs = 10_000 + i * spacingMs;
      const inputs = [flood(i)];
      if (peerHello !== undefined && i % (FLOOD / 10) === 0) inputs.push(packet({ payload: peerHello }));
      for (const input of inputs) {
        for (const action of machine.step(input, nowMs)) if (action.kind === "send") sent.push(nowMs);
      }
    }
    return sent;
  }

  test("of wrong digests is cut off before they are computed, and keeps no known hello out", () => {
    const machine = activeRouter(MD5);
    machine.step(packet({ payload: signed() }), 10_000);
    const wrong = signed({}, { ...KEY, secret: "guess" });
    const sent = flooded(machine, () => packet({ payload: wrong }), signed());
    const { refused, accepted } = machine.counters("GigabitEthernet0/0")!;
    expect(refused.rate).toBeGreaterThan(0.9 * FLOOD);
    expect(refused.authentication_digest).toBeLessThan(0.1 * FLOOD);
    // The first of the ten in the flood comes too soon after the one before it.
    expect(accepted).toBe(10);
    // Our own hellos, one a second, as if nothing were.
    expect(sent).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19].map((second) => second * 1000));
    expect(machine.views(20_000)[0]!.standby).toMatchObject({ kind: "neighbor", address: PEER });
  });

  test("of the same old hello costs a comparison each", () => {
    const machine = activeRouter(MD5);
    const old = signed({ state: "active", priority: 50 });
    const sent = flooded(machine, () => packet({ payload: old }));
    const { refused, sent: counted } = machine.counters("GigabitEthernet0/0")!;
    expect(refused.repeated).toBeGreaterThan(0.9 * FLOOD);
    // Each tells of a lesser Active router; the coups that answer come at the pace of our hellos.
    expect(counted.coup).toBeLessThanOrEqual(11);
    expect(sent.length).toBeLessThanOrEqual(22);
    expect(machine.views(20_000)[0]!.state).toBe("active");
  });

  test("of what is broken is logged at a limited rate, and counted in full", () => {
    const machine = activeRouter();
    let lines = 0;
    for (let i = 0; i < 100_000; i++) {
      lines += machine.step(packet({ ttl: 9 }), 10_000 + i).filter(({ kind }) => kind === "log").length;
    }
    expect(lines).toBe(4);
    expect(machine.counters("GigabitEthernet0/0")!.refused.ttl).toBe(100_000);
  });
});
