/** Instants are milliseconds on the clock of the caller; their names end in AtMs. */

/** What is not awaited. */
export const NEVER_MS = Number.POSITIVE_INFINITY;
