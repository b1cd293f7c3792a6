/** The keys of an instance's hashes. */
import { SEED_BYTES } from "../core.js";

/** Fresh hash keys from the platform's secure generator. */
export function randomSeed(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SEED_BYTES));
}
