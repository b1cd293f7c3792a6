/** Who is measured: one firewall (`Contender`) or two that stand in for each other (`PairContender`). */
import { spawnSync } from "node:child_process";
import { hasCommand } from "../../test/live/system.js";
import type { Bed } from "./bed.js";
import type { PairBed, Side } from "./pair-bed.js";

/**
 * What the policy says besides "inside opens, outside answers". none: nothing, not even that (no firewall).
 * stateful: no more. list: 1,000 lines of a list stand before the one that matches, for every packet that the contender looks up in it;
 * set: the same as the contender's own fast form of a list.
 */
export type Policy = "none" | "stateful" | "list" | "set";

/** Lines of the long list; none of them matches what is sent. */
export const LIST_LINES = 1000;

/** Line number i denies this UDP port of this host. */
export function listEntry(i: number): { readonly host: string; readonly port: number } {
  return { host: `192.0.2.${i % 250}`, port: 20_000 + i };
}

export interface Running {
  /** Ends it and takes back what it has set up in the lab. */
  stop(): Promise<void>;
  /** What to know of how it ran: `AF_XDP, driver mode`. */
  readonly note?: string;
}

export interface Contender {
  readonly name: string;
  readonly policies: readonly Policy[];
  /**
   * Where the kernel receives for it. own: on the processor of the firewall, where the kernel's own forwarding works too.
   * sender: on that of the sender; else what arrives keeps a process on the firewall's processor from ever running.
   */
  readonly receivesOn: "own" | "sender";
  /** Can it carry segments of 64 KiB that the kernel merged? If not, why. */
  readonly noSegments?: string;
  /** Why it cannot run here; undefined when it can. */
  missing(): string | undefined;
  version(): string;
  start(bed: Bed, policy: Policy): Promise<Running>;
}

export interface PairOptions {
  /** Interval of hellos; three of them missing make a dead peer. */
  readonly helloMs: number;
  /** Interval of BFD, where the contender has it. */
  readonly bfdMs?: number;
}

/** Time from asking for all sessions until they are there, and until they are in force. */
export interface Bulk {
  readonly arrived: number;
  readonly arriveMs: number;
  readonly usableMs: number;
}

export interface RunningPair {
  /** The one that forwards. */
  active(): Side;
  /** Sessions that a box knows, as its own or as copies. */
  sessions(side: Side): Promise<number>;
  /** Has the standby forget all, and ask for all. */
  bulk(standby: Side, expected: number): Promise<Bulk>;
  stop(): Promise<void>;
  readonly note?: string;
}

export interface PairContender {
  readonly name: string;
  readonly hasBfd: boolean;
  /** Hellos do not come more often. */
  readonly helloMinMs: number;
  missing(): string | undefined;
  version(): string;
  /** Starts both, and returns when one is active and the other in sync with it. */
  start(bed: PairBed, options: PairOptions): Promise<RunningPair>;
}

export function missingCommands(...commands: readonly string[]): string | undefined {
  const missing = commands.filter((command) => !hasCommand(command));
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/** The first line that a command says about its version. */
export function versionOf(command: string, ...parameters: readonly string[]): string {
  const { stdout, stderr } = spawnSync(command, parameters, { encoding: "utf8" });
  return (stdout || stderr).split("\n")[0]!.trim();
}
