/** What follows from the configuration of a box for its wiring. */
import * as L from "../../assembly/layout.js";
import type { Config } from "../config/model.js";
import type { Address } from "../ip.js";
import { type Identity, identityOf, updateMsOf } from "../redundancy/index.js";
import type { ControlOptions } from "./actions.js";
import type { Sharing } from "./shared-sessions.js";

/** Name of the interface by each of its own addresses. */
export function interfacesOf({ interfaces }: Config): ReadonlyMap<Address, string> {
  return new Map(
    [...interfaces.values()].flatMap(({ name, addresses }) =>
      addresses.map(({ address }) => [address, name] as const),
    ),
  );
}

/** What a peer has to fit; undefined: no half of a pair. */
export function identityFor({ config, software, sessions }: ControlOptions): Identity | undefined {
  return identityOf(config, { software, layout: L.LAYOUT_VERSION, capacity: sessions });
}

/** How the sessions of a box are shared with its peer. */
export function sharingOf(options: ControlOptions): Sharing {
  return { isPaired: identityFor(options) !== undefined, updateMs: updateMsOf(options.config) };
}
