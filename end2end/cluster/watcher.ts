import { type ApiObject, type Cluster } from './client';

/** What a watch tells, and when it came. */
export type Heard = { at: number; type: string; object: ApiObject };

/** A watch of our own beside Masthead's: from now on, until it is stopped. */
export async function watcher(cluster: Cluster, collection: string): Promise<{ heard: Heard[]; stop: () => Promise<void> }> {
  const heard: Heard[] = [];
  const list = await cluster.request<{ metadata: { resourceVersion: string }; items: ApiObject[] }>('GET', collection);
  const ended = new AbortController();
  const answer = await fetch(`${cluster.url}${collection}?watch=1&resourceVersion=${list.metadata.resourceVersion}`, { signal: ended.signal });
  const read = (async () => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const piece of answer.body as unknown as AsyncIterable<Uint8Array>) {
      const at = Date.now();
      const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line) heard.push({ at, ...(JSON.parse(line) as { type: string; object: ApiObject }) });
    }
  })().catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
  const stop = async () => {
    ended.abort();
    await read;
  };
  return { heard, stop };
}
