/** Frames that several tests send. */
import { ethernet, ip, udp } from "../support/frames.js";
import { forwarded, macOf } from "./rig.js";

export const NEIGHBOR_EVENTS = {
  /** HSRP of another router; what it says does not matter here. */
  hello(source: string): Uint8Array {
    const segment = udp({ sourcePort: 1985, destinationPort: 1985, payload: new Uint8Array(20) });
    return ethernet(ip({ source, destination: "224.0.0.102", ttl: 1 }, segment), {
      source: macOf("0200.0000.0022"),
      destination: macOf("0100.5e00.0066"),
    });
  },
  /** A frame that is forwarded, with a number as its last byte. */
  numbered(number: number): Uint8Array {
    const frame = forwarded();
    frame[frame.length - 1] = number;
    return frame;
  },
};
