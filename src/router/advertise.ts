/**
 * Router advertisements (RFC 4861 section 6.2): of the virtual routers of IPv6 groups, by the router that owns the link-local
 * address. No other interface advertises: a firewall offers itself to nobody who was not told to have it. No
 * advertisement ends a virtual router when its address is given up: it lives on at another router, whose word hosts
 * have just heard. `stop` does.
 */
import { ALL_NODES, isLinkLocal } from "../hsrp/addresses.js";
import { routerAdvertisement } from "../icmp.js";
import type { Address } from "../ip.js";
import { networkOf } from "../policy/routes.js";
import { discoveryFrame, discoveryHeader, transmit } from "./ask.js";
import { type Advertiser, type Context, count, fraction, type Link, wakeAt } from "./context.js";
import * as limits from "./limits.js";

/** Starts and ends advertising, as the addresses are that this router has now. */
export function updateAdvertisers(context: Context, link: Link): undefined {
  const { plan, advertisers } = link;
  const wanted = new Map<bigint, string>();
  if (plan?.mac !== undefined && link.isUp) {
    for (const owned of context.owned.values()) {
      if (owned.interface !== link.name) continue;
      for (const address of owned.addresses) {
        if (typeof address === "bigint" && isLinkLocal(address)) wanted.set(address, owned.mac);
      }
    }
  }
  for (const source of advertisers.keys()) if (!wanted.has(source)) advertisers.delete(source);
  for (const [source, mac] of wanted) {
    if (advertisers.get(source)?.mac === mac) continue;
    const initialLeft = limits.RA_INITIAL_COUNT;
    advertisers.set(source, {
      source,
      mac,
      dueAtMs: context.nowMs,
      lastAtMs: -limits.RA_SPACING_MS,
      initialLeft,
    });
    wakeAt(context, context.nowMs);
  }
}

/** Sends what is due. */
export function expireAdvertisers(context: Context, link: Link): undefined {
  for (const advertiser of link.advertisers.values()) {
    if (advertiser.dueAtMs > context.nowMs) continue;
    send(context, link, advertiser, limits.RA_LIFETIME_SECONDS);
    const { RA_INTERVAL_MIN_MS: leastMs, RA_INTERVAL_MAX_MS: mostMs } = limits;
    const regularMs = leastMs + (mostMs - leastMs) * fraction(context);
    advertiser.initialLeft = Math.max(0, advertiser.initialLeft - 1);
    const isInitial = advertiser.initialLeft > 0;
    const intervalMs = isInitial ? Math.min(regularMs, limits.RA_INITIAL_INTERVAL_MS) : regularMs;
    advertiser.lastAtMs = context.nowMs;
    advertiser.dueAtMs = context.nowMs + intervalMs;
    wakeAt(context, advertiser.dueAtMs);
  }
}

/** A host asks: every router of the link answers to all, after a random time and not too often (section 6.2.6). */
export function answerRouterSolicitation(context: Context, link: Link): undefined {
  for (const { source } of link.advertisers.values()) advertiseSoon(context, link, source);
}

export function advertiseSoon(context: Context, link: Link, source: bigint): undefined {
  const advertiser = link.advertisers.get(source);
  if (advertiser === undefined) return;
  const soonMs = context.nowMs + limits.RA_REPLY_DELAY_MS * fraction(context);
  const allowedMs = advertiser.lastAtMs + limits.RA_SPACING_MS;
  advertiser.dueAtMs = Math.min(advertiser.dueAtMs, Math.max(soonMs, allowedMs));
  wakeAt(context, advertiser.dueAtMs);
}

/** Tells hosts that the routers of this box, but for those inherited, no longer are default routers, and ends advertising. */
export function stopAdvertising(
  context: Context,
  link: Link,
  inherited: ReadonlySet<Address> = new Set(),
): undefined {
  for (const advertiser of link.advertisers.values()) {
    if (inherited.has(advertiser.source)) continue;
    send(context, link, advertiser, limits.RA_FINAL_LIFETIME_SECONDS);
  }
  link.advertisers.clear();
}

function send(context: Context, link: Link, { source, mac }: Advertiser, lifetimeSeconds: number): undefined {
  const { mtu, subnets6 } = link.plan!;
  const header = discoveryHeader(source, ALL_NODES.address);
  const message = routerAdvertisement(header, {
    mac,
    mtu,
    hopLimit: limits.TTL,
    lifetimeSeconds,
    prefixes: subnets6.map(({ address, prefixLength }) => ({
      prefix: networkOf(address, prefixLength) as bigint,
      prefixLength,
    })),
    prefixValidSeconds: limits.PREFIX_VALID_SECONDS,
    prefixPreferredSeconds: limits.PREFIX_PREFERRED_SECONDS,
  });
  if (transmit(context, link, discoveryFrame(header, mac, message)))
    count(link, "router_advertisements_sent");
}
