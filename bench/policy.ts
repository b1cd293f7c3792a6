/** The firewall of the benchmarks: an inside, an outside, everything from the inside inspected. */
import * as L from "../assembly/layout.js";
import { scramble } from "./scramble.js";

/** Numbers of the two interfaces, in the order of the configuration. */
export const INSIDE = 1;
export const OUTSIDE = 2;

/** Sessions stay until the benchmark wants them to go; half-open ones for the default 30 s. */
export const CONFIGURATION = `
hostname bench
ip inspect name FW tcp
ip inspect name FW udp
ip inspect tcp idle-time 2000000
ip inspect udp idle-time 2000000
ipv6 inspect name FW6 tcp
ipv6 inspect name FW6 udp
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.0.0.0
 ipv6 address 2001:db8:1::1/64
interface GigabitEthernet0/1
 ip address 198.18.0.1 255.254.0.0
 ipv6 address 2001:db8:2::1/64
 ip inspect FW out
 ipv6 inspect FW6 out
end
`;

/** Frames of one call of the core, and how many of them a driver hands over at a time. */
export const BATCH_MAX = 4096;
export const BATCH = 256;

/** What is due of the half-open sessions after this long. */
export const HALF_OPEN_MS = 30_000;

/** The same keys in every run, so that the tables are the same. */
export const SEED = Uint8Array.from({ length: L.SEEDS * 8 }, (_, i) => scramble(i + 1) & 255);
