import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { calm, kinds } from './kinds';

const run = promisify(execFile);

/** What kubectl wrote, and its exit code. */
export type Said = { out: string; err: string; code: number };

/** A kubectl that is not through yet. */
export type Watching = { spoke: Promise<void>; said: Promise<Said> };

/** An object of the API, of which only what is used here has a type. */
export type ApiObject = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string; [field: string]: unknown };
  [field: string]: unknown;
};

/** What a cluster of our own consists of, as far as it is stopped and started again. */
export type Component = 'etcd' | 'kube-apiserver';

/** A Kubernetes cluster: one of our own, gone when this process is, or one that is there already. */
export class Cluster {
  kubeconfig = '';
  /** Our own service's image, where the cluster is our own. */
  private service = '';
  /** The real node, if there is one. */
  node?: string;
  /** The log of its kubelet, which says each attempt of a probe. */
  kubeletLog = '';
  /** etcd, where the cluster is our own. */
  etcd = '';
  /** How somebody who may do nothing yet finds a cluster of our own. */
  viewer = '';
  /** The API server without its credentials. */
  url = '';
  private bin = '';
  private children: ChildProcess[] = [];
  /** The script that keeps it up, where it is our own. */
  private cluster?: ChildProcess;
  /** Takes each line that the cluster says once it is up. */
  private heard: (line: string) => void = () => undefined;
  private commands?: { input: NodeJS.WritableStream; answers: AsyncIterator<string> };
  private last: Promise<unknown> = Promise.resolve();

  /** An image that can be pulled, of a first, a second and a third version; or, as `none`, one that cannot. */
  image(version: 'latest' | 'v2' | 'v3' | 'none'): string {
    return this.foreign ? `busybox:${{ latest: '1.36', v2: '1.37', v3: '1.35', none: 'none' }[version]}` : `${this.service}:${version}`;
  }

  /** What keeps such an image's container running. */
  get idle(): string[] {
    return this.foreign ? ['sleep', '3600'] : ['/service', 'pause'];
  }

  /** Whether it was there before us, with controllers, nodes and objects of its own. */
  get foreign() {
    return this.etcd === '';
  }

  /** Starts one of our own; `what` is the script's word after `run`. The first time it is built, which takes minutes. */
  static async start(what: string): Promise<Cluster> {
    const cluster = new Cluster();
    // Our end of its input is what keeps it up: it takes itself down however we end.
    const child = spawn(resolve(__dirname, 'cluster'), ['run', what], { stdio: ['pipe', 'pipe', 'inherit'] });
    cluster.cluster = child;
    cluster.children.push(child);
    await new Promise<void>((up, fail) => {
      child.once('error', fail);
      child.once('close', (code) => fail(new Error(`the cluster ended with ${code}; what it said is above`)));
      createInterface(child.stdout!).on('line', (line) => {
        const at = line.indexOf('=');
        const [name, value] = [line.slice(0, at), line.slice(at + 1)];
        if (name === 'KUBECONFIG') cluster.kubeconfig = value;
        if (name === 'VIEWER_KUBECONFIG') cluster.viewer = value;
        if (name === 'CLUSTER_BIN') cluster.bin = `${value}/`;
        if (name === 'CLUSTER_IMAGES') cluster.service = value;
        if (name === 'CLUSTER_NODE') cluster.node = value;
        if (name === 'CLUSTER_KUBELET_LOG') cluster.kubeletLog = value;
        if (name === 'CLUSTER_ETCD') cluster.etcd = value;
        if (line === 'up') up();
        cluster.heard(line);
      });
    });
    await cluster.connect();
    return cluster;
  }

  /** The one that `kubeconfig` names. The kubectl that was built with a cluster of our own is far quicker to ask. */
  static async at(kubeconfig: string): Promise<Cluster> {
    const cluster = new Cluster();
    cluster.kubeconfig = resolve(kubeconfig);
    const built = `${process.env.CLUSTER_BIN}/`;
    if (existsSync(`${built}kubectls`)) cluster.bin = built;
    await cluster.connect();
    return cluster;
  }

  /** Nothing acts on objects any more; on a cluster that is not ours, once nothing seems to. */
  async freeze() {
    if (!this.foreign) return this.tell('SIGUSR1', 'frozen');
    const end = Date.now() + 120_000;
    // The versions of all objects; three looks alike, a second apart.
    const look = async () =>
      (await Promise.all(calm.map((kind) => kinds[kind].collection).map((collection) => this.request<{ items: ApiObject[] }>('GET', collection))))
        .flatMap(({ items }) => items.map(({ metadata }) => `${metadata.uid}@${metadata.resourceVersion}`))
        .join();
    for (let before = '', alike = 0; alike < 2 && Date.now() < end; ) {
      const now = await look();
      alike = now === before ? alike + 1 : 0;
      before = now;
      await new Promise((later) => setTimeout(later, 1_000));
    }
  }

  /** It goes on. */
  async thaw() {
    if (!this.foreign) await this.tell('SIGUSR2', 'thawed');
  }

  /** A component gets a signal; one that is killed is gone then. */
  signal(component: Component, signal: 'STOP' | 'CONT' | 'KILL') {
    return this.order(`signal ${component} ${signal}`);
  }

  /** One that was killed is started again, and has everything to do still. */
  restart(component: Component) {
    return this.order(`start ${component}`);
  }

  /** Puts aside what etcd holds. */
  save() {
    return this.order('save');
  }

  /** While etcd is gone: what was put aside takes the place of what it held. */
  restore() {
    return this.order('restore');
  }

  /** etcd has its history compacted, as it has each five minutes; the API server goes on with what it remembers. */
  async compact() {
    const answer = await fetch(`${this.etcd}/v3/kv/compaction`, { method: 'POST', body: JSON.stringify({ revision: await this.version(), physical: true }) });
    if (!answer.ok) throw new Error(`etcd: ${await answer.text()}`);
  }

  /** Nobody knows any more what was before now: etcd has its history compacted, and the API server begins anew. */
  async forget() {
    await this.compact();
    await this.signal('kube-apiserver', 'KILL');
    await this.restart('kube-apiserver');
    await this.answers();
  }

  /** The API server answers questions about objects, so that etcd does too. */
  async answers() {
    for (;;) {
      const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((later) => setTimeout(later, 100));
    }
  }

  private order(order: string) {
    return this.ask(`done ${order}`, (cluster) => cluster.stdin!.write(`${order}\n`));
  }

  private tell(signal: NodeJS.Signals, answer: string) {
    return this.ask(answer, (cluster) => cluster.kill(signal));
  }

  /** Asks something of the script, and waits until it says `answer`. */
  private async ask(answer: string, how: (cluster: ChildProcess) => void) {
    const cluster = this.cluster!;
    await new Promise<void>((done, fail) => {
      this.heard = (line) => line === answer && done();
      cluster.once('close', () => fail(new Error(`the cluster ended and never said ${answer}`)));
      how(cluster);
    });
  }

  private async connect() {
    // Ends with our end of its input, however that comes: it is an open door to the cluster.
    const door = '"$0" proxy --port=0 & cat >/dev/null; kill $!';
    const proxy = spawn('sh', ['-c', door, `${this.bin}kubectl`], { env: this.env(), stdio: ['pipe', 'pipe', 'inherit'] });
    this.children.push(proxy);
    this.url = await new Promise<string>((found, fail) => {
      proxy.once('error', fail);
      proxy.once('close', (code) => fail(new Error(`kubectl proxy ended with ${code}: a cluster that is there already needs kubectl in PATH`)));
      createInterface(proxy.stdout!).on('line', (line) => found(`http://${line.split(' ').at(-1)}`));
    });
  }

  /** Ends what was started, the cluster last. */
  async stop() {
    for (const child of this.children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((done) => child.once('exit', done));
      child.stdin!.end();
      // A kubectl that waits for something does not read its input.
      const insist = setTimeout(() => child.kill('SIGKILL'), child === this.cluster ? 60_000 : 2_000);
      await gone;
      clearTimeout(insist);
    }
  }

  private env() {
    return { ...process.env, KUBECONFIG: this.kubeconfig };
  }

  /** What kubectl prints; a failure is thrown with what it said. */
  async kubectl(...args: string[]): Promise<string> {
    const said = await this.say(...args);
    if (said.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${said.err}`);
    return said.out;
  }

  /** What kubectl says, well or badly. One at a time, in one process where that was built. */
  say(...args: string[]): Promise<Said> {
    if (!args.some((arg) => arg.startsWith('--kubeconfig'))) args = [`--kubeconfig=${this.kubeconfig}`, ...args];
    const said = this.last.then(() => (existsSync(`${this.bin}kubectls`) ? this.within(args) : this.spawned(args)));
    this.last = said.catch(() => undefined);
    return said;
  }

  private async within(args: string[]): Promise<Said> {
    if (!this.commands) {
      const child = spawn(`${this.bin}kubectls`, [], { stdio: ['pipe', 'pipe', 'inherit'] });
      this.children.push(child);
      const lines: Interface = createInterface(child.stdout!);
      this.commands = { input: child.stdin!, answers: lines[Symbol.asyncIterator]() };
    }
    this.commands.input.write(`${JSON.stringify(args)}\n`);
    const { value, done } = await this.commands.answers.next();
    if (done) throw new Error(`kubectls ended over kubectl ${args.join(' ')}`);
    return JSON.parse(value) as Said;
  }

  private async spawned(args: string[]): Promise<Said> {
    try {
      const { stdout, stderr } = await run(`${this.bin}kubectl`, args, { env: this.env(), maxBuffer: 1 << 28 });
      return { out: stdout, err: stderr, code: 0 };
    } catch (error) {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
      return { out: stdout, err: stderr, code };
    }
  }

  /** A kubectl of its own that runs until it ends, such as `rollout status`: when it first spoke, and all it said. */
  watching(...args: string[]): Watching {
    const child = spawn(`${this.bin}kubectl`, args, { env: this.env(), stdio: ['ignore', 'pipe', 'pipe'] });
    const said: Said = { out: '', err: '', code: 0 };
    child.stdout.on('data', (text) => (said.out += text));
    child.stderr.on('data', (text) => (said.err += text));
    return {
      spoke: new Promise((done) => {
        child.stdout.once('data', () => done());
        child.once('close', () => done());
      }),
      said: new Promise((done, fail) => {
        child.once('error', fail);
        child.once('close', (code) => done({ ...said, code: code ?? 1 }));
      }),
    };
  }

  /** One request to the API server; JSON in, JSON out. A refusal is thrown with its own words. */
  async request<T = ApiObject>(method: string, path: string, body?: object, type = 'application/json'): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: body ? { 'content-type': type } : {},
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** The version of everything, now. */
  async version(): Promise<number> {
    const list = await this.request<{ metadata: { resourceVersion: string } }>('GET', '/api/v1/namespaces?limit=1');
    return Number(list.metadata.resourceVersion);
  }

  /** Creates or changes objects. */
  async apply(...objects: object[]) {
    const child = spawn(`${this.bin}kubectl`, ['apply', '-f', '-'], { env: this.env(), stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr!.on('data', (text) => (said += text));
    const ended = new Promise<number | null>((done) => child.once('close', done));
    child.stdin!.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    if ((await ended) !== 0) throw new Error(`kubectl apply: ${said}`);
  }
}
