/**
 * A policy on its way into a dataplane thread, which must not stand still for it: what is large crosses in shared memory and
 * is copied in pieces between two batches; what takes long was worked out where it was compiled; texts stay there.
 */
import { type EnforcedPolicy, enforcedOf, type Policy } from "../policy/policy.js";
import { hitOrigins } from "../policy/rules.js";

/** Bytes that are copied at a time: some tens of microseconds. */
export const STAGE_BYTES = 256 * 1024;

/** A piece of an image, up to `end`; what is before `from` was copied before. */
export interface Stage {
  readonly image: Uint8Array;
  readonly from: number;
  readonly end: number;
}

export interface PolicyHandover {
  /** To be copied in this order. */
  readonly stages: readonly Stage[];
  /** To be adopted then. */
  readonly policy: EnforcedPolicy;
  /** Whose counter each entry goes on with: see `hitOrigins`. */
  readonly origins: Uint32Array;
}

/** `before`: the policy that this one takes over from, and whose numbering it has. */
export function handoverOf(policy: Policy, before: Policy): PolicyHandover {
  const enforced = sharedPolicy(policy);
  const { image } = enforced;
  const stages: Stage[] = [];
  for (let from = 0; from < image.length; from += STAGE_BYTES)
    stages.push({ image, from, end: Math.min(from + STAGE_BYTES, image.length) });
  return { stages, policy: enforced, origins: toShared(hitOrigins(policy.rules, before.rules)) };
}

/** What a dataplane thread gets of a policy. */
export function sharedPolicy(policy: Policy): EnforcedPolicy {
  const { lists, listOf, sequences } = policy.ruleNames;
  return {
    ...enforcedOf(policy),
    image: toShared(policy.image),
    ruleNames: { lists, listOf: toShared(listOf), sequences: toShared(sequences) },
  };
}

/** A copy that a message hands over without copying it. */
function toShared<T extends Uint8Array | Uint32Array>(array: T): T {
  const Shared = array.constructor as new (memory: SharedArrayBuffer) => T;
  const shared = new Shared(new SharedArrayBuffer(array.byteLength));
  shared.set(array);
  return shared;
}
