/**
 * Routers on LANs in virtual time. A router is an HSRP machine made from a configuration; a LAN carries what its
 * members send, with a delay, unless a link is down or the LAN is parted. Everything that happens is kept.
 */
import { parse } from "../../src/config/parse.js";
import {
  type HsrpAction,
  type HsrpGroupView,
  type HsrpInput,
  type HsrpOptions,
  type HsrpReport,
  Hsrp,
  optionsOf,
  type SendAction,
  type StateAction,
} from "../../src/hsrp/index.js";
import type { Mac } from "../../src/frame.js";
import { parsePacket } from "../../src/hsrp/packet.js";
import { isRefused } from "../../src/hsrp/refusals.js";
import type { Opcode } from "../../src/hsrp/wire.js";

/** The IOS text of a router as a value; an error in it is an error of the test. */
export function configOf(text: string) {
  const { config, diagnostics } = parse(text);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ message, text }) => `${message}: ${text}`).join("\n"));
  return config;
}

/** Options for a router whose interfaces have MAC addresses that end in `host`. */
export function optionsFor(text: string, host = 1, changes: Partial<HsrpOptions> = {}): HsrpOptions {
  const config = configOf(text);
  const macs = new Map<string, Mac>(
    [...config.interfaces.keys()].map((name, i) => [name, `0200.000${i}.000${host}`]),
  );
  return { ...optionsOf(config, { macs, random: () => 0 }), ...changes };
}

interface Router {
  name: string;
  options: HsrpOptions;
  machine: Hsrp;
  isRunning: boolean;
  /** Hears nothing, and its timers wait. */
  isFrozen: boolean;
}

export interface Happening {
  atMs: number;
  router: string;
  action: HsrpAction;
}

/** One whose action is of a kind. */
export type Happened<K extends HsrpAction["kind"]> = Happening & { action: Extract<HsrpAction, { kind: K }> };

export type Lan = readonly (readonly [router: string, interfaceName: string])[];

interface Delivery {
  atMs: number;
  from: string;
  to: string;
  interface: string;
  action: SendAction;
}

const DELAY_MS = 1;

/** What routers know of each other over a synchronisation link: reports, and how often the role was taken. */
interface Told {
  /** Grows whenever the router becomes Active in a group, beyond the greatest that it heard of. */
  generation: number;
  greatest: number;
  /** What was sent last, as a text. */
  sent: string;
  heard?: { report: HsrpReport; generation: number };
}

interface Report {
  atMs: number;
  from: string;
  to: string;
  report: HsrpReport;
  generation: number;
}

export class World {
  nowMs = 0;
  readonly happenings: Happening[] = [];
  readonly #routers = new Map<string, Router>();
  readonly #lans: readonly Lan[];
  readonly #parted = new Set<Lan>();
  #deliveries: Delivery[] = [];
  readonly #told = new Map<string, Told>();
  #reports: Report[] = [];
  /** Of the synchronisation link; undefined: there is none. */
  #linkDelayMs: number | undefined;
  /** After how long each copy of a packet arrives; none: it is lost. */
  network: (action: SendAction, from: string, to: string) => readonly number[] = () => [DELAY_MS];

  constructor(routers: Readonly<Record<string, HsrpOptions>>, lans: readonly Lan[]) {
    this.#lans = lans;
    for (const [name, options] of Object.entries(routers)) {
      this.#routers.set(name, {
        name,
        options,
        machine: new Hsrp(options),
        isRunning: false,
        isFrozen: false,
      });
    }
  }

  /** Starts a router with empty memory, all links up. */
  boot(...names: string[]): this {
    for (const name of names) {
      const router = this.router(name);
      router.machine = new Hsrp(router.options);
      router.isRunning = true;
      router.isFrozen = false;
      this.#told.set(name, { generation: 0, greatest: 0, sent: "" });
      for (const each of router.options.interfaces)
        this.input(name, { kind: "link", interface: each.name, isUp: true });
    }
    return this;
  }

  /** Gives a running router another configuration. */
  configure(name: string, options: HsrpOptions): this {
    this.router(name).options = options;
    return this.input(name, { kind: "configure", options });
  }

  crash(name: string): this {
    this.router(name).isRunning = false;
    return this;
  }

  freeze(name: string, isFrozen = true): this {
    this.router(name).isFrozen = isFrozen;
    return this;
  }

  link(name: string, interfaceName: string, isUp: boolean): this {
    return this.input(name, { kind: "link", interface: interfaceName, isUp });
  }

  /** Keeps the members of a LAN apart, links up. */
  part(lan: number, isParted = true): this {
    const each = this.#lans[lan]!;
    if (isParted) this.#parted.add(each);
    else this.#parted.delete(each);
    return this;
  }

  input(name: string, input: HsrpInput): this {
    const router = this.router(name);
    const actions = router.machine.step(input, this.nowMs);
    for (const action of actions) {
      this.happenings.push({ atMs: this.nowMs, router: name, action });
      if (action.kind === "send") this.#send(name, action);
    }
    const told = this.#told.get(name);
    if (told !== undefined && actions.some((action) => action.kind === "state" && action.to === "active")) {
      told.greatest += 1;
      told.generation = told.greatest;
      if (told.heard !== undefined) this.#hear(name);
    }
    if (this.#linkDelayMs !== undefined) this.#tell(name);
    return this;
  }

  /** Joins all routers by a synchronisation link with this delay. */
  synchronise(delayMs: number): this {
    this.#linkDelayMs = delayMs;
    for (const name of this.#routers.keys()) this.#tell(name);
    return this;
  }

  /** Cuts the synchronisation link; both ends notice after a while. */
  unsynchronise(noticedAfterMs: number): this {
    this.#linkDelayMs = undefined;
    this.#reports = [];
    this.run(noticedAfterMs);
    for (const { name, isRunning } of this.#routers.values()) {
      const told = this.#told.get(name)!;
      told.heard = undefined;
      told.sent = "";
      if (isRunning) this.input(name, { kind: "peer", generation: "equal" });
    }
    return this;
  }

  #tell(name: string): void {
    const told = this.#told.get(name);
    if (told === undefined || !this.router(name).isRunning) return;
    const report = this.router(name).machine.report();
    const text = `${report.active} ${told.generation}`;
    if (text === told.sent) return;
    told.sent = text;
    for (const to of this.#routers.keys()) {
      const { generation } = told;
      if (to !== name)
        this.#reports.push({ atMs: this.nowMs + this.#linkDelayMs!, from: name, to, report, generation });
    }
  }

  #hear(name: string): void {
    const { generation: own, heard } = this.#told.get(name)!;
    const { report, generation: theirs } = heard!;
    const generation = theirs === own ? "equal" : theirs > own ? "ahead" : "behind";
    this.input(name, { kind: "peer", report, generation });
  }

  /** Lets time pass; whatever is due at its end has happened. */
  run(ms: number): this {
    const endMs = this.nowMs + ms;
    for (;;) {
      const running = [...this.#routers.values()].filter(({ isRunning, isFrozen }) => isRunning && !isFrozen);
      const times = [
        ...running.map(({ machine }) => machine.deadlineMs),
        ...this.#deliveries.map(({ atMs }) => atMs),
        ...this.#reports.map(({ atMs }) => atMs),
      ];
      const nextMs = Math.max(this.nowMs, Math.min(...times, Number.POSITIVE_INFINITY));
      if (nextMs > endMs) break;
      this.nowMs = nextMs;
      const due = this.#deliveries.filter(({ atMs }) => atMs <= nextMs);
      this.#deliveries = this.#deliveries.filter(({ atMs }) => atMs > nextMs);
      for (const delivery of due) this.#deliver(delivery);
      const reports = this.#reports.filter(({ atMs }) => atMs <= nextMs);
      this.#reports = this.#reports.filter(({ atMs }) => atMs > nextMs);
      for (const { to, report, generation } of reports) {
        const { isRunning, isFrozen } = this.router(to);
        if (!isRunning || isFrozen) continue;
        const told = this.#told.get(to)!;
        told.heard = { report, generation };
        told.greatest = Math.max(told.greatest, generation);
        this.#hear(to);
      }
      for (const router of running) {
        if (router.machine.deadlineMs <= nextMs) this.input(router.name, { kind: "tick" });
      }
    }
    this.nowMs = endMs;
    return this;
  }

  /** Runs until `isDone`, at most so long; returns how long it took. */
  until(isDone: () => boolean, withinMs: number, stepMs = 1): number {
    const startMs = this.nowMs;
    while (!isDone()) {
      if (this.nowMs - startMs >= withinMs) throw new Error(`not within ${withinMs} ms:\n${this.story()}`);
      this.run(stepMs);
    }
    return this.nowMs - startMs;
  }

  router(name: string): Router {
    const router = this.#routers.get(name);
    if (router === undefined) throw new Error(`no router ${name}`);
    return router;
  }

  view(name: string, group = 0): HsrpGroupView {
    return this.router(name).machine.views(this.nowMs)[group]!;
  }

  state(name: string, group = 0): string {
    return this.view(name, group).state;
  }

  /** States of all groups of all running routers, `A:active,standby B:...`. */
  states(): string {
    return [...this.#routers.values()]
      .filter(({ isRunning }) => isRunning)
      .map(({ name, machine }) => `${name}:${machine.views(this.nowMs).map(({ state }) => state)}`)
      .join(" ");
  }

  actions<K extends HsrpAction["kind"]>(kind: K, sinceMs = 0): Happened<K>[] {
    return this.happenings.filter(
      ({ action, atMs }) => action.kind === kind && atMs >= sinceMs,
    ) as Happened<K>[];
  }

  /** When a router sent packets of one operation. */
  sent(name: string, opcode: Opcode, sinceMs = 0): number[] {
    const { interfaces } = this.router(name).options;
    return this.actions("send", sinceMs)
      .filter(({ router, action }) => {
        if (router !== name) return false;
        const { version } = interfaces.find((each) => each.name === action.interface)!;
        const parsed = parsePacket(action.payload, version);
        if (isRefused(parsed)) throw new Error(`${name} sent what is refused: ${parsed.refusal}`);
        const { message } = parsed.value;
        return message.kind === "group" && message.opcode === opcode;
      })
      .map(({ atMs }) => atMs);
  }

  /** When a router changed its state, and to which. */
  changes(name: string, sinceMs = 0): [number, string][] {
    return this.actions("state", sinceMs)
      .filter(({ router }) => router === name)
      .map(({ atMs, action }) => [atMs, action.to]);
  }

  logs(sinceMs = 0): string[] {
    return this.actions("log", sinceMs).map(({ action }) => action.text);
  }

  /** Changes of state, `1000 A 1 listen>speak c/Active timer expired`. */
  story(sinceMs = 0): string {
    const line = (atMs: number, router: string, { group, from, to, cause }: StateAction) =>
      `${atMs} ${router} ${group} ${from}>${to} ${cause}`;
    return this.actions("state", sinceMs)
      .map(({ atMs, router, action }) => line(atMs, router, action))
      .join("\n");
  }

  #send(from: string, action: SendAction): void {
    for (const lan of this.#lans) {
      if (this.#parted.has(lan) || !lan.some(([name, on]) => name === from && on === action.interface))
        continue;
      for (const [to, on] of lan) {
        if (to === from) continue;
        for (const delayMs of this.network(action, from, to)) {
          this.#deliveries.push({ atMs: this.nowMs + delayMs, from, to, interface: on, action });
        }
      }
    }
  }

  #deliver({ to, interface: on, action }: Delivery): void {
    const { isRunning, isFrozen } = this.router(to);
    if (!isRunning || isFrozen) return;
    const { source, destination, ttl, payload, sourceMac } = action;
    this.input(to, { kind: "packet", interface: on, source, destination, ttl, payload, sourceMac });
  }
}

/** One LAN, one group: routers A and B, 10.0.0.1 and 10.0.0.2, whose group 1 has these `standby` lines. */
export function oneLan(
  lines: { A?: readonly string[]; B?: readonly string[]; both?: readonly string[] } = {},
  changes: Partial<HsrpOptions> = {},
): World {
  const { A = [], B = [], both = [] } = lines;
  const text = (host: number, own: readonly string[]) =>
    [
      "interface GigabitEthernet0/0",
      ` ip address 10.0.0.${host} 255.255.255.0`,
      " standby delay minimum 0 reload 0",
      " standby 1 ip 10.0.0.3",
      " standby 1 timers 1 3",
      ...[...both, ...own].map((line) => ` ${line}`),
    ].join("\n");
  const routers = { A: optionsFor(text(1, A), 1, changes), B: optionsFor(text(2, B), 2, changes) };
  return new World(routers, [
    [
      ["A", "GigabitEthernet0/0"],
      ["B", "GigabitEthernet0/0"],
    ],
  ]);
}

export const INSIDE = "GigabitEthernet0/0";
export const OUTSIDE = "GigabitEthernet0/1";

/** Routers A and B with an inside and an outside group, which track each other's interface. */
export function twoLans(
  lines: {
    A?: readonly string[];
    B?: readonly string[];
    inside?: readonly string[];
    outside?: readonly string[];
  } = {},
  changes: Partial<HsrpOptions> = {},
): World {
  const { A = [], B = [], inside = ["standby 1 preempt"], outside = ["standby 2 preempt"] } = lines;
  const own = (all: readonly string[], group: number) =>
    all.filter((line) => line.startsWith(`standby ${group} `));
  const text = (host: number, ours: readonly string[]) =>
    [
      `interface ${INSIDE}`,
      ` ip address 10.0.0.${host} 255.255.255.0`,
      " standby delay minimum 0 reload 0",
      " standby 1 ip 10.0.0.3",
      " standby 1 timers 1 3",
      " standby 1 name IN",
      ` standby 1 track ${OUTSIDE}`,
      ...[...inside, ...own(ours, 1)].map((line) => ` ${line}`),
      `interface ${OUTSIDE}`,
      ` ip address 192.0.2.${host} 255.255.255.0`,
      " standby delay minimum 0 reload 0",
      " standby 2 ip 192.0.2.3",
      " standby 2 timers 1 3",
      " standby 2 name OUT",
      ` standby 2 track ${INSIDE}`,
      ...[...outside, ...own(ours, 2)].map((line) => ` ${line}`),
    ].join("\n");
  const routers = { A: optionsFor(text(1, A), 1, changes), B: optionsFor(text(2, B), 2, changes) };
  return new World(routers, [
    [
      ["A", INSIDE],
      ["B", INSIDE],
    ],
    [
      ["A", OUTSIDE],
      ["B", OUTSIDE],
    ],
  ]);
}
