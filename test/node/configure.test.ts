/** Another configuration for a running pair, one box after the other, under traffic: no session is lost, no role flaps. */
import { afterEach, describe, expect, test } from "vitest";
import type { Config } from "../../src/config/model.js";
import { parse } from "../../src/config/parse.js";
import type { NodeAction } from "../../src/node.js";
import { BOX_NAMES, type BoxName } from "../../src/pair/world.js";
import { ConfigError } from "../../src/prepare.js";
import { macsOf } from "../sim/boxes.js";
import type { FlowPlan } from "../sim/flows.js";
import { otherBox } from "../sim/roles.js";
import { Simulation } from "../sim/simulation.js";
import { configText, PLAIN, SYNC_LINKS } from "../sim/variant.js";

const FLOWS: readonly FlowPlan[] = (["tcp", "published", "udp", "echo", "tcp", "stream"] as const).map(
  (kind, i) => ({
    kind,
    atMs: 10 * i,
    turns: Number.POSITIVE_INFINITY,
    requestBytes: 100,
    replyBytes: 1500,
    thinkMs: 40,
    ending: "client",
  }),
);

/** How the text of a box changes. */
type Edit = (text: string, name: BoxName) => string;

const replace =
  (from: string | RegExp, to: string): Edit =>
  (text) => {
    expect(text).toMatch(from);
    return text.replaceAll(from instanceof RegExp ? new RegExp(from, "g") : from, to);
  };

class Pair {
  readonly simulation = new Simulation({
    seed: 1,
    variant: PLAIN,
    bootDelayMs: 0,
    isSettledFirst: true,
    chaosMs: 0,
    faults: [],
    hostLoss: 0,
    misdelivery: 0,
    flows: FLOWS,
  });
  readonly actions: { name: BoxName; action: NodeAction }[] = [];
  readonly texts = Object.fromEntries(BOX_NAMES.map((name) => [name, configText(name, PLAIN)]));

  /** Settled, with traffic. */
  start(): this {
    this.simulation.boot().settle().start(FLOWS).run(1000);
    return this;
  }

  get active(): BoxName {
    return this.simulation.find("active")!;
  }

  get standby(): BoxName {
    return otherBox(this.active);
  }

  /** Gives a box its text, edited; what it did at once. */
  configure(name: BoxName, edit: Edit): readonly NodeAction[] {
    const text = edit(this.texts[name]!, name);
    const actions = this.give(name, configOf(text));
    this.texts[name] = text;
    return actions;
  }

  give(name: BoxName, config: Config): readonly NodeAction[] {
    const { world } = this.simulation;
    const actions = world
      .node(name)!
      .step({ kind: "configure", config, macs: macsOf(name, config) }, world.nowMs);
    world.act(name, actions);
    return actions;
  }

  sessions(name: BoxName): string[] {
    return [...this.simulation.world.node(name)!.dataplane.sessions()].map(({ id }) => id).sort();
  }
}

function configOf(text: string): Config {
  const { config, diagnostics } = parse(text);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.map(({ message, text: line }) => `${message}: ${line}`)).toEqual([]);
  return config;
}

let pair: Pair;
afterEach(() => pair.simulation.release());

/** The boxes may differ for so long; less than a hold time, since some changes make hellos worthless. */
const BETWEEN_MS = 100;

/** Both boxes are given a change, and go on: what neither flow nor role noticed. */
function expectUnnoticed(edit: Edit, order: readonly ("active" | "standby")[] = ["active", "standby"]): void {
  const { simulation } = pair;
  const { active } = pair;
  const before = { active, changes: simulation.watch.roles.changes, sessions: pair.sessions(active) };
  const names = order.map((role) => pair[role]);
  for (const name of names) {
    pair.configure(name, edit);
    simulation.run(BETWEEN_MS);
  }
  simulation.settle().run(300).verify();
  const kept = new Set(pair.sessions(active));
  expect({
    active: pair.active,
    changes: simulation.watch.roles.changes,
    sessions: before.sessions.filter((id) => kept.has(id)),
  }).toEqual(before);
}

const CHANGES: Readonly<Record<string, Edit>> = {
  "an entry of an access list": replace(" deny   tcp any any eq telnet", " deny   tcp any any range 20 25"),
  "another address of an access list": replace("10.1.1.80 eq www", "10.1.1.80 eq www log"),
  "a time of the inspection": replace("finwait-time 1", "finwait-time 2"),
  "the interval of updates": replace("update msec 100", "update msec 40"),
  "the timers of the groups": replace("timers msec 100 msec 350", "timers msec 60 msec 400"),
  "the keys of the groups": replace("key-string Sim-Key", "key-string Other-Key timeout 5"),
  "a virtual address": replace("standby 1 ip 10.1.1.1", "standby 1 ip 10.1.1.7"),
  "the name of the group that is followed": replace(/\bINSIDE\b(?!-)/, "OFFICE"),
  "the name of another group": replace("name OUTSIDE", "name WORLD"),
  "the timers of the association": replace("assoc-retransmit 2", "assoc-retransmit 3"),
  "the ports of the association": replace(/(local|remote)-port 5000/, "$1-port 5050"),
  "how the association travels: another port": replace(
    "protocol sctp",
    "protocol sctp\n   encapsulation udp 9900",
  ),
  "how the association travels: over IP": (text) =>
    text.replace(/ {3}encapsulation .*\n/, "").replace("protocol sctp", "protocol sctp\n   encapsulation ip"),
  "the shared key": replace("Simulated-Key", "Another-Key"),
  "the names of the boxes": (text, name) => replace("hostname Router", `hostname Wall${name}`)(text, name),
  "a path of the association": replace(/((?:local|remote)-ip \S+) \S+/, "$1"),
  "a route": replace("203.0.113.254", "203.0.113.253"),
  "an interface": (text) => `${text}\ninterface GigabitEthernet0/9\n ip address 172.16.9.1 255.255.255.0\n`,
};

describe("one box after the other", () => {
  test.each(Object.keys(CHANGES))("%s", (what) => {
    pair = new Pair().start();
    expectUnnoticed(CHANGES[what]!);
    pair.simulation.quiet().compare();
  });

  test("all of that, one after the other, the standby first", () => {
    pair = new Pair().start();
    for (const edit of Object.values(CHANGES)) expectUnnoticed(edit, ["standby", "active"]);
    pair.simulation.quiet().compare();
  });
});

describe("what only one box is told", () => {
  test("another policy there is a mismatch: the standby waits until both have the same", () => {
    pair = new Pair().start();
    const { simulation, standby, active } = pair;
    const edit = CHANGES["an entry of an access list"]!;
    pair.configure(active, edit);
    simulation.run(200);
    expect(simulation.world.node(standby)!.redundancy.view.machine).toBe("negotiation");
    expect(simulation.world.node(active)!.redundancy.view.findings.map(({ item }) => item)).toEqual([
      "accessLists",
    ]);
    pair.configure(standby, edit);
    simulation.settle();
    expect(pair.active).toBe(active);
  });

  test("another scheme is no reload, and the log says so", () => {
    pair = new Pair().start();
    const actions = pair.configure(pair.active, CHANGES["the name of the group that is followed"]!);
    const lines = actions.flatMap((action) => (action.kind === "log" ? [action.text] : []));
    expect(lines).toContainEqual(expect.stringMatching(/^%RF_INTERDEV-5-SCHEME: .*without a reload/));
    expect(actions.filter(({ kind }) => kind === "role")).toEqual([]);
    pair.simulation.run(1000);
    expect(
      pair.simulation.world.node(pair.active)!.redundancy.view.findings.map(({ item }) => item),
    ).toContain("group");
  });
});

describe("the association", () => {
  test("is left alone by what does not concern it", () => {
    pair = new Pair().start();
    const { world } = pair.simulation;
    const endpoint = world.node(pair.active)!.sctp;
    for (const name of BOX_NAMES) pair.configure(name, CHANGES["the timers of the groups"]!);
    pair.simulation.run(1000);
    expect(world.node(pair.active)!.sctp).toBe(endpoint);
    expect(endpoint!.view()).toMatchObject({
      state: "ESTABLISHED",
      counters: { associations: 1, restarts: 0 },
    });
  });

  test("ends with an ABORT that still goes the old way when its addresses change", () => {
    pair = new Pair().start();
    const { active } = pair;
    const sent = pair
      .configure(active, replace(/local-ip \S+ \S+/, "local-ip 10.255.9.2"))
      .filter(
        (action) => action.kind === "send" && (SYNC_LINKS as readonly string[]).includes(action.interface),
      );
    expect(sent.length).toBe(1);
    pair.simulation.run(100);
    expect(pair.active).toBe(active);
    expect(pair.simulation.world.node(pair.standby)!.redundancy.view.machine).toBe("negotiation");
  });

  test("is gone when it is shut down, and comes again", () => {
    pair = new Pair().start();
    const { simulation, active, standby } = pair;
    const { changes } = simulation.watch.roles;
    pair.configure(standby, replace("no shutdown", "shutdown"));
    simulation.run(1000);
    expect(simulation.world.node(standby)!.sctp).toBeUndefined();
    pair.configure(standby, replace("shutdown", "no shutdown"));
    simulation.settle();
    expect([pair.active, simulation.watch.roles.changes]).toEqual([active, changes]);
  });
});

describe("half of a pair or a box alone", () => {
  const alone: Edit = (text) =>
    text.replace(/redundancy inter-device\n.*\n/, "").replaceAll(/ redundancy stateful \S+/g, "");

  test("a standby that is no half of a pair any more forwards what it gets; made one again, it stands by", () => {
    pair = new Pair().start();
    const { simulation, active, standby } = pair;
    const box = simulation.world.node(standby)!;
    expect(box.dataplane.sync.role).toBe("standby");
    const before = pair.texts[standby]!;
    pair.give(standby, configOf(alone(before, standby)));
    expect(box.dataplane.sync.role).toBe("active");
    expect(box.redundancy.view.machine).toBe("disabled");
    pair.give(standby, configOf(before));
    expect(box.dataplane.sync.role).toBe("standby");
    simulation.settle();
    expect(pair.active).toBe(active);
  });
});

describe("a configuration that cannot be used", () => {
  test("is refused as a whole: nothing of it is in force", () => {
    pair = new Pair().start();
    const { world } = pair.simulation;
    const { active } = pair;
    const node = world.node(active)!;
    const before = [node.hsrp.fingerprint(), node.redundancy.fingerprint(), node.dataplane.config];
    const config = configOf(pair.texts[active]!.replace("priority 100", "priority 50"));
    const [list] = config.accessLists.values();
    list!.entries = Array.from({ length: 100 }, (_, i) => ({ ...list!.entries[0]!, sequence: 10 * i + 10 }));
    expect(() => pair.give(active, config)).toThrow(ConfigError);
    expect([node.hsrp.fingerprint(), node.redundancy.fingerprint(), node.dataplane.config]).toEqual(before);
  });
});

test("after a trap of the core the new one has the configuration in force", () => {
  pair = new Pair().start();
  const { world } = pair.simulation;
  const { standby } = pair;
  pair.configure(standby, CHANGES["an entry of an access list"]!);
  pair.configure(pair.active, CHANGES["an entry of an access list"]!);
  const { config } = world.node(standby)!.dataplane;
  world.act(standby, world.node(standby)!.step({ kind: "trap" }, world.nowMs));
  expect(world.node(standby)!.dataplane.config).toBe(config);
  pair.simulation.settle();
});
