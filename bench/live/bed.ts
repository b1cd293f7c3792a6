/**
 * The lab of one firewall: what is measured goes from the inside host through it to the outside host.
 *
 *     inside host ── cable ── eth0  firewall  eth1 ── cable ── outside host
 *     processor 0             processor 1                      processor 0
 *
 * Its devices have no addresses: who is measured brings its own.
 */
import { fileURLToPath } from "node:url";
import { type Box, Lab, type LabPlan } from "../../test/live/lab.js";
import type { Program } from "../../test/live/program.js";
import { monotonicMs, nft, sleep, until } from "../../test/live/system.js";
import { COMMON_SOURCE, compileC, probe, serve } from "../../test/live/traffic.js";

export const HOST_CPU = 0;
export const FIREWALL_CPU = 1;

export const PREFIX_LENGTH = 16;
export const INSIDE = { host: "10.1.0.10", gateway: "10.1.0.1", network: "10.1.0.0" };
export const OUTSIDE = { host: "10.2.0.10", gateway: "10.2.0.1", network: "10.2.0.0" };
export const MAC = {
  insideHost: "02:00:00:00:01:10",
  inside: "02:00:00:00:01:01",
  outsideHost: "02:00:00:00:02:10",
  outside: "02:00:00:00:02:01",
};
/** Sources of the generator's flows begin here. */
export const FLOWS_FROM = "10.1.1.0";
/** TCP and UDP echo on so many ports from this one on: more than one, so that ports of short connections are not used up. */
export const ECHO = { port: 7000, ports: 8 };
export const DISCARD_PORT = 9;

const PLAN: LabPlan = {
  cables: ["in", "out"],
  boxes: {
    inside: {
      ports: [
        {
          device: "eth0",
          lan: "in",
          mac: MAC.insideHost,
          addresses: [`${INSIDE.host}/${PREFIX_LENGTH}`],
          routes: [{ to: "default", via: INSIDE.gateway }],
        },
      ],
      // Ports of ended connections are used again after a second, as busy clients have it.
      sysctls: { "net.ipv4.tcp_tw_reuse": 1, "net.ipv4.ip_local_port_range": "1024 65535" },
    },
    firewall: {
      ports: [
        { device: "eth0", lan: "in", mac: MAC.inside },
        { device: "eth1", lan: "out", mac: MAC.outside },
      ],
      sysctls: { "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1 },
    },
    outside: {
      ports: [
        {
          device: "eth0",
          lan: "out",
          mac: MAC.outsideHost,
          addresses: [`${OUTSIDE.host}/${PREFIX_LENGTH}`],
          routes: [{ to: "default", via: OUTSIDE.gateway }],
        },
      ],
    },
  },
};

/** In the outside host: what arrives for the discard port is counted by the device and dropped before anything else looks at it. */
export const SINK = `table netdev sink {
chain arriving {
type filter hook ingress device "eth0" priority 0
udp dport ${DISCARD_PORT} drop
}
}
`;

export interface GeneratorSummary {
  readonly sent: number;
  readonly refused: number;
  readonly seconds: number;
  readonly nextFlow: number;
}

let generator: string | undefined;

/** Starts the packet generator of native/generate.c. */
export function generate(
  box: Box,
  path: { readonly device: string; readonly from: string; readonly to: string },
  target: string,
  options: Readonly<Record<string, number>>,
): Program {
  generator ??= compileC("generate", [
    fileURLToPath(new URL("native/generate.c", import.meta.url)),
    COMMON_SOURCE,
  ]);
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return box.start(generator, [path.device, path.from, path.to, FLOWS_FROM, target, ...given], {
    cpu: HOST_CPU,
  });
}

/** Ends a generator and gives its figures. */
export async function finish(program: Program): Promise<GeneratorSummary> {
  program.say("stop");
  const line = await program.line((each) => each.startsWith(`{"event":"summary"`));
  await program.ended();
  return JSON.parse(line);
}

/** Packets a second through the firewall. */
export interface Rate {
  readonly received: number;
  readonly sent: number;
  /** Who could not do more. */
  readonly limit: "firewall" | "generator";
}

/** Below this share of what was sent, the firewall was the limit. */
const ALL_SHARE = 0.98;
/** Until rates have settled. */
const SETTLE_MS = 300;
const SWEEP_TIMEOUT_MS = 60_000;

export class Bed {
  readonly lab: Lab;
  readonly inside: Box;
  readonly firewall: Box;
  readonly outside: Box;
  #nextFlow = 0;

  private constructor() {
    this.lab = Lab.build(PLAN);
    this.inside = this.lab.box("inside");
    this.firewall = this.lab.box("firewall");
    this.outside = this.lab.box("outside");
  }

  static async build(): Promise<Bed> {
    const bed = new Bed();
    try {
      nft(bed.outside.namespace, SINK);
      // Not every contender answers ARP, and no measurement is to wait for it.
      for (const [box, gateway, mac] of [
        [bed.inside, INSIDE.gateway, MAC.inside],
        [bed.outside, OUTSIDE.gateway, MAC.outside],
      ] as const)
        box.run("ip", ["neigh", "replace", gateway, "lladdr", mac, "dev", "eth0", "nud", "permanent"]);
      await serve(bed.outside, ECHO.port, { ports: ECHO.ports }, { cpu: HOST_CPU });
      return bed;
    } catch (error) {
      bed.close();
      throw error;
    }
  }

  /** Where the firewall's devices receive: on its processor, or wherever the sender was. */
  steerFirewall(own: boolean): void {
    for (const device of ["eth0", "eth1"]) steer(this.firewall, device, own ? FIREWALL_CPU : undefined);
  }

  /** Where hosts receive: on their own processor, or wherever the sender was (for one-way traffic that is only counted). */
  steerHosts(own: boolean): void {
    for (const host of [this.inside, this.outside]) steer(host, "eth0", own ? HOST_CPU : undefined);
  }

  /** Waits until the firewall lets a datagram out and its answer in. */
  async untilForwarding(timeoutMs = 15_000): Promise<void> {
    const ask = await probe(this.inside, OUTSIDE.host, ECHO.port, { "interval-us": 5000 });
    try {
      await until(
        "answers through the firewall",
        async () => {
          const { summary } = await ask.report();
          return summary.p50Us !== null;
        },
        timeoutMs,
      );
    } finally {
      await ask.program.kill();
    }
  }

  generate(options: Readonly<Record<string, number>>): Program {
    const path = { device: "eth0", from: MAC.insideHost, to: MAC.inside };
    return generate(this.inside, path, OUTSIDE.host, options);
  }

  /** 64-byte datagrams of so many flows, flat out. */
  async rate(flows: number, seconds: number): Promise<Rate> {
    const generator = this.generate({ flows, sweep: flows > 1 ? 1 : 0 });
    try {
      if (flows > 1) await generator.line((line) => line === `{"event":"swept"}`, 0, SWEEP_TIMEOUT_MS);
      await sleep(SETTLE_MS);
      return await this.#measure(generator, seconds);
    } finally {
      await generator.kill();
    }
  }

  /** Datagrams of which each one begins a flow, flat out: sessions a second. */
  async newSessions(seconds: number): Promise<Rate> {
    const generator = this.generate({ flows: 0, first: this.#nextFlow });
    try {
      await sleep(SETTLE_MS);
      return await this.#measure(generator, seconds, true);
    } finally {
      await generator.kill();
    }
  }

  async #measure(generator: Program, seconds: number, isNew = false): Promise<Rate> {
    const from = generator.lines.length;
    generator.say("report");
    await generator.line((line) => line.startsWith(`{"event":"summary"`), from);
    const begin = { packets: this.#received(), ms: monotonicMs() };
    await sleep(seconds * 1000);
    const end = { packets: this.#received(), ms: monotonicMs() };
    const summary = await finish(generator);
    if (isNew) this.#nextFlow = summary.nextFlow;
    const received = ((end.packets - begin.packets) * 1000) / (end.ms - begin.ms);
    const sent = summary.sent / summary.seconds;
    return { received, sent, limit: received < sent * ALL_SHARE ? "firewall" : "generator" };
  }

  #received(): number {
    return this.outside.device("eth0").stats64.rx.packets;
  }

  close(): void {
    this.lab.close();
  }
}

/** Receive packet steering (Documentation/networking/scaling.rst): what arrives by the device is handled by that processor. */
export function steer(box: Box, device: string, cpu: number | undefined): void {
  const mask = cpu === undefined ? 0 : 1 << cpu;
  box.run("sh", ["-c", `echo ${mask.toString(16)} > /sys/class/net/${device}/queues/rx-0/rps_cpus`]);
}
