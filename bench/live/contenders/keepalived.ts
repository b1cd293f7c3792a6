/** keepalived for the addresses, conntrackd for the sessions, nftables for the policy: what an operator would build. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Program } from "../../../test/live/program.js";
import { monotonicMs, sleep, until } from "../../../test/live/system.js";
import { INSIDE, OUTSIDE, PREFIX_LENGTH } from "../bed.js";
import {
  type Bulk,
  missingCommands,
  type PairContender,
  type PairOptions,
  type RunningPair,
  versionOf,
} from "../contender.js";
import { ADDRESSES, otherSide, type PairBed, type Side, SIDES, SYNC_PREFIX_LENGTH } from "../pair-bed.js";
import { filterByKernel, forwardByKernel } from "./kernel.js";

/** Twice the largest table that is asked for, as its manual advises. */
const CACHE_MAX = 1 << 22;
const CACHE_BUCKETS = 1 << 19;
const NETLINK_BUFFER_BYTES = 64 << 20;
const SYNC_PORT = 3780;

/** Mode FTFW: reliable, with a cache of the other's sessions outside of the kernel until they are needed. */
const conntrackdConfig = (directory: string, side: Side) => `Sync {
  Mode FTFW {
  }
  UDP {
    IPv4_address ${ADDRESSES[side].sync}
    IPv4_Destination_Address ${ADDRESSES[otherSide(side)].sync}
    Port ${SYNC_PORT}
    Interface eth2
    SndSocketBuffer 16777216
    RcvSocketBuffer 16777216
    Checksum on
  }
}
General {
  HashSize ${CACHE_BUCKETS}
  HashLimit ${CACHE_MAX}
  LogFile ${join(directory, "conntrackd.log")}
  LockFile ${join(directory, "conntrackd.lock")}
  UNIX {
    Path ${join(directory, "conntrackd.ctl")}
  }
  NetlinkBufferSize ${NETLINK_BUFFER_BYTES}
  NetlinkBufferSizeMaxGrowth ${NETLINK_BUFFER_BYTES}
  Filter From Userspace {
    Protocol Accept {
      TCP
      UDP
      ICMP
    }
    Address Ignore {
      IPv4_address 127.0.0.1
      IPv4_address ${ADDRESSES[side].sync}
      IPv4_address ${ADDRESSES[otherSide(side)].sync}
    }
  }
}
`;

/** What its documentation has a box do that becomes master or backup (primary-backup.sh there). */
const notifyScript = (configuration: string, state: string) => {
  const ask = (...letters: string[]) =>
    letters.map((letter) => `conntrackd -C ${configuration} -${letter}`).join("\n");
  const commands = state === "master" ? ask("c", "f", "R", "B") : ask("t", "n");
  return `#!/bin/sh\n${commands}\ntrue\n`;
};

const keepalivedConfig = (directory: string, side: Side, { helloMs }: PairOptions) => {
  const instance = (name: string, device: string, id: number, address: string) => `vrrp_instance ${name} {
  state BACKUP
  interface ${device}
  virtual_router_id ${id}
  priority ${side === "a" ? 110 : 100}
  advert_int ${helloMs / 1000}
  nopreempt
  virtual_ipaddress {
    ${address}/${PREFIX_LENGTH} dev ${device}
  }
}
`;
  return `global_defs {
  router_id ${side}
  vrrp_version 3
  script_user root
  enable_script_security
}
vrrp_sync_group both {
  group {
    inside
    outside
  }
  notify_master ${join(directory, "master.sh")}
  notify_backup ${join(directory, "backup.sh")}
}
${instance("inside", "eth0", 1, INSIDE.gateway)}${instance("outside", "eth1", 2, OUTSIDE.gateway)}`;
};

class KeepalivedPair implements RunningPair {
  readonly note = "conntrackd FTFW over UDP, kept in its cache until the take-over";
  readonly #bed: PairBed;
  readonly #daemons = new Map<Side, Program>();

  constructor(bed: PairBed) {
    this.#bed = bed;
  }

  async start(options: PairOptions): Promise<void> {
    for (const side of SIDES) {
      const box = this.#bed.box(side);
      forwardByKernel(box, ADDRESSES[side].inside, ADDRESSES[side].outside);
      box.run("ip", ["address", "add", `${ADDRESSES[side].sync}/${SYNC_PREFIX_LENGTH}`, "dev", "eth2"]);
      filterByKernel(box, "stateful");
      writeFileSync(this.#configuration(side), conntrackdConfig(box.directory, side));
      for (const state of ["master", "backup"]) {
        const script = join(box.directory, `${state}.sh`);
        writeFileSync(script, notifyScript(this.#configuration(side), state));
        chmodSync(script, 0o755);
      }
      await this.#startConntrackd(side);
    }
    for (const side of SIDES) {
      const { directory } = this.#bed.box(side);
      const file = join(directory, "keepalived.conf");
      writeFileSync(file, keepalivedConfig(directory, side, options));
      const pids = ["-p", join(directory, "keepalived.pid"), "-r", join(directory, "vrrp.pid")];
      this.#bed.box(side).start("keepalived", ["-n", "-l", "-P", "-f", file, ...pids], {
        log: join(directory, "keepalived.log"),
      });
    }
    await until("one master", () => SIDES.some((side) => this.#isMaster(side)), 15_000);
    // The scripts of both run once more, and both ask for what the other has.
    await sleep(1000);
  }

  #configuration(side: Side): string {
    return join(this.#bed.box(side).directory, "conntrackd.conf");
  }

  async #startConntrackd(side: Side): Promise<void> {
    const daemon = this.#bed.box(side).start("conntrackd", ["-C", this.#configuration(side)]);
    this.#daemons.set(side, daemon);
    await until(`conntrackd of ${side}`, () => {
      if (daemon.hasEnded) throw new Error(`conntrackd: ${daemon.lines.join("\n")}`);
      try {
        this.#ask(side, "-s");
        return true;
      } catch {
        return false;
      }
    });
  }

  #ask(side: Side, ...parameters: string[]): string {
    return this.#bed.box(side).run("conntrackd", ["-C", this.#configuration(side), ...parameters]);
  }

  #isMaster(side: Side): boolean {
    return this.#bed
      .box(side)
      .run("ip", ["-brief", "address", "show", "eth0"])
      .includes(`${INSIDE.gateway}/`);
  }

  active(): Side {
    return this.#isMaster("a") ? "a" : "b";
  }

  /** Entries of its two caches: its own, and those of the other. */
  #cached(side: Side): { internal: number; external: number } {
    const text = this.#ask(side, "-s");
    const of = (name: string) =>
      Number(
        new RegExp(`cache ${name}:\\ncurrent active connections:\\s*(\\d+)`).exec(text)?.[1] ?? Number.NaN,
      );
    return { internal: of("internal"), external: of("external") };
  }

  async sessions(side: Side): Promise<number> {
    const { internal, external } = this.#cached(side);
    return side === this.active() ? internal : external;
  }

  async bulk(standby: Side, expected: number): Promise<Bulk> {
    await this.#daemons.get(standby)!.stop();
    await this.#startConntrackd(standby);
    const beginMs = monotonicMs();
    this.#ask(standby, "-n");
    let arrived = 0;
    let arriveMs = 0;
    const endMs = beginMs + BULK_TIMEOUT_MS;
    // Fewer may come than there are: it is over when no more come.
    while (arrived < expected && monotonicMs() < endMs) {
      const { external } = this.#cached(standby);
      if (external > arrived) {
        arrived = external;
        arriveMs = monotonicMs() - beginMs;
      } else if (arrived > 0 && monotonicMs() - beginMs - arriveMs > BULK_STALL_MS) break;
      await sleep(5);
    }
    const commitMs = monotonicMs();
    this.#ask(standby, "-c");
    return { arrived, arriveMs, usableMs: arriveMs + (monotonicMs() - commitMs) };
  }

  async stop(): Promise<void> {
    for (const side of SIDES) await this.#bed.box(side).killAll();
  }
}

const BULK_TIMEOUT_MS = 120_000;
const BULK_STALL_MS = 3000;

export const keepalived: PairContender = {
  name: "keepalived",
  hasBfd: false,
  helloMinMs: 10,
  missing: () => missingCommands("keepalived", "conntrackd", "conntrack", "nft"),
  version: () => `${versionOf("keepalived", "--version")}; ${versionOf("conntrackd", "-v")}`,
  async start(bed, options) {
    const pair = new KeepalivedPair(bed);
    await pair.start(options);
    return pair;
  },
};
