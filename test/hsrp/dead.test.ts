/** A neighbor that BFD says is dead, and a box that doubts that it is still Active. */
import { describe, expect, test } from "vitest";
import { addressOf } from "./golden.js";
import { oneLan, twoLans, type World } from "./world.js";

const ON = "GigabitEthernet0/0";
const A = addressOf("10.0.0.1");
const B = addressOf("10.0.0.2");
const down = (address: typeof A) =>
  ({ kind: "neighborDown", neighbors: [{ interface: ON, address }] }) as const;
/** A is Active, B stands by, and roles have been calm for long. */
const settled = (world: World = oneLan()): World => world.boot("A").run(30_000).boot("B").run(60_000);
const state = (world: World, name: string) => world.view(name).state;

describe("neighborDown", () => {
  test("of the Active router: the Standby router takes over at once, by the event of its timer", () => {
    const world = settled();
    world.crash("A");
    const nowMs = world.nowMs;
    world.input("B", down(A));
    expect(state(world, "B")).toBe("active");
    const [change] = world.actions("state", nowMs);
    expect(change!.action).toMatchObject({ event: "c", from: "standby", to: "active" });
    expect(world.view("B").active).toEqual({ kind: "local" });
  });

  test("of the Standby router: the Active router stays, and forgets it", () => {
    const world = settled();
    expect(world.view("A").standby).toMatchObject({ kind: "neighbor", address: B });
    world.crash("B").input("A", down(B));
    expect(state(world, "A")).toBe("active");
    expect(world.view("A").standby).toEqual({ kind: "unknown" });
  });

  test("of somebody else, or on another interface: nothing", () => {
    const world = settled();
    world.input("B", down(B)).input("B", down(addressOf("10.0.0.9")));
    world.input("B", { kind: "neighborDown", neighbors: [{ interface: "GigabitEthernet0/9", address: A }] });
    expect(state(world, "B")).toBe("standby");
    expect(world.view("B").active).toMatchObject({ kind: "neighbor", address: A });
  });

  test("in a state without a right to the role the way is the usual one", () => {
    const world = oneLan().boot("A").run(30_000).boot("B").run(1500);
    expect(state(world, "B")).toBe("listen");
    world.crash("A").input("B", down(A));
    expect(state(world, "B")).toBe("speak");
    world.run(4000);
    expect(state(world, "B")).toBe("active");
  });

  test("all groups at once", () => {
    const world = settled(twoLans());
    const neighbors = world.router("B").machine.neighbors();
    expect(neighbors).toHaveLength(2);
    world.crash("A").input("B", { kind: "neighborDown", neighbors });
    expect(world.router("B").machine.report().active).toHaveLength(2);
    expect(world.router("B").machine.neighbors()).toEqual([]);
  });
});

describe("doubt", () => {
  test("keeps an Active router silent, also about a hello that is overdue, until it is over", () => {
    const world = settled();
    const nowMs = world.nowMs + 1500;
    world.freeze("A").run(1500).freeze("A", false);
    world.input("A", { kind: "doubt", isDoubting: true });
    expect(world.sent("A", "hello", nowMs)).toEqual([]);
    world.run(1000);
    expect(world.sent("A", "hello", nowMs)).toEqual([]);
    expect(state(world, "A")).toBe("active");
    world.input("A", { kind: "doubt", isDoubting: false });
    expect(world.sent("A", "hello", nowMs)).toHaveLength(1);
  });

  test("lets it resign, and a Standby router speak", () => {
    const world = settled();
    const nowMs = world.nowMs;
    for (const name of ["A", "B"]) world.input(name, { kind: "doubt", isDoubting: true });
    world.run(4000);
    expect(world.sent("B", "hello", nowMs).length).toBeGreaterThan(0);
    world.input("A", { kind: "stop" });
    expect(world.sent("A", "resign", nowMs)).toHaveLength(1);
  });
});
