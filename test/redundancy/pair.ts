/** The configurations of a pair of boxes, and what the tests make of them. */
import { parse } from "../../src/config/index.js";
import type { Config } from "../../src/config/model.js";
import { type Identity, identityOf } from "../../src/redundancy/index.js";

export type Side = "a" | "b";
export const SIDES: readonly Side[] = ["a", "b"];
export const otherSide = (side: Side): Side => (side === "a" ? "b" : "a");

export interface PairOptions {
  readonly key?: string | undefined;
  /** More lines for the top level of the configuration. */
  readonly more?: string;
  /** `standby N timers ...`. */
  readonly timers?: string;
  readonly priority?: number;
}

/** The text of a router of a pair with an inside and an outside interface and a link of its own. */
export function pairText(side: Side, { key, more = "", timers = "1 3", priority }: PairOptions = {}): string {
  const [own, peer] = side === "a" ? [2, 3] : [3, 2];
  const group = (number: number, name: string, address: string, track: string) =>
    [
      "standby delay minimum 0 reload 1",
      `standby ${number} ip ${address}`,
      `standby ${number} timers ${timers}`,
      ...(priority === undefined ? [] : [`standby ${number} priority ${priority}`]),
      `standby ${number} preempt`,
      `standby ${number} authentication md5 key-string Hello-Key`,
      `standby ${number} name ${name}`,
      `standby ${number} track ${track}`,
    ].join("\n ");
  return `hostname Router${side.toUpperCase()}
redundancy inter-device
 scheme standby INSIDE
ipc zone default
 association 1
  no shutdown
  ${key === undefined ? "" : `key-string ${key}`}
  protocol sctp
   local-port 5000
    local-ip 10.255.1.${own}
   remote-port 5000
    remote-ip 10.255.1.${peer}
ip inspect name FW tcp
ip inspect name FW udp timeout 20
${more}
interface GigabitEthernet0/0
 description inside
 ip address 10.1.1.${own} 255.255.255.0
 ${group(1, "INSIDE", "10.1.1.1", "GigabitEthernet0/1")}
interface GigabitEthernet0/1
 description outside
 ip address 203.0.113.${own} 255.255.255.0
 ip access-group OUTSIDE-IN in
 ip inspect FW out redundancy stateful INSIDE
 ${group(2, "OUTSIDE", "203.0.113.1", "GigabitEthernet0/0")}
interface GigabitEthernet0/2
 ip address 10.255.1.${own} 255.255.255.0
ip route 0.0.0.0 0.0.0.0 203.0.113.254
ip access-list extended OUTSIDE-IN
 permit udp host 203.0.113.2 host 224.0.0.2 eq 1985
 permit udp host 203.0.113.3 host 224.0.0.2 eq 1985
 permit tcp any host 10.1.1.80 eq www
 deny   ip any any
end
`;
}

/** The configuration that a text is; a text with errors is a mistake of the test. */
export function configOf(text: string): Config {
  const { config, diagnostics } = parse(text);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ line, message }) => `${line}: ${message}`).join("\n"));
  return config;
}

export const SURROUNDINGS = { software: "twinwall 0.1.0", layout: 1, capacity: 1000 };

export function identity(side: Side, options: PairOptions = {}, surroundings = SURROUNDINGS): Identity {
  const made = identityOf(configOf(pairText(side, options)), surroundings);
  if (made === undefined) throw new Error("redundancy is not completely configured");
  return made;
}

/** Random 32-bit numbers of a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
