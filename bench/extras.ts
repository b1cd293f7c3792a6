/** bench/core over the memory of a firewall. */
import { instantiateSync } from "@assemblyscript/loader";
import * as L from "../assembly/layout.js";
import type { Firewall } from "./engine.js";

interface ExtrasExports extends Record<string, unknown> {
  attach(): number;
  touch(packets: number): number;
  parseAll(packets: number): number;
  search(keys: number, count: number, answers: number): void;
  searchLinear(keys: number, count: number, answers: number): void;
  searchTouch(keys: number, count: number, bytes: number): number;
}

/** Instantiates the module; what it keeps of the memory's layout it takes from there. */
export function makeExtras(module: WebAssembly.Module, { core, memory }: Firewall): ExtrasExports {
  const before = core.bytes.slice(0, L.STATE_AT);
  const { exports } = instantiateSync<ExtrasExports>(module, { env: { memory } });
  // Static data of this module would lie where that of the core does.
  if (Buffer.compare(before, core.bytes.subarray(0, L.STATE_AT)) !== 0)
    throw new Error("bench/core has static data, which overwrites that of the core");
  if (exports.attach() !== 0) throw new Error("bench/core refuses the memory");
  return exports;
}

export type Extras = ExtrasExports;
