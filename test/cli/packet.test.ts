import { describe, expect, test } from "vitest";
import { describePacket, parsePacket, SOURCE_PORT_DEFAULT } from "../../src/cli/packet.js";

const parsed = (text: string) => parsePacket(text.split(" ").filter((word) => word !== ""));

describe("packets that can be meant", () => {
  test.each([
    ["tcp 10.0.0.5:40000 198.51.100.7:80 syn", "tcp 10.0.0.5:40000 -> 198.51.100.7:80 syn"],
    ["tcp 10.0.0.5:40000 198.51.100.7:www", "tcp 10.0.0.5:40000 -> 198.51.100.7:80 syn"],
    ["TCP 10.0.0.5:40000 198.51.100.7:WWW ACK FIN", "tcp 10.0.0.5:40000 -> 198.51.100.7:80 ack fin"],
    ["tcp 10.0.0.5:1 198.51.100.7:80 syn,ack", "tcp 10.0.0.5:1 -> 198.51.100.7:80 ack syn"],
    ["tcp 10.0.0.5:1 198.51.100.7:80 syn+ack", "tcp 10.0.0.5:1 -> 198.51.100.7:80 ack syn"],
    ["6 10.0.0.5:1 198.51.100.7:80", "tcp 10.0.0.5:1 -> 198.51.100.7:80 syn"],
    ["udp 10.0.0.5 198.51.100.7:domain", `udp 10.0.0.5:${SOURCE_PORT_DEFAULT} -> 198.51.100.7:53`],
    ["udp [2001:db8::1]:5 [2001:DB8::2]:tftp", "udp [2001:db8::1]:5 -> [2001:db8::2]:69"],
    ["udp 2001:db8::1 [2001:db8::2]:0", `udp [2001:db8::1]:${SOURCE_PORT_DEFAULT} -> [2001:db8::2]:0`],
    ["sctp 10.0.0.1:5000 10.0.0.2:65535", "sctp 10.0.0.1:5000 -> 10.0.0.2:65535"],
    ["icmp 10.0.0.5 198.51.100.7", "icmp 10.0.0.5 -> 198.51.100.7 echo"],
    ["icmp 10.0.0.5 198.51.100.7 port-unreachable", "icmp 10.0.0.5 -> 198.51.100.7 port-unreachable"],
    ["icmp 10.0.0.5 198.51.100.7 3 4", "icmp 10.0.0.5 -> 198.51.100.7 packet-too-big"],
    ["icmp 10.0.0.5 198.51.100.7 unreachable 9", "icmp 10.0.0.5 -> 198.51.100.7 dod-net-prohibited"],
    ["icmp 10.0.0.5 198.51.100.7 200 7", "icmp 10.0.0.5 -> 198.51.100.7 type 200 code 7"],
    ["icmp 2001:db8::1 2001:db8::2", "icmp 2001:db8::1 -> 2001:db8::2 echo-request"],
    ["icmpv6 [2001:db8::1] 2001:db8::2 echo-reply", "icmp 2001:db8::1 -> 2001:db8::2 echo-reply"],
    ["58 2001:db8::1 2001:db8::2 packet-too-big", "icmp 2001:db8::1 -> 2001:db8::2 packet-too-big"],
    ["gre 10.0.0.5 198.51.100.7", "gre 10.0.0.5 -> 198.51.100.7"],
    ["255 10.0.0.5 198.51.100.7", "protocol 255 10.0.0.5 -> 198.51.100.7"],
  ])("%s", (text, described) => {
    const result = parsed(text);
    expect("value" in result ? describePacket(result.value) : result.problem).toBe(described);
  });
});

describe("packets that cannot be meant", () => {
  test.each([
    ["", "a packet is PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]"],
    ["tcp 10.0.0.5:1", "a packet is PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]"],
    ["tpc 10.0.0.5:1 10.0.0.6:2", '"tpc" is no protocol; did you mean "tcp"?'],
    ["256 10.0.0.5 10.0.0.6", '"256" is no protocol'],
    ["-1 10.0.0.5 10.0.0.6", '"-1" is no protocol'],
    ["tcp 10.0.0.300:1 10.0.0.6:2", '"10.0.0.300:1" is no address'],
    ["tcp [10.0.0.5]:1 10.0.0.6:2", '"[10.0.0.5]:1" is no address'],
    ["tcp [2001:db8::1:1 [2001:db8::2]:2", '"[2001:db8::1:1" is no address'],
    ["tcp 10.0.0.5: 10.0.0.6:2", '"10.0.0.5:" is no address'],
    ["tcp 10.0.0.5:1 [2001:db8::2]:2", "source and destination are of different address families"],
    ["tcp 10.0.0.5:1 10.0.0.6", "tcp needs a destination port"],
    ["tcp 10.0.0.5:1 10.0.0.6:wwww", '"wwww" is no tcp port; did you mean "www"?'],
    ["udp 10.0.0.5:65536 10.0.0.6:7", '"65536" is no udp port'],
    ["tcp 10.0.0.5:1 10.0.0.6:2 sym", '"sym" is no TCP flag; did you mean "syn"?'],
    ["tcp 10.0.0.5:1 10.0.0.6:2 syn,", '"" is no TCP flag'],
    ["udp 10.0.0.5:1 10.0.0.6:2 syn", 'udp takes no flags, but "syn" is given'],
    ["icmp 10.0.0.5:1 10.0.0.6", 'icmp has no ports, but "1" is given'],
    ["gre 10.0.0.5 10.0.0.6:7", 'gre has no ports, but "7" is given'],
    ["icmp 10.0.0.5 10.0.0.6 ecko", '"ecko" is no ICMP type; did you mean "echo"?'],
    ["icmp 10.0.0.5 10.0.0.6 256", '"256" is no ICMP type'],
    ["icmp 10.0.0.5 10.0.0.6 8 x", 'an ICMP packet is a name, or TYPE [CODE], but "8 x" is given'],
    ["icmp 10.0.0.5 10.0.0.6 8 0 0", 'an ICMP packet is a name, or TYPE [CODE], but "8 0 0" is given'],
    ["icmp 10.0.0.5 10.0.0.6 port-unreachable 3", "an ICMP packet is a name, or TYPE [CODE]"],
    ["58 10.0.0.5 10.0.0.6", "protocol 58 is the ICMP of the other address family"],
    ["1 2001:db8::1 2001:db8::2", "protocol 1 is the ICMP of the other address family"],
    ["44 2001:db8::1 2001:db8::2", "protocol 44 is an extension header in IPv6, not a packet of its own"],
  ])("%j", (text, problem) => {
    const result = parsed(text);
    expect("problem" in result ? result.problem : describePacket(result.value)).toContain(problem);
  });
});
