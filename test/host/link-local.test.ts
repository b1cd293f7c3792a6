/** IPv6 on a link: what is for a link-local address of the firewall, and what is for another one. */
import { describe, expect, test } from "vitest";
import { ethernet, fragmentsOf6, icmp6, ipv6, udp } from "../support/frames.js";
import { Firewall } from "./firewall.js";

const CONFIGURATION = `
ipv6 inspect name FW udp
interface GigabitEthernet0/0
 ipv6 address 2001:db8:1::1/64
 ipv6 verify unicast source reachable-via rx
interface GigabitEthernet0/1
 ipv6 enable
 ipv6 address fe80::1 link-local
 ipv6 traffic-filter LINK in
 standby version 2
 standby 5 ipv6 autoconfig
interface GigabitEthernet0/2
 ip address 10.0.0.1 255.255.255.0
ipv6 access-list LINK
 permit icmp any any echo-request
`;
const MACS = new Map([
  ["GigabitEthernet0/0", "02:00:00:00:00:01"],
  ["GigabitEthernet0/1", "02:00:00:00:00:02"],
]);
const STATION = "fe80::9";
/** Of the MAC address of the first interface. */
const DERIVED = "fe80::ff:fe00:1";

const frame = (destination: string, source = STATION, on = 1, payload = icmp6({ type: 128 })): Uint8Array =>
  ethernet(ipv6({ source, destination }, payload), {
    destination: [2, 0, 0, 0, 0, on],
  });
const start = (): Firewall => new Firewall({ config: CONFIGURATION, macs: MACS });

describe("a packet to a link-local address", () => {
  test("of the firewall is local: derived, configured, and of a group", () => {
    const firewall = start();
    expect(firewall.one(1, frame(DERIVED))).toBe("local local");
    expect(firewall.one(2, frame("fe80::1", STATION, 2))).toBe("local local");
    expect(firewall.one(2, frame("fe80::5:73ff:fea0:5", STATION, 2))).toBe("local local");
  });

  test("of another station goes nowhere", () => {
    expect(start().one(1, frame("fe80::77"))).toBe("drop link_scope");
  });

  test("is asked for by the inbound list, and by nothing that routes decide for a source of the link", () => {
    const firewall = start();
    const datagram = udp({ sourcePort: 1, destinationPort: 2, payload: new Uint8Array(1) });
    expect(firewall.one(2, frame("fe80::1", STATION, 2, datagram))).toBe("drop acl_in_implicit");
    expect(firewall.one(1, frame(DERIVED, STATION, 1, datagram))).toBe("local local");
    expect(firewall.one(1, frame(DERIVED, "2001:db8:1::9", 1, datagram))).toBe("local local");
    expect(firewall.one(1, frame(DERIVED, "2001:db8:9::9", 1, datagram))).toBe("drop reverse_path");
    expect([...firewall.dataplane.sessions()]).toEqual([]);
  });

  test("from an own one, or where IPv6 is not configured, is refused", () => {
    const firewall = start();
    expect(firewall.one(1, frame(DERIVED, "fe80::1"))).toBe("drop own_source");
    expect(firewall.one(3, frame(DERIVED))).toBe("drop protocol_disabled");
  });

  test("is local when it comes in pieces, and an error is local without a session", () => {
    const firewall = start();
    const echo = icmp6({ type: 128, payload: new Uint8Array(2000) });
    const whole = ipv6({ source: STATION, destination: DERIVED }, echo);
    const pieces = fragmentsOf6(whole, 1, [1024]).map((each) =>
      ethernet(each, { destination: [2, 0, 0, 0, 0, 1] }),
    );
    expect(firewall.send(1, ...pieces)).toContain("local local");
    const error = icmp6({ type: 1, payload: frame(STATION, DERIVED).slice(14) });
    expect(firewall.one(1, frame(DERIVED, STATION, 1, error))).toBe("local local");
  });
});
