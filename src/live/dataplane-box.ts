/**
 * What the dataplane thread does in a turn: it obeys what the machines of the box want of the sessions, takes frames from the
 * devices, has the core decide and prepare them, and sends them on. Frames for the box itself, those without a known
 * next hop and those that an ICMP error may be due for go to the machines.
 *
 *     devices --> core --> devices
 *                 |  ^
 *           local |  | roles, records, neighbours, frames of the box
 *                 v  |
 *               machines (control thread)
 */
import * as L from "../../assembly/layout.js";
import type { Dataplane } from "../dataplane.js";
import { formatMac, type Mac } from "../frame.js";
import type { Address } from "../ip.js";
import type { SessionsAction, SessionsInput, Sharing } from "../node/shared-sessions.js";
import { fragment } from "../router/fragment.js";
import { RingReader } from "../ring.js";
import { type BoxCounters, NO_COUNTS } from "./box-counters.js";
import type { DataplaneBoxOptions, LivePortOf } from "./dataplane-options.js";
import { addedTag, destinationOf, isForNobody, withoutTag } from "./frames.js";
import { Handover, type WaitingFrame } from "./handover.js";
import { type HeldFrame, HeldReplies } from "./held-replies.js";
import { causeOf, readToDataplane, type ToControl, type ToDataplane, writeToControl } from "./messages.js";
import { Outbox } from "./outbox.js";
import type { PacketIo } from "./packet-io.js";
import { type PolicedKind, Policer } from "./policer.js";
import { segments } from "./segments.js";
import { Stations } from "./stations.js";

/** Messages of one turn, so that packets are not kept waiting. */
const MESSAGES_PER_TURN = 64;
const MAC_LENGTH = 6;

type Transmit = Extract<ToDataplane, { kind: "transmit" }>;

export class DataplaneBox {
  readonly counters: BoxCounters = { ...NO_COUNTS };
  readonly policer = new Policer(L.INTERFACES_MAX);
  readonly #options: DataplaneBoxOptions;
  readonly #fromControl: RingReader;
  readonly #toControl: Outbox<ToControl>;
  readonly #held = new HeldReplies();
  #io: PacketIo;
  #ports: readonly (LivePortOf | undefined)[];
  readonly #stations = new Stations(this.counters);
  readonly #handover = new Handover();
  #lastTurnMs: number;
  /** A pause of so long between two turns may have cost the active role. */
  #stallMs = Number.POSITIVE_INFINITY;
  #isStalled = false;
  #hasTold = false;

  constructor(options: DataplaneBoxOptions, nowMs: number) {
    this.#options = options;
    this.#ports = options.ports;
    this.#fromControl = new RingReader(options.fromControl);
    this.#toControl = new Outbox(options.toControl, writeToControl);
    this.#lastTurnMs = nowMs;
    this.#enable();
    this.#io = options.openIo();
  }

  get io(): PacketIo {
    return this.#io;
  }

  get #dataplane(): Dataplane {
    return this.#options.sessions.dataplane;
  }

  /** When the next turn is due even if nothing arrives. */
  get deadlineMs(): number {
    return Math.min(this.#options.sessions.deadlineMs, this.#handover.deadlineMs);
  }

  /** Whether there is something to do before a frame arrives or the deadline is due. */
  hasWork(): boolean {
    return this.#fromControl.hasNews() || this.#toControl.isWaiting;
  }

  /** Frames for the machines that found no room. */
  get refusedMessages(): number {
    return this.#toControl.refused;
  }

  /** Whether frames are left where they are for now: the role is in doubt. */
  get isPaused(): boolean {
    return this.#isStalled;
  }

  /** Does what there is to do at this time. False: there was nothing. `wasDueMs`: when the turn was to be at the latest. */
  turn(nowMs: number, wasDueMs = this.#lastTurnMs): boolean {
    const pauseMs = nowMs - Math.max(wasDueMs, this.#lastTurnMs);
    if (pauseMs >= this.#stallMs) this.#stall(pauseMs);
    this.#lastTurnMs = nowMs;
    if (nowMs >= this.#handover.deadlineMs) this.#endHandover(nowMs);
    let isBusy = this.#toControl.flush();
    this.#hasTold ||= isBusy;
    isBusy = this.#obey(nowMs) || isBusy;
    if (!this.isPaused) isBusy = this.#forward(nowMs) || isBusy;
    const { sessions } = this.#options;
    if (sessions.deadlineMs <= nowMs) {
      isBusy = true;
      this.#expire(nowMs);
      this.#act(sessions.tick(nowMs), nowMs);
    }
    if (this.#hasTold) {
      this.#hasTold = false;
      this.#options.wakeControl();
    }
    return isBusy;
  }

  /** Another configuration is in force in the dataplane: the interfaces have these ports now. */
  reconfigure(ports: readonly (LivePortOf | undefined)[], sharing: Sharing, nowMs: number): void {
    this.#ports = ports;
    this.#enable();
    this.#act(this.#options.sessions.share(sharing, nowMs), nowMs);
  }

  /** Opens the devices that there are now. */
  reopen(): void {
    this.#io.close();
    this.#io = this.#options.openIo();
  }

  /** Has the events of the core read, once: its next call forgets them. */
  tellEvents(nowMs: number): void {
    const dataplane = this.#dataplane;
    if (dataplane.eventCount === 0) return;
    this.#options.onEvents?.(dataplane, nowMs);
    dataplane.forgetEvents();
  }

  #expire(nowMs: number): void {
    this.#act(this.#options.sessions.expire(nowMs), nowMs);
    this.tellEvents(nowMs);
  }

  // --- what the machines want

  #obey(nowMs: number): boolean {
    for (let i = 0; i < MESSAGES_PER_TURN; i++) {
      const message = readToDataplane(this.#fromControl);
      if (message === undefined) return i > 0;
      this.#take(message, nowMs);
    }
    return true;
  }

  #take(message: ToDataplane, nowMs: number): void {
    switch (message.kind) {
      case "sessions": {
        const { sessions } = this.#options;
        const wasActive = sessions.dataplane.sync.role === "active";
        this.#expire(nowMs);
        this.#act(sessions.step(message.input, nowMs), nowMs);
        this.#noteRole(message.input, wasActive, nowMs);
        this.tellEvents(nowMs);
        return;
      }
      case "transmit":
        this.#send(message, nowMs);
        return;
      case "neighbor":
        this.#setNeighbor(message.interface, message.address, message.mac);
        return;
      case "station":
        this.#setStation(message);
        return;
      case "succeeded":
        if (this.#dataplane.sync.role === "standby") this.#endHandover(nowMs);
        return;
      case "patience":
        this.#stallMs = message.stallMs;
        return;
      case "resume":
        this.#isStalled = false;
        return;
    }
  }

  /** A role that is handed over: frames wait until the other box has it, and then go on to there; or it stays here. */
  #noteRole({ kind, ...input }: SessionsInput, wasActive: boolean, nowMs: number): void {
    const isDraining = kind === "drain" && "isDraining" in input && input.isDraining;
    if (kind === "activate") this.#endHandover(nowMs);
    else if (kind === "deactivate" && wasActive) this.#handover.yield(nowMs);
    else if (isDraining) this.#handover.begin();
    if (this.#handover.isUnderWay) this.#dataplane.forwarding.setHandover(true);
  }

  /** It is clear who decides the frames that have waited: this box does, or the one that has their address now. */
  #endHandover(nowMs: number): void {
    if (!this.#handover.isUnderWay) return;
    const { forwarding, sync } = this.#dataplane;
    const waiting = this.#handover.end();
    forwarding.setHandover(false);
    this.#stations.settle(forwarding);
    if (sync.role === "active") this.#decideLate(waiting, nowMs);
    else for (const { number, frame } of waiting) this.#bounce(number, frame);
  }

  /** A frame of the machines: with the tag of its interface, from the port that carries it. */
  #send({ interface: number, frame, isForwarded }: Transmit, nowMs: number): void {
    const port = this.#ports[number];
    if (port === undefined) return;
    const tagged = port.vlan === 0 ? frame : addedTag(frame, port.vlan);
    if (!isForwarded) this.#options.tap?.own(number, tagged, nowMs, this.#options.wallMs());
    this.#io.send(port.port, tagged);
  }

  #setNeighbor(number: number, address: Address, mac: Mac | undefined): void {
    const { forwarding } = this.#dataplane;
    if (mac === undefined) forwarding.deleteNeighbor(number, address);
    else forwarding.setNeighbor(number, address, mac); // full: counted by the core
  }

  #setStation(message: Extract<ToDataplane, { kind: "station" }>): void {
    const { interface: number, mac, isOwned, successor } = message;
    this.#handover.setSuccessor(number, mac, isOwned ? undefined : successor);
    const { forwarding } = this.#dataplane;
    this.#stations.set(forwarding, this.#ports[number], number, mac, isOwned, this.#handover.isUnderWay);
  }

  /** Of a core that is new, or that has a new configuration. */
  #enable(): void {
    this.#stations.enable(this.#dataplane.forwarding, this.#ports);
    this.#options.watch?.attach(this.#dataplane);
  }

  // --- packets

  #forward(nowMs: number): boolean {
    const dataplane = this.#dataplane;
    const { batch } = dataplane;
    batch.clear();
    const frames = this.#io.receive(batch.capacity);
    if (frames === 0) return false;
    this.counters.batches++;
    this.counters.frames += frames;
    batch.length = frames;
    this.#decide(dataplane, nowMs);
    return true;
  }

  /** Frames that have waited, of which the box itself is to decide after all. */
  #decideLate(waiting: readonly WaitingFrame[], nowMs: number): void {
    const dataplane = this.#dataplane;
    const { batch } = dataplane;
    const left = waiting.values();
    for (let each = left.next(); !each.done && dataplane === this.#dataplane; ) {
      batch.clear();
      while (!each.done && batch.add(each.value.frame, each.value.carrier)) each = left.next();
      this.#decide(dataplane, nowMs);
    }
  }

  /** Decides what is in the batch, and sends what may leave. */
  #decide(dataplane: Dataplane, nowMs: number): void {
    const { sessions, tap, watch, wallMs } = this.#options;
    const { batch } = dataplane;
    tap?.arrive(batch);
    const { outputs, actions } = sessions.process(nowMs);
    if (sessions.dataplane === dataplane) {
      tap?.decided(batch, outputs, nowMs, wallMs());
      watch?.decided(dataplane, outputs, nowMs);
      this.#attend(dataplane, outputs, nowMs);
      this.#io.transmit(outputs);
      this.tellEvents(nowMs);
    }
    this.#act(actions, nowMs);
  }

  /** Outputs that do not just leave. */
  #attend(dataplane: Dataplane, outputs: number, nowMs: number): void {
    const { batch } = dataplane;
    const isBouncing = this.#handover.isBouncing(nowMs);
    for (let i = 0; i < outputs; i++) {
      const forward = batch.forward(i);
      if (forward === L.FW_SEND) continue;
      if (forward !== L.FW_NONE) {
        this.#io.complete(i);
        this.#divert(dataplane, i, forward, nowMs);
      } else if (isBouncing && batch.reasonCode(i) === L.R_NOT_FOR_US) {
        this.#io.complete(i);
        for (const frame of this.#wholeFrames(dataplane, i)) this.#bounce(batch.ingress(i), frame);
      }
    }
  }

  #divert(dataplane: Dataplane, i: number, forward: number, nowMs: number): void {
    const { batch } = dataplane;
    switch (forward) {
      case L.FW_LOCAL: {
        const number = batch.ingress(i);
        const networkOffset = batch.networkOffset(i);
        const kind = this.policer.kindOf(batch.frame(i), networkOffset, batch.protocol(i));
        this.#pass(kind, number, nowMs, () => ({
          kind: "local",
          interface: number,
          networkOffset,
          frame: batch.frame(i),
        }));
        return;
      }
      case L.FW_DEFER:
      case L.FW_RESOLVE:
        for (const each of this.#wholeFrames(dataplane, i)) this.#leave(dataplane, i, each, nowMs);
        return;
      case L.FW_WAIT:
        this.#wait(dataplane, i);
        return;
      case L.FW_FRAGMENT: {
        const mtu = dataplane.forwarding.mtu(batch.egress(i));
        for (const each of fragment(batch.frame(i), batch.networkOffset(i), mtu))
          this.#leave(dataplane, i, each, nowMs);
        return;
      }
      default: {
        const number = batch.ingress(i);
        this.#pass("report", number, nowMs, () => ({
          kind: "report",
          interface: number,
          networkOffset: batch.networkOffset(i),
          cause: causeOf(batch.reasonCode(i)),
          mtu: dataplane.forwarding.mtu(batch.egress(i)),
          frame: batch.frame(i),
        }));
      }
    }
  }

  /** A frame of output `i` that is ready to leave, but for the peer's acknowledgement or the address of its next hop. */
  #leave(dataplane: Dataplane, i: number, frame: Uint8Array, nowMs: number): void {
    const { batch } = dataplane;
    const held = { port: batch.port(i), frame: frame.slice(), egress: batch.egress(i) };
    const { sessions } = this.#options;
    if (batch.isDeferred(i) && sessions.defer(this.#held.nextToken, nowMs)) this.#held.keep(held);
    else this.#depart(held, nowMs);
  }

  /** Sends a frame, or has its next hop resolved. */
  #depart({ port, frame, egress }: HeldFrame, nowMs: number): void {
    if (!isForNobody(frame)) {
      this.#io.send(port, frame);
      return;
    }
    const plain = withoutTag(frame, this.#ports[egress]?.vlan ?? 0);
    const destination = destinationOf(plain);
    if (destination === undefined) return;
    this.#pass("resolve", egress, nowMs, () => ({
      kind: "resolve",
      interface: egress,
      nextHop: this.#dataplane.forwarding.nextHop(egress, destination),
      frame: plain,
    }));
  }

  /** Hands something to the machines, if its kind has not come too often. */
  #pass(kind: PolicedKind, number: number, nowMs: number, message: () => ToControl): void {
    if (this.policer.admits(kind, number, nowMs)) this.#tell(message());
  }

  #tell(message: ToControl): void {
    this.#hasTold = true;
    this.#toControl.offer(message);
  }

  /** A frame that waits until the role has been handed over. */
  #wait(dataplane: Dataplane, i: number): void {
    const { batch } = dataplane;
    const number = batch.ingress(i);
    const carrier = this.#carrierOf(number);
    for (const frame of this.#wholeFrames(dataplane, i))
      if (!this.#handover.keep({ number, carrier, frame: frame.slice() })) this.counters.waitingFull++;
  }

  /** The frames that a frame was merged of, or itself: nobody cuts up what does not leave as it came. */
  #wholeFrames({ batch }: Dataplane, i: number): Uint8Array[] {
    return segments(batch.frame(i), batch.networkOffset(i), batch.segment(i));
  }

  /** The number of the interface that takes untagged frames of the same device. */
  #carrierOf(number: number): number {
    const port = this.#ports[number];
    const carrier = this.#ports.findIndex((each) => each?.port === port?.port && each?.vlan === 0);
    return carrier < 0 ? number : carrier;
  }

  /** A frame for a virtual address that another box has now goes on to that box. */
  #bounce(number: number, frame: Uint8Array): void {
    const port = this.#ports[number];
    const destination = formatMac(frame.subarray(0, MAC_LENGTH));
    const sent = port && this.#handover.addressed(number, frame, destination, port.mac);
    if (port === undefined || sent === undefined) return;
    this.#io.send(port.port, sent);
    this.counters.bounced++;
  }

  #stall(pauseMs: number): void {
    this.counters.stalls++;
    this.#isStalled = true;
    this.#hasTold = true;
    this.#toControl.post({ kind: "stalled", pauseMs });
  }

  #act(actions: readonly SessionsAction[], nowMs: number): void {
    for (const action of actions) {
      switch (action.kind) {
        case "release": {
          const held = this.#held.take(action.token);
          if (held !== undefined) this.#depart(held, nowMs);
          break;
        }
        case "discard":
          this.#held.take(action.token);
          break;
        case "expired":
          // Fragments that were given up: dropped, and counted by the core.
          this.#options.watch?.decided(this.#dataplane, action.outputs, nowMs);
          break;
        case "trapped":
          if (action.isRenewed) this.#renew();
          this.#post(action);
          break;
        default:
          this.#post(action);
      }
    }
  }

  #post(action: SessionsAction): void {
    this.#hasTold = true;
    this.#toControl.post({ kind: "sessions", action });
  }

  /** The core has trapped: the devices get the memory of the one that goes on. The machines tell it what it has to know. */
  #renew(): void {
    this.#handover.end();
    this.#stations.clear();
    this.#enable();
    this.reopen();
  }
}
