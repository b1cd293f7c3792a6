/**
 * Before a box goes live its control thread plays through what it will have to do in time: two boxes of a made-up pair hear
 * each other, with BFD every few milliseconds, and one of them dies. V8 compiles what runs often while it runs; that takes
 * tens of milliseconds, which the detection time of BFD has not to spare.
 */
import { parse } from "../config/parse.js";
import { DebugOutlet } from "../debug/outlet.js";
import type { ControlOptions } from "../node/actions.js";
import { RingReader, RingWriter } from "../ring.js";
import { Router } from "../router/index.js";
import { ControlBox } from "./control-box.js";
import { ETHERNET_HEADER } from "./frames.js";
import { newMessageRing, readToDataplane, writeToControl } from "./messages.js";

/** Until the sessions of BFD are up and fast, and for as long as it takes V8 to find out what runs often. */
const TOGETHER_MS = 5000;
const ALONE_MS = 500;
const STEP_MS = 1;
const MESSAGES_MAX = 64;

const INTERFACES = ["GigabitEthernet0/0", "GigabitEthernet0/1"] as const;

/** One LAN with an HSRP group, and a link between the boxes. */
const configOf = (own: number, peer: number): string => `redundancy inter-device
 scheme standby LAN
ipc zone default
 association 1
  no shutdown
  key-string rehearsal
  protocol sctp
   local-port 5000
    local-ip 10.2.0.${own}
   remote-port 5000
    remote-ip 10.2.0.${peer}
interface ${INTERFACES[0]}
 ip address 10.1.0.${own} 255.255.255.0
 standby 1 ip 10.1.0.1
 standby 1 timers msec 100 msec 350
 standby 1 preempt
 standby delay minimum 0 reload 0
 standby 1 authentication md5 key-string rehearsal
 standby 1 name LAN
 bfd interval 5 min_rx 5 multiplier 3
 standby bfd
interface ${INTERFACES[1]}
 ip address 10.2.0.${own} 255.255.255.0
 bfd interval 5 min_rx 5 multiplier 3
`;

interface Player {
  readonly box: ControlBox;
  readonly orders: RingReader;
  readonly arrivals: RingWriter;
}

/** What the actors borrow of the box that is to go live. */
export type Props = Pick<ControlOptions, "random" | "secret" | "mac">;

function playerOf(own: number, peer: number, { random, secret, mac }: Props): Player {
  const { config } = parse(configOf(own, peer));
  const macs = new Map(INTERFACES.map((name, i) => [name as string, `0200.0000.0${i}0${own}`]));
  const mtus = new Map(INTERFACES.map((name) => [name as string, 1500]));
  const fromDataplane = newMessageRing(MESSAGES_MAX);
  const toDataplane = newMessageRing(MESSAGES_MAX);
  const box = new ControlBox({
    node: { config, macs, random, secret, mac, software: "rehearsal", sessions: 1 },
    router: new Router({ config, macs, mtus, random }),
    interfaces: ["", ...INTERFACES],
    fromDataplane,
    toDataplane,
    debug: new DebugOutlet(() => {}),
    wakeDataplane: () => {},
    report: () => {},
  });
  return { box, orders: new RingReader(toDataplane), arrivals: new RingWriter(fromDataplane) };
}

/** What has happened in it. */
export interface Played {
  /** How often a box took the active role: the second time because the other one had died. */
  readonly takeovers: number;
  readonly frames: number;
}

/** Plays it, in virtual time. */
export function rehearse(props: Props): Played {
  const players = [playerOf(2, 3, props), playerOf(3, 2, props)] as const;
  let takeovers = 0;
  let frames = 0;
  for (const { box } of players) {
    box.start(0);
    for (const name of INTERFACES) box.setLink(name, true, 0);
  }
  let alive: readonly Player[] = players;
  for (let nowMs = 0; nowMs < TOGETHER_MS + ALONE_MS; nowMs += STEP_MS) {
    if (nowMs === TOGETHER_MS) alive = players.filter(({ box }) => box.node.redundancy.role !== "active");
    for (const { box, orders } of alive) {
      while (box.turn(nowMs));
      const other = players.find((each) => each.box !== box)!;
      for (let each = readToDataplane(orders); each !== undefined; each = readToDataplane(orders)) {
        if (each.kind === "sessions" && each.input.kind === "activate") takeovers++;
        if (each.kind !== "transmit") continue;
        frames++;
        const { interface: number, frame } = each;
        writeToControl(other.arrivals, {
          kind: "local",
          interface: number,
          networkOffset: ETHERNET_HEADER,
          frame,
        });
      }
    }
  }
  return { takeovers, frames };
}
