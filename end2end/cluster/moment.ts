import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request as send } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, type ApiObject } from './client';
import { calm, kinds } from './kinds';

/** One recorded change. */
export type Change = { kind: string; type: string; object: ApiObject; version: number; line: string };

/**
 * A cluster held at one resourceVersion, for kubectl and for Masthead alike.
 *
 * An API server in front of the API server. It records every change from its start on. Whoever lists
 * through it gets the list at exactly the version it is held at, and whoever watches gets the changes
 * up to that one and no further, until `advance` lets them go on. So both can be compared at every
 * version a rollout went through, and what differs can be looked at for as long as it takes.
 */
export class Moment {
  /** What it is held at. */
  at = 0;
  readonly changes: Change[] = [];
  kubeconfig = '';
  /** The first version it was held at. */
  began = 0;
  private broken?: Error;
  /** Whether nothing is let go for the moment. */
  held = false;
  /** What was there then. */
  private readonly before: Record<string, ApiObject[]> = {};
  private server?: Server;
  private folder = '';
  private readonly watchers = new Set<Watcher>();
  private readonly recordings: AbortController[] = [];
  private readonly opened: Promise<void>[] = [];

  private constructor(
    private readonly cluster: Cluster,
    private readonly kinds: string[],
  ) {}

  /** Held at the version of now; records what comes. Who needs some kinds only hears less: the API server lets go of those who are slow to listen. */
  static async of(cluster: Cluster, only = calm): Promise<Moment> {
    const moment = new Moment(cluster, only);
    moment.at = moment.began = await cluster.version();
    for (const kind of only) {
      const { collection } = kinds[kind];
      const list = await cluster.request<{ items: ApiObject[] }>('GET', `${collection}?${exact(moment.at)}`);
      moment.before[kind] = list.items;
      moment.record(kind, moment.at);
    }
    await Promise.all(moment.opened);
    moment.server = createServer((request, response) => {
      moment.answer(request, response).catch((error) => {
        if (!response.headersSent) response.writeHead(502);
        response.end(String(error));
      });
    });
    await new Promise<void>((up) => moment.server!.listen(0, '127.0.0.1', up));
    const address = moment.server.address() as { port: number };
    moment.folder = await mkdtemp(join(tmpdir(), 'masthead-moment-'));
    moment.kubeconfig = join(moment.folder, 'kubeconfig');
    await writeFile(
      moment.kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'moment', cluster: { server: `http://127.0.0.1:${address.port}` } }],
        users: [{ name: 'moment', user: {} }],
        contexts: [{ name: 'moment', context: { cluster: 'moment', user: 'moment' } }],
        'current-context': 'moment',
      }),
    );
    return moment;
  }

  async stop() {
    this.recordings.forEach((recording) => recording.abort());
    this.watchers.forEach((watcher) => watcher.end());
    this.server?.closeAllConnections();
    await new Promise((done) => (this.server ? this.server.close(done) : done(undefined)));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Lets everything up to `version` happen. */
  advance(version: number) {
    if (version < this.at) throw new Error(`${version} is before ${this.at}`);
    this.at = version;
    this.watchers.forEach((watcher) => watcher.flush());
  }

  /** Lets everything happen as it does. */
  release() {
    this.advance(Infinity);
  }

  /** Holds it again, at the version of now. */
  async freeze(): Promise<number> {
    this.held = true; // nothing later than that version may slip through while it is asked for
    this.at = await this.cluster.version();
    this.held = false;
    this.watchers.forEach((watcher) => watcher.flush());
    return this.at;
  }

  /** Everything that has happened in the cluster up to now is recorded; its version. Does not advance. */
  async caughtUp(): Promise<number> {
    if (this.broken) throw this.broken;
    const now = await this.cluster.version();
    for (const kind of this.kinds) {
      const { collection } = kinds[kind];
      // A change of ours would be one more; the list at that version says what should have been recorded.
      const list = await this.cluster.request<{ items: ApiObject[] }>('GET', `${collection}?${exact(now)}`);
      const wanted = new Set(list.items.map(seen).filter((version) => version > this.began));
      const end = Date.now() + 20_000;
      for (;;) {
        const recorded = this.changes.filter((change) => change.kind === kind && change.version <= now);
        const have = new Set(recorded.filter(({ type }) => type !== 'DELETED').map(({ version }) => version));
        if ([...wanted].every((version) => have.has(version)) && gone(list.items, this.before[kind], recorded)) break;
        if (Date.now() > end) throw new Error(`the watch of ${kind} is not at version ${now} after 20 s`);
        await new Promise((later) => setTimeout(later, 20));
      }
    }
    return now;
  }

  private record(kind: string, version: number) {
    const recording = new AbortController();
    this.recordings.push(recording);
    let open: () => void;
    let broken: (error: Error) => void;
    this.opened.push(new Promise((done, fail) => ((open = done), (broken = fail))));
    const path = `${kinds[kind].collection}?watch=1&resourceVersion=${version}&timeoutSeconds=3600`;
    send(this.cluster.url + path, { signal: recording.signal }, (answer) => {
      if (answer.statusCode !== 200) return broken(new Error(`${path}: ${answer.statusCode}`));
      open();
      let rest = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        lines.forEach((line) => this.keep(kind, line));
      });
      answer.on('error', () => undefined); // ours, or it is missed by `caughtUp`
    })
      .on('error', (error) => broken(error))
      .end();
  }

  private keep(kind: string, line: string) {
    const { type, object } = JSON.parse(line) as { type: string; object: ApiObject };
    if (type === 'ERROR') {
      this.broken = new Error(`the recording of ${kind} broke: ${line}`);
      return;
    }
    this.changes.push({ kind, type, object, version: seen(object), line });
    this.watchers.forEach((watcher) => watcher.flush());
  }

  private async answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://moment');
    const asked = place(url.pathname);
    // What changes by itself goes by: it is not recorded.
    if (!asked || kinds[asked.kind].only) return this.forward(request, response, request.url ?? '/');
    const query = url.searchParams;
    if (query.get('watch') === '1' || query.get('watch') === 'true') {
      if (query.has('sendInitialEvents')) return refuse(response, 422, 'Invalid', 'this API server lists first');
      const watcher = new Watcher(this, response, asked, query);
      this.watchers.add(watcher);
      response.once('close', () => this.watchers.delete(watcher));
      watcher.flush();
      return;
    }
    query.delete('resourceVersion');
    query.delete('resourceVersionMatch');
    const pinned = query.has('continue') || this.at === Infinity ? '' : `&${exact(this.at)}`;
    if (!asked.name) return this.forward(request, response, `${url.pathname}?${query}${pinned}`);
    const { collection } = kinds[asked.kind];
    const within = asked.namespace ? collection.replace(/\/([^/]+)$/, `/namespaces/${asked.namespace}/$1`) : collection;
    const list = await this.cluster.request<{ items: ApiObject[]; apiVersion: string; kind: string }>(
      'GET',
      `${within}?fieldSelector=metadata.name%3D${asked.name}${pinned}`,
    );
    const group = collection.split('/')[2];
    const resource = collection.startsWith('/apis/') ? `${asked.kind}.${group}` : asked.kind;
    if (list.items.length === 0) return refuse(response, 404, 'NotFound', `${resource} "${asked.name}" not found`);
    response.writeHead(200, { 'content-type': 'application/json' });
    const object = { ...list.items[0], apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, '') };
    response.end(JSON.stringify(object));
  }

  private forward(request: IncomingMessage, response: ServerResponse, path: string) {
    const { host: _, connection: __, ...headers } = request.headers;
    return new Promise<void>((done, fail) => {
      const onward = send(this.cluster.url + path, { method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response).once('finish', done);
        answer.once('error', fail);
      }).on('error', fail);
      request.pipe(onward);
    });
  }
}

/** Whether each object that was there and is not in `items` was also seen to go. */
function gone(items: ApiObject[], before: ApiObject[], recorded: Change[]): boolean {
  const there = new Set(items.map(({ metadata }) => metadata.uid));
  const last = new Map(before.map(({ metadata }) => [metadata.uid, 'ADDED']));
  recorded.forEach(({ object, type }) => last.set(object.metadata.uid, type));
  return [...last].every(([uid, type]) => type === 'DELETED' || there.has(uid));
}

const seen = (object: ApiObject) => Number(object.metadata.resourceVersion);
const exact = (version: number) => `resourceVersion=${version}&resourceVersionMatch=Exact`;

/** What a path asks for, if it is one of the kinds. */
type Place = { kind: string; namespace?: string; name?: string };

function place(path: string): Place | undefined {
  for (const [kind, { collection }] of Object.entries(kinds)) {
    const [root, plural] = [collection.slice(0, collection.lastIndexOf('/')), collection.slice(collection.lastIndexOf('/') + 1)];
    const match = new RegExp(`^${root}(?:/namespaces/([^/]+))?/${plural}(?:/([^/]+))?$`).exec(path);
    if (match) return { kind, namespace: match[1], name: match[2] };
  }
  return undefined;
}

function refuse(response: ServerResponse, code: number, reason: string, message: string) {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code }));
}

/** Somebody's watch. */
class Watcher {
  private next = 0;
  private readonly after: number;
  private readonly name?: string;

  constructor(
    private readonly moment: Moment,
    private readonly response: ServerResponse,
    private readonly place: Place,
    query: URLSearchParams,
  ) {
    this.after = Number(query.get('resourceVersion') ?? moment.at);
    this.name = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const seconds = Number(query.get('timeoutSeconds') ?? 0);
    if (seconds > 0) setTimeout(() => this.end(), seconds * 1000).unref();
  }

  /** Sends what may be known by now. */
  flush() {
    // Versions of one kind come in order; those of different kinds need not.
    const { changes, at, held } = this.moment;
    if (held) return;
    for (; this.next < changes.length; this.next += 1) {
      const { kind, object, version, line } = changes[this.next];
      if (kind !== this.place.kind) continue;
      if (version > at) return;
      const { namespace, name } = object.metadata;
      if (version <= this.after) continue;
      if (this.place.namespace && namespace !== this.place.namespace) continue;
      if (this.name && name !== this.name) continue;
      this.response.write(`${line}\n`);
    }
  }

  end() {
    this.response.end();
  }
}
