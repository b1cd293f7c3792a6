/** What may fail in a pair, one thing at a time, and how to know that it has got over it. */
import { otherSide, type Pair, type Side } from "./pair.js";
import { until } from "./system.js";

/** Far above what the timers allow (hold time 1 s): for a machine that is busy. */
export const GAP_MAX_MS = 8000;
/** How long a fault lasts that nobody takes over from. */
export const FAULT_MS = 2500;

export interface Fault {
  readonly name: string;
  /** Brings the fault about; the pair is whole. */
  readonly fail: (pair: Pair, active: Side) => void | Promise<void>;
  /** Takes it back; programs that ended are started anew after it. */
  readonly mend?: (pair: Pair, active: Side) => void | Promise<void>;
  /** Who is active by the fault: the other one takes over, or the same stays, or what the fault itself has waited for. */
  readonly winner: "same" | "other" | "either";
}

const standbyOf = (pair: Pair, active: Side) => pair.firewall(otherSide(active));

export const FAULTS: readonly Fault[] = [
  { name: "kill -9 of the active", fail: (pair, active) => pair.firewall(active).kill(), winner: "other" },
  {
    name: "the inside link of the active",
    fail: (pair, active) => pair.lab.link(active, "eth0").cut("lan"),
    mend: (pair, active) => pair.lab.link(active, "eth0").mend(),
    winner: "other",
  },
  {
    name: "the outside link of the active",
    fail: (pair, active) => pair.lab.link(active, "eth1").cut("lan"),
    mend: (pair, active) => pair.lab.link(active, "eth1").mend(),
    winner: "other",
  },
  {
    name: "the power of the active",
    fail: (pair, active) => pair.lab.powerOff(active),
    mend: (pair, active) => pair.lab.powerOn(active),
    winner: "other",
  },
  {
    name: "a hang of the active",
    fail: (pair, active) => pair.firewall(active).program.signal("SIGSTOP"),
    mend: (pair, active) => pair.firewall(active).program.signal("SIGCONT"),
    winner: "other",
  },
  {
    name: "the sync link",
    fail: (pair, active) => pair.lab.link(active, "eth2").cut("lan"),
    mend: (pair, active) => pair.lab.link(active, "eth2").mend(),
    winner: "same",
  },
  { name: "kill -9 of the standby", fail: (pair, active) => standbyOf(pair, active).kill(), winner: "same" },
  {
    name: "failback: the killed box returns, and the other is killed",
    fail: async (pair, active) => {
      await pair.firewall(active).kill();
      await untilActive(pair, otherSide(active));
      await pair.start();
      await pair.firewall(otherSide(active)).kill();
      await untilActive(pair, active);
    },
    winner: "either",
  },
  {
    name: "both restarted, one after the other",
    fail: async (pair, active) => {
      await standbyOf(pair, active).stop();
      await pair.start();
      await pair.firewall(active).stop();
      await untilActive(pair, otherSide(active));
    },
    winner: "either",
  },
  {
    name: "a partition between the boxes",
    fail: (pair) => pair.lab.separate("a", "b"),
    mend: (pair) => pair.lab.join(),
    winner: "either",
  },
  {
    name: "the standby is cut off from everything",
    fail: (pair, active) => {
      for (const link of pair.lab.links(otherSide(active))) link.cut("silent");
    },
    mend: (pair, active) => {
      for (const link of pair.lab.links(otherSide(active))) link.mend();
    },
    winner: "either",
  },
];

export async function untilActive(pair: Pair, side: Side): Promise<void> {
  await until(
    `${side} is active`,
    async () => (await pair.redundancy(side)).role === "active" && (await isForwarding(pair, side)),
    GAP_MAX_MS,
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}\n${await pair.describe()}`);
  });
}

async function isForwarding(pair: Pair, side: Side): Promise<boolean> {
  return (await pair.standby(side)).every(({ stateText }) => stateText === "Active");
}

/** What `show ip inspect ha statistics` gives, as far as it is looked at here. */
export interface SyncFigures {
  readonly view: {
    readonly queued: number;
    readonly unacknowledgedBytes: number;
  };
  readonly counters: { readonly deferred: number };
}

export const syncOf = (pair: Pair, side: Side) =>
  pair.firewall(side).show<SyncFigures>("show ip inspect ha statistics");

/** The standby has acknowledged all that the active knows. */
export async function untilCopied(pair: Pair, active: Side): Promise<void> {
  await until("the standby knows all connections", async () => {
    const { view } = await syncOf(pair, active);
    return view.queued === 0 && view.unacknowledgedBytes === 0;
  });
}
