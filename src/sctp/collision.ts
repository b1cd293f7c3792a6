/**
 * What a cookie means to an association that exists already (RFC 9260 section 5.2.4, table 12), as a decision table.
 * Every combination of the four questions is answered by exactly one row.
 */

/** The answers to the four questions about a cookie, in the order of the columns. */
export interface CookieTags {
  /** The cookie's tag of ours against that of the association. */
  local: "match" | "differ";
  /** The cookie's tag of the peer against that of the association (which is not known in COOKIE-WAIT: "differ"). */
  peer: "match" | "differ";
  /** The cookie's tie tags against those of the association; "zero": the cookie was minted without an association. */
  ties: "match" | "zero" | "differ";
  age: "fresh" | "stale";
}

/**
 * restart: the peer has lost the association and sets up a new one. collision: both sides have sent an INIT. late: an
 * answer to an older INIT of ours. duplicate: of the cookie that has set this association up. stale: expired.
 * mismatch: none of these.
 */
export const COOKIE_MEANINGS = ["restart", "collision", "late", "duplicate", "stale", "mismatch"] as const;
export type CookieMeaning = (typeof COOKIE_MEANINGS)[number];

type Pattern<T> = T | "any";

export interface CollisionRow {
  local: Pattern<CookieTags["local"]>;
  peer: Pattern<CookieTags["peer"]>;
  ties: readonly CookieTags["ties"][];
  age: Pattern<CookieTags["age"]>;
  meaning: CookieMeaning;
}

const ANY_TIES = ["match", "zero", "differ"] as const;

// biome-ignore format: a table
export const COLLISION_TABLE: readonly CollisionRow[] = [
  // An expired cookie counts for nothing, except a repetition of what is in force.
  { local: "differ", peer: "any",    ties: ANY_TIES,            age: "stale", meaning: "stale"     },
  { local: "match",  peer: "differ", ties: ANY_TIES,            age: "stale", meaning: "stale"     },
  { local: "differ", peer: "differ", ties: ["match"],           age: "fresh", meaning: "restart"   }, // A
  { local: "match",  peer: "differ", ties: ANY_TIES,            age: "fresh", meaning: "collision" }, // B
  { local: "differ", peer: "match",  ties: ["zero"],            age: "fresh", meaning: "late"      }, // C
  { local: "match",  peer: "match",  ties: ANY_TIES,            age: "any",   meaning: "duplicate" }, // D
  { local: "differ", peer: "differ", ties: ["zero", "differ"],  age: "fresh", meaning: "mismatch"  },
  { local: "differ", peer: "match",  ties: ["match", "differ"], age: "fresh", meaning: "mismatch"  },
];

function fits<T>(pattern: Pattern<T>, value: T): boolean {
  return pattern === "any" || pattern === value;
}

/** Whether the row answers these tags. */
export function rowAnswers(row: CollisionRow, tags: CookieTags): boolean {
  return (
    fits(row.local, tags.local) &&
    fits(row.peer, tags.peer) &&
    row.ties.includes(tags.ties) &&
    fits(row.age, tags.age)
  );
}

export function meaningOf(tags: CookieTags): CookieMeaning {
  const row = COLLISION_TABLE.find((each) => rowAnswers(each, tags));
  if (row === undefined) throw new Error("the collision table has a hole");
  return row.meaning;
}
