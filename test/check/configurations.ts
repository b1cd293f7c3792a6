/**
 * Configurations for the rules: a sound pair, a sound firewall without a peer, and a pair with mistakes.
 */
import type { Config } from "../../src/config/model.js";
import { parse } from "../../src/config/parse.js";

/** What differs between the two boxes of the sound pair. */
interface Box {
  hostname: string;
  host: number;
  peer: number;
}

/** A pair that no rule finds fault with: two LANs, and a link of its own for the second synchronisation path. */
function soundBox({ hostname, host, peer }: Box): string {
  return `version 12.4
service timestamps log datetime msec
hostname ${hostname}
redundancy inter-device
 scheme standby LAN-IN
ipc zone default
 association 1
  no shutdown
  protocol sctp
   local-port 5000
    local-ip 10.20.0.${host} 192.168.99.${host}
    retransmit-timeout 300 600
    path-retransmit 4
    assoc-retransmit 4
   remote-port 5000
    remote-ip 10.20.0.${peer} 192.168.99.${peer}
ip inspect name OUTBOUND tcp
ip inspect name OUTBOUND udp
ip inspect redundancy update seconds 10
interface GigabitEthernet0/0
 ip address 10.20.0.${host} 255.255.255.0
 duplex full
 speed 1000
 standby delay reload 120
 standby 1 ip 10.20.0.1
 standby 1 timers 1 5
 standby 1 preempt
 standby 1 authentication md5 key-string inside
 standby 1 name LAN-IN
 standby 1 track GigabitEthernet0/1
interface GigabitEthernet0/1
 ip address 198.51.100.${host} 255.255.255.0
 ip access-group FROM-OUTSIDE in
 ip inspect OUTBOUND out redundancy stateful LAN-IN
 duplex full
 speed 1000
 standby delay reload 120
 standby 2 ip 198.51.100.1
 standby 2 timers 1 5
 standby 2 preempt
 standby 2 authentication md5 key-string outside
 standby 2 name LAN-OUT
 standby 2 track GigabitEthernet0/0
interface GigabitEthernet0/2
 ip address 192.168.99.${host} 255.255.255.0
ip route 0.0.0.0 0.0.0.0 198.51.100.254
no ip http server
ip access-list extended FROM-OUTSIDE
 permit udp host 198.51.100.${peer} host 224.0.0.2 eq 1985
 permit icmp any any packet-too-big
 deny ip any any log
line con 0
 exec-timeout 10 0
line vty 0 4
 login local
end
`;
}

export const SOUND_A = soundBox({ hostname: "north", host: 2, peer: 3 });
export const SOUND_B = soundBox({ hostname: "south", host: 3, peer: 2 });

/** A firewall alone: nothing of HSRP or failover in it. */
export const PLAIN = `version 12.4
hostname office
ip inspect name OUT tcp
ip inspect name OUT udp
ip inspect name OUT icmp
interface GigabitEthernet0/0
 ip address 192.168.1.1 255.255.255.0
interface GigabitEthernet0/1
 ip address 203.0.113.2 255.255.255.252
 ip access-group OUTSIDE in
 ip inspect OUT out
ip route 0.0.0.0 0.0.0.0 203.0.113.1
ip access-list extended OUTSIDE
 remark nothing comes in unasked
 deny ip any any
end
`;

/** A pair copied from one box to the other without its addresses changed, and more of what goes wrong in practice. */
function mistakenBox(hostname: string, portSettings: string, extra: string, route: string): string {
  return `version 12.4
hostname ${hostname}
redundancy inter-device
 scheme standby STORE
ipc zone default
 association 1
  no shutdown
  protocol sctp
   local-port 7000
    local-ip 172.20.5.1
    retransmit-timeout 300 10000
    path-retransmit 10
    assoc-retransmit 10
   remote-port 7000
    remote-ip 172.20.5.2
ip inspect max-incomplete high 9000000
ip inspect max-incomplete low 9000000
ip inspect name SHOP tcp
ip inspect redundancy update seconds 20
interface GigabitEthernet0/0
 ip address 172.20.5.1 255.255.255.0
${portSettings}
 standby delay minimum 120 reload 120
 standby 1 ip 172.20.5.9
 standby 1 timers 1 5
 standby 1 preempt
 standby 1 name STORE
 standby 1 track GigabitEthernet0/1
interface GigabitEthernet0/1
 ip address 203.0.113.1 255.255.255.0
 ip access-group WAN in
 ip inspect SHOP out redundancy stateful STORE
 standby delay reload 120
 standby 2 ip 203.0.113.9
 standby 2 timers 1 5
 standby 2 preempt
 standby 2 name STREET
 standby 2 track GigabitEthernet0/0
${extra}${route}ip http server
ip access-list extended WAN
 permit ip host 203.0.113.2 host 203.0.113.1
 permit ip host 203.0.113.1 host 203.0.113.2
 deny ip any any
line con 0
 exec-timeout 0 0
line vty 0 4
 login
end
`;
}

export const MISTAKEN_A = mistakenBox(
  "shop-1",
  " duplex full\n speed 100",
  "interface FastEthernet1/0\n no ip address\n shutdown\n",
  "ip route 0.0.0.0 0.0.0.0 100.64.7.1\n",
);
export const MISTAKEN_B = mistakenBox("shop-2", " duplex full\n speed 1000", "", "");

/** One replacement: what must occur in the text, and what stands there then. */
export type Edit = [from: string, to: string];

/** @throws when an edit finds nothing to replace: then the test does not test what it says. */
export function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`nothing to edit: ${JSON.stringify(from)}`);
    return result.replace(from, () => to);
  }, text);
}

/** @throws when the text is not a configuration. */
export function configOf(text: string, file = "test.cfg"): Config {
  const { config, diagnostics } = parse(text, { file, lenient: true });
  const errors = diagnostics.filter((each) => each.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((each) => `${each.line}: ${each.message}`).join("\n"));
  return config;
}
