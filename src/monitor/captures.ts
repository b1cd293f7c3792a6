/** `monitor capture`: the captures there are by name, what they want of the dataplane, and what they get. */
import type { Config } from "../config/model.js";
import type { CaptureCommand, CaptureOptions, CaptureView, Done } from "../console/backend.js";
import { TAP_BYTES_MAX, type TapOptions, type TappedFrame } from "../live/capture-tap.js";
import { reasonOf } from "../reasons.js";
import { CaptureBuffer } from "./buffer.js";
import { type FrameTest, frameTest } from "./match.js";

/** Captures that there may be, each with a buffer. */
export const CAPTURES_MAX = 8;

interface Capture {
  options: CaptureOptions;
  buffer: CaptureBuffer;
  isRunning: boolean;
  /** Of a running one. */
  test: FrameTest;
  arriving: ReadonlySet<number>;
  leaving: ReadonlySet<number>;
}

const NOTHING: ReadonlySet<number> = new Set();

export class Captures {
  readonly #captures = new Map<string, Capture>();
  #config: Config;
  #interfaces: readonly string[];

  /** `interfaces`: full names by number. */
  constructor(config: Config, interfaces: readonly string[]) {
    this.#config = config;
    this.#interfaces = interfaces;
  }

  /** Another configuration is in force. Captures go on, with its lists and groups. */
  configure(config: Config, interfaces: readonly string[]): void {
    this.#config = config;
    this.#interfaces = interfaces;
    for (const capture of this.#captures.values()) if (capture.isRunning) this.#arm(capture);
  }

  /** Everything but the export, which needs a file. `wanted` may have changed afterwards. */
  command(command: Exclude<CaptureCommand, { kind: "export" }>): Done {
    if (command.kind === "define") return this.#define(command.options);
    const capture = this.#captures.get(command.name);
    if (capture === undefined) return { problem: `no capture ${command.name}` };
    switch (command.kind) {
      case "start":
        return this.#start(capture);
      case "stop":
        capture.isRunning = false;
        return {};
      case "clear":
        capture.buffer.clear();
        return {};
      case "remove":
        this.#captures.delete(command.name);
        return {};
    }
  }

  /** For an export. */
  buffer(name: string): CaptureBuffer | undefined {
    return this.#captures.get(name)?.buffer;
  }

  views(): CaptureView[] {
    return [...this.#captures.values()].map(({ options, buffer, isRunning }) => ({
      ...options,
      isRunning,
      packetsHeld: buffer.packetsHeld,
      bytesHeld: buffer.bytesHeld,
      packetsLost: buffer.packetsLost,
    }));
  }

  /** What the dataplane has to hand over for all of them; undefined: nothing. */
  get wanted(): TapOptions | undefined {
    const running = [...this.#captures.values()].filter(({ isRunning }) => isRunning);
    if (running.length === 0) return undefined;
    const all = (of: (capture: Capture) => ReadonlySet<number>): number[] => [
      ...new Set(running.flatMap((capture) => [...of(capture)])),
    ];
    return {
      arriving: all(({ arriving }) => arriving),
      leaving: all(({ leaving }) => leaving),
      snapBytes: Math.max(...running.map(({ options }) => Math.min(options.packetBytes, TAP_BYTES_MAX))),
    };
  }

  /** A frame from the dataplane. True: `wanted` has changed, since a capture is complete. */
  take(frame: TappedFrame): boolean {
    let isComplete = false;
    for (const capture of this.#captures.values()) {
      if (!capture.isRunning) continue;
      // Whose they were nobody knows: they are missing in each.
      if (frame.missed > 0) capture.buffer.lose(frame.missed);
      if (!wants(capture, frame)) continue;
      capture.buffer.add(frame);
      if (!capture.buffer.isComplete) continue;
      capture.isRunning = false;
      isComplete = true;
    }
    return isComplete;
  }

  #define(options: CaptureOptions): Done {
    const known = this.#captures.get(options.name);
    if (known?.isRunning) return { problem: `capture ${options.name} is running` };
    if (known === undefined && this.#captures.size === CAPTURES_MAX)
      return { problem: `there are ${CAPTURES_MAX} captures already` };
    const buffer = new CaptureBuffer(options);
    this.#captures.set(options.name, {
      options,
      buffer,
      isRunning: false,
      test: () => false,
      arriving: NOTHING,
      leaving: NOTHING,
    });
    return {};
  }

  #start(capture: Capture): Done {
    if (capture.isRunning) return { problem: `capture ${capture.options.name} is running` };
    if (capture.options.interfaces.length === 0)
      return { problem: `capture ${capture.options.name} has no interface` };
    if (capture.buffer.isComplete)
      return { problem: `capture ${capture.options.name} is complete; clear it first` };
    this.#arm(capture);
    capture.isRunning = true;
    return {};
  }

  #arm(capture: Capture): void {
    const { match, interfaces } = capture.options;
    capture.test = frameTest(match, this.#config);
    const numbers = (other: "in" | "out"): Set<number> =>
      new Set(
        interfaces
          .filter(({ direction }) => direction !== other)
          .map((each) => this.#interfaces.indexOf(each.interface))
          .filter((number) => number > 0),
      );
    capture.arriving = numbers("out");
    capture.leaving = numbers("in");
  }
}

function wants({ options, arriving, leaving, test }: Capture, frame: TappedFrame): boolean {
  const { direction, isOwn, ingress, egress, reason, data, wireLength } = frame;
  if (!(direction === "in" ? arriving.has(ingress) : leaving.has(egress))) return false;
  if (isOwn) return options.verdict === "all" && test(data, wireLength);
  if (options.verdict !== "all" && reasonOf(reason).verdict !== options.verdict) return false;
  return test(data, wireLength);
}
