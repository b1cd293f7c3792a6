/** The interfaces of the model: which are up, what they carry, which version of IP they take part in. */
import type { Config } from "../../src/config/model.js";
import type { Family } from "./packet.js";

/** `GigabitEthernet0/0` of `GigabitEthernet0/0.10`. */
function parentOf(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : name.slice(0, dot);
}

export class Interfaces {
  private readonly config: Config;
  private readonly macs = new Map<string, number[]>();
  /** Families of which every interface takes part, because packets do not go by routes. */
  private readonly families: readonly Family[];

  /** @param bySide packets go by side or by a pair of interfaces, not by routes. */
  constructor(config: Config, macs: ReadonlyMap<string, string>, bySide: boolean) {
    this.config = config;
    for (const [name, text] of macs) {
      const bytes = text.split(":").map((part) => Number.parseInt(part, 16));
      this.macs.set(name, bytes);
    }
    const used = [...config.interfaces.keys()].filter((name) => this.isUp(name));
    this.families = ([4, 6] as const).filter(
      (family) => bySide && used.some((name) => this.configures(name, family)),
    );
  }

  isUp(name: string): boolean {
    const own = this.config.interfaces.get(name);
    const parent = this.config.interfaces.get(parentOf(name) ?? "");
    return own !== undefined && !own.shutdown && parent?.shutdown !== true;
  }

  /** Whether an interface takes part in a version of IP. */
  takesPart(name: string, family: Family): boolean {
    return this.families.includes(family) || this.configures(name, family);
  }

  private configures(name: string, family: Family): boolean {
    const each = this.config.interfaces.get(name)!;
    const addresses = family === 4 ? each.addresses : each.addresses6;
    if (addresses.length > 0 || (family === 6 && each.ipv6Enable === true)) return true;
    return [...each.accessGroups, ...each.inspect].some((binding) => binding.family === family);
  }

  /** `virtual-reassembly drop-fragments` of the family. */
  refusesFragments(name: string, family: Family): boolean {
    const each = this.config.interfaces.get(name);
    return (family === 4 ? each?.virtualReassembly : each?.virtualReassembly6)?.dropFragments === true;
  }

  subinterface(parent: string, vlan: number): string | undefined {
    const all = [...this.config.interfaces.values()];
    return all.find((each) => parentOf(each.name) === parent && each.encapsulation?.vlan === vlan)?.name;
  }

  /** The subinterface that frames without a tag belong to. */
  nativeOf(parent: string): string | undefined {
    const all = [...this.config.interfaces.values()];
    return all.find((each) => parentOf(each.name) === parent && each.encapsulation?.native === true)?.name;
  }

  hasSubinterfaces(name: string): boolean {
    return [...this.config.interfaces.keys()].some((other) => parentOf(other) === name);
  }

  /** The address that frames must have to be taken; undefined: all are taken. */
  macOf(name: string): number[] | undefined {
    return this.macs.get(name) ?? this.macs.get(parentOf(name) ?? "");
  }
}
