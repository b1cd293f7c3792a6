/**
 * What the dataplane thread asks of a back end that moves frames between network devices and the core's memory. Frames lie
 * in that memory and are named by descriptors (assembly/layout.ts, D_*).
 *
 *     receive -> the core decides and prepares -> transmit
 */

/** What a device has moved and lost, since it was opened. */
export interface PortCounters {
  /** Name of the device. */
  readonly device: string;
  readonly received: number;
  readonly sent: number;
  /** Frames that the kernel had no room for in the ring. */
  readonly ringFull: number;
  /** Frames that could not be sent: the kernel's queue was full, or there was no free buffer. */
  readonly sendRefused: number;
}

export interface PacketIo {
  /** How frames come and go, for people: `AF_XDP, driver mode`. */
  readonly backend: string;
  /**
   * Fills descriptors from number 0 on with frames that have arrived. Never blocks. Their memory is lent until `transmit`.
   * @param max descriptors at most.
   * @returns how many.
   */
  receive(max: number): number;
  /**
   * Sends each of the descriptors 0 to `outputs` - 1 for which D_FORWARD is FW_SEND, by D_PORT, and takes back the memory of
   * everything that the last `receive` has lent.
   */
  transmit(outputs: number): void;
  /** Sends a copy of a whole frame by the port of that number. False: no room, which is counted. */
  send(port: number, frame: Uint8Array): boolean;
  /** Sleeps until a frame arrives, another thread wakes it up, or the time is over. */
  wait(timeoutMs: number): void;
  counters(): readonly PortCounters[];
  /** Gives everything back to the system. */
  close(): void;
}
