/** The Wasm file of this package, where files come by HTTP. */

/** The bytes of core.wasm, which bundlers find by this URL and copy. Rejects when the server does not have it. */
export async function fetchCore(): Promise<ArrayBuffer> {
  const url = new URL("../../core.wasm", import.meta.url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} cannot be fetched: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}
