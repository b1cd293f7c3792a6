/**
 * A peer that knows the key and says what it likes: whatever it says, in whatever state, nothing throws, the machine
 * settles, and what cannot be is refused by name.
 */
import { describe, expect, test } from "vitest";
import { boxAddresses } from "../../src/redundancy/canonical.js";
import { helloOf } from "../../src/redundancy/compatibility.js";
import {
  type Envelope,
  KINDS,
  type Kind,
  nobleMac,
  openingKey,
  readFrame,
  sealFrame,
  sessionKey,
} from "../../src/redundancy/envelope.js";
import { emitMessage, type Message, type PeerState, VERDICTS } from "../../src/redundancy/message.js";
import { GENERATION_MAX } from "../../src/redundancy/perform.js";
import { GROUP_ROLES, HOLDINGS, REASONS, RF_STATE_NAMES } from "../../src/redundancy/states.js";
import { Duo } from "./duo.js";
import { identity, randomOf } from "./pair.js";

const NONCE = 0x1234n;
const BOOT = 0x99n;

/** B is a stub that seals what it is told to. */
class Stub {
  readonly duo: Duo;
  readonly #nonce: bigint;
  #sequence = 1;
  #dataSequence = 0;

  constructor(duo = new Duo()) {
    this.duo = duo;
    duo.step("a", { kind: "configure", identity: duo.identities.a });
    duo.step("a", { kind: "ready" });
    duo.step("a", { kind: "association", status: "up" });
    const frame = readFrame(duo.frames("a").at(-1)!.bytes);
    if (typeof frame === "string") throw new Error(frame);
    this.#nonce = frame.header.senderNonce;
    this.#hear(
      "open",
      emitMessage({ kind: "open", addresses: boxAddresses(duo.identities.b.config) }),
      0,
      openingKey(undefined),
      0n,
    );
  }

  #hear(kind: Kind, contents: Uint8Array, generation: number, key: Uint8Array, receiverNonce: bigint): void {
    const isData = kind === "data";
    const envelope: Envelope = {
      kind,
      stream: isData ? "dynamic" : "control",
      isKeyed: false,
      generation,
      bootId: BOOT,
      senderNonce: NONCE,
      receiverNonce,
      sequence: isData ? ++this.#dataSequence : this.#sequence++,
    };
    const bytes = sealFrame(nobleMac, key, envelope, contents);
    this.duo.step("a", { kind: "message", stream: isData ? 1 : 0, bytes });
  }

  raw(kind: Kind, contents: Uint8Array, generation = 0): this {
    this.#hear(kind, contents, generation, sessionKey(undefined, NONCE, this.#nonce), this.#nonce);
    return this;
  }

  say(message: Message, generation = 0): this {
    return this.raw(message.kind, emitMessage(message), generation);
  }

  hello(): this {
    const { a, b } = this.duo.identities;
    return this.say({ kind: "hello", ...helloOf(b, boxAddresses(a.config)) });
  }

  is(state: PeerState["state"], generation = 0, more: Partial<PeerState> = {}): this {
    return this.say({ ...STATE, ...more, state }, generation);
  }

  refused(): Record<string, number> {
    return this.duo.refused("a");
  }

  get view() {
    return this.duo.view("a");
  }
}

const STATE: Extract<Message, { kind: "state" }> = {
  kind: "state",
  state: "negotiation",
  group: "standby",
  priority: 100,
  holdings: "none",
  verdict: "compatible",
  isInMaintenance: false,
  isDegraded: false,
  bulk: 0,
  answered: 0,
  activeGroups: [],
};

describe("what the peer may not say", () => {
  test.each<[string, (stub: Stub) => void]>([
    [
      "it wants a copy, and this box is not active",
      (stub) => stub.hello().is("negotiation").say({ kind: "bulkRequest", bulk: 1 }),
    ],
    ["it wants the copy 0", (stub) => active(stub).say({ kind: "bulkRequest", bulk: 0 }, 1)],
    [
      "it wants a copy before it has said who it is",
      (stub) => active(stub, false).say({ kind: "bulkRequest", bulk: 1 }, 1),
    ],
    [
      "it hands over, and this box is not hot",
      (stub) => stub.hello().is("active", 1).say({ kind: "handOver", token: 1, reason: "none" }, 1),
    ],
    [
      "it is ready for a switchover that nobody began",
      (stub) => active(stub).say({ kind: "switchoverReady", token: 1, isReady: true }, 1),
    ],
    [
      "it spoils a copy that is another",
      (stub) => stub.hello().is("active", 1).say({ kind: "bulkAgain", bulk: 99 }, 1),
    ],
    ["it wants a reload, and is not active", (stub) => stub.hello().is("standbyHot").say({ kind: "reload" })],
    [
      "it says that we lost before it has said what it is",
      (stub) => stub.hello().say({ kind: "youLost", reason: "none" }, 9),
    ],
    [
      "it sends records, and this box takes none",
      (stub) => stub.hello().is("negotiation").raw("data", Uint8Array.of(1)),
    ],
  ])("%s", (_name, say) => {
    const stub = new Stub();
    say(stub);
    const before = stub.view;
    expect(stub.refused()).toEqual({ unexpected: 1 });
    expect(before.counters.events.bulkBegun).toBe(before.machine === "coldBulk" ? 1 : 0);
    expect(stub.duo.all("a", "start-clean")).toEqual([]);
  });

  test("it wants a copy of a generation that is over", () => {
    const stub = active(new Stub());
    stub.say({ kind: "bulkRequest", bulk: 1 }, 0);
    expect(stub.refused()).toEqual({ generation: 1 });
    stub.say({ kind: "bulkRequest", bulk: 1 }, 1);
    expect(stub.duo.last("a", "bulk-begin")).toEqual({ kind: "bulk-begin", bulk: 1, generation: 1 });
  });

  test("it takes over, and is asked whether it is ready", () => {
    const stub = active(new Stub());
    stub.say({ kind: "switchoverRequest", token: 5, reason: "none" }, 1);
    expect(stub.view.role).toBe("active");
  });
});

/** The box is active, the stub is there. */
function active(stub: Stub, isKnown = true): Stub {
  stub.duo.group("a", "active");
  return isKnown ? stub.hello().is("negotiation") : stub.is("negotiation");
}

test("the last generation is never left", () => {
  const stub = new Stub().hello().is("active", GENERATION_MAX);
  expect(stub.view.generation).toBe(GENERATION_MAX);
  stub.duo.step("a", { kind: "association", status: "down" });
  stub.duo.group("a", "active");
  expect(stub.duo.last("a", "role")).toMatchObject({ role: "active", generation: GENERATION_MAX });
});

test("any bytes as any message in any state: nothing throws, and it settles", () => {
  const random = randomOf(11);
  const one = <T>(values: readonly T[]): T => values[random() % values.length]!;
  const messages = (): readonly Message[] => [
    { kind: "hello", ...helloOf(identity(one(["a", "b"])), []) },
    {
      kind: "state",
      state: one(RF_STATE_NAMES),
      group: one(GROUP_ROLES),
      priority: random() & 255,
      holdings: one(HOLDINGS),
      verdict: one(VERDICTS),
      isInMaintenance: random() % 4 === 0,
      isDegraded: random() % 4 === 0,
      bulk: random() % 3,
      answered: random() % 3,
      activeGroups: one([[], ["INSIDE"]]),
    },
    { kind: "probe", token: random() },
    { kind: "youLost", reason: one(REASONS) },
    { kind: "switchoverRequest", token: random() % 3, reason: one(REASONS) },
    { kind: "switchoverReady", token: random() % 3, isReady: random() % 2 === 0 },
    { kind: "handOver", token: random() % 3, reason: one(REASONS) },
    { kind: "bulkRequest", bulk: random() % 3 },
    { kind: "bulkAgain", bulk: random() % 3 },
    { kind: "reload" },
  ];
  for (let round = 0; round < 60; round++) {
    const stub = new Stub(new Duo({ machine: { reloadMode: one(["soft", "none"] as const) } }));
    if (random() % 8 > 0) stub.hello();
    for (let i = 0; i < 40; i++) {
      const generation = random() % 4;
      switch (random() % 6) {
        case 0:
          stub.duo.group("a", one(GROUP_ROLES), { isActiveHeard: random() % 2 === 0 });
          break;
        case 1: {
          // The contents of another kind, or cut, or noise.
          const bytes = emitMessage(one(messages()));
          const contents = one([
            bytes,
            bytes.subarray(0, random() % (bytes.length + 1)),
            Uint8Array.of(random() & 255),
          ]);
          stub.raw(one(KINDS), contents.slice(), generation);
          break;
        }
        case 2:
          stub.duo.nowMs += random() % 5000;
          stub.duo.step("a", { kind: "tick" });
          break;
        default:
          stub.say(one(messages()), generation);
      }
      const { machine, role, generation: now } = stub.view;
      expect(["disabled", "initialization"].includes(machine) ? role : "none").toBe("none");
      expect(now).toBeLessThan(1000);
      expect(stub.duo.machines.a.deadlineMs).toBeGreaterThanOrEqual(stub.duo.nowMs);
      if (machine === "initialization") break;
    }
  }
});
