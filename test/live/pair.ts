/**
 * A pair of firewalls between two hosts, with a policy by which inside opens and outside opens nothing:
 *
 *     inside host ── "in" ──┬── eth0 a eth1 ──┬── "out" ── outside host
 *                           └── eth0 b eth1 ──┘
 *                                a eth2 ── "sync" ── eth2 b
 *
 * Its timers are those that a loaded machine with two processors keeps: what is shown is that no connection is lost, not
 * how short a gap can be (bench/live/).
 */
import type { HsrpGroupView } from "../../src/hsrp/index.js";
import type { RedundancyView } from "../../src/redundancy/index.js";
import { Firewall } from "./firewall.js";
import { type Box, Lab, type LabPlan } from "./lab.js";
import { monotonicMs, sleep, until } from "./system.js";
import { serve } from "./traffic.js";

export const ECHO_PORT = 7000;
export const INSIDE = { host: "10.1.0.10", gateway: "10.1.0.1", network: "10.1.0.0" };
export const OUTSIDE = { host: "10.2.0.10", gateway: "10.2.0.1", network: "10.2.0.0" };
export const ATTACKER = { inside: "10.1.0.66", outside: "10.2.0.66" };
/** Of HSRP version 1: the last byte is the number of the group (RFC 2281 §5.1). */
export const VIRTUAL_MAC = { inside: "00:00:0c:07:ac:01", outside: "00:00:0c:07:ac:02" };

export type Side = "a" | "b";
export const SIDES: readonly Side[] = ["a", "b"];
export const otherSide = (side: Side): Side => (side === "a" ? "b" : "a");

export const ADDRESSES: Readonly<Record<Side, { inside: string; outside: string; sync: string }>> = {
  a: { inside: "10.1.0.2", outside: "10.2.0.2", sync: "10.3.0.2" },
  b: { inside: "10.1.0.3", outside: "10.2.0.3", sync: "10.3.0.3" },
};

export const HELLO_MS = 200;
export const HOLD_MS = 1000;
/** Within that, a pair that may settle has settled, also on a busy machine. */
export const SETTLE_TIMEOUT_MS = 30_000;

const DEVICES = ["eth0", "eth1", "eth2"];
const NO_IPV6 = { "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1 };

const firewall = (side: Side) => ({
  ports: [
    { device: "eth0", lan: "in", mac: `02:00:00:00:01:0${side}` },
    { device: "eth1", lan: "out", mac: `02:00:00:00:02:0${side}` },
    { device: "eth2", lan: "sync", mac: `02:00:00:00:03:0${side}` },
  ],
  sysctls: NO_IPV6,
});

const host = (lan: string, own: { host: string; gateway: string }) => ({
  ports: [
    {
      device: "eth0",
      lan,
      addresses: [`${own.host}/24`],
      routes: [{ to: "default", via: own.gateway }],
    },
  ],
  sysctls: NO_IPV6,
});

const PLAN: LabPlan = {
  boxes: {
    inside: host("in", INSIDE),
    a: firewall("a"),
    b: firewall("b"),
    outside: host("out", OUTSIDE),
    // On both LANs, and up to no good.
    attacker: {
      ports: [
        { device: "eth0", lan: "in", addresses: [`${ATTACKER.inside}/24`] },
        { device: "eth1", lan: "out", addresses: [`${ATTACKER.outside}/24`] },
      ],
      sysctls: NO_IPV6,
    },
  },
};

export interface PairOptions {
  /** The first reply of a connection waits until the standby knows of it. */
  readonly defer?: boolean;
  /** BFD between the two, with detection after three such intervals. */
  readonly bfdMs?: number;
}

export function pairConfig(side: Side, { defer = false, bfdMs }: PairOptions = {}): string {
  const own = ADDRESSES[side];
  const peer = ADDRESSES[otherSide(side)];
  const bfd = bfdMs === undefined ? "" : ` bfd interval ${bfdMs} min_rx ${bfdMs} multiplier 3\n`;
  const group = (number: number, address: string, name: string, tracked: string) =>
    ` standby delay minimum 0 reload 0
 standby ${number} ip ${address}
 standby ${number} timers msec ${HELLO_MS} msec ${HOLD_MS}
 standby ${number} preempt
 standby ${number} authentication md5 key-string Hello-Key
 standby ${number} name ${name}
 standby ${number} track ${tracked}
${bfd}${bfd === "" ? "" : " standby bfd\n"}`;
  return `hostname ${side}
redundancy inter-device
 scheme standby INSIDE
redundancy
ipc zone default
 association 1
  no shutdown
  key-string Pair-Key
  protocol sctp
   local-port 5000
    local-ip ${own.sync}
    retransmit-timeout 300 600
    path-retransmit 4
    assoc-retransmit 4
   remote-port 5000
    remote-ip ${peer.sync}
ip inspect tcp max-incomplete host 5000 block-time 0
ip inspect name FW tcp
ip inspect name FW udp
ip inspect name FW icmp
${defer ? "ip inspect redundancy defer\n" : ""}interface GigabitEthernet0/0
 ip address ${own.inside} 255.255.255.0
 ip access-group INSIDE-IN in
${group(1, INSIDE.gateway, "INSIDE", "GigabitEthernet0/1")}interface GigabitEthernet0/1
 ip address ${own.outside} 255.255.255.0
 ip access-group OUTSIDE-IN in
 ip inspect FW out redundancy stateful INSIDE
${group(2, OUTSIDE.gateway, "OUTSIDE", "GigabitEthernet0/0")}interface GigabitEthernet0/2
 ip address ${own.sync} 255.255.255.0
${bfd}ip access-list extended INSIDE-IN
 permit ip ${INSIDE.network} 0.0.0.255 any
ip access-list extended OUTSIDE-IN
 permit udp host ${own.outside} host 224.0.0.2 eq 1985
 permit udp host ${peer.outside} host 224.0.0.2 eq 1985
${SIDES.map((each) => ` permit udp host ${ADDRESSES[each].outside} host ${ADDRESSES[otherSide(each)].outside} eq 3784\n`).join("")} deny   ip any any
end
`;
}

export class Pair {
  readonly lab: Lab;
  readonly inside: Box;
  readonly outside: Box;
  readonly #firewalls: Readonly<Record<Side, Firewall>>;

  /** A pair whose standby is hot, with an echo in the outside host. */
  static async build(options: PairOptions = {}): Promise<Pair> {
    const pair = new Pair(options);
    try {
      await serve(pair.outside, ECHO_PORT);
      await pair.start();
      return pair;
    } catch (error) {
      pair.close();
      throw error;
    }
  }

  /** The lab, and firewalls that are yet to be started. */
  constructor(options: PairOptions = {}) {
    this.lab = Lab.build(PLAN);
    this.inside = this.lab.box("inside");
    this.outside = this.lab.box("outside");
    const place = (side: Side) =>
      new Firewall(this.lab.box(side), {
        config: pairConfig(side, options),
        devices: DEVICES,
        options: ["--backend", "auto"],
      });
    this.#firewalls = { a: place("a"), b: place("b") };
  }

  firewall(side: Side): Firewall {
    return this.#firewalls[side];
  }

  /** Starts those that do not run, and waits until the pair is whole. */
  async start(): Promise<void> {
    const idle = SIDES.map((side) => this.#firewalls[side]).filter((each) => !each.isRunning);
    await Promise.all(idle.map((each) => each.start()));
    await this.untilWhole();
  }

  redundancy(side: Side): Promise<RedundancyView> {
    return this.#firewalls[side].show<RedundancyView>("show redundancy");
  }

  standby(side: Side): Promise<HsrpGroupView[]> {
    return this.#firewalls[side].show<HsrpGroupView[]>("show standby");
  }

  /** Who forwards, by both what redundancy and what every HSRP group of it says; undefined unless it is exactly one. */
  async active(): Promise<Side | undefined> {
    const actives: Side[] = [];
    for (const side of SIDES) {
      if (!this.#firewalls[side].isRunning) continue;
      const groups = await this.standby(side);
      const { role } = await this.redundancy(side);
      const active = groups.filter(({ stateText }) => stateText === "Active").length;
      if (active !== 0 && active !== groups.length) return undefined;
      if (active > 0 !== (role === "active")) return undefined;
      if (active > 0) actives.push(side);
    }
    return actives.length === 1 ? actives[0] : undefined;
  }

  /** Waits until one is active, the other hot, and both agree; who is active. */
  async untilWhole(timeoutMs = SETTLE_TIMEOUT_MS): Promise<Side> {
    let active: Side | undefined;
    await until(
      "one active and a hot standby",
      async () => {
        active = await this.active();
        if (active === undefined) return false;
        const own = await this.redundancy(active);
        const other = otherSide(active);
        if (!this.#firewalls[other].isRunning) return false;
        const peer = await this.redundancy(other);
        const groups = await this.standby(other);
        return (
          groups.every(({ stateText }) => stateText === "Standby") &&
          own.peer.name === "STANDBY HOT" &&
          peer.own.name === "STANDBY HOT" &&
          own.outOfSyncReason === undefined &&
          peer.outOfSyncReason === undefined
        );
      },
      timeoutMs,
    ).catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.describe()}`);
    });
    return active!;
  }

  /** Both boxes as they see themselves, for messages of failed tests. */
  async describe(): Promise<string> {
    const parts = SIDES.map(async (side) => {
      const each = this.#firewalls[side];
      if (!each.isRunning) return `--- ${side} does not run`;
      const shown = await each.type(
        "show standby brief",
        "show redundancy states",
        "show redundancy history",
      );
      return `--- ${side}\n${shown}${each.program.lines.slice(-15).join("\n")}`;
    });
    return (await Promise.all(parts)).join("\n");
  }

  close(): void {
    this.lab.close();
  }
}

/** Looks again and again who claims to be active, until stopped; for how long two did, in ms, as far as looks can tell. */
export class SplitBrainWatch {
  readonly #pair: Pair;
  #bothMs = 0;
  #isOver = false;
  readonly #done: Promise<void>;

  constructor(pair: Pair) {
    this.#pair = pair;
    this.#done = this.#look();
  }

  async #look(): Promise<void> {
    let lastMs = monotonicMs();
    while (!this.#isOver) {
      const claims = await Promise.all(SIDES.map((side) => this.#claims(side)));
      const nowMs = monotonicMs();
      if (claims.every(Boolean)) this.#bothMs += nowMs - lastMs;
      lastMs = nowMs;
      await sleep(LOOK_MS);
    }
  }

  /** One that hangs or is gone claims nothing that anybody could hear. */
  async #claims(side: Side): Promise<boolean> {
    if (!this.#pair.firewall(side).isRunning) return false;
    const asked = this.#pair.redundancy(side).then(
      ({ role }) => role === "active",
      () => false,
    );
    return Promise.race([asked, sleep(ANSWER_MS).then(() => false)]);
  }

  async stop(): Promise<number> {
    this.#isOver = true;
    await this.#done;
    return this.#bothMs;
  }
}

const LOOK_MS = 20;
const ANSWER_MS = 100;
