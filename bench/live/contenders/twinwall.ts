/** twinwall, alone and as a pair: configurations written for the lab, `twinwall run` as it is built in dist/. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BfdNeighborView } from "../../../src/console/backend.js";
import type { Box } from "../../../test/live/lab.js";
import type { Program } from "../../../test/live/program.js";
import { monotonicMs, sleep, until } from "../../../test/live/system.js";
import { probe } from "../../../test/live/traffic.js";
import { ECHO, FIREWALL_CPU, INSIDE, OUTSIDE } from "../bed.js";
import {
  type Bulk,
  type Contender,
  LIST_LINES,
  listEntry,
  type PairContender,
  type PairOptions,
  type Policy,
  type RunningPair,
} from "../contender.js";
import { ADDRESSES, otherSide, type PairBed, type Side, SIDES } from "../pair-bed.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const MAIN = join(ROOT, "dist", "src", "main.js");

/** What the lab's networks have as mask, and as wildcard. */
const MASK = "255.255.0.0";
const WILDCARD = "0.0.255.255";
const SYNC_MASK = "255.255.255.0";
/** Sessions with one packet live so long: longer than any measurement. */
const UDP_IDLE_SECONDS = 600;
/** More than any measurement opens: of what is half-open none is to be given up. */
const HALF_OPEN_MAX = 2_147_483_647;

/** Room for the largest table that is asked for, and for new sessions beside it. */
const SESSIONS_MAX = 1 << 21;

const HOLD_HELLOS = 3;
/** `standby timers msec` has a hold time of at least so much. */
const HOLD_MIN_MS = 50;
/** Above, timers are given in seconds. */
const HELLO_MSEC_MAX = 999;
const BFD_MULTIPLIER = 3;

const inspection = `ip inspect max-incomplete low ${HALF_OPEN_MAX}
ip inspect max-incomplete high ${HALF_OPEN_MAX}
ip inspect one-minute low ${HALF_OPEN_MAX}
ip inspect one-minute high ${HALF_OPEN_MAX}
ip inspect tcp max-incomplete host ${HALF_OPEN_MAX} block-time 0
ip inspect udp idle-time ${UDP_IDLE_SECONDS}
ip inspect name FW tcp
ip inspect name FW udp
ip inspect name FW icmp
`;

/** What is denied is not looked for in a set: compiling lists is the contender's own business, so it has no policy "set". */
function insideList(policy: Policy): string {
  const entries = Array.from({ length: LIST_LINES }, (_, i) => listEntry(i));
  const denied =
    policy === "list"
      ? entries.map(({ host, port }) => ` deny   udp any host ${host} eq ${port}\n`).join("")
      : "";
  return `ip access-list extended INSIDE-IN\n${denied} permit ip ${INSIDE.network} ${WILDCARD} any\n`;
}

export function singleConfig(policy: Policy): string {
  return `hostname single
${inspection}
interface GigabitEthernet0/0
 ip address ${INSIDE.gateway} ${MASK}
 ip access-group INSIDE-IN in
interface GigabitEthernet0/1
 ip address ${OUTSIDE.gateway} ${MASK}
 ip access-group OUTSIDE-IN in
 ip inspect FW out
${insideList(policy)}ip access-list extended OUTSIDE-IN
 deny   ip any any
end
`;
}

/** Hellos, and how long their absence is borne. */
function timers(group: number, helloMs: number): string {
  const hold = Math.max(HOLD_HELLOS * helloMs, HOLD_MIN_MS);
  return helloMs > HELLO_MSEC_MAX
    ? `standby ${group} timers ${helloMs / 1000} ${hold / 1000}`
    : `standby ${group} timers msec ${helloMs} msec ${hold}`;
}

export function pairConfig(side: Side, { helloMs, bfdMs }: PairOptions): string {
  const own = ADDRESSES[side];
  const peer = ADDRESSES[otherSide(side)];
  const bfd =
    bfdMs === undefined ? "" : ` bfd interval ${bfdMs} min_rx ${bfdMs} multiplier ${BFD_MULTIPLIER}\n`;
  const standby = (
    group: number,
    address: string,
    name: string,
    tracked: string,
  ) => ` standby ${group} ip ${address}
 ${timers(group, helloMs)}
 standby ${group} preempt
 standby ${group} name ${name}
 standby ${group} track ${tracked}
${bfd}${bfdMs === undefined ? "" : ` standby bfd\n`}`;
  return `hostname ${side}
redundancy inter-device
 scheme standby INSIDE
redundancy
ipc zone default
 association 1
  no shutdown
  protocol sctp
   local-port 5000
    local-ip ${own.sync}
    retransmit-timeout 300 600
    path-retransmit 4
    assoc-retransmit 4
   remote-port 5000
    remote-ip ${peer.sync}
${inspection}
ip inspect redundancy defer
interface GigabitEthernet0/0
 ip address ${own.inside} ${MASK}
 ip access-group INSIDE-IN in
${standby(1, INSIDE.gateway, "INSIDE", "GigabitEthernet0/1")}interface GigabitEthernet0/1
 ip address ${own.outside} ${MASK}
 ip access-group OUTSIDE-IN in
 ip inspect FW out redundancy stateful INSIDE
${standby(2, OUTSIDE.gateway, "OUTSIDE", "GigabitEthernet0/0")}interface GigabitEthernet0/2
 ip address ${own.sync} ${SYNC_MASK}
${bfd}${insideList("stateful")}ip access-list extended OUTSIDE-IN
 permit udp host ${own.outside} host 224.0.0.2 eq 1985
 permit udp host ${peer.outside} host 224.0.0.2 eq 1985
 permit udp host ${own.outside} host ${peer.outside} eq 3784
 permit udp host ${peer.outside} host ${own.outside} eq 3784
 deny   ip any any
end
`;
}

/** A firewall that runs in a box, with the console by which it is asked. */
class Instance {
  readonly program: Program;
  readonly #box: Box;
  readonly #socket: string;

  constructor(box: Box, config: string, devices: readonly string[], cpu?: number) {
    this.#box = box;
    const file = join(box.directory, "twinwall.cfg");
    writeFileSync(file, config);
    this.#socket = join(box.directory, "console.sock");
    const maps = devices.flatMap((device, i) => ["--map", `GigabitEthernet0/${i}=${device}`]);
    this.program = box.start(
      process.execPath,
      [
        ...[MAIN, "run", "--config", file, ...maps, "--backend", "auto"],
        ...["--socket", this.#socket, "--sessions", String(SESSIONS_MAX)],
      ],
      { cpu, log: join(box.directory, "twinwall.log") },
    );
  }

  /** What the console answers to a command; empty while it does not. */
  ask(command: string): string {
    if (this.program.hasEnded)
      throw new Error(
        `twinwall ended with ${this.program.ending}:\n${this.program.lines.slice(-20).join("\n")}`,
      );
    try {
      return this.#box.run(process.execPath, [MAIN, "console", "--socket", this.#socket, command]);
    } catch {
      return "";
    }
  }
}

/** Why `twinwall run` cannot be measured. */
function missing(): string | undefined {
  if (!existsSync(MAIN)) return "not built: npm run build";
  const { status } = spawnSync(process.execPath, [MAIN, "run", "--help"]);
  return status === 0 ? undefined : "this build has no `twinwall run`";
}

const version = (): string =>
  `twinwall ${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version}, Node ${process.version}`;

export const twinwall: Contender = {
  name: "twinwall",
  policies: ["stateful", "list"],
  receivesOn: "sender",
  missing,
  version,
  async start({ firewall }, policy) {
    const { program } = new Instance(firewall, singleConfig(policy), ["eth0", "eth1"], FIREWALL_CPU);
    const backend = await program.line((line) => /AF_XDP|AF_PACKET/.test(line));
    return { note: /AF_(XDP|PACKET)[^;.]*/.exec(backend)![0], stop: () => program.stop() };
  },
};

const DEVICES = ["eth0", "eth1", "eth2"];
const SYNC_TIMEOUT_MS = 30_000;
const BULK_TIMEOUT_MS = 60_000;
const TRUST_TIMEOUT_MS = 150_000;

class TwinwallPair implements RunningPair {
  readonly #bed: PairBed;
  readonly #options: PairOptions;
  readonly #instances = new Map<Side, Instance>();

  constructor(bed: PairBed, options: PairOptions) {
    this.#bed = bed;
    this.#options = options;
    for (const side of SIDES) this.#begin(side);
  }

  #begin(side: Side): Instance {
    const instance = new Instance(this.#bed.box(side), pairConfig(side, this.#options), DEVICES);
    this.#instances.set(side, instance);
    return instance;
  }

  #ask(side: Side, command: string): string {
    return this.#instances.get(side)!.ask(command);
  }

  async untilInSync(): Promise<void> {
    const stream = await probe(this.#bed.inside, OUTSIDE.host, ECHO.port, { "interval-us": 5000 });
    const answers = async () => (await stream.report()).summary.p50Us !== null;
    await until("answers through the pair", answers, SYNC_TIMEOUT_MS);
    await stream.program.kill();
    const isHot = () =>
      /peer state = .*STANDBY HOT/i.test(this.#ask(this.active(), "show redundancy states"));
    await until("the standby is hot", isHot, SYNC_TIMEOUT_MS);
    if (this.#options.bfdMs !== undefined)
      await until(
        "the silence of every BFD session means something",
        () => SIDES.every((side) => this.#isTrusted(side)),
        TRUST_TIMEOUT_MS,
      );
  }

  #isTrusted(side: Side): boolean {
    const answer = this.#ask(side, "show bfd neighbors details | json");
    const neighbors = answer === "" ? [] : (JSON.parse(answer) as BfdNeighborView[]);
    const isTrusted = ({ state, stateAgeMs, trustMs }: BfdNeighborView) =>
      state === "Up" && stateAgeMs > trustMs;
    return neighbors.length === DEVICES.length && neighbors.every(isTrusted);
  }

  active(): Side {
    return /my state = .*ACTIVE/.test(this.#ask("a", "show redundancy states")) ? "a" : "b";
  }

  async sessions(side: Side): Promise<number> {
    const text = this.#ask(side, "show ip inspect ha statistics");
    const which = side === this.active() ? "active" : "standby";
    return Number(new RegExp(`${which} sessions\\D*(\\d+)`, "i").exec(text)?.[1] ?? Number.NaN);
  }

  /** The standby is started anew: it has no other way of forgetting. Its start is not counted, its asking is. */
  async bulk(standby: Side, expected: number): Promise<Bulk> {
    await this.#instances.get(standby)!.program.kill();
    this.#begin(standby);
    await until(
      "the new standby answers",
      () => this.#ask(standby, "show redundancy states") !== "",
      SYNC_TIMEOUT_MS,
    );
    const beginMs = monotonicMs();
    let arrived = 0;
    while (arrived < expected && monotonicMs() - beginMs < BULK_TIMEOUT_MS) {
      arrived = (await this.sessions(standby)) || 0;
      await sleep(5);
    }
    // Copies are in the table that forwards: there is nothing to commit.
    const arriveMs = monotonicMs() - beginMs;
    return { arrived, arriveMs, usableMs: arriveMs };
  }

  async stop(): Promise<void> {
    for (const { program } of this.#instances.values()) await program.stop();
  }
}

export const twinwallPair: PairContender = {
  name: "twinwall",
  hasBfd: true,
  helloMinMs: 15,
  missing,
  version,
  async start(bed, options) {
    const pair = new TwinwallPair(bed, options);
    await pair.untilInSync();
    return pair;
  },
};
