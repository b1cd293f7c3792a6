/**
 * One end of a TCP connection, as much of RFC 9293 as a firewall notices: handshake, cumulative acknowledgements, a fixed
 * window, retransmission of what is not acknowledged (all of it, with exponential backoff), FIN and RST. Data has a
 * length and no contents.
 */

export const MSS = 400;
export const WINDOW = 8192;
/** Segments that are sent before one of them is acknowledged. */
const FLIGHT_MAX = 3;
const RTO_MS = 120;
const RTO_MAX_MS = 480;

export interface Segment {
  readonly seq: number;
  readonly ack: number;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  /** Every segment but the first SYN and some RST. */
  readonly hasAck: boolean;
  readonly length: number;
}

export type TcpState = "closed" | "listen" | "synSent" | "synReceived" | "established" | "closing" | "reset";

/** What an end does to the world. */
export interface TcpWorld {
  send(segment: Segment): void;
  /** Calls back once, after so long. */
  wait(afterMs: number, run: () => void): void;
  /** So many bytes have come, in order. */
  received(bytes: number): void;
  established(): void;
}

const add = (number: number, by: number): number => (number + by) >>> 0;
/** How far a number is ahead of another. */
const ahead = (number: number, of: number): number => (number - of) | 0;

export class TcpEnd {
  state: TcpState = "closed";
  /** Everything before it is acknowledged; what is sent next; what is expected of the other end. */
  una: number;
  nxt: number;
  rcv = 0;
  /** Bytes that wait to be sent, behind `nxt`. */
  #unsent = 0;
  #wantsFin = false;
  /** The FIN takes the last number before `nxt`. */
  #hasSentFin = false;
  hasFinished = false;
  hasPeerFinished = false;
  #rtoMs = RTO_MS;
  /** The retransmission timer that counts. */
  #timer = 0;
  readonly #world: TcpWorld;

  constructor(initial: number, world: TcpWorld) {
    this.una = initial;
    this.nxt = initial;
    this.#world = world;
  }

  /** Nothing is on its way or waits to be sent. */
  get isIdle(): boolean {
    return this.una === this.nxt && this.#unsent === 0;
  }

  connect(): void {
    this.state = "synSent";
    this.#emit({ syn: true, hasAck: false });
    this.nxt = add(this.nxt, 1);
    this.#arm();
  }

  write(bytes: number): void {
    this.#unsent += bytes;
    this.#push();
  }

  finish(): void {
    this.#wantsFin = true;
    this.#push();
  }

  reset(): void {
    this.#emit({ rst: true });
    this.#stop("reset");
  }

  receive(segment: Segment): void {
    if (this.state === "closed" || this.state === "reset") return;
    if (segment.rst) {
      this.#takeReset(segment);
      return;
    }
    if (segment.syn) {
      this.#takeSyn(segment);
      return;
    }
    if (this.state === "listen" || this.state === "synSent") return;
    this.#takeAck(segment);
    this.#takeData(segment);
    this.#push();
  }

  /** Stops sending, as when the host is switched off. */
  stop(): void {
    this.#stop("closed");
  }

  #stop(state: TcpState): void {
    this.state = state;
    this.#timer++;
  }

  #takeReset({ seq, ack, hasAck }: Segment): void {
    const isExact = this.state === "synSent" ? hasAck && ack === this.nxt : seq === this.rcv;
    if (isExact && this.state !== "listen") this.#stop("reset");
  }

  #takeSyn({ seq, ack, hasAck }: Segment): void {
    if (this.state === "listen" && !hasAck) {
      this.state = "synReceived";
      this.rcv = add(seq, 1);
      this.#emit({ syn: true });
      this.nxt = add(this.nxt, 1);
      this.#arm();
    } else if (this.state === "synSent" && hasAck && ack === this.nxt) {
      this.rcv = add(seq, 1);
      this.una = ack;
      this.#rtoMs = RTO_MS;
      this.#timer++;
      this.state = "established";
      this.#emit({});
      this.#world.established();
      this.#push();
    } else if (this.state !== "synSent") {
      // A repeat: the answer was lost.
      if (this.state === "synReceived") this.#resend();
      else this.#emit({});
    }
  }

  #takeAck({ ack, hasAck }: Segment): void {
    if (!hasAck || ahead(ack, this.una) <= 0 || ahead(ack, this.nxt) > 0) return;
    this.una = ack;
    this.#rtoMs = RTO_MS;
    if (this.state === "synReceived") {
      this.state = "established";
      this.#world.established();
    }
    if (this.#hasSentFin && this.una === this.nxt) this.hasFinished = true;
    if (this.una === this.nxt) this.#timer++;
    else this.#arm();
  }

  #takeData({ seq, length, fin }: Segment): void {
    if (length === 0 && !fin) {
      // Only what lies before the window is answered (RFC 9293 section 3.10.7.4).
      if (ahead(seq, this.rcv) < 0) this.#emit({});
      return;
    }
    if (seq === this.rcv) {
      this.rcv = add(this.rcv, length + (fin ? 1 : 0));
      if (fin) this.hasPeerFinished = true;
      this.#emit({});
      if (length > 0) this.#world.received(length);
    } else this.#emit({});
  }

  /** Sends what there is room for. */
  #push(): void {
    if (this.state !== "established" && this.state !== "closing") return;
    const wasIdle = this.una === this.nxt;
    while (this.#unsent > 0 && ahead(this.nxt, this.una) < FLIGHT_MAX * MSS) {
      const length = Math.min(this.#unsent, MSS);
      this.#emit({ length });
      this.nxt = add(this.nxt, length);
      this.#unsent -= length;
    }
    if (this.#wantsFin && !this.#hasSentFin && this.#unsent === 0) {
      this.#emit({ fin: true });
      this.nxt = add(this.nxt, 1);
      this.#hasSentFin = true;
      this.state = "closing";
    }
    if (wasIdle && this.una !== this.nxt) this.#arm();
  }

  #arm(): void {
    const timer = ++this.#timer;
    this.#world.wait(this.#rtoMs, () => {
      if (timer !== this.#timer) return;
      this.#rtoMs = Math.min(this.#rtoMs * 2, RTO_MAX_MS);
      this.#resend();
      this.#arm();
    });
  }

  /** Sends again what is not acknowledged. */
  #resend(): void {
    if (this.state === "synSent") this.#emit({ syn: true, hasAck: false, seq: this.una });
    else if (this.state === "synReceived") this.#emit({ syn: true, seq: this.una });
    else {
      const end = this.#hasSentFin ? add(this.nxt, -1) : this.nxt;
      for (let seq = this.una; ahead(end, seq) > 0; ) {
        const length = Math.min(ahead(end, seq), MSS);
        this.#emit({ seq, length });
        seq = add(seq, length);
      }
      if (this.#hasSentFin && !this.hasFinished) this.#emit({ seq: end, fin: true });
    }
  }

  #emit(fields: Partial<Segment>): void {
    this.#world.send({
      seq: this.nxt,
      ack: this.rcv,
      syn: false,
      fin: false,
      rst: false,
      hasAck: true,
      length: 0,
      ...fields,
    });
  }
}
