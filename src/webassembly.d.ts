/**
 * The part of the WebAssembly JavaScript interface that this project uses. TypeScript has it only in its DOM library,
 * whose other globals must not be taken for granted here.
 * Source: https://webassembly.github.io/spec/js-api/
 */
declare namespace WebAssembly {
  interface Module {
    readonly [moduleBrand]: never;
  }
  const moduleBrand: unique symbol;
  interface ImportDescriptor {
    readonly module: string;
    readonly name: string;
    readonly kind: string;
  }
  const Module: {
    readonly prototype: Module;
    new (bytes: BufferSource): Module;
    imports(module: Module): ImportDescriptor[];
  };

  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  const Instance: { new (module: Module, imports?: Record<string, Record<string, unknown>>): Instance };

  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  const Memory: { new (descriptor: { initial: number; maximum?: number }): Memory };

  /** A trap. */
  class RuntimeError extends Error {}
}

type BufferSource = ArrayBufferView | ArrayBuffer;
