/** The two configurations of a failover pair as a router prints them, with the console around them. */

const interfaces = (own: number, speed: number, delay: string) => `interface GigabitEthernet0/0
 ip address 10.1.0.${own} 255.255.255.0
 duplex full
 speed ${speed}
 media-type rj45
 standby delay ${delay}
 standby 1 ip 10.1.0.254
 standby 1 timers 1 5
 standby 1 preempt
 standby 1 name INSIDE
 standby 1 track GigabitEthernet0/1
!
interface GigabitEthernet0/1
 ip address 198.51.100.${own} 255.255.255.0
 ip access-group from-outside in
 ip inspect FIREWALL out redundancy stateful INSIDE
 duplex auto
 speed auto
 media-type rj45
 standby delay ${delay}
 standby 2 ip 198.51.100.254
 standby 2 timers 1 5
 standby 2 preempt
 standby 2 name OUTSIDE
 standby 2 track GigabitEthernet0/0
!
interface FastEthernet0/1/0
!
interface FastEthernet0/1/1
!
interface Vlan1
 no ip address
!`;

const head = (name: string) => `version 12.4
service timestamps debug datetime msec
service timestamps log datetime msec
no service password-encryption
!
hostname ${name}
!
boot-start-marker
boot-end-marker
!
!
redundancy inter-device
 scheme standby INSIDE
!
!
redundancy
!
!`;

const link = (own: number, peer: number) => `ipc zone default
 association 1
  no shutdown
  protocol sctp
   local-port 5000
    local-ip 10.1.0.${own}
    retransmit-timeout 300 10000
    path-retransmit 10
    assoc-retransmit 10
   remote-port 5000
    remote-ip 10.1.0.${peer}
!`;

const rules = `ip cef
!
!
ip inspect max-incomplete high 20000000
ip inspect max-incomplete low 20000000
ip inspect one-minute high 20000000
ip inspect one-minute low 20000000
ip inspect tcp idle-time 36000
ip inspect tcp max-incomplete host 20000000 block-time 0
ip inspect name FIREWALL tcp
ip inspect redundancy update seconds 30
!
voice-card 0
 no dspfarm
!
!`;

const tail = `ip http server
no ip http secure-server
!
ip access-list extended from-outside
 permit ip host 198.51.100.2 host 198.51.100.1
 permit ip host 198.51.100.1 host 198.51.100.2
 deny ip any any
!
ip sla responder
!
control-plane
!
line con 0
 exec-timeout 0 0
 stopbits 1
line aux 0
 stopbits 1`;

const end = `line vty 0 4
 login
!
scheduler allocate 20000 1000
!
end`;

const A = `${head("North")}
${link(1, 2)}
no aaa new-model
!
resource policy
!
memory-size iomem 10
no network-clock-participate slot 1
!
!
${rules}
${interfaces(1, 100, "minimum 120 reload 120")}
interface FastEthernet1/0
 no ip address
 shutdown
 duplex auto
 speed auto
!
interface GigabitEthernet2/0
 no ip address
 shutdown
!
ip route 0.0.0.0 0.0.0.0 203.0.113.1
!
!
${tail}
line 130
 no activation-character
 no exec
 transport preferred none
 transport input all
 transport output pad telnet rlogin lapb-ta mop udptn v120 ssh
${end}
`;

const B = `${head("South")}
${link(2, 1)}
no aaa new-model
!
resource policy
!
memory-size iomem 10
!
!
${rules}
${interfaces(2, 1000, "reload 120")}
!
!
${tail}
${end}
`;

/** A file as a person saves it from a terminal. */
const onConsole = (name: string, body: string) =>
  `${name}#sh run\nBuilding configuration...\n\nCurrent configuration : ${body.length} bytes\n!\n${body}\n${name}#\n`;

export const PAIR = { A: onConsole("North", A), B: onConsole("South", B) };

/** The commands of a text: no indents, separators, preamble or prompts. */
export function commandsOf(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "!" && !/^\S+#|^Building|^Current/.test(line));
}
