/** `monitor capture` of a live box: what the dataplane thread hands over, and files of it. */
import { open } from "node:fs/promises";
import type { Config } from "../../config/model.js";
import type { CaptureCommand, CaptureView, Done } from "../../console/backend.js";
import { TapReader } from "../../live/capture-tap.js";
import { Captures } from "../../monitor/index.js";
import { meaningOf } from "../errors.js";
import type { LiveBox } from "./live-box.js";

/** How often frames are taken out of the ring while there is a capture. */
const TAKE_MS = 20;

export class LiveCaptures {
  readonly #box: LiveBox;
  readonly #captures: Captures;
  readonly #reader: TapReader;
  #timer: NodeJS.Timeout | undefined;

  constructor(box: LiveBox) {
    this.#box = box;
    this.#captures = new Captures(box.config, box.interfaces);
    this.#reader = new TapReader(box.taps);
  }

  views(): readonly CaptureView[] {
    this.#take();
    return this.#captures.views();
  }

  async command(command: CaptureCommand): Promise<Done> {
    this.#take();
    if (command.kind === "export") return this.#export(command.name, command.file);
    const done = this.#captures.command(command);
    await this.#arm();
    return done;
  }

  /** Another configuration is in force. */
  async configure(config: Config): Promise<void> {
    this.#captures.configure(config, this.#box.interfaces);
    await this.#arm();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Has the dataplane hand over what the captures want now. */
  async #arm(): Promise<void> {
    const { wanted } = this.#captures;
    clearInterval(this.#timer);
    if (wanted !== undefined) {
      this.#timer = setInterval(() => {
        if (this.#take()) void this.#arm();
      }, TAKE_MS);
      this.#timer.unref();
    }
    await this.#box.dataplane.call("tap", { wanted });
  }

  /** True: a capture is complete. */
  #take(): boolean {
    let isComplete = false;
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next())
      isComplete = this.#captures.take(frame) || isComplete;
    return isComplete;
  }

  async #export(name: string, path: string): Promise<Done> {
    const buffer = this.#captures.buffer(name);
    if (buffer === undefined) return { problem: `no capture ${name}` };
    const { interfaces } = this.#box;
    const rules = this.#box.rules.map(({ list, sequence }) => `${list} ${sequence}`);
    try {
      const file = await open(path, "w", 0o600);
      try {
        for (const piece of buffer.pcapng({ interfaces, rules })) await file.writeFile(piece);
      } finally {
        await file.close();
      }
      return { text: `${buffer.packetsHeld} packets written to ${path}` };
    } catch (error) {
      return { problem: `${path}: ${meaningOf(error)}` };
    }
  }
}
