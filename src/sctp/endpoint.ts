/**
 * One end of one association with one peer (RFC 9260), without input or output: datagrams, wishes of the application
 * and the time go in, datagrams and news come out.
 */

import { type Context, count, type EndpointState, type SctpAction } from "./context.js";
import { cookieKey } from "./cookie.js";
import { newCounters, type Refusal } from "./counters.js";
import { consume } from "./inbound.js";
import { NEVER_MS } from "./instant.js";
import { enqueue, type OutgoingMessage, roomFor } from "./outbound.js";
import { PacketWriter } from "./packet.js";
import { type Datagram, receiveDatagram } from "./receive.js";
import { type EndpointOptions, type Settings, settingsOf } from "./settings.js";
import { SENDING_STATES } from "./states.js";
import { earliestMs, expireTimers } from "./timers.js";
import { happen } from "./transition.js";
import { flush, isTeardownReady } from "./transmit.js";
import { type EndpointView, fingerprintOf, viewOf } from "./view.js";

export type SctpInput =
  | ({ kind: "datagram" } & Datagram)
  /** Get an association, answer the peer when it asks for one, and try again whenever it is lost. */
  | { kind: "connect" }
  /** Answer the peer when it asks for an association. */
  | { kind: "listen" }
  /**
   * Queues a message, whose bytes must not be changed from now on, or gives the action "refused". `isMore`: others
   * follow at once; nothing is sent before the last of them, or the next tick, so that small ones share packets.
   */
  | ({ kind: "send"; isMore?: boolean } & OutgoingMessage)
  /**
   * With `isConsumptionCounted`: so many bytes of messages that were delivered since the last "up" or "restarted" need
   * no more room.
   */
  | { kind: "consumed"; bytes: number }
  /** End the association when all that is queued has arrived, and refuse new ones until "connect" or "listen". */
  | { kind: "shutdown" }
  /** End it at once, and refuse new ones. */
  | { kind: "abort" }
  | { kind: "tick" };

const COOKIE_NONCE_WORDS = 4;
/** The state of a queue that was full is told when this part of it is free again. */
const WRITABLE_PART = 1 / 2;

function newState(settings: Settings): EndpointState {
  const nonce = Array.from({ length: COOKIE_NONCE_WORDS }, () => settings.random());
  return {
    mode: "disabled",
    code: "CL",
    association: undefined,
    epoch: 0,
    cookieKey: cookieKey(settings.secret, nonce),
    udpPorts: settings.pairs.map(() => settings.remoteUdpPort),
    connectAtMs: NEVER_MS,
    reconnectMs: 0,
    answersUsedAtMs: 0,
    isCorked: false,
    isSenderWaiting: false,
    nowAtMs: 0,
    counters: newCounters(),
  };
}

export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #settings: Settings;
  readonly #writer: PacketWriter;
  readonly #state: EndpointState;
  #deadlineMs: number;

  /** Options that contradict each other are a bug of the caller: throws. `state` is for `clone`. */
  constructor(options: EndpointOptions, state?: EndpointState) {
    this.#options = options;
    this.#settings = settingsOf(options);
    this.#writer = new PacketWriter(this.#settings.mtu);
    this.#state = state ?? newState(this.#settings);
    this.#deadlineMs = earliestMs(this.#state);
  }

  /** When the next "tick" is due, on the clock of `step`; Infinity: nothing is awaited. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /**
   * Takes one input at `nowMs`, a clock in milliseconds that never goes back. Timers that are due expire with any
   * input. The actions are to be carried out in their order.
   */
  step(input: SctpInput, nowMs: number): SctpAction[] {
    const state = this.#state;
    state.nowAtMs = Math.max(state.nowAtMs, nowMs);
    state.answersUsedAtMs = Math.max(state.answersUsedAtMs, state.nowAtMs);
    const context: Context = {
      settings: this.#settings,
      state,
      nowMs: state.nowAtMs,
      actions: [],
      writer: this.#writer,
      arrival: undefined,
      replies: [],
      flush: { packetsMax: this.#settings.burstMax, isForced: false },
    };
    const isHeldBack = this.#take(context, input);
    if (!isHeldBack) expireTimers(context);
    const { association } = state;
    if (association !== undefined) {
      if (!isHeldBack) flush(context, association);
      if (isTeardownReady(context, association)) happen(context, "drained");
      this.#tellWritable(context);
    }
    this.#deadlineMs = earliestMs(state);
    return context.actions;
  }

  /** The largest message that the send queue would take now, in bytes; 0: none. */
  get writableBytes(): number {
    const { association, code } = this.#state;
    if (association === undefined || !SENDING_STATES.includes(code)) return 0;
    return roomFor(association.outbound, this.#settings);
  }

  /** A copy of what an operator may see. */
  view(): EndpointView {
    return viewOf(this.#state, this.#settings);
  }

  /** An endpoint in the same state, which goes its own way from now on. `random` is the same function. */
  clone(): Endpoint {
    return new Endpoint(this.#options, structuredClone(this.#state));
  }

  /** The state as text, with instants relative to the last step and without counters. */
  fingerprint(): string {
    return fingerprintOf(this.#state);
  }

  /** Whether what was queued is to wait for more. */
  #take(context: Context, input: SctpInput): boolean {
    const { state } = context;
    switch (input.kind) {
      case "datagram":
        receiveDatagram(context, input);
        return false;
      case "connect":
        state.mode = "connect";
        state.connectAtMs = NEVER_MS;
        happen(context, "connect");
        return false;
      case "listen":
        state.mode = "listen";
        state.connectAtMs = NEVER_MS;
        return false;
      case "send":
        return this.#send(context, input);
      case "consumed":
        this.#consumed(context, input.bytes);
        return false;
      case "shutdown":
      case "abort":
        state.mode = "disabled";
        state.connectAtMs = NEVER_MS;
        happen(context, input.kind, {
          reason: input.kind,
          causes: [{ kind: "userInitiatedAbort", bytes: new Uint8Array(0) }],
        });
        return false;
      case "tick":
        return false;
    }
  }

  #send(context: Context, message: OutgoingMessage & { isMore?: boolean }): boolean {
    const { state, settings } = context;
    const { association } = state;
    const isOpen = association !== undefined && SENDING_STATES.includes(state.code);
    const refusal: Refusal | undefined = isOpen
      ? enqueue(association.outbound, message, settings)
      : "send_not_connected";
    if (refusal === undefined) {
      count(context, "messages_queued");
    } else {
      count(context, refusal);
      if (refusal === "send_full") state.isSenderWaiting = true;
      context.actions.push({ kind: "refused", reason: refusal });
    }
    state.isCorked = isOpen && message.isMore === true;
    return state.isCorked;
  }

  #consumed(context: Context, bytes: number): void {
    const { settings, state } = context;
    const { association } = state;
    // Of an association that has ended there is nothing left to count.
    if (association === undefined) return;
    if (bytes > association.inbound.unconsumedBytes) count(context, "consumed_excess");
    else consume(association.inbound, bytes, settings, settings.mtu);
  }

  #tellWritable({ state, settings, actions }: Context): void {
    const { association } = state;
    if (association === undefined || !state.isSenderWaiting) return;
    if (association.outbound.queuedBytes > settings.sendQueueBytes * WRITABLE_PART) return;
    state.isSenderWaiting = false;
    actions.push({ kind: "writable" });
  }
}
