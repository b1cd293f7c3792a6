/**
 * What does it cost to make a packet ready for the wire?
 *
 *   forward/hops     packets of open sessions in a live firewall, all of a side by one next hop, beside the same firewall
 *                    that only decides
 *   forward/routes   the same with ROUTES routes on each side, each by a neighbour of its own: a miss in the cache apiece
 */
import * as L from "../assembly/layout.js";
import { formatMac } from "../src/frame.js";
import { formatIpv4, ipv4Mask } from "../src/ip.js";
import { MAC_A } from "../test/support/frames.js";
import { openFlows } from "./boxes.js";
import { type Firewall, makeFirewall } from "./engine.js";
import { type Contender, inProcess, race } from "./measure.js";
import { BATCH, CONFIGURATION, INSIDE, OUTSIDE } from "./policy.js";
import { PRODUCT, type Question, type Row, rowOf } from "./report.js";
import { Ring, RING_FRAMES, randomFlow } from "./ring.js";
import { drive, SEGMENT, type Workshop } from "./testbed.js";

const SIZE = 65536;
const DECIDING = "deciding";
/** The frames of the ring are addressed to it, on both sides. */
const OWN_MAC = formatMac(MAC_A);
const NEIGHBOR_MAC = "0200.0000.0002";
const START_MS = 1_000_000;
/** Routes of a side; both sides are a little less than the table holds. */
const ROUTES = 2000;

interface Side {
  readonly number: number;
  /** The network that its flows live in, and the one that the firewall shares with its neighbours. */
  readonly flows: { readonly network: number; readonly prefixLength: number };
  readonly link: number;
}

const LINK_PREFIX = 16;
/** 10.0.0.0/15 and 198.18.0.0/15: what the flows of `SIZE` sessions take (ring.ts). */
const SIDES: readonly Side[] = [
  { number: INSIDE, flows: { network: 0x0a000000, prefixLength: 15 }, link: 0xac100000 },
  { number: OUTSIDE, flows: { network: 0xc6120000, prefixLength: 15 }, link: 0xac110000 },
];

/** The policy of the benchmarks between routers: every flow lies behind one of `routes` of them. */
function configurationOf(routes: number): string {
  const addresses = ["10.0.0.1 255.0.0.0", "198.18.0.1 255.254.0.0"];
  let text = CONFIGURATION.replace(/end\s*$/, "");
  SIDES.forEach(({ link, flows }, i) => {
    const own = `${formatIpv4(link + 1)} ${formatIpv4(ipv4Mask(LINK_PREFIX))}`;
    text = text.replace(addresses[i]!, own);
    const prefixLength = flows.prefixLength + Math.ceil(Math.log2(routes));
    for (let j = 0; j < routes; j++) {
      const network = formatIpv4((flows.network + j * 2 ** (32 - prefixLength)) >>> 0);
      text += `ip route ${network} ${formatIpv4(ipv4Mask(prefixLength))} ${formatIpv4(link + 2 + j)}\n`;
    }
    // What the last of them leaves over.
    text += `ip route ${formatIpv4(flows.network)} ${formatIpv4(ipv4Mask(flows.prefixLength))} ${formatIpv4(link + 2)}\n`;
  });
  return `${text}end\n`;
}

export const forward = (workshop: Workshop): Question => {
  const cases = [
    { name: `forward/hops/${SIZE}`, routes: 1 },
    { name: `forward/routes/${SIZE}`, routes: ROUTES },
  ];
  return {
    names: cases.map(({ name }) => name),
    async *measure(wanted) {
      for (const { name, routes } of cases) if (wanted(name)) yield await measure(workshop, name, routes);
    },
  };
};

async function measure({ core: source, effort }: Workshop, name: string, routes: number): Promise<Row> {
  const config = configurationOf(routes);
  const [live, deciding] = [PRODUCT, DECIDING].map((each) => ({
    name: each,
    firewall: makeFirewall(source, SIZE, { config }),
  })) as [Lane, Lane];
  goLive(live.firewall, routes);
  const contenders = [live, deciding].map(contenderOf);
  const figures = await race(contenders, effort(SIZE));
  checkAll(live.firewall, L.FW_SEND);
  checkAll(deciding.firewall, L.FW_NONE);
  return rowOf(name, figures, PRODUCT, DECIDING);
}

interface Lane {
  readonly name: string;
  readonly firewall: Firewall;
}

function goLive({ dataplane }: Firewall, routes: number): void {
  const { forwarding } = dataplane;
  forwarding.enable({ interfaces: SIDES.map(({ number }) => ({ number, port: number, mac: OWN_MAC })) });
  for (const { number, link } of SIDES) {
    for (let j = 0; j < routes; j++) {
      if (!forwarding.setNeighbor(number, link + 2 + j, NEIGHBOR_MAC))
        throw new Error("no room for neighbours");
    }
  }
}

/** The frames are written anew before each sample: those that left are addressed to the next hop. */
function contenderOf({ name, firewall }: Lane): Contender {
  const ring = new Ring(firewall.core, "tcp");
  openFlows(firewall, ring, 0, SIZE, START_MS);
  const flowOf = randomFlow(SIZE);
  let place = 0;
  let first = 0;
  return inProcess(
    name,
    SEGMENT,
    () => {
      drive(firewall, ring, first, SEGMENT, BATCH, START_MS);
      first += SEGMENT;
    },
    () => {
      ring.prepare("data");
      ring.fill(flowOf, place);
      place += RING_FRAMES;
      first = 0;
    },
  );
}

/** Throws unless the frames of the last call all came to the same. */
function checkAll({ core }: Firewall, wanted: number): void {
  const { at } = core.plan.regions.descriptors;
  for (let i = 0; i < BATCH; i++) {
    const found = core.bytes[at + i * L.DESC_SIZE + L.D_FORWARD];
    if (found !== wanted) throw new Error(`frame ${i} came to ${found}, not ${wanted}`);
  }
}
