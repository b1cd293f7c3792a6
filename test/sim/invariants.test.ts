/**
 * Every invariant can fail: for each a pair, or what watches it, is broken on purpose, and the run ends with just that
 * one.
 */
import { afterEach, describe, expect, test } from "vitest";
import * as L from "../../assembly/layout.js";
import type { BoxName } from "../../src/pair/world.js";
import { SESSIONS_MAX } from "./boxes.js";
import type { FlowPlan } from "./flows.js";
import { Broken, INVARIANTS, type Invariant } from "./invariants.js";
import { Simulation } from "./simulation.js";
import { rolesOf, running, scenario, TRAFFIC } from "./story.js";
import { HSRP_LANS, INSIDE, PLAIN, SYNC_LINKS, type Variant } from "./variant.js";

const FOR_EVER_MS = 1e9;
const LONG_MS = 10 * PLAIN.holdMs;

let current: Simulation | undefined;
afterEach(() => current?.release());
const pair = (variant?: Partial<Variant>): Simulation => {
  current = running(variant);
  return current;
};

/** A box says that it is active now. */
function claim({ watch }: Simulation, box: BoxName, generation: number): void {
  watch.action(box, { kind: "role", role: "active", generation });
}

const once = (kind: FlowPlan["kind"]): FlowPlan => ({ ...TRAFFIC[0]!, kind, atMs: 0, turns: 1 });

/** A packet of the inside, decided without anybody who watches; the active begins a session for it. */
function slip(simulation: Simulation, sourcePort: number): void {
  const { world } = simulation;
  const { active } = rolesOf(simulation);
  const node = world.node(active)!;
  const flow = simulation.flows.find(({ plan }) => plan.kind === "udp")!;
  const sent: Uint8Array[] = [];
  simulation.gate.send = ({ frame }) => void sent.push(frame.slice());
  flow.start();
  const [frame] = sent;
  // The UDP header stands behind 14 bytes of Ethernet and 20 of IPv4; checksum 0 is none.
  new DataView(frame!.buffer).setUint16(34, sourcePort);
  new DataView(frame!.buffer).setUint16(40, 0);
  node.dataplane.batch.add(frame!, node.dataplane.interfaceNumber(INSIDE)!, 0);
  node.process(world.nowMs);
  node.dataplane.batch.clear();
}

const PROVOCATIONS: Readonly<Record<Invariant, () => void>> = {
  "one-active": () => {
    const simulation = pair();
    const { active, standby } = rolesOf(simulation);
    claim(simulation, standby, simulation.watch.roles.seen[active].generation);
    simulation.run(LONG_MS);
  },

  "one-owner": () => {
    const simulation = pair();
    simulation.watch.roles.seen[rolesOf(simulation).standby].groups.set(INSIDE, "active");
    simulation.run(LONG_MS);
  },

  admitted: () => {
    const line = "ip access-list extended INSIDE-IN\n 5 permit tcp any any eq telnet\n";
    pair({ extra: { A: line, B: line } });
  },

  "standby-silent": () => {
    const simulation = pair();
    const { standby } = rolesOf(simulation);
    simulation.gate.misdelivery = 1;
    simulation.world.node(standby)!.dataplane.sync.setRole("active", 1);
    simulation.run(LONG_MS);
  },

  invented: () => {
    const simulation = pair();
    slip(simulation, 9);
    simulation.watch.sample();
  },

  kept: () => {
    const simulation = pair();
    simulation.world.node(rolesOf(simulation).standby)!.dataplane.clearSessions();
    simulation.inject({ kind: "crash", box: "active", forMs: FOR_EVER_MS }).run(LONG_MS);
  },

  deferred: () => {
    const simulation = pair({ isDeferring: true });
    const { watch } = simulation;
    const left = watch.left.bind(watch);
    watch.left = (name, packet, session, wait) =>
      left(name, packet, session, wait === "given up" ? "acknowledged" : wait);
    simulation.inject({ kind: "cut", networks: SYNC_LINKS, from: undefined, forMs: FOR_EVER_MS });
    simulation.start([once("udp")]).run(400);
    simulation.inject({ kind: "crash", box: "active", forMs: FOR_EVER_MS }).run(LONG_MS);
  },

  vanished: () => {
    const simulation = pair();
    simulation.world.node(rolesOf(simulation).active)!.dataplane.clearSessions();
    simulation.run(LONG_MS);
  },

  generation: () => {
    const simulation = pair();
    claim(simulation, rolesOf(simulation).active, 0);
  },

  version: () => {
    const simulation = pair();
    const { bytes, plan, view } = simulation.core(rolesOf(simulation).active);
    for (let slot = 0; slot < plan.groups * L.GROUP_SLOTS; slot++) {
      const at = plan.regions.cold.at + slot * L.COLD_SIZE + L.COLD_VERSION;
      if (bytes[at] !== 0) view.setUint32(at, 0, true);
    }
    simulation.watch.sample();
  },

  buried: () => {
    const flow: FlowPlan = { ...once("tcp"), thinkMs: 4000, ending: "reset" };
    const simulation = new Simulation(scenario()).boot().settle().start([flow]);
    current = simulation;
    const core = simulation.run(2000).core(rolesOf(simulation).active);
    const before = core.copyState();
    simulation.run(4000);
    core.restoreState(before);
    simulation.watch.sample();
  },

  settles: () => {
    const networks = [...HSRP_LANS, ...SYNC_LINKS];
    pair().inject({ kind: "cut", networks, from: undefined, forMs: FOR_EVER_MS }).run(LONG_MS).settle();
  },

  calm: () => {
    const simulation = pair().mend();
    const { active } = rolesOf(simulation);
    const { generation } = simulation.watch.roles.seen[active];
    for (let i = 0; i < 6; i++) {
      simulation.watch.action(active, { kind: "role", role: "standby", generation });
      claim(simulation, active, generation);
    }
    simulation.compare();
  },

  equal: () => {
    const simulation = pair().quiet();
    simulation.world.node(rolesOf(simulation).standby)!.dataplane.clearSessions();
    simulation.compare();
  },

  alive: () => {
    const simulation = pair();
    simulation.gate.loss = 1;
    simulation.verify();
  },

  bounded: () => {
    const simulation = pair();
    const { sync } = simulation.world.node(rolesOf(simulation).active)!.dataplane;
    Object.defineProperty(sync, "queued", { get: () => SESSIONS_MAX + 1 });
    simulation.run(LONG_MS);
  },

  counted: () => {
    const simulation = pair();
    slip(simulation, 9);
    simulation.watch.checkCounters();
  },
};

describe("an invariant that does not hold ends the run", () => {
  test.each(Object.keys(INVARIANTS) as Invariant[])("%s", (invariant) => {
    const thrown = (() => {
      try {
        PROVOCATIONS[invariant]();
      } catch (error) {
        return error;
      }
      return undefined;
    })();
    expect(thrown).toBeInstanceOf(Broken);
    expect((thrown as Broken).message).toMatch(new RegExp(`^${invariant}: `));
  });
});
