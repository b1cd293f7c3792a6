/**
 * Two routers and the packets between them as one graph. A state is three numbers: the routers' states with whose
 * clock moves next, and the sets of packets on their way to each. See explore.test.ts for what the networks mean.
 */
import type { HsrpOptions } from "../../src/hsrp/index.js";
import { NodeSpace, OFF, PACKETS_MAX } from "./node-space.js";

/**
 * `rough`: packets are lost, repeated, reordered and late by up to two units; routers and links fail and return.
 * `failing`: a few times a router or link fails or returns; packets arrive in any order before a clock moves.
 * `whole`: nothing fails; packets arrive in any order before their sender's clock moves.
 */
export type Network = "rough" | "failing" | "whole";

export type Visit = (nodes: number, toFirst: number, toSecond: number) => void;

const NODE_BITS = 14;
const NODE_MASK = (1 << NODE_BITS) - 1;
const TURN_SHIFT = 2 * NODE_BITS;
/** How much more may fail or return in a failing network. */
const FAULTS_SHIFT = TURN_SHIFT + 1;
const NEW_MASK = (1 << PACKETS_MAX) - 1;

export class PairSpace {
  readonly routers: readonly [NodeSpace, NodeSpace];
  readonly groups: number;
  /** Both are switched off. */
  readonly off = OFF;

  constructor(first: HsrpOptions, second: HsrpOptions) {
    this.routers = [new NodeSpace(first), new NodeSpace(second)];
    this.groups = first.interfaces.length;
  }

  /** The state in which both have just been switched on, and `faults` failures or returns are to come. */
  booted(faults: number): number {
    const [first, second] = this.routers;
    return first.boot().to | (second.boot().to << NODE_BITS) | (faults << FAULTS_SHIFT);
  }

  /** The state of router `x` in a state of the pair. */
  nodeOf(nodes: number, x: number): number {
    return (nodes >>> (x * NODE_BITS)) & NODE_MASK;
  }

  /** A state whose packets and faults still to come are forgotten. */
  withoutFaults(nodes: number): number {
    return nodes & ~(-1 << FAULTS_SHIFT);
  }

  /** The HSRP states of both routers, as one text. */
  rolesOf(nodes: number): string {
    return `${this.routers[0].rolesOf(this.nodeOf(nodes, 0))} ${this.routers[1].rolesOf(this.nodeOf(nodes, 1))}`;
  }

  /** Whether the first router's clock moved from one state to the next. */
  isRound(from: number, to: number): boolean {
    return turnOf(from) === 0 && turnOf(to) === 1;
  }

  /** Everything that can happen next. */
  successors(nodes: number, toFirst: number, toSecond: number, network: Network, visit: Visit): void {
    this.#moves(0, nodes, toFirst, toSecond, network, visit);
    this.#moves(1, nodes, toSecond, toFirst, network, (next, toMe, toPeer) => visit(next, toPeer, toMe));
  }

  /** What router `x` can do or suffer. `visit` is called with the packets to it first. */
  #moves(x: 0 | 1, nodes: number, toMe: number, toPeer: number, network: Network, visit: Visit): void {
    const me = this.routers[x];
    const peer = this.routers[1 - x]!;
    const state = this.nodeOf(nodes, x);
    const peerState = this.nodeOf(nodes, 1 - x);
    const turn = turnOf(nodes);
    const faults = nodes >>> FAULTS_SHIFT;
    const isRough = network === "rough";
    const go = (to: number, nextTurn: number, inbound: number, outbound: number, left = faults): void => {
      const both = (to << (x * NODE_BITS)) | (peerState << ((1 - x) * NODE_BITS));
      const heard = inbound & this.#audible(me, to, peer, isRough);
      const sent = outbound & this.#audible(peer, peerState, me, isRough);
      visit(both | (nextTurn << TURN_SHIFT) | (left << FAULTS_SHIFT), heard, sent);
    };

    const mayTick = isRough || (toPeer === 0 && (network === "whole" || toMe === 0));
    if (turn === x && mayTick) {
      const aged = isRough ? (toPeer & NEW_MASK) << PACKETS_MAX : 0;
      const edge = state === OFF ? undefined : me.tick(state);
      go(edge?.to ?? OFF, 1 - x, toMe, aged | (edge?.sent ?? 0));
    }
    const arriving = isRough ? (toMe & NEW_MASK) | (toMe >>> PACKETS_MAX) : toMe;
    for (let packet = 0; arriving >>> packet !== 0; packet++) {
      if (((arriving >>> packet) & 1) === 0) continue;
      const edge = me.receive(state, peer, packet);
      // In a rough network it may come again, or never have come: it stays until it is too old.
      go(edge.to, turn, isRough ? toMe : toMe & ~(1 << packet), toPeer | edge.sent);
    }
    if (network === "whole" || (network === "failing" && faults === 0)) return;
    const left = isRough ? 0 : faults - 1;
    const edge = state === OFF ? me.boot() : undefined;
    go(edge?.to ?? OFF, turn, 0, toPeer | (edge?.sent ?? 0), left);
    for (let group = 0; group < this.groups && state !== OFF; group++) {
      const edge = me.link(state, group, !me.isLinkUp(state, group));
      go(edge.to, turn, toMe, toPeer | edge.sent, left);
    }
  }

  /** The packets of `sender` that reach a router in this state: those to interfaces that are up. */
  #audible(receiver: NodeSpace, state: number, sender: NodeSpace, isRough: boolean): number {
    let set = 0;
    for (let group = 0; group < this.groups; group++) {
      if (receiver.isLinkUp(state, group)) set |= sender.packetsOf(group);
    }
    return isRough ? set | (set << PACKETS_MAX) : set;
  }
}

function turnOf(nodes: number): number {
  return (nodes >>> TURN_SHIFT) & 1;
}
