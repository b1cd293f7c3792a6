/**
 * Two hosts and a box between them, each a network namespace: `inside` (10.9.0.1) - `box` (in0, out0) - `outside` (10.9.0.2).
 * The hosts are in one network: what forwards in the box is a wire. Names are of this process alone.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { WireSetup } from "./wire.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const TOOLS = ["ip", "python3", "ping", "iperf3", "ethtool"];

/** Why there can be no namespaces here; undefined: there can. In CI this is no excuse: the tests then fail. */
export function whyNoLab(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root";
  const missing = TOOLS.filter((tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0);
  if (missing.length > 0) return `needs ${missing.join(", ")}`;
  return existsSync("/proc/self/ns/net") ? undefined : "needs network namespaces";
}

export const why = whyNoLab();
export const isSkipped = why !== undefined && process.env.CI !== "true";
if (why !== undefined) console.log(`packet I/O on Linux: not tested here, it ${why}`);

/** Runs a program to its end; what it wrote. Throws when it fails. */
export function run(program: string, ...words: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (error !== undefined || status !== 0)
    throw new Error(`${program} ${words.join(" ")}: ${error?.message ?? stderr + stdout}`);
  return stdout;
}

export type Place = "inside" | "box" | "outside";

/** What the wire counted and saw; printed when it ends. */
export interface WireReport {
  readonly counters: readonly {
    readonly received: number;
    readonly sent: number;
    readonly ringFull: number;
    readonly noBuffer: number;
    readonly sendRefused: number;
  }[];
  /** Longest frame, and longest with D_SEGMENT set. */
  readonly largest: number;
  readonly largestMerged: number;
  /** Processor time of the wire. */
  readonly userMs: number;
  readonly systemMs: number;
}

export interface Wire {
  readonly backend: string;
  readonly refused: readonly { readonly backend: string; readonly why: string }[];
  readonly said: readonly string[];
  readonly child: ChildProcess;
  /** A line that it prints while it runs. */
  line(): Promise<unknown>;
  /** Ends it in order. */
  stop(): Promise<WireReport>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

export class Lab {
  readonly #prefix = `tw${process.pid}`;
  readonly #children: ChildProcess[] = [];

  constructor() {
    const places: Place[] = ["inside", "box", "outside"];
    for (const place of places) {
      run("ip", "netns", "add", this.name(place));
      run("ip", "-n", this.name(place), "link", "set", "lo", "up");
    }
    this.#cable("inside", "in0", "10.9.0.1/24", "fd09::1/64");
    this.#cable("outside", "out0", "10.9.0.2/24", "fd09::2/64");
  }

  #cable(host: Place, end: string, address: string, address6: string): void {
    const [near, far] = [this.name(host), this.name("box")];
    run("ip", "link", "add", "eth0", "netns", near, "type", "veth", "peer", "name", end, "netns", far);
    run("ip", "-n", near, "addr", "add", address, "dev", "eth0");
    run("ip", "-n", near, "addr", "add", address6, "dev", "eth0", "nodad");
    run("ip", "-n", near, "link", "set", "eth0", "up");
    run("ip", "-n", far, "link", "set", end, "up");
  }

  name(place: Place): string {
    return `${this.#prefix}${place}`;
  }

  /** Runs a program in a namespace. */
  run(place: Place, ...words: string[]): string {
    return run("ip", "netns", "exec", this.name(place), ...words);
  }

  /** The same, and whether it succeeded. */
  succeeds(place: Place, ...words: string[]): boolean {
    return spawnSync("ip", ["netns", "exec", this.name(place), ...words]).status === 0;
  }

  spawn(place: Place, ...words: string[]): ChildProcessWithoutNullStreams {
    const child = spawn("ip", ["netns", "exec", this.name(place), ...words]);
    this.#children.push(child);
    return child;
  }

  /** Starts traffic.py there and waits for its first line, which says that it is ready. */
  async traffic(place: Place, ...words: string[]): Promise<Lines> {
    return new Lines(this.spawn(place, "python3", join(HERE, "traffic.py"), ...words));
  }

  async wire(setup: Partial<WireSetup> = {}): Promise<Wire> {
    const full: WireSetup = { devices: ["in0", "out0"], completes: true, ...setup };
    const script = join(HERE, "wire.ts");
    const child = this.spawn("box", process.execPath, "--import", "tsx", script, JSON.stringify(full));
    const lines = new Lines(child);
    const ready = (await lines.next()) as { backend: string; refused: Wire["refused"]; said: string[] };
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    return {
      ...ready,
      child,
      line: () => lines.next(),
      async stop() {
        child.stdin.end();
        const report = (await lines.last()) as WireReport;
        await ended;
        return report;
      },
      async kill() {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }

  /** Frames that a device of the box or a host has dropped or moved, by the kernel's count. */
  statistics(
    place: Place,
    device: string,
  ): { rxPackets: number; rxDropped: number; txPackets: number; txDropped: number } {
    const [link] = JSON.parse(run("ip", "-n", this.name(place), "-j", "-s", "link", "show", device)) as {
      stats64: Record<"rx" | "tx", { packets: number; dropped: number }>;
    }[];
    const { rx, tx } = link!.stats64;
    return { rxPackets: rx.packets, rxDropped: rx.dropped, txPackets: tx.packets, txDropped: tx.dropped };
  }

  /** Kills what it started and deletes the namespaces. */
  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    for (const place of ["inside", "box", "outside"] as const)
      spawnSync("ip", ["netns", "del", this.name(place)]);
  }
}

/** Lines of JSON that a program prints. */
export class Lines {
  readonly #iterator: AsyncIterator<string>;
  readonly #child: ChildProcessWithoutNullStreams;
  #errors = "";

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stderr.on("data", (data: Buffer) => {
      this.#errors += data.toString();
    });
    this.#iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** The next one. Rejects when the program has ended. */
  async next(): Promise<unknown> {
    const { value, done } = await this.#iterator.next();
    if (done) throw new Error(`${this.#child.spawnargs.join(" ")} ended: ${this.#errors}`);
    return JSON.parse(value as string);
  }

  /** The last one. */
  async last(): Promise<unknown> {
    let last = await this.next();
    for (;;) {
      const { value, done } = await this.#iterator.next();
      if (done) return last;
      last = JSON.parse(value as string);
    }
  }
}
