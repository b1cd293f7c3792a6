/**
 * The lab of a pair: two firewalls between the LAN of the inside host and that of the outside host, and a LAN of their own
 * for the copies of sessions.
 *
 *     inside host ── "in" ──┬── eth0 a eth1 ──┬── "out" ── outside host
 *                           └── eth0 b eth1 ──┘
 *                                a eth2 ── "sync" ── eth2 b
 *
 * Built anew for each measurement: what one has left behind is not to be met by the next.
 */
import { type Box, Lab, type LabPlan } from "../../test/live/lab.js";
import { serve } from "../../test/live/traffic.js";
import { nft } from "../../test/live/system.js";
import { ECHO, INSIDE, OUTSIDE, PREFIX_LENGTH, SINK } from "./bed.js";

export type Side = "a" | "b";
export const SIDES: readonly Side[] = ["a", "b"];
export const otherSide = (side: Side): Side => (side === "a" ? "b" : "a");

/** Addresses of the two; the gateways of the hosts are virtual addresses of theirs. */
export const ADDRESSES: Readonly<Record<Side, { inside: string; outside: string; sync: string }>> = {
  a: { inside: "10.1.0.2", outside: "10.2.0.2", sync: "10.3.0.2" },
  b: { inside: "10.1.0.3", outside: "10.2.0.3", sync: "10.3.0.3" },
};
export const SYNC_PREFIX_LENGTH = 24;
export const INSIDE_HOST_MAC = "02:00:00:00:01:10";

const firewall = (side: Side) => ({
  ports: [
    { device: "eth0", lan: "in", mac: `02:00:00:00:01:0${side}` },
    { device: "eth1", lan: "out", mac: `02:00:00:00:02:0${side}` },
    { device: "eth2", lan: "sync", mac: `02:00:00:00:03:0${side}` },
  ],
  sysctls: { "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1 },
});

const PLAN: LabPlan = {
  boxes: {
    inside: {
      ports: [
        {
          device: "eth0",
          lan: "in",
          mac: INSIDE_HOST_MAC,
          addresses: [`${INSIDE.host}/${PREFIX_LENGTH}`],
          routes: [{ to: "default", via: INSIDE.gateway }],
        },
      ],
      sysctls: { "net.ipv4.ip_local_port_range": "1024 65535" },
    },
    a: firewall("a"),
    b: firewall("b"),
    outside: {
      ports: [
        {
          device: "eth0",
          lan: "out",
          addresses: [`${OUTSIDE.host}/${PREFIX_LENGTH}`],
          routes: [{ to: "default", via: OUTSIDE.gateway }],
        },
      ],
    },
  },
};

export class PairBed {
  readonly lab: Lab;
  readonly inside: Box;
  readonly outside: Box;

  private constructor() {
    this.lab = Lab.build(PLAN);
    this.inside = this.lab.box("inside");
    this.outside = this.lab.box("outside");
  }

  static async build(): Promise<PairBed> {
    const bed = new PairBed();
    try {
      nft(bed.outside.namespace, SINK);
      await serve(bed.outside, ECHO.port, { ports: ECHO.ports });
      return bed;
    } catch (error) {
      bed.close();
      throw error;
    }
  }

  box(side: Side): Box {
    return this.lab.box(side);
  }

  /** Bytes that have gone over the sync link of a box, both ways. */
  syncBytes(side: Side): number {
    const { rx, tx } = this.box(side).device("eth2").stats64;
    return rx.bytes + tx.bytes;
  }

  close(): void {
    this.lab.close();
  }
}
