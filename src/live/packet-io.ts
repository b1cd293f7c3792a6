/**
 * What the dataplane thread asks of a back end that moves frames between network devices and the core's memory. Frames lie
 * in that memory and are named by descriptors (assembly/layout.ts, D_*).
 *
 *     receive -> the core decides and prepares -> transmit
 */

/** The part of the core's memory that frames come and go by. */
export interface FrameMemory {
  /** The whole memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Address of descriptor 0. */
  readonly descriptorsAt: number;
  /** Address of the first frame buffer, a multiple of the page size. */
  readonly buffersAt: number;
  /** How many frame buffers of BUFFER_SIZE there are. */
  readonly buffers: number;
}

/** A device that frames come and go by; its place in the list of ports is its number, D_PORT. */
export interface Port {
  /** Name of the device. */
  readonly device: string;
  /** D_INGRESS of what arrives there: number of the interface that takes its untagged frames. */
  readonly ingress: number;
}

/** What a device has moved and lost, since it was opened. */
export interface PortCounters {
  /** Name of the device. */
  readonly device: string;
  readonly received: number;
  readonly sent: number;
  /** Frames that the kernel had no room for in the ring. */
  readonly ringFull: number;
  /** Frames that arrived when no buffer was free, or that were larger than one. */
  readonly noBuffer: number;
  /** Frames that could not be sent: the kernel's queue was full, or there was no free frame. */
  readonly sendRefused: number;
}

export interface PacketIo {
  /** How frames come and go, for people: `AF_XDP, driver mode`. */
  readonly backend: string;
  /** Another thread ends a `wait` by writing 8 bytes to this file descriptor: a little-endian 1 (eventfd). */
  readonly wakeFd: number;
  /**
   * Fills descriptors from number 0 on with frames that have arrived; D_PORT is the number of the port. Never blocks.
   * Their memory is lent until `transmit`.
   * @param max descriptors at most.
   * @returns how many.
   */
  receive(max: number): number;
  /**
   * Completes the transport checksum of a received frame if its sender has left that to a device. What is transmitted need
   * not be completed; what the host reads, copies or cuts up does. Only between `receive` and `transmit`.
   */
  complete(descriptor: number): void;
  /**
   * Sends each of the descriptors 0 to `outputs` - 1 for which D_FORWARD is FW_SEND, by D_PORT, and takes back the memory of
   * everything that the last `receive` has lent. Descriptors of received frames keep their numbers.
   */
  transmit(outputs: number): void;
  /** Sends a copy of a whole frame by the port of that number. False: no room, which is counted. */
  send(port: number, frame: Uint8Array): boolean;
  /** Sleeps until a frame arrives, `wakeFd` is written, or the time is over; parts of a millisecond count. */
  wait(timeoutMs: number): void;
  counters(): readonly PortCounters[];
  /** Gives everything back to the system. */
  close(): void;
}
