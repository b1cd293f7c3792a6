/**
 * Holds the core against the model: the same frames through both, every verdict compared, then the counters and the
 * sessions. A difference comes with the shortest sequence of frames that still shows it.
 */
import type { Dataplane } from "../../src/index.js";
import { formatAddress } from "../../src/ip.js";
import { type ModelCounters, ModelFirewall } from "./firewall.js";
import type { Frame, Outcome } from "./packet.js";
import { Random } from "./random.js";
import type { Session } from "./sessions.js";
import { Traffic } from "./traffic.js";
import { configOf, ROOMY, type World } from "./worlds.js";

/** Largest batch that the comparison gives to the core. */
export const BATCH_MAX = 64;
/** Calls after which the counters are compared, and the sessions one by one. */
const COUNTERS_EVERY = 8;
const SESSIONS_EVERY = 256;
/** The number for an interface name that the configuration does not have. */
const NO_INTERFACE = 64;
/** Calls of it that the report shows, and bytes of each frame. */
const REPORTED_CALLS = 12;
const REPORTED_BYTES = 112;
/** A shorter sequence is searched for no longer than this. */
const SHRINK_MS = 20_000;

export type MakeDataplane = (world: World) => Dataplane;

/** The frames of one call. */
export interface Call {
  frames: Frame[];
  nowMs: number;
}

/** Where core and model part. */
export interface Difference {
  what: string;
  /** Cookie of the frame, counted from 0; undefined: counters or sessions. */
  packet: number | undefined;
  model: string;
  core: string;
}

/** Both firewalls, side by side. */
class Pair {
  readonly model: ModelFirewall;
  private readonly core: Dataplane;
  private readonly ruleNames: string[];
  /** The table gets full, and what counts is what has expired by then. */
  private readonly isTight: boolean;
  private nowMs = 0;
  private calls = 0;

  constructor(world: World, make: MakeDataplane) {
    const config = configOf(world);
    this.model = new ModelFirewall(config, world.options);
    this.core = make(world);
    this.isTight = world.options.capacity?.sessions !== ROOMY;
    this.ruleNames = this.core.rules().map(({ list, sequence }) => `${list} ${sequence}`);
  }

  /** One call of both. */
  process({ frames, nowMs }: Call): Difference | undefined {
    const { core, model } = this;
    const hasMoved = nowMs > this.nowMs;
    this.nowMs = Math.max(this.nowMs, nowMs);
    if (this.isTight && hasMoved) {
      const difference = this.sweep();
      if (difference !== undefined) return difference;
    }
    const { batch } = core;
    batch.clear();
    for (const frame of frames) {
      const { bytes, wireLength, ethertype, offload, cookie } = frame;
      const checksumOk = offload !== undefined;
      const headerChecksumOk = offload === "all";
      const ingress = frame.ingress === undefined ? 0 : (core.interfaceNumber(frame.ingress) ?? NO_INTERFACE);
      if (!batch.add(bytes, ingress, cookie, { wireLength, ethertype, checksumOk, headerChecksumOk }))
        throw new Error("the batch has no room");
    }
    const outputs = this.outputs(core.process(nowMs));
    const outcomes = model.process(frames, nowMs);
    const difference = compareOutcomes(outcomes, outputs) ?? compareReleased(frames, outcomes, outputs);
    if (difference !== undefined) return difference;
    this.calls++;
    if (this.calls % SESSIONS_EVERY === 0)
      return this.sweep() ?? this.compareCounters() ?? this.compareSessions();
    return this.calls % COUNTERS_EVERY === 0 ? (this.sweep() ?? this.compareCounters()) : undefined;
  }

  /** Expired sessions go from both: the core looks for them little by little, the model when it has to. */
  private sweep(): Difference | undefined {
    const swept = this.outputs(this.core.expire(this.nowMs));
    return compareOutcomes(this.model.expire(this.nowMs), swept);
  }

  /** The end: held fragments are given up, everything is compared once more. */
  finish(): Difference | undefined {
    const outputs = this.outputs(this.core.flush(this.nowMs));
    return (
      compareOutcomes(this.model.flush(), outputs) ??
      this.sweep() ??
      this.compareCounters() ??
      this.compareSessions() ??
      this.compareHits()
    );
  }

  private outputs(count: number): Outcome[] {
    const { batch, interfaces } = this.core;
    return Array.from({ length: count }, (_, i) => {
      const ingress = batch.ingress(i);
      const id = batch.session(i);
      return {
        cookie: batch.cookie(i),
        verdict: batch.verdict(i),
        reason: batch.reason(i),
        ingress: ingress === 0 ? undefined : (interfaces[ingress] ?? "no interface"),
        egress: interfaces[batch.egress(i)] || undefined,
        rule: this.ruleNames[batch.rule(i) - 1],
        sessionKey: undefined,
        sessionId: id === 0n ? undefined : Number(id),
      };
    });
  }

  private compareCounters(): Difference | undefined {
    const { counters } = this.model;
    const core = this.core.counters();
    const reasons = Object.entries(core.reasons).filter(([name]) => name !== "held");
    const ours = [...counters.reasons].filter(([name]) => name !== "held");
    const text = (rows: [string, { packets: number; bytes: number }][]) =>
      rows
        .map(([name, { packets, bytes }]) => `${name} ${packets}/${bytes}`)
        .sort()
        .join(", ");
    const { tcp, udp, icmp, other, closed, evicted, reopened, expired, current, halfOpen } = core.sessions;
    return (
      different("reasons", text(ours), text(reasons)) ??
      different("held", String(this.model.heldNow()), String(core.verdicts.held.packets)) ??
      different("created", JSON.stringify(counters.created), JSON.stringify({ tcp, udp, icmp, other })) ??
      different(
        "ended",
        JSON.stringify(counters.ended),
        JSON.stringify({ expired, closed, evicted, reopened }),
      ) ??
      different("SYNs passed", String(counters.synIgnored), String(core.synIgnored)) ??
      different("datagrams", String(counters.datagrams), String(core.datagrams)) ??
      different(
        "sessions, half-open",
        `${this.model.sessions.size} ${this.model.sessions.halfOpenCount()}`,
        `${current} ${halfOpen}`,
      )
    );
  }

  private compareSessions(): Difference | undefined {
    const ours = this.model.sessions.all().map((session) => this.sessionText(session));
    const theirs = [...this.core.sessions()].map((session) => {
      const {
        family,
        protocol,
        state,
        service,
        initiator,
        responder,
        createdMs,
        idleMs,
        timeoutMs,
        halfOpen,
      } = session;
      const port = (end: { port: number }) => (isOther(family, protocol) ? "" : end.port);
      const ends = [initiator, responder].map(
        (end) => `${end.address} ${port(end)} ${end.interface} ${end.bytes}`,
      );
      const times = `created ${createdMs} idle ${idleMs} timeout ${timeoutMs}`;
      return `${protocol} ${ends.join(" > ")} ${state} ${halfOpen} ${service} ${times}`;
    });
    const [missing] = ours.filter((text) => !theirs.includes(text)).sort();
    const [extra] = theirs.filter((text) => !ours.includes(text)).sort();
    return different("sessions", missing ?? "", extra ?? "");
  }

  private sessionText(session: Session): string {
    const { kind, family, source, destination, sourceInterface, destinationInterface, service } = session;
    const icmp = family === 4 ? 1 : 58;
    const protocol = { tcp: 6, udp: 17, echo: icmp, timestamp: icmp, other: source.port }[kind];
    const port = (end: { port: number }) => (isOther(family, protocol) ? "" : end.port);
    const ends = [
      `${formatAddress(source.address)} ${port(source)} ${sourceInterface} ${session.sourceBytes}`,
      `${formatAddress(destination.address)} ${port(destination)} ${destinationInterface} ${session.destinationBytes}`,
    ];
    const state = session.tcp?.state.toLowerCase() ?? (session.halfOpen ? "opening" : "open");
    const { createdMs, timeoutMs, halfOpen } = session;
    const times = `created ${createdMs} idle ${this.nowMs - session.lastMs} timeout ${timeoutMs}`;
    return `${protocol} ${ends.join(" > ")} ${state} ${halfOpen} ${service} ${times}`;
  }

  private compareHits(): Difference | undefined {
    const theirs = this.core
      .rules()
      .map(({ family, list, sequence, hits }) => `${family} ${list} ${sequence}: ${hits}`);
    const ours = this.core.rules().map(({ family, list, sequence }) => {
      const key = `${family} ${list} ${sequence}`;
      return `${key}: ${this.model.policy.hits.get(key) ?? 0}`;
    });
    return different("rule hits", ours.join(", "), theirs.join(", "));
  }
}

function isOther(family: 4 | 6, protocol: number): boolean {
  return ![6, 17, family === 4 ? 1 : 58].includes(protocol);
}

function different(what: string, model: string, core: string): Difference | undefined {
  return model === core ? undefined : { what, packet: undefined, model, core };
}

const wordOf = ({ verdict, reason, ingress, egress, rule, sessionId }: Outcome): string =>
  `${verdict} ${reason} in ${ingress} out ${egress} rule ${rule} session ${sessionId}`;

/** Compares outcomes by cookie; a frame that was held and released in one call has two, in this order. */
function compareOutcomes(model: Outcome[], core: Outcome[]): Difference | undefined {
  const byCookie = new Map<number, Outcome[]>();
  for (const outcome of model) {
    const known = byCookie.get(outcome.cookie);
    if (known === undefined) byCookie.set(outcome.cookie, [outcome]);
    else known.push(outcome);
  }
  for (const outcome of core) {
    const expected = byCookie.get(outcome.cookie)?.shift();
    if (expected === undefined || !isEqual(expected, outcome)) {
      const packet = outcome.cookie;
      return { what: "verdict", packet, model: expected ? wordOf(expected) : "none", core: wordOf(outcome) };
    }
  }
  for (const [packet, [outcome]] of byCookie) {
    if (outcome !== undefined) return { what: "verdict", packet, model: wordOf(outcome), core: "none" };
  }
  return undefined;
}

/**
 * Fragments that the frames of the call released: behind those frames, one datagram after the other, each in order of
 * arrival. (Those that have waited their time come in any order.)
 */
function compareReleased(frames: Frame[], model: Outcome[], core: Outcome[]): Difference | undefined {
  const own = new Set(frames.map(({ cookie }) => cookie));
  const released = model.filter(({ cookie }) => !own.delete(cookie));
  const text = (outcomes: Outcome[]) => {
    const inOrder = outcomes.filter(({ reason }) => reason !== "fragment_timeout");
    return inOrder.map(({ cookie }) => cookie).join(" ");
  };
  return different("order of released fragments", text(released), text(core.slice(frames.length)));
}

function isEqual(a: Outcome, b: Outcome): boolean {
  return (
    a.verdict === b.verdict &&
    a.reason === b.reason &&
    (a.ingress === b.ingress || (b.ingress === "no interface" && a.reason === "interface_down")) &&
    a.egress === b.egress &&
    a.rule === b.rule &&
    a.sessionId === b.sessionId
  );
}

/** The first difference that a sequence of calls shows. */
function firstDifference(world: World, make: MakeDataplane, calls: readonly Call[]): Difference | undefined {
  const pair = new Pair(world, make);
  for (const call of calls) {
    const difference = pair.process(call);
    if (difference !== undefined) return difference;
  }
  return pair.finish();
}

/**
 * Runs `packets` frames of one seed through core and model.
 * @returns the counters of both. Throws with a report on a difference.
 */
export function compare(world: World, make: MakeDataplane, seed: number, packets: number): ModelCounters {
  const r = new Random(seed ^ 0x5bd1e995);
  const traffic = new Traffic(new Random(seed), world.surroundings);
  const pair = new Pair(world, make);
  const calls: Call[] = [];
  for (let sent = 0; sent < packets; ) {
    const size = Math.min(r.between(1, BATCH_MAX), packets - sent);
    const arriving = Array.from({ length: size }, () => traffic.next());
    const call = { frames: arriving.map(({ frame }) => frame), nowMs: arriving[0]!.atMs };
    calls.push(call);
    sent += size;
    const difference = pair.process(call);
    if (difference !== undefined) throw new Error(report(world, make, seed, calls, difference));
  }
  const difference = pair.finish();
  if (difference !== undefined) throw new Error(report(world, make, seed, calls, difference));
  return pair.model.counters;
}

function report(
  world: World,
  make: MakeDataplane,
  seed: number,
  calls: Call[],
  difference: Difference,
): string {
  const lines = [
    `world "${world.name}", seed ${seed}: ${difference.what} of packet ${difference.packet}`,
    `  model: ${difference.model}`,
    `  core:  ${difference.core}`,
  ];
  const shortest = shrink(world, make, calls, difference.what);
  lines.push(`shortest sequence found: ${shortest.length} calls`);
  for (const { frames, nowMs } of shortest.slice(-REPORTED_CALLS)) {
    lines.push(`call with ${frames.length} frames`);
    for (const { cookie, ingress, ethertype, offload, wireLength, bytes } of frames) {
      const type = ethertype === undefined ? "" : ` ethertype ${ethertype.toString(16)}`;
      const offloaded = offload === undefined ? "" : ` offload ${offload}`;
      lines.push(`at ${nowMs} ms, packet ${cookie} on ${ingress}, ${wireLength} bytes${type}${offloaded}`);
      lines.push(hexdump(bytes.subarray(0, REPORTED_BYTES)));
    }
  }
  const last = firstDifference(world, make, shortest);
  if (last !== undefined)
    lines.push(`${last.what} ${last.packet}`, `  model: ${last.model}`, `  core:  ${last.core}`);
  return lines.join("\n");
}

/** Leaves out calls, then frames, as long as a difference of the same kind remains. */
function shrink(world: World, make: MakeDataplane, calls: Call[], what: string): Call[] {
  const deadline = performance.now() + SHRINK_MS;
  const shows = (some: Call[]) => firstDifference(world, make, some)?.what === what;
  let best = leaveOut(calls, shows, deadline);
  const single = best.flatMap(({ frames, nowMs }) => frames.map((frame) => ({ frames: [frame], nowMs })));
  if (shows(single)) return leaveOut(single, shows, deadline);
  for (let i = 0; i < best.length; i++) {
    const { frames, nowMs } = best[i]!;
    const withFrames = (some: Frame[]) => best.with(i, { frames: some, nowMs });
    best = withFrames(leaveOut(frames, (some) => shows(withFrames(some)), deadline));
  }
  return best;
}

/** Leaves out ever smaller parts of `items`, from the end, as long as `shows` holds for the rest. */
function leaveOut<T>(items: T[], shows: (some: T[]) => boolean, deadline: number): T[] {
  let best = items;
  for (let chunk = Math.ceil(best.length / 2); chunk >= 1; chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2)) {
    for (let end = best.length; end > 0; end -= chunk) {
      if (performance.now() > deadline) return best;
      const without = [...best.slice(0, Math.max(0, end - chunk)), ...best.slice(end)];
      if (shows(without)) best = without;
    }
  }
  return best;
}

export function hexdump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, "0"));
    rows.push(`  ${at.toString(16).padStart(4, "0")}  ${row.join(" ")}`);
  }
  return rows.join("\n");
}
