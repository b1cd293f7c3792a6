/** Exit codes of every verb. */
export const EXIT = {
  /** Done, and nothing to complain about. */
  done: 0,
  /** Findings of severity error, or an expectation that failed. */
  findings: 1,
  /** Bad usage, or input that cannot be read; what could be done before it has been done. */
  badInput: 2,
  /** A bug of this program (EX_SOFTWARE of sysexits.h). */
  internal: 70,
} as const;
