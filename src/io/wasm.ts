/** The Wasm file of this package, for Node. */
import { readFile } from "node:fs/promises";

/** Where it lies: beside the compiled package, or in `dist` when the sources themselves run. */
const PLACES = ["../../core.wasm", "../../dist/core.wasm"];

/** The bytes of core.wasm. Rejects when the package was not built. */
export async function readCoreFile(): Promise<Uint8Array> {
  for (const place of PLACES) {
    try {
      return await readFile(new URL(place, import.meta.url));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    }
  }
  throw new Error("core.wasm is missing: run `npm run build`");
}
