/** `debug` in the thread of the machines. While nothing is debugged, each call is one comparison. */
import { encapsulationPort, usedAssociation } from "../check/topology.js";
import type { Config } from "../config/model.js";
import { ETHERNET } from "../frame.js";
import type { NodeAction } from "../node/actions.js";
import type { SessionsAction, SessionsInput } from "../node/shared-sessions.js";
import { COUNTER_NAMES, type Router, type RouterAction, type RouterInput } from "../router/index.js";
import { frameLine } from "./frame-lines.js";
import { actionLine, neighborLine, syncLines } from "./machine-lines.js";
import type { DebugOutlet } from "./outlet.js";
import type { DebugLine } from "./topics.js";

export class ControlWatch {
  readonly #outlet: DebugOutlet;
  #sctpPort: number | undefined;

  constructor(outlet: DebugOutlet, config: Config) {
    this.#outlet = outlet;
    this.configure(config);
  }

  configure(config: Config): void {
    const association = usedAssociation(config);
    this.#sctpPort = association && encapsulationPort(association);
  }

  /** Has the router take something, and tells of a frame that came for the box, with what the router counted. */
  step(router: Router, input: RouterInput, nowMs: number): RouterAction[] {
    if (!this.#outlet.isOn || input.kind !== "frame") return router.step(input, nowMs);
    const before = router.counters();
    const actions = router.step(input, nowMs);
    const after = router.counters();
    const counted = COUNTER_NAMES.filter((name) => after[name] !== before[name]);
    const { interface: name, frame, networkOffset } = input;
    const own = { interface: name, direction: "in", frame, networkOffset, counted } as const;
    this.#offer(frameLine({ ...own, sctpPort: this.#sctpPort }), nowMs);
    return actions;
  }

  /** A frame of the box itself, without a VLAN tag. */
  sent(name: string, frame: Uint8Array, nowMs: number): void {
    if (!this.#outlet.isOn) return;
    const own = { interface: name, direction: "out", frame, networkOffset: ETHERNET.size } as const;
    this.#offer(frameLine({ ...own, sctpPort: this.#sctpPort }), nowMs);
  }

  neighbor(action: Extract<RouterAction, { kind: "neighbor" }>, nowMs: number): void {
    if (this.#outlet.isOn && !action.isAgain) this.#offer(neighborLine(action), nowMs);
  }

  machine(action: NodeAction, nowMs: number): void {
    if (this.#outlet.isOn) this.#offer(actionLine(action), nowMs);
  }

  sessions(message: SessionsInput | SessionsAction, nowMs: number): void {
    if (!this.#outlet.isOn) return;
    for (const line of syncLines(message)) this.#offer(line, nowMs);
  }

  #offer(line: DebugLine | undefined, nowMs: number): void {
    if (line !== undefined) this.#outlet.offer(line, nowMs);
  }
}
