/** What a destination of log lines can do; when, `Delivery` decides. */

/** What comes back from an `open`; after `closed`, or after the next `open`, nothing is listened to. */
export interface TransportEvents {
  opened(): void;
  /** It could not be opened, or takes no more. */
  closed(problem: string): void;
  /** The next lines of those that were sent have been taken. */
  sent(lines: number): void;
  /** For the log. */
  note(text: string): void;
}

export interface Transport {
  open(events: TransportEvents): void;
  /** Bytes are written as they are. */
  send(lines: readonly Uint8Array[]): void;
  close(): void;
}
