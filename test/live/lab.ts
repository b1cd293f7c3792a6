/**
 * A laboratory of network namespaces, built from data: boxes (hosts, firewalls), each a namespace, and LANs, each a bridge in
 * a namespace that holds nothing else. A port is a veth pair: one end is the box's device, the other the bridge's port.
 *
 *     inside host  eth0 ─┐                      ┌─ eth0  outside host
 *                        bridge "in"   bridge "out"
 *                          │  └─ eth0 A eth1 ─┘  │
 *                          └──── eth0 B eth1 ────┘          A eth2 ── bridge "sync" ── eth2 B
 *
 * Nothing of it is visible outside of its namespaces, and it goes with them: `close` deletes all, and so does the next
 * lab of any process, should this one be killed.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Link } from "./link.js";
import { Program, type ProgramOptions } from "./program.js";
import { killIn, newDirectory, newPrefix, reap, remove } from "./reaper.js";
import { hasCommand, ipBatch, nft, run } from "./system.js";

export interface PortPlan {
  /** Name of the device in the box, `eth0`. */
  readonly device: string;
  readonly lan: string;
  /** With prefix length. None: the kernel holds no address there. */
  readonly addresses?: readonly string[];
  /** Routes whose next hop is behind this port. */
  readonly routes?: readonly RoutePlan[];
  readonly mac?: string;
  readonly mtu?: number;
}

export interface RoutePlan {
  /** `default`, or a prefix. */
  readonly to: string;
  readonly via: string;
}

export interface BoxPlan {
  readonly ports: readonly PortPlan[];
  /** Settings of /proc/sys, by name with dots. */
  readonly sysctls?: Readonly<Record<string, string | number>>;
}

export interface LabPlan {
  readonly boxes: Readonly<Record<string, BoxPlan>>;
  /**
   * TSO, GSO, GRO and checksums left to the receiver, on both ends of all ports. On: as veth has it, segments of up to 64 KiB
   * pass whole. Default: on.
   */
  readonly offloads?: boolean;
  /** LANs that are plain cables between two ports: no bridge costs anything, and nothing can be cut silently or captured. */
  readonly cables?: readonly string[];
}

/** IFNAMSIZ of linux/if.h, less the zero at its end. */
const DEVICE_NAME_MAX = 15;
/** What ethtool calls them. `tx off`: checksums are complete on the wire. */
const OFFLOADS = ["tso", "gso", "gro", "tx"];
const LANS = "lans";
/** Table of rules by which boxes are separated. */
const PARTITION = "partition";

/** Settings of every box: no autoconfiguration and no waiting for doubled addresses, so that an address works at once. */
const SYSCTLS: Readonly<Record<string, string | number>> = {
  "net.ipv6.conf.all.accept_dad": 0,
  "net.ipv6.conf.default.accept_dad": 0,
  "net.ipv6.conf.all.accept_ra": 0,
  "net.ipv6.conf.default.accept_ra": 0,
  "net.ipv4.conf.all.rp_filter": 0,
  "net.ipv4.conf.default.rp_filter": 0,
};

/** Bridges do what a switch does: no filter of layer 3 sees their frames. */
const LAN_SYSCTLS: Readonly<Record<string, string | number>> = {
  "net.bridge.bridge-nf-call-iptables": 0,
  "net.bridge.bridge-nf-call-ip6tables": 0,
  "net.bridge.bridge-nf-call-arptables": 0,
  "net.ipv6.conf.all.disable_ipv6": 1,
  "net.ipv6.conf.default.disable_ipv6": 1,
};

/**
 * Can labs be built here? A message when not, and an error in CI.
 * @param commands what the test needs beyond `ip`, `nft` and `ethtool`.
 */
export function requireLab(...commands: readonly string[]): boolean {
  const missing = ["ip", "nft", "ethtool", ...commands].filter((command) => !hasCommand(command));
  const why =
    process.getuid?.() !== 0
      ? "not root"
      : missing.length > 0
        ? `not installed: ${missing.join(", ")}`
        : refusal();
  if (why === undefined) return true;
  if (process.env.CI === "true") throw new Error(`no lab of network namespaces: ${why}`);
  console.warn(`skipped: no lab of network namespaces: ${why}`);
  return false;
}

/** Why the system lets us have no namespace with a veth pair and a filter; undefined when it does. */
function refusal(): string | undefined {
  try {
    Lab.build({ boxes: { trial: { ports: [{ device: "eth0", lan: "lan" }] } } }).close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A host or a firewall. */
export class Box {
  readonly name: string;
  readonly namespace: string;
  /** A directory of its own for configurations, sockets and logs; it goes with the lab. */
  readonly directory: string;
  readonly #programs: Program[] = [];

  constructor(name: string, namespace: string, directory: string) {
    this.name = name;
    this.namespace = namespace;
    this.directory = directory;
    mkdirSync(directory);
  }

  /** Runs a command in the box to its end; what it printed. Throws when it fails. */
  run(command: string, parameters: readonly string[], input = ""): string {
    return run("ip", ["netns", "exec", this.namespace, command, ...parameters], input);
  }

  /** Starts a program in the box. */
  start(command: string, parameters: readonly string[], options: ProgramOptions = {}): Program {
    const program = new Program(this.namespace, command, parameters, options);
    this.#programs.push(program);
    return program;
  }

  sysctl(settings: Readonly<Record<string, string | number>>): void {
    this.run("sysctl", ["-q", "-w", ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)]);
  }

  /** Counters and settings of a device, as `ip -json -statistics link` has them. */
  device(name: string): DeviceView {
    return JSON.parse(this.run("ip", ["-json", "-statistics", "link", "show", name]))[0];
  }

  /** kill -9 for all that runs here, also what the started programs have started. */
  async killAll(): Promise<void> {
    killIn(this.namespace);
    await Promise.all(this.#programs.map((program) => program.ended()));
  }

  /** The same, without waiting. */
  endAll(): void {
    for (const program of this.#programs) program.signal("SIGKILL");
  }
}

export interface DeviceView {
  readonly address: string;
  readonly mtu: number;
  readonly stats64: {
    readonly rx: { readonly packets: number; readonly bytes: number; readonly dropped: number };
    readonly tx: { readonly packets: number; readonly bytes: number; readonly dropped: number };
  };
}

/** Those of this process; they go with it when it ends by itself. */
const open = new Set<Lab>();

function closeAll(): void {
  for (const lab of open) lab.close();
}

export class Lab {
  readonly plan: LabPlan;
  /** Files of the lab; it goes with it. */
  readonly directory: string;
  readonly #prefix: string;
  readonly #boxes = new Map<string, Box>();
  readonly #links = new Map<string, Link>();
  readonly #lans: Box;

  /** Builds what the plan says. Throws, and leaves nothing behind, when the system refuses. */
  static build(plan: LabPlan): Lab {
    reap();
    const lab = new Lab(plan);
    if (open.size === 0) process.once("exit", closeAll);
    open.add(lab);
    try {
      lab.#build();
    } catch (error) {
      lab.close();
      throw error;
    }
    return lab;
  }

  private constructor(plan: LabPlan) {
    this.plan = plan;
    this.#prefix = newPrefix();
    this.directory = newDirectory("lab");
    this.#lans = this.#newBox(LANS);
    for (const name of Object.keys(plan.boxes)) this.#boxes.set(name, this.#newBox(name));
  }

  #newBox(name: string): Box {
    return new Box(name, `${this.#prefix}-${name}`, join(this.directory, name));
  }

  #build(): void {
    const boxes = [...this.#boxes.values()];
    const plans = Object.entries(this.plan.boxes);
    const cables = new Set(this.plan.cables);
    const all = new Set(plans.flatMap(([, { ports }]) => ports.map(({ lan }) => lan)));
    const lans = [...all].filter((lan) => !cables.has(lan));
    ipBatch([this.#lans, ...boxes].map(({ namespace }) => `netns add ${namespace}`));
    // Before the devices: what these say of new devices is to hold for them.
    this.#lans.sysctl(LAN_SYSCTLS);
    for (const [name, { sysctls = {} }] of plans) this.box(name).sysctl({ ...SYSCTLS, ...sysctls });
    ipBatch(
      [
        "link set lo up",
        ...lans.flatMap((lan) => [
          `link add ${checked(lan)} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
          `link set ${lan} up`,
        ]),
      ],
      this.#lans.namespace,
    );
    for (const cable of cables) this.#lay(cable);
    for (const [name, { ports }] of plans) {
      const box = this.box(name);
      for (const port of ports) if (!cables.has(port.lan)) this.#plug(box, port);
      ipBatch(["link set lo up", ...ports.flatMap(settingsOf)], box.namespace);
    }
    if (this.plan.offloads === false) this.setOffloads(false);
  }

  #plug(box: Box, plan: PortPlan): void {
    const { device, lan, mtu } = plan;
    const port = checked(`${box.name}.${device}`);
    this.#pair(
      endOf(box, plan),
      `${port}${mtu === undefined ? "" : ` mtu ${mtu}`} netns ${this.#lans.namespace}`,
    );
    ipBatch([`link set ${port} master ${lan}`, `link set ${port} up`], this.#lans.namespace);
    this.#links.set(port, new Link({ box, device, lans: this.#lans, port }, settingsOf(plan)));
  }

  /** Connects the two ports of that name to each other. */
  #lay(cable: string): void {
    const ends = Object.entries(this.plan.boxes).flatMap(([name, { ports }]) =>
      ports.filter(({ lan }) => lan === cable).map((port) => ({ box: this.box(name), port })),
    );
    const [a, b, ...more] = ends;
    if (a === undefined || b === undefined || more.length > 0)
      throw new Error(`a cable has two ends: ${cable}`);
    this.#pair(endOf(a.box, a.port), endOf(b.box, b.port));
  }

  #pair(end: string, peer: string): void {
    ipBatch([`link add ${end} type veth peer name ${peer}`]);
  }

  /** A box of the plan. */
  box(name: string): Box {
    const box = this.#boxes.get(name);
    if (box === undefined) throw new Error(`no box ${name} in the lab`);
    return box;
  }

  /** The link between a device of a box and its LAN. */
  link(box: string, device: string): Link {
    const link = this.#links.get(`${box}.${device}`);
    if (link === undefined) throw new Error(`no device ${device} of box ${box} in the lab`);
    return link;
  }

  links(box: string): Link[] {
    return this.plan.boxes[box]!.ports.map(({ device }) => this.link(box, device));
  }

  /** Switches segmentation, merging and unfinished checksums off or on, at both ends of every port. */
  setOffloads(on: boolean): void {
    const settings = OFFLOADS.flatMap((name) => [name, on ? "on" : "off"]);
    for (const [name, { ports }] of Object.entries(this.plan.boxes))
      for (const { device } of ports) this.box(name).run("ethtool", ["-K", device, ...settings]);
    for (const { port } of this.#links.values()) this.#lans.run("ethtool", ["-K", port, ...settings]);
  }

  /**
   * Two boxes hear nothing of each other any more, on no LAN; all others hear both. Until `join`.
   */
  separate(one: string, other: string): void {
    const drops = [
      [one, other],
      [other, one],
    ].flatMap(([from, to]) =>
      this.links(from!).flatMap((source) =>
        this.links(to!).map(({ port }) => `iifname "${source.port}" oifname "${port}" drop`),
      ),
    );
    nft(
      this.#lans.namespace,
      `table bridge ${PARTITION} {\nchain between {\ntype filter hook forward priority 0\n${drops.join("\n")}\n}\n}\n`,
    );
  }

  join(): void {
    nft(this.#lans.namespace, `table bridge ${PARTITION} {}\ndelete table bridge ${PARTITION}\n`);
  }

  /** The power fails: all programs of the box end as by kill -9, and all its links are dead in the same moment. */
  async powerOff(box: string): Promise<void> {
    ipBatch(
      this.links(box).map(({ port }) => `link set ${port} down`),
      this.#lans.namespace,
    );
    await this.box(box).killAll();
  }

  /** The links are there again; programs are for the caller to start. */
  powerOn(box: string): void {
    ipBatch(
      this.links(box).map(({ port }) => `link set ${port} up`),
      this.#lans.namespace,
    );
  }

  /**
   * Captures on LANs, or on single ports of them ("a.eth0"), into a pcapng file whose interfaces are numbered alike. Returns once it is capturing; end it by `stop("SIGINT")`.
   */
  async capture(where: string | readonly string[], file: string, filter = ""): Promise<Program> {
    const condition = filter === "" ? [] : ["-f", filter];
    const places = [where].flat().flatMap((each) => ["-i", each, ...condition]);
    const program = this.#lans.start("dumpcap", ["-q", ...places, "-w", file]);
    await program.line((line) => line.startsWith("File: "));
    return program;
  }

  /** Ends all programs and deletes everything. May be called more than once. */
  close(): void {
    open.delete(this);
    if (open.size === 0) process.removeListener("exit", closeAll);
    for (const box of [this.#lans, ...this.#boxes.values()]) {
      box.endAll();
      remove(box.namespace);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** An end of a veth pair in a box, as `ip link add` wants it. */
function endOf(box: Box, { device, mac, mtu }: PortPlan): string {
  const size = mtu === undefined ? "" : ` mtu ${mtu}`;
  const address = mac === undefined ? "" : ` address ${mac}`;
  return `${checked(device)}${size}${address} netns ${box.namespace}`;
}

/** What `ip` is told to bring a device up as planned; also what it forgets when the device goes down. */
function settingsOf({ device, addresses = [], routes = [] }: PortPlan): string[] {
  return [
    `link set ${device} up`,
    ...addresses.map((address) => `address replace ${address} dev ${device}`),
    ...routes.map(({ to, via }) => `route replace ${to} via ${via} dev ${device}`),
  ];
}

function checked(name: string): string {
  if (name.length > DEVICE_NAME_MAX) throw new Error(`longer than a device's name may be: ${name}`);
  return name;
}
