/** A firewall of the product with its memory, so that others can work on the same bytes. */
import * as L from "../assembly/layout.js";
import { Core, type CoreSource } from "../src/core.js";
import { Dataplane } from "../src/dataplane.js";
import { type DataplaneOptions, prepare } from "../src/prepare.js";
import { BATCH_MAX, CONFIGURATION, SEED } from "./policy.js";

/** Packets and bytes of a reason, the state of the table: what two ways of doing the same work must agree on. */
export interface Tallies {
  sessions: number;
  created: number;
  evicted: number;
  expired: number;
  /** By R_*; only those met. */
  reasons: Map<number, { packets: number; bytes: number }>;
}

/** One way of doing the work, on the frames that the descriptors of the core name. */
export interface Engine {
  readonly name: string;
  process(count: number, nowMs: number): void;
  /** Visits `groups` groups of the table, or as large a part of another table. */
  expire(nowMs: number, groups: number): void;
  tallies(): Tallies;
}

export interface Firewall extends Engine {
  readonly core: Core;
  readonly memory: WebAssembly.Memory;
  readonly dataplane: Dataplane;
}

/** Makes a firewall with room for `sessions`. */
export function makeFirewall(
  source: CoreSource,
  sessions: number,
  options: Partial<DataplaneOptions> = {},
): Firewall {
  const capacity = { sessions, batch: BATCH_MAX, fragments: 16, ...options.capacity };
  const setup = prepare({ config: CONFIGURATION, seed: SEED, ...options, capacity }, () => SEED);
  const { made: core, memory } = withMemory(() => Core.createSync(source, setup));
  const dataplane = new Dataplane(core, setup);
  return {
    name: "twinwall",
    core,
    memory,
    dataplane,
    process: (count, nowMs) => void core.process(count, nowMs),
    expire: (nowMs, groups) => void core.expire(nowMs, groups),
    tallies: () => talliesOf(core),
  };
}

/** What `make` makes, and the memory that it makes for it. */
function withMemory<T>(make: () => T): { made: T; memory: WebAssembly.Memory } {
  const { Memory } = WebAssembly;
  const memories: WebAssembly.Memory[] = [];
  const Watched = class extends Memory {
    constructor(size: { initial: number; maximum?: number }) {
      super(size);
      memories.push(this);
    }
  };
  try {
    Reflect.set(WebAssembly, "Memory", Watched);
    const made = make();
    const [memory] = memories;
    if (memory === undefined) throw new Error("no memory was made");
    return { made, memory };
  } finally {
    Reflect.set(WebAssembly, "Memory", Memory);
  }
}

function talliesOf(core: Core): Tallies {
  const counter = (index: number): number => Number(core.state64(L.S_COUNTERS + index * 8));
  const reasons: Tallies["reasons"] = new Map();
  for (let code = 0; code < L.REASONS_MAX; code++) {
    const at = L.S_REASON_COUNTERS + code * 16;
    const packets = Number(core.state64(at));
    if (packets !== 0) reasons.set(code, { packets, bytes: Number(core.state64(at + 8)) });
  }
  return {
    sessions: core.state(L.S_SESSIONS),
    created: counter(L.C_CREATED_TCP) + counter(L.C_CREATED_UDP),
    evicted: counter(L.C_EVICTED),
    expired: counter(L.C_EXPIRED),
    reasons,
  };
}
