/**
 * Shows that the core that is fuzzed is the core: the module as it was built and the one that lower.ts made of it
 * decide real traffic side by side, and after every call their memories are equal, byte by byte.
 *
 *   tsx fuzz/core/verify.ts REAL.wasm LOWERED.wasm
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as L from "../../assembly/layout.js";
import { Core } from "../../src/core.js";
import { planOf, policyOf, SEED } from "../../test/host/support.js";
import { Random } from "../../test/model/random.js";
import { frameSamples } from "../mutate/corpus.js";

const CAPACITY = { sessions: 1024, rules: 256, batch: 64, fragments: 32, events: 64 };
const CALLS = 4000;
const CHANGES_MAX = 3;
const STEP_MS_MAX = 400;
/** What a batch has room for, each. */
const FRAME_MAX = 2048;
const POLICIES = ["inspected", "stateless", "two-sides"];

const [real, lowered] = process.argv.slice(2);
if (real === undefined || lowered === undefined)
  throw new Error("usage: tsx fuzz/core/verify.ts REAL.wasm LOWERED.wasm");
const plan = planOf(CAPACITY);
const room = { ...CAPACITY, bankSize: plan.bankSize };

const UNCHECKED = L.DF_CHECKSUM_OK | L.DF_HEADER_CHECKSUM_OK;
const frames = (await frameSamples()).filter(({ length }) => length <= FRAME_MAX);
const random = new Random(1);
let packets = 0;
const reasons = new Set<number>();
for (const name of POLICIES) {
  const file = fileURLToPath(new URL(`policies/${name}.cfg`, import.meta.url));
  const policy = policyOf(readFileSync(file, "utf8"), { room });
  const cores = [real, lowered].map((path) => Core.createSync(readFileSync(path), { plan, seed: SEED }));
  for (const core of cores) {
    core.bytes.set(policy.image, plan.regions.banks.at);
    core.words.set(policy.timeouts, plan.regions.timeouts.at / 4);
    if (core.activate(0) !== 0) throw new Error(`${name} is refused`);
  }
  let nowMs = 0;
  for (let call = 0; call < CALLS / POLICIES.length; call++) {
    const batch = Array.from({ length: 1 + random.int(CAPACITY.batch) }, changedFrame);
    const ingress = batch.map(() => random.int(policy.interfaces.length));
    nowMs += random.int(STEP_MS_MAX);
    const outputs = cores.map((core) => decide(core, batch, ingress, nowMs));
    packets += batch.length;
    const [a, b] = cores as [Core, Core];
    if (outputs[0] !== outputs[1] || !sameBytes(a.bytes, b.bytes))
      throw new Error(`${name}: call ${call} differs`);
    for (let i = 0; i < outputs[0]!; i++)
      reasons.add(a.bytes[plan.regions.descriptors.at + i * L.DESC_SIZE + L.D_REASON]!);
  }
}
console.log(`the lowered core agrees: ${packets} packets, ${reasons.size} reasons`);

/** A real frame, mostly with a few bytes changed. */
function changedFrame(): Uint8Array {
  const frame = Uint8Array.from(random.pick(frames));
  for (let changes = random.int(CHANGES_MAX + 1); changes > 0; changes--)
    frame[random.int(frame.length)] = random.u32();
  return frame;
}

function decide(core: Core, batch: readonly Uint8Array[], ingress: readonly number[], nowMs: number): number {
  const { view } = core;
  let at = plan.regions.bytes.at;
  batch.forEach((frame, i) => {
    core.bytes.set(frame, at);
    const descriptor = plan.regions.descriptors.at + i * L.DESC_SIZE;
    view.setUint32(descriptor + L.D_OFFSET, at, true);
    view.setUint32(descriptor + L.D_CAPTURED, frame.length, true);
    view.setUint32(descriptor + L.D_WIRE, frame.length, true);
    view.setUint8(descriptor + L.D_INGRESS, ingress[i]!);
    // Checksums are looked at in every fourth frame: a change must not always end there.
    view.setUint8(descriptor + L.D_FLAGS, L.DF_IDS | (i % 4 === 0 ? 0 : UNCHECKED));
    view.setUint16(descriptor + L.D_ETHERTYPE, 0, true);
    at += frame.length;
  });
  return core.process(batch.length, nowMs);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
