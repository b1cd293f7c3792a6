/** What the main thread asks of the control thread. */
import type { NeighborView as BfdNeighborView } from "../../bfd/index.js";
import type { Config } from "../../config/model.js";
import type { DebugOutlet } from "../../debug/outlet.js";
import type { DebugView } from "../../debug/topics.js";
import type { StandbyStatistics } from "../../console/backend.js";
import type { Mac } from "../../frame.js";
import type { HsrpGroupView } from "../../hsrp/index.js";
import type { ControlBox } from "../../live/control-box.js";
import type { OperatorInput, RedundancyView } from "../../redundancy/index.js";
import type {
  Counters as RouterCounters,
  InterfaceView,
  NeighborView,
  RouteView,
  RouterInput,
} from "../../router/index.js";
import type { EndpointView } from "../../sctp/index.js";
import type { Device } from "../linux/device.js";
import type { Links } from "./links.js";

/** What the machines of a box are, at a moment. */
export interface ControlView {
  readonly standby: readonly HsrpGroupView[];
  readonly standbyStatistics: readonly StandbyStatistics[];
  readonly redundancy: RedundancyView;
  /** Undefined: no association is configured. */
  readonly association: EndpointView | undefined;
  readonly bfd: readonly BfdNeighborView[];
  readonly links: ReadonlyMap<string, boolean>;
  readonly refusedMessages: number;
  /** Clock of the box. */
  readonly nowMs: number;
}

export interface RoutingView {
  /** Of both versions of IP, as are the routes. */
  readonly neighbors: readonly NeighborView[];
  readonly routes: readonly RouteView[];
  readonly interfaces: readonly InterfaceView[];
  readonly counters: RouterCounters;
}

export interface ControlCalls {
  view(argument: undefined): ControlView;
  router(argument: undefined): RoutingView;
  /** The outcome follows as a report. */
  operate(argument: OperatorInput): void;
  route(argument: RouterInput): void;
  debug(argument: DebugView): void;
  configure(argument: {
    readonly config: Config;
    readonly macs: ReadonlyMap<string, Mac>;
    readonly mtus: ReadonlyMap<string, number>;
    readonly devices: ReadonlyMap<string, string>;
    readonly interfaces: readonly string[];
  }): void;
  /** These devices are open now. */
  watch(argument: readonly Device[]): void;
  /** Orderly end: resigns, says so to the peer, and ends the loop. */
  stop(argument: undefined): void;
}

export function controlCalls({
  box,
  links,
  debug,
  nowMs,
}: {
  readonly box: ControlBox;
  readonly links: Links;
  readonly debug: DebugOutlet;
  readonly nowMs: () => number;
}): ControlCalls {
  return {
    view: () => {
      const { bfd, hsrp, redundancy, sctp } = box.node;
      const atMs = nowMs();
      return {
        standby: hsrp.views(atMs),
        standbyStatistics: hsrp.statistics(),
        redundancy: redundancy.view,
        association: sctp?.view(),
        bfd: bfd?.views(atMs) ?? [],
        links: box.links,
        refusedMessages: box.refusedMessages,
        nowMs: atMs,
      };
    },
    router: () => {
      const { router } = box;
      const atMs = nowMs();
      return {
        neighbors: [...router.neighbors(4, atMs), ...router.neighbors(6, atMs)],
        routes: [...router.routes(4), ...router.routes(6)],
        interfaces: router.interfaces(),
        counters: router.counters(),
      };
    },
    operate: (command) => box.command(command, nowMs()),
    route: (input) => box.route(input, nowMs()),
    debug: (view) => debug.configure(view),
    configure: ({ config, macs, mtus, devices, interfaces }) => {
      links.configure({ config, devices });
      box.configure({ config, macs, mtus, interfaces }, nowMs());
    },
    watch: (devices) => links.watch(devices),
    stop: () => box.command({ kind: "stop" }, nowMs()),
  };
}
