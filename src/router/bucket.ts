/** Token buckets. */
import type { Rate } from "./limits.js";

export interface Bucket {
  tokens: number;
  atMs: number;
}

/** Full. */
export function newBucket({ burst }: Rate): Bucket {
  return { tokens: burst, atMs: 0 };
}

/** Takes a token; false: there is none. A clock that goes back brings none. */
export function take(bucket: Bucket, { everyMs, burst }: Rate, nowMs: number): boolean {
  bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, nowMs - bucket.atMs) / everyMs);
  bucket.atMs = nowMs;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
