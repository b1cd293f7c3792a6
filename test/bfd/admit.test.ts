/** Every reason to ignore a packet is reached, counts itself alone, and changes nothing. */
import { describe, expect, test } from "vitest";
import { keyOf, REFUSAL_NAMES, type Refusal } from "../../src/bfd/index.js";
import { KEY_ID, sign, UNSIGNED } from "../../src/bfd/sha1.js";
import { CONTROL, type ControlPacket, emitPacket, SHA1_SECTION } from "../../src/bfd/wire.js";
import {
  ADDRESSES,
  arrivalOf,
  INTERFACE,
  KEY,
  pathOf,
  type Sent,
  World,
  type WorldOptions,
} from "./world.js";

type Arrival = ReturnType<typeof arrivalOf>;

/** Both up, and the last packet of B. */
function established(options: WorldOptions = {}): { world: World; last: Sent; input: Arrival } {
  const world = new World(options).bootBoth().settle();
  const last = world.sentBy("b", 0).at(-1)!;
  return { world, last, input: arrivalOf(last.send) };
}

/** The next packet of B, with another content, rightly signed. */
function forged(
  last: Sent,
  change: Partial<ControlPacket>,
  { key = KEY, keyId = KEY_ID, ahead = 1 } = {},
): Uint8Array {
  const sequence = (last.packet.authentication!.sequence + ahead) >>> 0;
  const payload = emitPacket({
    ...last.packet,
    ...change,
    authentication: { keyId, sequence, digest: UNSIGNED },
  });
  sign(payload, key);
  return payload;
}

const altered = (payload: Uint8Array, at: number, value: number): Uint8Array => {
  const made = payload.slice();
  made[at] = value;
  return made;
};

/** What arrives, and what it is refused for. */
const CASES: Readonly<Record<Refusal, (of: ReturnType<typeof established>) => Arrival>> = {
  ttl: ({ input }) => ({ ...input, ttl: 254 }),
  source_port: ({ input }) => ({ ...input, sourcePort: 49_151 }),
  short: ({ input }) => ({ ...input, payload: input.payload.subarray(0, CONTROL.size - 1) }),
  version: ({ input }) => ({ ...input, payload: altered(input.payload, 0, 0) }),
  length: ({ input }) => ({ ...input, payload: input.payload.subarray(0, CONTROL.size + 1) }),
  multiplier: ({ input, last }) => ({ ...input, payload: forged(last, { multiplier: 0 }) }),
  multipoint: ({ input }) => ({ ...input, payload: altered(input.payload, 1, 0xc5) }),
  demand: ({ input }) => ({ ...input, payload: altered(input.payload, 1, 0xc6) }),
  my_discriminator: ({ input, last }) => ({ ...input, payload: forged(last, { myDiscriminator: 0 }) }),
  your_discriminator: ({ input, last }) => ({ ...input, payload: forged(last, { yourDiscriminator: 0 }) }),
  session: ({ input, last }) => ({
    ...input,
    payload: forged(last, { yourDiscriminator: last.packet.yourDiscriminator ^ 1 }),
  }),
  interface: ({ input, last }) => ({ ...input, interface: "GigabitEthernet0/1", payload: forged(last, {}) }),
  admin_down: ({ world, input, last }) => {
    world.step("a", { kind: "link", interface: INTERFACE, isUp: false });
    const { localDiscriminator } = world.view("a");
    return { ...input, payload: forged(last, { yourDiscriminator: localDiscriminator }) };
  },
  authentication_missing: ({ input, last }) => {
    const { authentication: _authentication, ...packet } = last.packet;
    return { ...input, payload: emitPacket(packet) };
  },
  authentication_unexpected: ({ input, last }) => {
    const authentication = { keyId: KEY_ID, sequence: 1, digest: UNSIGNED };
    return { ...input, payload: emitPacket({ ...last.packet, authentication }) };
  },
  authentication_type: ({ input }) => ({ ...input, payload: altered(input.payload, CONTROL.size, 4) }),
  authentication_key: ({ input, last }) => ({ ...input, payload: forged(last, {}, { keyId: 2 }) }),
  authentication_sequence: ({ input, last }) => ({ ...input, payload: forged(last, {}, { ahead: 0 }) }),
  authentication_digest: ({ input, last }) => ({
    ...input,
    payload: forged(last, {}, { key: keyOf("the key of somebody else") }),
  }),
};

describe("refused", () => {
  test.each(REFUSAL_NAMES)("%s", (refusal) => {
    const of = established(refusal === "authentication_unexpected" ? { key: undefined } : {});
    const { world } = of;
    const input = CASES[refusal](of);
    const before = { ...world.machines.a.counters.refused };
    const view = world.view("a");
    const { accepted } = world.machines.a.counters.events;
    expect(world.step("a", input)).toMatchObject([{ kind: "refused", refusal }]);
    expect(world.machines.a.counters.refused).toEqual({ ...before, [refusal]: before[refusal] + 1 });
    expect(world.machines.a.counters.events.accepted).toBe(accepted);
    expect(world.view("a")).toEqual(view);
  });

  test.each([
    ["from another address", { source: ADDRESSES.b + 1 }],
    ["to another address", { destination: ADDRESSES.a + 1 }],
  ])("interface: %s", (_name, change) => {
    const { world, input, last } = established();
    world.step("a", { ...input, payload: forged(last, {}), ...change });
    expect(world.machines.a.counters.refused.interface).toBe(1);
  });

  test("what is not refused is accepted: the same packet, rightly signed", () => {
    const { world, input, last } = established();
    const { received } = world.view("a");
    world.step("a", { ...input, payload: forged(last, {}) });
    expect(world.view("a").received).toBe(received + 1);
    const { events, refused } = world.machines.a.counters;
    const sum = Object.values(refused).reduce((total, count) => total + count, 0);
    expect(events.received).toBe(events.accepted + sum);
  });
});

describe("sequence numbers", () => {
  test("go round", () => {
    const world = new World();
    let drawn = 2 ** 32 - 16;
    world.random.u32 = () => drawn++ >>> 0;
    world.bootBoth().settle();
    const sequences = world.sentBy("b", 0).map(({ packet }) => packet.authentication!.sequence);
    expect(sequences.some((sequence, i) => i > 0 && sequence < sequences[i - 1]!)).toBe(true);
    expect(world.machines.a.counters.refused.authentication_sequence).toBe(0);
  });

  test("may be ahead as far as a neighbor comes within the detection time", () => {
    const { world, input, last } = established();
    world.step("a", { ...input, payload: forged(last, {}, { ahead: 2 ** 16 + 1 }) });
    expect(world.machines.a.counters.refused.authentication_sequence).toBe(1);
    world.step("a", { ...input, payload: forged(last, {}, { ahead: 2 ** 16 }) });
    expect(world.machines.a.counters.refused.authentication_sequence).toBe(1);
  });

  test("old packets again: none is believed", () => {
    const { world } = established();
    const old = world.sentBy("b", 0).map(({ send }) => arrivalOf(send));
    const before = world.view("a");
    for (const input of old) world.step("a", input);
    expect(world.machines.a.counters.refused.authentication_sequence).toBeGreaterThan(20);
    expect(world.view("a")).toEqual(before);
  });

  test("a recorded life does not keep a dead neighbor alive", () => {
    const { world } = established();
    const recorded = world.sentBy("b", 0).map(({ send }) => arrivalOf(send));
    world.kill("b").runFor(200);
    expect(world.machines.a.liveness(pathOf("a"))).toBe("silent");
    for (let i = 0; i < 3; i++) {
      for (const input of recorded) {
        world.step("a", input);
        world.runFor(1);
      }
    }
    expect(world.view("a").ups).toBe(1);
    expect(world.view("a").state).not.toBe("up");
  });
});

test("the sizes of what is signed", () => {
  const { last } = established();
  expect(last.send.payload).toHaveLength(CONTROL.size + SHA1_SECTION.size);
  expect(established({ key: undefined }).last.send.payload).toHaveLength(CONTROL.size);
});
