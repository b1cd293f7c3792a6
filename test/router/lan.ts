/**
 * Two boxes of a pair and hosts on one LAN, in virtual time. A box is a router and its HSRP machine, wired as the control
 * thread wires them; a host answers ARP and remembers what it is told. A frame takes a millisecond.
 */
import { parseArp } from "../../src/arp.js";
import { ETHERNET, parseIp } from "../../src/frame.js";
import { Hsrp, type HsrpAction, type HsrpInput, optionsOf } from "../../src/hsrp/index.js";
import { type Address, formatAddress } from "../../src/ip.js";
import { isGroupMac, type Mac } from "../../src/mac.js";
import { Router, type RouterAction, type RouterInput } from "../../src/router/index.js";
import { seededRandom } from "../../src/random.js";
import { configOf } from "../hsrp/world.js";
import { arp, INSIDE } from "./rig.js";

const DELAY_MS = 1;

interface Box {
  readonly name: string;
  readonly mac: Mac;
  readonly router: Router;
  readonly hsrp: Hsrp;
  isRunning: boolean;
}

export interface Host {
  readonly address: string;
  readonly mac: Mac;
  /** Where it sends what goes to an address. */
  readonly cache: Map<Address, Mac>;
  /** Frames that it got, other than ARP. */
  readonly received: Uint8Array[];
}

/** A frame on the wire. */
export interface Sent {
  readonly atMs: number;
  readonly from: string;
  readonly frame: Uint8Array;
}

export class LanWorld {
  nowMs = 0;
  readonly sent: Sent[] = [];
  readonly logs: string[] = [];
  readonly boxes = new Map<string, Box>();
  readonly hosts = new Map<string, Host>();
  isParted = false;
  #deliveries: Sent[] = [];

  constructor(texts: Readonly<Record<string, string>>) {
    Object.entries(texts).forEach(([name, text], i) => {
      const config = configOf(text);
      const mac = `0200.0000.000${i + 1}`;
      const macs = new Map([[INSIDE, mac]]);
      const random = seededRandom(i + 1);
      const router = new Router({ config, macs, mtus: new Map(), random });
      const hsrp = new Hsrp(optionsOf(config, { macs, random }));
      this.boxes.set(name, { name, mac, router, hsrp, isRunning: false });
    });
  }

  host(name: string, address: string, mac: Mac): this {
    this.hosts.set(name, { address, mac, cache: new Map(), received: [] });
    return this;
  }

  boot(...names: string[]): this {
    for (const name of names) {
      const box = this.boxes.get(name)!;
      box.isRunning = true;
      this.toRouter(name, { kind: "link", interface: INSIDE, isUp: true });
      this.#toHsrp(box, { kind: "link", interface: INSIDE, isUp: true });
    }
    return this;
  }

  kill(name: string): this {
    this.boxes.get(name)!.isRunning = false;
    return this;
  }

  run(ms: number): this {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const running = [...this.boxes.values()].filter(({ isRunning }) => isRunning);
      const dueMs = Math.min(
        ...this.#deliveries.map(({ atMs }) => atMs + DELAY_MS),
        ...running.map(({ router, hsrp }) => Math.min(router.deadlineMs, hsrp.deadlineMs)),
      );
      if (dueMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, dueMs);
      const arrived = this.#deliveries.filter(({ atMs }) => atMs + DELAY_MS <= this.nowMs);
      this.#deliveries = this.#deliveries.filter((each) => !arrived.includes(each));
      for (const each of arrived) this.#deliver(each);
      for (const box of running) {
        if (box.hsrp.deadlineMs <= this.nowMs) this.#toHsrp(box, { kind: "tick" });
        if (box.router.deadlineMs <= this.nowMs) this.toRouter(box.name, { kind: "tick" });
      }
    }
    this.nowMs = untilMs;
    return this;
  }

  toRouter(name: string, input: RouterInput): void {
    const box = this.boxes.get(name)!;
    for (const action of box.router.step(input, this.nowMs)) this.#handleRouter(box, action);
  }

  /** Puts a frame on the wire. */
  send(from: string, frame: Uint8Array): this {
    const sent = { atMs: this.nowMs, from, frame };
    this.sent.push(sent);
    this.#deliveries.push(sent);
    return this;
  }

  active(): string[] {
    return [...this.boxes.values()]
      .filter(({ hsrp, isRunning }) => isRunning && hsrp.report().active.length > 0)
      .map(({ name }) => name);
  }

  stateOf(box: string, address: string): string {
    const views = this.boxes.get(box)!.router.neighbors(4, this.nowMs);
    return views.find((each) => formatAddress(each.address) === address)?.state ?? "none";
  }

  #toHsrp(box: Box, input: HsrpInput): void {
    for (const action of box.hsrp.step(input, this.nowMs)) this.#handleHsrp(box, action);
  }

  #handleHsrp(box: Box, action: HsrpAction): void {
    if (action.kind === "own" || action.kind === "disown" || action.kind === "announce") {
      this.toRouter(box.name, action);
    } else if (action.kind === "send") {
      this.toRouter(box.name, { ...action, kind: "datagram", sourcePort: action.port });
    } else if (action.kind === "log") this.logs.push(`${box.name} ${action.text}`);
  }

  #handleRouter(box: Box, action: RouterAction): void {
    if (action.kind === "transmit") this.send(box.name, action.frame);
    else if (action.kind === "datagram") this.#toHsrp(box, { ...action, kind: "packet" });
    else if (action.kind === "arp") this.#toHsrp(box, action);
    else if (action.kind === "log") this.logs.push(`${box.name} ${action.text}`);
  }

  #deliver({ from, frame }: Sent): void {
    const { destination } = ETHERNET.parse(frame)!;
    for (const box of this.boxes.values()) {
      if (!box.isRunning || box.name === from || (this.isParted && this.boxes.has(from))) continue;
      if (isGroupMac(destination) || this.#accepts(box, destination)) {
        this.toRouter(box.name, { kind: "frame", interface: INSIDE, networkOffset: ETHERNET.size, frame });
      }
    }
    for (const [name, host] of this.hosts) if (name !== from) this.#toHost(name, host, frame);
  }

  #accepts({ mac, router }: Box, destination: Mac): boolean {
    const own = router.neighbors(4, this.nowMs).concat(router.neighbors(6, this.nowMs));
    return destination === mac || own.some((each) => each.state === "own" && each.mac === destination);
  }

  /** A host takes what it is told by requests to it, answers, and announcements of what it knows already. */
  #toHost(name: string, host: Host, frame: Uint8Array): void {
    const { destination, ethertype } = ETHERNET.parse(frame)!;
    if (!isGroupMac(destination) && destination !== host.mac) return;
    const message = ethertype === 0x0806 ? parseArp(frame.subarray(ETHERNET.size)) : undefined;
    if (message === undefined) {
      if (parseIp(frame.subarray(ETHERNET.size)) !== undefined) host.received.push(frame);
      return;
    }
    const { sender, target, operation } = message;
    const isForUs = formatAddress(target.address) === host.address;
    if (isForUs || host.cache.has(sender.address)) host.cache.set(sender.address, sender.mac);
    if (isForUs && operation === 1) {
      const reply = {
        operation: 2,
        sender: host.address,
        senderMac: host.mac,
        targetMac: sender.mac,
      } as const;
      this.send(name, arp({ ...reply, target: formatAddress(sender.address), destination: sender.mac }));
    }
  }
}
