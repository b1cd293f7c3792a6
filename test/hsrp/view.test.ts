/** What `show standby` will show. */
import { expect, test } from "vitest";
import { addressOf } from "./golden.js";
import { oneLan } from "./world.js";

const ON = "GigabitEthernet0/0";

test("the Active router", () => {
  const both = [
    "standby 1 name HAin",
    "standby 1 preempt delay minimum 5",
    "standby 1 track Serial0/0",
    "standby 1 authentication text abc",
  ];
  const world = oneLan({ both }).boot("A").run(20_000).boot("B").run(40_400);
  expect(world.view("A")).toEqual({
    interface: ON,
    group: 1,
    family: 4,
    version: 1,
    key: "HAin",
    name: "HAin",
    state: "active",
    stateText: "Active",
    stateChanges: 4,
    changedAgoMs: 54_400,
    virtualAddress: addressOf("10.0.0.3"),
    isVirtualAddressLearned: false,
    secondaryAddresses: [],
    localVirtualMac: "0000.0c07.ac01",
    localVirtualMacOrigin: "default",
    isVirtualMacInUse: true,
    timers: { helloMs: 1000, holdMs: 3000 },
    configuredTimers: { helloMs: 1000, holdMs: 3000 },
    nextHelloInMs: 600,
    authentication: { kind: "text", text: "abc" },
    preempt: { minimumMs: 5000, reloadMs: 0, syncMs: 0 },
    active: { kind: "local" },
    standby: { kind: "neighbor", address: addressOf("10.0.0.2"), priority: 100, expiresInMs: 2601 },
    priority: 100,
    configuredPriority: 100,
    tracks: [{ object: "Serial0/0", isUp: true, decrement: 10, isShutdown: false }],
    tie: ["HAin"],
  });
});

test("the Standby router", () => {
  const both = ["standby version 2", "standby 1 authentication md5 key-string secret"];
  const world = oneLan({ both }).boot("A").run(20_000).boot("B").run(40_400);
  const view = world.view("B");
  expect(view).toMatchObject({
    state: "standby",
    isVirtualMacInUse: false,
    active: {
      kind: "neighbor",
      address: addressOf("10.0.0.1"),
      priority: 100,
      mac: "0200.0000.0001",
      expiresInMs: 2601,
    },
    standby: { kind: "local" },
    key: `${ON}:1`,
  });
  expect(view.name).toBeUndefined();
  expect(view.preempt).toBeUndefined();
  // A key is nobody's to see.
  expect(view.authentication).toEqual({ kind: "md5" });
  expect(
    JSON.stringify(view, (_name, value) => (typeof value === "bigint" ? `${value}` : value)),
  ).not.toContain("secret");
});

test("a router that knows nobody", () => {
  const world = oneLan().boot("A").run(1000);
  const view = world.view("A");
  expect(view).toMatchObject({ active: { kind: "unknown" }, standby: { kind: "unknown" }, state: "listen" });
  expect(view.nextHelloInMs).toBeUndefined();
});

test("a preemption that is waited for tells how long", () => {
  const world = oneLan({ B: ["standby 1 priority 110", "standby 1 preempt delay minimum 30"] });
  world.boot("A").run(20_500).boot("B");
  expect(world.view("B").preemptsInMs).toBeUndefined();
  world.run(10_501);
  expect(world.view("B").preemptsInMs).toBe(20_000);
});

test("copies are independent, and equal until they are treated differently", () => {
  const world = oneLan().boot("A").run(20_000).boot("B").run(20_000);
  const { machine } = world.router("A");
  const copy = machine.clone();
  expect(copy.fingerprint()).toBe(machine.fingerprint());
  expect(copy.deadlineMs).toBe(machine.deadlineMs);
  copy.step({ kind: "stop" }, world.nowMs);
  expect(copy.fingerprint()).not.toBe(machine.fingerprint());
  expect(machine.views(world.nowMs)[0]!.state).toBe("active");
});

test("fingerprints do not tell the time of day", () => {
  const early = oneLan().boot("A").run(20_000).router("A").machine.fingerprint();
  const late = oneLan().run(123_456).boot("A").run(20_000).router("A").machine.fingerprint();
  expect(late).toBe(early);
});
