/**
 * Records that no peer would write: every field with impossible values, cut and lying lengths, the wrong role, old
 * versions, a full table, and random changes of all kinds. A record is refused whole and counted, or it touches the one
 * session that it names.
 */
import { describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import { completeCapacity, Core, planMemory, SEED_BYTES } from "../../src/core.js";
import { type Refusal, REFUSALS, SyncPort } from "../../src/sync-port.js";
import { coreModule } from "../model/lab.js";
import { Random } from "../model/random.js";
import { audit } from "./audit.js";
import { type Box, config, Pair } from "./pair.js";
import { bringTo, C, ENDS6, EXCHANGES, type Exchange, S, Talk, TCP_STATES, udpExchange } from "./talk.js";
import { actionOf, changed, isTcp, join, partsOf, split, versionOf, viewOf, withVersion } from "./wire.js";

/** Refusals that any test here has met. */
const seen = new Set<Refusal>();

/** Takes records; how many were refused, by reason. */
function refusals(box: Box, records: Uint8Array): Partial<Record<Refusal, number>> {
  const before = box.sync.counters().refused;
  box.sync.take(records);
  const after = box.sync.counters().refused;
  const differing = REFUSALS.filter((reason) => after[reason] !== before[reason]);
  for (const reason of differing) seen.add(reason);
  return Object.fromEntries(differing.map((reason) => [reason, after[reason] - before[reason]]));
}

/** The table of a box, and what a record may move beside it. */
const stateOf = (box: Box): unknown => [
  box.slots().map((each) => [each, box.records(each.slot)]),
  box.digests(),
  [L.S_SESSIONS, L.S_HALF_OPEN, L.S_KNOWN, L.S_QUEUED, L.S_BULK_TAKEN].map((field) => box.core.state(field)),
  [L.S_LAST_SESSION_ID, L.S_DIFFERENCE].map((field) => box.core.state64(field)),
];

const exchangeNamed = (wanted: string): Exchange => EXCHANGES.find(({ name }) => name === wanted)!;

/** Sessions whose records are changed. */
const SUBJECTS: Record<string, (box: Box) => void> = {
  "TCP over IPv4": (box) => void new Talk(box).open(),
  "TCP over IPv6": (box) => void new Talk(box, ENDS6).open(),
  ...Object.fromEntries(
    ["echo", "timestamp", "echo over IPv6", "GRE", "GRE over IPv6"].map((name) => [
      name,
      (box: Box) => {
        exchangeNamed(name).ask(box);
        exchangeNamed(name).answer(box);
      },
    ]),
  ),
  UDP: (box) => {
    udpExchange(4000).ask(box);
    udpExchange(4000).answer(box);
  },
};

interface Subject {
  pair: Pair;
  /** Unchanged, the standby takes it. */
  record: Uint8Array;
}

const SESSION_ACTIONS = ["add", "update", "delete", "request"] as const;
const MARK_ACTIONS = ["begin", "end", "verify"] as const;

/** A pair, and a record that is next to be taken: of a session ... */
function subjectOf(name: string, action: (typeof SESSION_ACTIONS)[number]): Subject {
  const pair = Pair.connected();
  SUBJECTS[name]!(pair.active);
  const [add] = split(pair.active.sync.write().slice());
  if (action === "add") return { pair, record: add! };
  pair.standby.sync.take(add!);
  if (action === "request") {
    const size = partsOf(add!).live!;
    const record = changed(add!.subarray(0, size), (view) => {
      view.setUint8(L.SR_ACTION, L.SYNC_REQUEST);
      view.setUint16(L.SR_LENGTH, size, true);
    });
    return { pair, record };
  }
  if (action === "update") {
    const at = pair.active.hotAt(pair.active.session().id);
    pair.active.core.bytes[at + L.HOT_BYTES0]! ^= 1;
    pair.active.sync.scan(pair.active.sync.groups);
  } else {
    pair.active.firewall.clearSessions();
  }
  const [record] = split(pair.active.sync.write().slice());
  expect(actionOf(record!)).toBe(action);
  return { pair, record: record! };
}

/** ... or about all of them. */
function markOf(action: (typeof MARK_ACTIONS)[number]): Subject {
  const pair = Pair.connected();
  new Talk(pair.active).open();
  pair.drain();
  pair.active.sync.startBulk();
  pair.active.sync.requestVerify();
  const records = split(pair.active.sync.write().slice());
  const at = { begin: 0, end: 2, verify: 3 }[action];
  for (const record of records.slice(0, at)) pair.standby.sync.take(record);
  expect(actionOf(records[at]!)).toBe(action);
  return { pair, record: records[at]! };
}

const taker = ({ pair, record }: Subject): Box =>
  record[L.SR_ACTION] === L.SYNC_REQUEST ? pair.active : pair.standby;

/** A field, or two that depend on each other. */
interface Field {
  name: string;
  /** Where it lies in a record; undefined: the record does not have it. */
  at: (record: Uint8Array) => number | undefined;
  /** Bytes. */
  size: number;
  /** What it must not be, and the refusals: one for all values or one each. Without: any value is taken. */
  bad?: (record: Uint8Array) => readonly bigint[];
  refusal?: Refusal;
}

const values = (...some: (number | bigint)[]): bigint[] => some.map(BigInt);
const ones = (size: number): bigint => (1n << BigInt(8 * size)) - 1n;
const v4 = (text: string): bigint =>
  text.split(".").reduceRight((word, octet) => word * 256n + BigInt(octet), 0n);
/** The sixteen bytes as a little-endian number. */
const v6 = (...bytes: [index: number, value: number][]): bigint =>
  bytes.reduce((word, [index, value]) => word | (BigInt(value) << BigInt(8 * index)), 0n);

const plainKind = (record: Uint8Array): number => record[L.SR_KIND]! & ~L.KIND_V6;
const isV6 = (record: Uint8Array): boolean => (record[L.SR_KIND]! & L.KIND_V6) !== 0;
const isLive = (record: Uint8Array): boolean => partsOf(record).live !== undefined;
const read = (record: Uint8Array, at: number, size: number): bigint =>
  record.slice(at, at + size).reduceRight((word, byte) => word * 256n + BigInt(byte), 0n);

const part =
  (name: "live" | "windows" | "birth", offset: number, when: (record: Uint8Array) => boolean = () => true) =>
  (record: Uint8Array): number | undefined => {
    const start = partsOf(record)[name];
    return start === undefined || !when(record) ? undefined : start + offset;
  };

const address = (place: 0 | 1, wanted: 4 | 6): Field => ({
  name: `address ${place}, IPv${wanted}`,
  at: (record) =>
    isV6(record) === (wanted === 6) ? L.SR_ADDRESSES + place * (wanted === 6 ? 16 : 4) : undefined,
  size: wanted === 6 ? 16 : 4,
  bad: (record) => {
    const size = wanted === 6 ? 16 : 4;
    const other = read(record, L.SR_ADDRESSES + (1 - place) * size, size);
    const impossible =
      wanted === 4
        ? ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "169.254.7.7", "224.0.0.5", "239.1.1.1"]
            .concat("240.0.0.1", "255.255.255.255")
            .map(v4)
        : [
            0n,
            v6([15, 1]),
            v6([12, 10], [15, 3]),
            v6([10, 255], [11, 255], [12, 10], [15, 3]),
            v6([0, 255], [1, 2], [15, 1]),
            v6([0, 0xfe], [1, 0x80], [15, 1]),
            v6([0, 0xfe], [1, 0xbf], [15, 1]),
          ];
    return [other, ...impossible];
  },
  refusal: "address",
});

const port = (place: 0 | 1): Field => ({
  name: `port ${place}`,
  at: () => (place === 0 ? L.SR_PORT_INITIATOR : L.SR_PORT_RESPONDER),
  size: 2,
  bad: (record) => {
    const other = read(record, place === 0 ? L.SR_PORT_RESPONDER : L.SR_PORT_INITIATOR, 2);
    return plainKind(record) === L.KIND_TCP4 || plainKind(record) === L.KIND_UDP4 ? [0n] : [other ^ 0x100n];
  },
  refusal: "port",
});

const window = (name: string, block: number): Field[] => [
  {
    name: `${name} end`,
    at: part("windows", block + L.W_END),
    size: 4,
    bad: farFrom(block + L.W_MAXEND),
    refusal: "window",
  },
  {
    name: `${name} edge`,
    at: part("windows", block + L.W_MAXEND),
    size: 4,
    bad: farFrom(block + L.W_END),
    refusal: "window",
  },
  {
    name: `${name} window`,
    at: part("windows", block + L.W_MAXWIN),
    size: 4,
    bad: () => values(65535 * 2 ** 14 + 1, 0x7fffffff, 0xffffffff),
    refusal: "window",
  },
  { name: `${name} acknowledgement`, at: part("windows", block + L.W_MAXACK), size: 4 },
];

/** Numbers of the other half of the space. */
function farFrom(offset: number): (record: Uint8Array) => bigint[] {
  return (record) => {
    const number = read(record, partsOf(record).windows! + offset, 4);
    return [L.SYNC_WINDOW_MAX + 1, 2 ** 31, -L.SYNC_WINDOW_MAX - 1].map((distance) =>
      BigInt.asUintN(32, number + BigInt(distance)),
    );
  };
}

/** Every byte of a record about a session. */
const FIELDS: readonly Field[] = [
  { name: "action", at: () => L.SR_ACTION, size: 1, bad: () => values(0, 8, 255), refusal: "action" },
  {
    name: "kind",
    at: () => L.SR_KIND,
    size: 1,
    bad: () => values(0, 6, 7, 8, 12, 14, 15, 16, 17, 128, 129, 255),
    refusal: "kind",
  },
  {
    name: "state",
    at: () => L.SR_STATE,
    size: 1,
    bad: (record) =>
      actionOf(record) === "delete"
        ? values(0, 3, 9, 13, 14, 15, 255)
        : isTcp(record)
          ? values(0, 8, 10, 11, 12, 255)
          : values(0, 1, 3, 8, 9, 12, 255),
    refusal: "state",
  },
  {
    name: "flags",
    at: () => L.SR_FLAGS,
    size: 1,
    bad: (record) => (isTcp(record) ? values(128, 255) : values(1, 2, 4, 8, 16, 255)),
    refusal: "flags",
  },
  {
    name: "length",
    at: () => L.SR_LENGTH,
    size: 2,
    bad: (record) => values(0, 4, 20, 23, record.length - 1, record.length + 1, record.length + 4, 65532),
    refusal: "length",
  },
  ...([L.SR_INTERFACE_INITIATOR, L.SR_INTERFACE_RESPONDER] as const).map(
    (at): Field => ({
      name: `interface at ${at}`,
      at: (record) => (isLive(record) ? at : undefined),
      size: 1,
      bad: () => values(0, 4, 63, 64, 255),
      refusal: "interface",
    }),
  ),
  {
    name: "interfaces of DELETE and REQUEST",
    at: (record) => (isLive(record) ? undefined : L.SR_INTERFACE_INITIATOR),
    size: 2,
  },
  { name: "id", at: () => L.SR_ID, size: 8, bad: () => [0n, 1n << 63n, ones(8)], refusal: "id" },
  {
    name: "version",
    at: () => L.SR_VERSION,
    size: 8,
    bad: () => [0n, 1n << 63n, ones(8)],
    refusal: "version",
  },
  port(0),
  port(1),
  address(0, 4),
  address(1, 4),
  address(0, 6),
  address(1, 6),
  {
    name: "idle",
    at: part("live", L.SL_IDLE_MS),
    size: 4,
    bad: () => values(L.TIMEOUT_MAX_MS + 1, 0xffffffff),
    refusal: "idle",
  },
  { name: "bytes of the initiator", at: part("live", L.SL_BYTES_INITIATOR), size: 8 },
  { name: "bytes of the responder", at: part("live", L.SL_BYTES_RESPONDER), size: 8 },
  {
    name: "scales",
    at: part("windows", L.SW_SCALES),
    size: 1,
    bad: () => values(0x0f, 0xf0, 0xff),
    refusal: "window",
  },
  {
    name: "offered",
    at: part("windows", L.SW_OFFERED),
    size: 1,
    bad: () => values(4, 255),
    refusal: "window",
  },
  {
    name: "behind the scales",
    at: part("windows", L.SW_OFFERED + 1),
    size: 2,
    bad: () => values(1, 0x100, 0xffff),
    refusal: "reserved",
  },
  ...window("initiator's", L.SW_WINDOW_INITIATOR),
  ...window("responder's", L.SW_WINDOW_RESPONDER),
  { name: "age", at: part("birth", L.SB_AGE_MS), size: 4 },
  {
    name: "timeout",
    at: part("birth", L.SB_IDLE_TIMEOUT_MS),
    size: 4,
    bad: () => values(0, 1, 599_999, 0xffffffff),
    refusal: "timer",
  },
  { name: "rule", at: part("birth", L.SB_RULE), size: 4 },
  {
    name: "service",
    at: part("birth", L.SB_SERVICE),
    size: 2,
    bad: () => values(0, 400, L.SERVICES_MAX - 1, L.SERVICES_MAX, 65535),
    refusal: "service",
  },
  {
    name: "inspection",
    at: part("birth", L.SB_INSPECT),
    size: 1,
    bad: () => values(0, 4, 255),
    refusal: "service",
  },
  {
    name: "ICMP type",
    at: part("birth", L.SB_ICMP_KIND),
    size: 1,
    bad: (record) =>
      values(0, 8, 13, 128, 255).filter(
        (type) => type !== BigInt(record[partsOf(record).birth! + L.SB_ICMP_KIND]!),
      ),
    refusal: "state",
  },
  {
    name: "marks",
    at: part("birth", L.SB_FLAGS),
    size: 4,
    bad: () => values(0, L.CF_AUDIT, L.CF_SYNC | 8, L.CF_SYNC | 0x100, (L.CF_SYNC | 0x80000000) >>> 0),
    refusal: "flags",
  },
  { name: "first of the initiator", at: part("birth", L.SB_FIRST_INITIATOR, isTcp), size: 4 },
  { name: "first of the responder", at: part("birth", L.SB_FIRST_RESPONDER, isTcp), size: 4 },
];

/** Every byte of BEGIN, END and VERIFY. */
const MARK_FIELDS: readonly Field[] = [
  { name: "action", at: () => L.SR_ACTION, size: 1, bad: () => values(0, 8, 255), refusal: "action" },
  ...([L.SR_KIND, L.SR_STATE, L.SR_FLAGS, L.SR_INTERFACE_INITIATOR, L.SR_INTERFACE_RESPONDER] as const).map(
    (at): Field => ({
      name: `reserved at ${at}`,
      at: () => at,
      size: 1,
      bad: () => values(1, 255),
      refusal: "reserved",
    }),
  ),
  {
    name: "length",
    at: () => L.SR_LENGTH,
    size: 2,
    bad: (record) => values(0, 4, 20, 23, record.length - 1, record.length + 1, record.length + 4, 65532),
    refusal: "length",
  },
  { name: "id", at: () => L.SR_ID, size: 8, bad: () => [1n, ones(8)], refusal: "reserved" },
  { name: "buckets or count", at: () => L.SR_VERSION, size: 8 },
  {
    name: "digests",
    at: (record) => (actionOf(record) === "begin" ? undefined : L.SV_DIGESTS),
    size: 8 * L.SYNC_BUCKETS,
  },
];

const put = (record: Uint8Array, at: number, size: number, value: bigint): Uint8Array =>
  changed(record, (_, bytes) => {
    for (let i = 0; i < size; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 255n);
  });

function checkFields(fields: readonly Field[], make: () => Subject): void {
  const { record: model } = make();
  const covered = new Set<number>();
  for (const { name, at: find, size, bad, refusal } of fields) {
    const at = find(model);
    if (at === undefined) continue;
    for (let i = 0; i < size; i++) {
      expect(covered.has(at + i), `${name}: byte ${at + i} belongs to one field`).toBe(false);
      covered.add(at + i);
    }
    if (bad === undefined) {
      for (const value of [0n, 1n, ones(size), ones(size) >> 1n]) {
        const subject = make();
        const box = taker(subject);
        expect(refusals(box, put(subject.record, at, size, value)), `${name} ${value}`).toEqual({});
        audit(box);
      }
      continue;
    }
    const subject = make();
    const box = taker(subject);
    const before = stateOf(box);
    for (const value of bad(subject.record)) {
      expect(refusals(box, put(subject.record, at, size, value)), `${name} ${value}`).toEqual({
        [refusal!]: 1,
      });
    }
    expect(stateOf(box), name).toEqual(before);
    expect(refusals(box, subject.record), `${name} as it was`).toEqual({});
    audit(box);
  }
  expect(covered.size, "every byte belongs to a field").toBe(model.length);
}

describe("fields", () => {
  describe.each(SESSION_ACTIONS)("%s", (action) => {
    test.each(Object.keys(SUBJECTS))("%s", (name) => {
      checkFields(FIELDS, () => subjectOf(name, action));
    });
  });

  test.each(MARK_ACTIONS)("%s", (action) => {
    checkFields(MARK_FIELDS, () => markOf(action));
  });

  test.each([1, 6, 17, 58])("protocol %d is not another one, unless the family makes it so", (protocol) => {
    for (const name of ["GRE", "GRE over IPv6"]) {
      const { pair, record } = subjectOf(name, "add");
      const odd = changed(record, (view) => {
        view.setUint16(L.SR_PORT_INITIATOR, protocol);
        view.setUint16(L.SR_PORT_RESPONDER, protocol);
      });
      const strange = protocol === (name === "GRE" ? 58 : 1);
      expect(refusals(pair.standby, odd)).toEqual(strange ? {} : { port: 1 });
    }
  });

  test("a protocol has one byte", () => {
    const { pair, record } = subjectOf("GRE", "add");
    const odd = changed(record, (view) => {
      view.setUint16(L.SR_PORT_INITIATOR, 256 + 47);
      view.setUint16(L.SR_PORT_RESPONDER, 256 + 47);
    });
    expect(refusals(pair.standby, odd)).toEqual({ port: 1 });
  });

  test("edges that are still possible", () => {
    const good = (change: (view: DataView, parts: ReturnType<typeof partsOf>) => void) => {
      const { pair, record } = subjectOf("TCP over IPv4", "add");
      expect(
        refusals(
          pair.standby,
          changed(record, (view) => change(view, partsOf(record))),
        ),
      ).toEqual({});
      expect(pair.standby.size).toBe(1);
    };
    const ends = L.SW_WINDOW_INITIATOR + L.W_END;
    const edge = L.SW_WINDOW_INITIATOR + L.W_MAXEND;
    for (const distance of [L.SYNC_WINDOW_MAX, -L.SYNC_WINDOW_MAX]) {
      good((view, { windows }) =>
        view.setUint32(windows! + edge, view.getUint32(windows! + ends, true) + distance, true),
      );
    }
    good((view, { windows }) =>
      view.setUint32(windows! + L.SW_WINDOW_RESPONDER + L.W_MAXWIN, 65535 * 2 ** 14, true),
    );
    good((view, { windows }) => view.setUint8(windows! + L.SW_SCALES, 0xee));
    good((view, { windows }) => view.setUint8(windows! + L.SW_OFFERED, 3));
    good((view, { live }) => view.setUint32(live!, L.TIMEOUT_MAX_MS, true));
    good((view) => view.setUint8(L.SR_FLAGS, 127));
    good((view) => view.setBigUint64(L.SR_ID, (1n << 63n) - 1n, true));
    good((view) => view.setBigUint64(L.SR_VERSION, (1n << 63n) - 1n, true));
    good((view) => view.setUint32(L.SR_ADDRESSES, Number(v4("223.255.255.254")), true));
    good((view) => view.setUint32(L.SR_ADDRESSES, Number(v4("169.253.1.1")), true));
    good((view, { birth }) =>
      view.setUint32(birth! + L.SB_FLAGS, L.CF_SYNC | L.CF_AUDIT | L.CF_SIMULTANEOUS, true),
    );
  });
});

describe("lengths", () => {
  /** A stream with one of each, in the order that a peer writes them. */
  function streamOf(): { pair: Pair; records: Uint8Array[] } {
    const pair = Pair.connected();
    const talk = new Talk(pair.active).open();
    for (const exchange of EXCHANGES) {
      exchange.ask(pair.active);
      exchange.answer(pair.active);
    }
    const first = pair.active.sync.write().slice();
    talk.s("R", { seq: S });
    EXCHANGES[0]!.ask(pair.active);
    pair.active.sync.scan(pair.active.sync.groups);
    pair.active.sync.requestVerify();
    return { pair, records: [...split(first), ...split(pair.active.sync.write().slice())] };
  }

  test("a stream cut at every length: whole records are taken, the cut one is refused", () => {
    const { records } = streamOf();
    const stream = join(records);
    const ends: number[] = [];
    for (const { length } of records) ends.push((ends.at(-1) ?? 0) + length);
    const pair = Pair.connected();
    for (let cut = 0; cut <= stream.length; cut++) {
      const { standby } = pair;
      standby.sync.setRole("active");
      standby.sync.setRole("standby");
      standby.firewall.clearSessions();
      const whole = ends.filter((end) => end <= cut).length;
      const before = standby.sync.taken;
      const refused = refusals(standby, stream.slice(0, cut));
      expect(Number(standby.sync.taken - before), `cut at ${cut}`).toBe(whole);
      expect(refused, `cut at ${cut}`).toEqual(cut === 0 || ends.includes(cut) ? {} : { length: 1 });
    }
  });

  test("behind a length that lies nothing is taken", () => {
    const { pair, records } = streamOf();
    for (const length of [0, 1, 20, 23, 25, 26, 27, 60_000, 65_535]) {
      const liar = changed(records[1]!, (view) => view.setUint16(L.SR_LENGTH, length, true));
      pair.standby.firewall.clearSessions();
      expect(refusals(pair.standby, join([records[0]!, liar, ...records.slice(2)]))).toEqual({ length: 1 });
      expect(pair.standby.size).toBe(1);
      const again = withVersion(records[0]!, versionOf(records[0]!) + BigInt(length) + 1n);
      records[0] = again;
    }
  });

  test("a length that swallows the next record, or ends within its own, refuses both and the rest goes on", () => {
    const { pair, records } = streamOf();
    const [first, second, third] = records as [Uint8Array, Uint8Array, Uint8Array];
    const swallowing = changed(first, (view) =>
      view.setUint16(L.SR_LENGTH, first.length + second.length, true),
    );
    expect(refusals(pair.standby, join([swallowing, second, third]))).toEqual({ length: 1 });
    expect(pair.standby.size).toBe(1);
    const short = changed(first, (view) => view.setUint16(L.SR_LENGTH, L.SR_HEADER_SIZE, true));
    const left = refusals(pair.standby, join([short, second]));
    expect(left.length).toBeGreaterThanOrEqual(1);
    audit(pair.standby);
  });

  test("more than the region holds is not looked at", () => {
    const { pair, records } = streamOf();
    const before = pair.standby.sync.taken;
    const repeated = Array.from({ length: 800 }, () => records[0]!);
    expect(join(repeated).length).toBeGreaterThan(L.SYNC_IN_SIZE);
    expect(pair.standby.sync.take(join(repeated))).toBe(0);
    expect(pair.standby.sync.taken).toBe(before);
  });
});

describe("roles", () => {
  test("an active takes requests alone, a standby everything else", () => {
    for (const action of SESSION_ACTIONS) {
      const subject = subjectOf("TCP over IPv4", action);
      const box = taker(subject) === subject.pair.active ? subject.pair.standby : subject.pair.active;
      const before = stateOf(box);
      expect(refusals(box, subject.record), action).toEqual({ role: 1 });
      expect(stateOf(box)).toEqual(before);
    }
    for (const action of MARK_ACTIONS) {
      const { pair, record } = markOf(action);
      const before = stateOf(pair.active);
      expect(refusals(pair.active, record), action).toEqual({ role: 1 });
      expect(stateOf(pair.active)).toEqual(before);
    }
  });

  test("without a policy nothing is taken", () => {
    const capacity = completeCapacity({ sessions: 1024 });
    if ("problem" in capacity) throw new Error(capacity.problem);
    const plan = planMemory(capacity);
    if ("problem" in plan) throw new Error(plan.problem);
    const core = Core.createSync(coreModule, { plan, seed: new Uint8Array(SEED_BYTES) });
    const port = new SyncPort(core, () => ({ interfaces: [], inspectionRules: [], services: [] }));
    port.setRole("standby");
    expect(port.take(subjectOf("TCP over IPv4", "add").record)).toBe(0);
    expect(port.counters().refused.role).toBe(1);
    expect(core.state(L.S_SESSIONS)).toBe(0);
  });
});

describe("what is older", () => {
  test.each(["add", "update", "delete"] as const)(
    "%s of the version that is here, or an older one",
    (action) => {
      const { pair, record } = subjectOf("TCP over IPv4", action);
      const [newer] = [action === "delete" ? undefined : record];
      if (newer) pair.standby.sync.take(newer);
      const { version } = pair.standby.slots()[0]!;
      const before = stateOf(pair.standby);
      for (const old of [version, version - 1n, 1n]) {
        expect(refusals(pair.standby, withVersion(record, old))).toEqual({ stale: 1 });
      }
      expect(stateOf(pair.standby)).toEqual(before);
      expect(refusals(pair.standby, withVersion(record, version + 1n))).toEqual({});
    },
  );

  test("a record of a session that has gone does not bring it back as a change", () => {
    const { pair, record } = subjectOf("TCP over IPv4", "update");
    pair.active.firewall.clearSessions();
    pair.drain();
    expect(pair.standby.size).toBe(0);
    expect(refusals(pair.standby, record)).toEqual({ unknown: 1 });
    expect(pair.standby.size).toBe(0);
  });

  test("a session older than the one of the same ends", () => {
    const { pair, record } = subjectOf("TCP over IPv4", "add");
    const id = viewOf(record).getBigUint64(L.SR_ID, true);
    const withId = (other: bigint) => changed(record, (view) => view.setBigUint64(L.SR_ID, other, true));
    expect(refusals(pair.standby, withId(id + 5n))).toEqual({});
    const before = stateOf(pair.standby);
    for (const older of [id, id + 4n, 1n])
      expect(refusals(pair.standby, withId(older))).toEqual({ stale: 1 });
    expect(stateOf(pair.standby)).toEqual(before);
    expect(refusals(pair.standby, withId(id + 6n))).toEqual({});
    expect(pair.standby.slots()).toMatchObject([{ id: id + 6n }]);
    expect(pair.standby.sync.counters().gone).toBe(1);
    audit(pair.standby);
  });

  test("whoever began it is part of a session: the other way round it is another one", () => {
    const swapped = (record: Uint8Array) =>
      changed(record, (view) => {
        for (const [a, b, size] of [
          [L.SR_PORT_INITIATOR, L.SR_PORT_RESPONDER, 2],
          [L.SR_ADDRESSES, L.SR_ADDRESSES + 4, 4],
        ] as const) {
          const [first, second] = [read(record, a, size), read(record, b, size)];
          const write = size === 2 ? view.setUint16.bind(view) : view.setUint32.bind(view);
          write(a, Number(second), true);
          write(b, Number(first), true);
        }
      });
    for (const action of ["update", "delete"] as const) {
      const { pair, record } = subjectOf("TCP over IPv4", action);
      const before = stateOf(pair.standby);
      expect(refusals(pair.standby, swapped(record))).toEqual({ unknown: 1 });
      expect(stateOf(pair.standby)).toEqual(before);
    }
    const { pair, record } = subjectOf("TCP over IPv4", "add");
    pair.standby.sync.take(record);
    const again = withVersion(swapped(record), versionOf(record) + 1n);
    expect(refusals(pair.standby, again)).toEqual({ stale: 1 });
  });

  test("another id is another session", () => {
    for (const action of ["update", "delete", "request"] as const) {
      const subject = subjectOf("TCP over IPv4", action);
      const box = taker(subject);
      const before = stateOf(box);
      const other = changed(subject.record, (view) =>
        view.setBigUint64(L.SR_ID, view.getBigUint64(L.SR_ID, true) + 1n, true),
      );
      expect(refusals(box, other)).toEqual({ unknown: 1 });
      expect(stateOf(box)).toEqual(before);
    }
  });
});

describe("a full table", () => {
  test("refuses what is new, takes what is here, and lets a younger session replace an older one", () => {
    const pair = Pair.connected({ capacity: { sessions: 1100 }, standby: { capacity: { sessions: 1024 } } });
    for (let i = 0; i < 1024; i++) new Talk(pair.active, { clientPort: 2000 + i }).open();
    pair.drain();
    expect(pair.standby.size).toBe(1024);
    const extra = new Talk(pair.active, { clientPort: 9000 }).open();
    const [add] = split(pair.active.sync.write().slice());
    const before = stateOf(pair.standby);
    expect(refusals(pair.standby, add!)).toEqual({ full: 1 });
    expect(stateOf(pair.standby)).toEqual(before);
    const talk = new Talk(pair.active, { clientPort: 2000 });
    talk.c("FA", { seq: C, ack: S });
    expect(refusals(pair.standby, pair.active.sync.write().slice())).toEqual({});
    // The ends of a session that is here, under a higher id.
    const same = changed(add!, (view) => view.setUint16(L.SR_PORT_INITIATOR, 2001));
    expect(refusals(pair.standby, same)).toEqual({});
    expect(pair.standby.size).toBe(1024);
    audit(pair.standby);
    expect(extra.state).toBe("established");
  });
});

/** The two ends that a record names, in any order; undefined: it names none. */
function endsOf(record: Uint8Array): string | undefined {
  const action = record[L.SR_ACTION]!;
  if (action < L.SYNC_ADD || action > L.SYNC_REQUEST) return undefined;
  const size = isV6(record) ? 16 : 4;
  if (record.length < L.SR_ADDRESSES + 2 * size) return undefined;
  const end = (place: number) =>
    Buffer.from(record.slice(L.SR_ADDRESSES + place * size, L.SR_ADDRESSES + (place + 1) * size)).toString(
      "hex",
    ) + Buffer.from(record.slice(24 + 2 * place, 26 + 2 * place)).toString("hex");
  return `${record[L.SR_KIND]} ${[end(0), end(1)].sort().join(" ")}`;
}

/** The same of the records of a slot. */
function endsAt(hot: Buffer, cold: Buffer): string {
  const wide = (hot[L.HOT_KIND]! & L.KIND_V6) !== 0;
  const end = (side: number) =>
    (wide ? cold.subarray(16 * side, 16 * side + 16) : hot.subarray(8 * side, 8 * side + 4)).toString("hex") +
    hot.subarray(8 * side + L.HOT_PORT0, 8 * side + L.HOT_PORT0 + 2).toString("hex");
  return `${hot[L.HOT_KIND]} ${[end(0), end(1)].sort().join(" ")}`;
}

/** The ends that the records within some bytes name. */
function namesIn(bytes: Uint8Array): (string | undefined)[] {
  const names: (string | undefined)[] = [];
  for (let at = 0; at + L.SR_HEADER_SIZE <= bytes.length; ) {
    const length = viewOf(bytes).getUint16(at + L.SR_LENGTH, true);
    if (length < L.SR_HEADER_SIZE || at + length > bytes.length) break;
    names.push(endsOf(bytes.subarray(at, at + length)));
    at += length;
  }
  return names;
}

/** What neighbours in a list write into a cold record. */
const LINKS = [L.COLD_OLDER, L.COLD_NEWER].flatMap((at) => [0, 1, 2, 3].map((i) => at + i));

/** The session table of a box as it was, to compare with and to return to. */
class Table {
  readonly #regions: Range[];

  constructor(box: Box) {
    const { tags, hot, cold, overflow } = box.core.plan.regions;
    const state = { at: L.STATE_AT, size: L.STATE_SIZE };
    this.#regions = [tags, hot, cold, overflow, state].map(({ at, size }) => {
      const now = Buffer.from(box.core.bytes.buffer, at, size);
      return { now, before: Buffer.from(now) };
    });
  }

  /** Whether any session is another one than before. */
  hasChanged(): boolean {
    return this.#regions.slice(0, 3).some(({ before, now }) => !now.equals(before));
  }

  restore(): void {
    for (const { before, now } of this.#regions) before.copy(now);
  }

  /** The ends, before and after, of every slot whose own bytes have changed. */
  changedEnds(): string[][] {
    const [tags, hot, cold] = this.#regions as [Range, Range, Range];
    const changed: string[][] = [];
    for (let slot = 0; slot < tags.now.length / 2; slot++) {
      const used = (tags.now.readUInt16LE(2 * slot) | tags.before.readUInt16LE(2 * slot)) !== 0;
      if (!used || (sameSlot(hot, slot, L.HOT_SIZE) && sameSlot(cold, slot, L.COLD_SIZE, LINKS))) continue;
      changed.push([
        endsAt(slotOf(hot.before, slot, L.HOT_SIZE), slotOf(cold.before, slot, L.COLD_SIZE)),
        endsAt(slotOf(hot.now, slot, L.HOT_SIZE), slotOf(cold.now, slot, L.COLD_SIZE)),
      ]);
    }
    return changed;
  }
}

type Range = { before: Buffer; now: Buffer };

const slotOf = (bytes: Buffer, slot: number, size: number): Buffer =>
  bytes.subarray(slot * size, (slot + 1) * size);

function sameSlot(
  { before, now }: Range,
  slot: number,
  size: number,
  except: readonly number[] = [],
): boolean {
  const [a, b] = [slotOf(before, slot, size), slotOf(now, slot, size)];
  return a.equals(b) || a.every((byte, i) => byte === b[i] || except.includes(i));
}

describe("random changes of true records", () => {
  const MUTATIONS = 100_000;
  const INTERESTING = [0, 1, 2, 3, 4, 5, 8, 9, 13, 16, 23, 24, 127, 128, 254, 255];

  /** A pair with sessions of all kinds, and records about them and about others. */
  function material(): { pair: Pair; records: Uint8Array[] } {
    const pair = Pair.connected({ config: config({ defer: true }) });
    const talks: Talk[] = [];
    TCP_STATES.forEach((state, i) => {
      talks.push(bringTo(new Talk(pair.active, { clientPort: 3000 + i }), state));
      talks.push(bringTo(new Talk(pair.active, { ...ENDS6, clientPort: 3000 + i }), state));
    });
    for (const exchange of EXCHANGES) exchange.ask(pair.active);
    for (const exchange of EXCHANGES.slice(0, 4)) exchange.answer(pair.active);
    const first = pair.active.sync.write().slice();
    pair.deliver(first);
    const size = pair.standby.size;
    expect(size).toBe(TCP_STATES.length * 2 + EXCHANGES.length);
    // Changes and ends of half of them, and sessions that the standby does not have.
    for (const talk of talks) talk.c("A", { seq: C + 1, ack: S + 1 });
    for (const talk of talks.slice(0, 6)) talk.s("R", { seq: S });
    for (const exchange of EXCHANGES) exchange.answer(pair.active);
    for (let i = 0; i < 6; i++) bringTo(new Talk(pair.active, { clientPort: 4000 + i }), TCP_STATES[i]!);
    pair.active.sync.scan(pair.active.sync.groups);
    pair.active.sync.requestVerify();
    const second = split(pair.active.sync.write().slice());
    const adds = split(first).map((add) => withVersion(add, versionOf(add) + 100n));
    return { pair, records: [...second, ...adds] };
  }

  function mutate(r: Random, record: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
    const bytes = record.slice();
    for (
      let changes = r.weighted([
        [6, 1],
        [3, 2],
        [1, 6],
      ] as const);
      changes > 0;
      changes--
    ) {
      const at = r.int(bytes.length);
      r.pick([
        () => (bytes[at]! ^= 1 << r.int(8)),
        () => (bytes[at] = r.int(256)),
        () => (bytes[at] = r.pick(INTERESTING)),
        () => {
          const other = r.pick(others);
          const length = Math.min(r.between(1, 16), bytes.length - at, Math.max(0, other.length - at));
          bytes.set(other.subarray(at, at + length), at);
        },
      ])();
    }
    return bytes;
  }

  test("touch nothing but the session that is named, and the counts add up", () => {
    const { pair, records } = material();
    const { standby } = pair;
    const { core } = standby;
    const r = new Random(7);
    const table = new Table(standby);
    const outcome = { applied: 0, refused: 0, broken: 0, foreign: 0, silent: 0 };
    const counts = () => REFUSALS.map((_, reason) => Number(core.state64(L.S_SYNC_REFUSALS + 8 * reason)));
    for (let i = 0; i < MUTATIONS; i++) {
      const record = mutate(r, r.pick(records), records);
      const taken = standby.sync.taken;
      const before = counts();
      const applied = standby.sync.take(record);
      const after = counts();
      const looked = Number(standby.sync.taken - taken);
      const refused = after.reduce((sum, n, reason) => sum + n - before[reason]!, 0);
      // A length that lies ends the stream; every other record is applied or refused, once.
      const broken = applied + refused - looked;
      if (broken !== 0 && !(broken === 1 && after[L.SX_LENGTH]! > before[L.SX_LENGTH]!)) outcome.silent++;
      outcome.applied += applied;
      outcome.refused += refused - broken;
      outcome.broken += broken;
      if (!table.hasChanged()) continue;
      // Of more than one record in these bytes, each may have touched its own.
      const named = new Set(namesIn(record));
      if (applied === 0) outcome.foreign++;
      else if (!named.has(undefined))
        outcome.foreign += table.changedEnds().filter((ends) => !ends.some((each) => named.has(each))).length;
      table.restore();
    }
    expect(outcome).toMatchObject({ foreign: 0, silent: 0 });
    expect(outcome.applied).toBeGreaterThan(MUTATIONS / 20);
    expect(outcome.refused).toBeGreaterThan(MUTATIONS / 4);
    audit(standby);
  }, 120_000);

  test("in a row, without ever starting anew: the table stays sound, and the box goes on", () => {
    const { pair, records } = material();
    const r = new Random(8);
    for (let i = 0; i < 20_000; i++) {
      pair.standby.sync.take(mutate(r, r.pick(records), records));
      if (i % 1000 === 0) {
        audit(pair.standby);
        pair.standby.nowMs += r.int(5000);
        pair.standby.expire();
      }
    }
    audit(pair.standby);
    pair.connect();
    pair.drain();
    audit(pair.standby);
    const heir = pair.promote();
    new Talk(heir, { clientPort: 50_000 }).open();
    expect([...heir.firewall.sessions()].some(({ initiator }) => initiator.port === 50_000)).toBe(true);
    for (let i = 0; i < 100; i++) {
      heir.nowMs += 60_000;
      heir.expire();
    }
    expect(heir.size).toBe(0);
    audit(heir);
  }, 120_000);

  test("requests, at the active", () => {
    const { pair, records } = material();
    const r = new Random(9);
    const requests = records
      .filter((record) => partsOf(record).live !== undefined)
      .map((record) => {
        const size = partsOf(record).live!;
        return changed(record.subarray(0, size), (view) => {
          view.setUint8(L.SR_ACTION, L.SYNC_REQUEST);
          view.setUint16(L.SR_LENGTH, size, true);
        });
      });
    const before = pair.active.sessions();
    for (let i = 0; i < 20_000; i++) {
      pair.active.sync.take(mutate(r, r.pick(requests), requests));
      if (i % 100 === 0) pair.carry(L.SV_SIZE);
    }
    audit(pair.active);
    expect(pair.active.sessions()).toEqual(before);
    pair.connect();
    pair.drain();
    pair.expectEqual();
  }, 120_000);
});

test("every reason to refuse a record was met", () => {
  expect(REFUSALS.filter((reason) => !seen.has(reason))).toEqual([]);
});
