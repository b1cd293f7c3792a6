/** `twinwall run` as it is built in dist/, in a box of a lab, and its console. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectConsole, type ConsoleClient } from "../../src/io/console/client.js";
import { isProblem } from "../../src/io/io.js";
import type { Box } from "./lab.js";
import type { Program } from "./program.js";
import { until } from "./system.js";

export const MAIN = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));

/** A loaded machine compiles the core and starts three threads in so much time. */
const START_TIMEOUT_MS = 30_000;

/** The devices of a box, in order: GigabitEthernet0/0 is `eth0`. */
const mapOf = (devices: readonly string[]): string[] =>
  devices.flatMap((device, i) => ["--map", `GigabitEthernet0/${i}=${device}`]);

export interface FirewallPlan {
  readonly config: string;
  readonly devices: readonly string[];
  /** Beyond `--config`, `--map` and `--socket`. */
  readonly options?: readonly string[];
}

/** A firewall that can be killed and started again, and is asked by its console. */
export class Firewall {
  readonly box: Box;
  readonly #plan: FirewallPlan;
  readonly #socket: string;
  #program: Program | undefined;
  #console: ConsoleClient | undefined;

  constructor(box: Box, plan: FirewallPlan) {
    this.box = box;
    this.#plan = plan;
    this.#socket = join(box.directory, "console.sock");
  }

  get name(): string {
    return this.box.name;
  }

  /** The process that runs, or has run last. Throws before the first start. */
  get program(): Program {
    if (this.#program === undefined) throw new Error(`${this.name} was never started`);
    return this.#program;
  }

  get isRunning(): boolean {
    return this.#program !== undefined && !this.#program.hasEnded;
  }

  /** The arguments of node; also for a run that only says what it would do. */
  parameters(...more: readonly string[]): string[] {
    const { config, devices, options = [] } = this.#plan;
    const file = join(this.box.directory, "twinwall.cfg");
    writeFileSync(file, config);
    return [MAIN, "run", "--config", file, ...mapOf(devices), "--socket", this.#socket, ...options, ...more];
  }

  /** Starts it; resolves when packets come and go and the console answers. */
  async start(): Promise<void> {
    this.#forget();
    this.#program = this.box.start(process.execPath, this.parameters());
    await this.#program.line((line) => line.startsWith("packets by "), 0, START_TIMEOUT_MS);
    await until(`${this.name} answers on its console`, () => this.#connect(), START_TIMEOUT_MS);
  }

  /** By what frames come and go, in its own words. */
  get packetsBy(): string {
    return this.program.lines.find((line) => line.startsWith("packets by ")) ?? "";
  }

  async #connect(): Promise<boolean> {
    if (this.program.hasEnded)
      throw new Error(`${this.name} ended with ${this.program.ending}:\n${this.program.lines.join("\n")}`);
    const connected = await connectConsole(this.#socket);
    if (isProblem(connected)) return false;
    this.#console = connected.value;
    return true;
  }

  /** The data of a `show` command. Throws when it is refused, or the firewall is gone. */
  async show<View>(command: string): Promise<View> {
    const reply = await this.#client.ask({ command });
    if (!reply.ok) throw new Error(`${this.name}: ${command}: ${reply.error}`);
    return reply.data as View;
  }

  /** Types lines; what it says to them. */
  async type(...lines: readonly string[]): Promise<string> {
    let said = "";
    for (const line of lines) {
      const reply = await this.#client.ask({ line }, (text) => {
        said += text;
      });
      if (reply.error !== undefined) said += `${reply.error}\n`;
    }
    return said;
  }

  get #client(): ConsoleClient {
    if (this.#console === undefined) throw new Error(`${this.name} has no console`);
    return this.#console;
  }

  /** Lines of its log with such a text, from line number `from` of what it printed. */
  logged(text: RegExp, from = 0): string[] {
    return this.program.lines.slice(from).filter((line) => text.test(line));
  }

  #forget(): void {
    this.#console?.close();
    this.#console = undefined;
  }

  async kill(): Promise<void> {
    this.#forget();
    await this.program.kill();
  }

  async stop(): Promise<void> {
    this.#forget();
    await this.program.stop();
  }
}
