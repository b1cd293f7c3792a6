/** The library, for browsers and everything else with `fetch`: the same as src/index.ts. */
import { Core, type CoreSource } from "./core.js";
import { Dataplane as PortableDataplane } from "./dataplane.js";
import { type DataplaneOptions, prepare } from "./prepare.js";
import { fetchCore } from "./io/fetch.js";
import { randomSeed } from "./io/seed.js";

export * from "./library.js";

/** A firewall. */
export class Dataplane extends PortableDataplane {
  /** Makes one. Rejects with ConfigError when the configuration or an option cannot be used. */
  static async create(options: DataplaneOptions): Promise<Dataplane> {
    const setup = prepare(options, randomSeed);
    return new Dataplane(await Core.create(options.module ?? (await fetchCore()), setup), setup);
  }

  /** The same at once, with a compiled core or its bytes. */
  static createSync(module: CoreSource, options: DataplaneOptions): Dataplane {
    const setup = prepare(options, randomSeed);
    return new Dataplane(Core.createSync(module, setup), setup);
  }
}
