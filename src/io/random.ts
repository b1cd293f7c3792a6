/** Random numbers that nobody can guess. */

/** Numbers that are made at a time. */
const RANDOM_POOL = 256;

/** 32-bit numbers of the platform's secure generator. */
export function secureRandom(): () => number {
  const pool = new Uint32Array(RANDOM_POOL);
  let next = RANDOM_POOL;
  return () => {
    if (next === RANDOM_POOL) {
      crypto.getRandomValues(pool);
      next = 0;
    }
    return pool[next++]!;
  };
}
