/** What a dataplane box counts besides what the core does. */

/** Counts since the start. */
export interface BoxCounters {
  /** Virtual MAC addresses that the core had no room for. */
  stationsFull: number;
  /** Pauses so long that the active role may have been lost. */
  stalls: number;
  /** Frames sent on to the box that has the virtual address now. */
  bounced: number;
  /** Frames that came while too many waited for a handover. */
  waitingFull: number;
  /** Turns that took frames, and frames that they took. */
  batches: number;
  frames: number;
}

export const NO_COUNTS: BoxCounters = {
  stationsFull: 0,
  stalls: 0,
  bounced: 0,
  waitingFull: 0,
  batches: 0,
  frames: 0,
};
