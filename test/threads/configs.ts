/**
 * Configurations of a pair with short timers: an inside, an outside and a link of its own for the sessions. The
 * benchmarks use them, too.
 */
import type { BoxName } from "../../src/pair/world.js";

export const INSIDE = "GigabitEthernet0/0";
export const OUTSIDE = "GigabitEthernet0/1";
export const LINK = "GigabitEthernet0/2";

export interface PairOptions {
  /** `standby timers`: hello and hold time. */
  timers?: string;
  /** `ip inspect redundancy defer`. */
  defer?: boolean;
  /** Each group gives way when the link of the other one breaks. */
  tracks?: boolean;
  /** `ip inspect redundancy update`. */
  update?: string;
  /** The same firewall without a pair. */
  isAlone?: boolean;
}

/** The last byte of each own address. */
const HOSTS: Readonly<Record<BoxName, { own: number; peer: number; priority: number }>> = {
  A: { own: 2, peer: 3, priority: 110 },
  B: { own: 3, peer: 2, priority: 100 },
};

/** The running configuration of one box. Nothing comes in from the outside unasked. */
export function configOf(box: BoxName, options: PairOptions = {}): string {
  const { timers = "msec 15 msec 50", defer, tracks, update = "msec 100", isAlone } = options;
  const { own, peer, priority } = HOSTS[box];
  const standby = (group: number, name: string, net: string, other: string): string[] => [
    " standby delay minimum 0 reload 0",
    ` standby ${group} ip ${net}.1`,
    ` standby ${group} timers ${timers}`,
    ` standby ${group} priority ${priority}`,
    ` standby ${group} name ${name}`,
    ...(tracks ? [` standby ${group} preempt`, ` standby ${group} track ${other} 30`] : []),
  ];
  const pair = [
    "redundancy inter-device",
    " scheme standby INSIDE",
    "ipc zone default",
    " association 1",
    "  no shutdown",
    "  protocol sctp",
    "   local-port 5000",
    `    local-ip 192.168.255.${own}`,
    "    retransmit-timeout 300 600",
    "   remote-port 5000",
    `    remote-ip 192.168.255.${peer}`,
    `ip inspect redundancy update ${update}`,
    ...(defer ? ["ip inspect redundancy defer"] : []),
  ];
  return [
    `hostname ${box}`,
    ...(isAlone ? [] : pair),
    "ip inspect name FW tcp",
    "ip inspect name FW udp",
    "ip inspect tcp idle-time 2000000",
    "ip inspect udp idle-time 2000000",
    `interface ${INSIDE}`,
    ` ip address 10.0.0.${own} 255.0.0.0`,
    ...(isAlone ? [] : standby(1, "INSIDE", "10.0.0", OUTSIDE)),
    `interface ${OUTSIDE}`,
    ` ip address 198.18.0.${own} 255.254.0.0`,
    " ip access-group CLOSED in",
    ` ip inspect FW out${isAlone ? "" : " redundancy stateful INSIDE"}`,
    ...(isAlone ? [] : standby(2, "OUTSIDE", "198.18.0", INSIDE)),
    `interface ${LINK}`,
    ` ip address 192.168.255.${own} 255.255.255.0`,
    "ip access-list extended CLOSED",
    " deny ip any any",
    "end",
    "",
  ].join("\n");
}

export const configsOf = (options?: PairOptions): Record<BoxName, string> => ({
  A: configOf("A", options),
  B: configOf("B", options),
});
