/**
 * `debug` in the thread that moves the packets. While nothing is debugged there, a batch costs one comparison; what the
 * packets of a batch say is read from where they lie.
 */
import type { Dataplane } from "../dataplane.js";
import type { FirewallEvent } from "../events.js";
import type { DebugOutlet } from "./outlet.js";
import { PACKET_TOPICS, type PacketNames, packetLine, SESSION_TOPICS, sessionLine } from "./packet-lines.js";
import type { DebugView } from "./topics.js";

export class PacketWatch {
  readonly #outlet: DebugOutlet;
  #arePacketsWatched = false;
  #areSessionsWatched = false;
  #isDetailed = false;

  constructor(outlet: DebugOutlet) {
    this.#outlet = outlet;
  }

  /** To be repeated for a core that takes over from this one. */
  configure(view: DebugView, dataplane: Dataplane): void {
    this.#outlet.configure(view);
    this.#arePacketsWatched = PACKET_TOPICS.some((topic) => this.#outlet.isDebugged(topic));
    this.#areSessionsWatched = SESSION_TOPICS.some((topic) => this.#outlet.isDebugged(topic));
    this.#isDetailed = this.#outlet.isDebugged("ip inspect detailed");
    this.attach(dataplane);
  }

  /** Has a core report what is watched. */
  attach(dataplane: Dataplane): void {
    dataplane.forwarding.tellSessions(this.#areSessionsWatched);
  }

  /** The first `outputs` of the batch have been decided, and nothing has been sent yet. */
  decided(dataplane: Dataplane, outputs: number, nowMs: number): void {
    if (!this.#arePacketsWatched) return;
    const names = namesOf(dataplane);
    for (let i = 0; i < outputs; i++) {
      const line = packetLine(dataplane.batch, i, names, this.#isDetailed);
      if (line !== undefined) this.#outlet.offer(line, nowMs);
    }
  }

  /** Events of one call of the core; those that are for the log whether anything is debugged or not. */
  *heard(events: Iterable<FirewallEvent>, nowMs: number): Generator<FirewallEvent, void> {
    for (const event of events) {
      const isSession = !("source" in event);
      if (isSession && event.type !== "evicted") this.#outlet.offer(sessionLine(event), nowMs);
      if (!isSession || event.type === "evicted" || event.isAudited) yield event;
    }
  }
}

function namesOf(dataplane: Dataplane): PacketNames {
  return {
    interfaces: dataplane.interfaces,
    rule: (number) => {
      const { list, sequence } = dataplane.ruleName(number);
      return `${list} ${sequence}`;
    },
  };
}
