import { spawn, type ChildProcess, execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Kubernetes cluster: one of our own, gone when this process is, or one that is there already. */
export class Cluster {
  /** Where its binaries are, kubectl among them. */
  private kubectlPath = 'kubectl';
  kubeconfig = '';
  /** A service's image, in tags `latest`, `v2` and `v3`; any other tag cannot be pulled. */
  image = 'busybox';
  /** The real node, if there is one. */
  node?: string;
  private child?: ChildProcess;

  /** The first time it is built from source, which takes minutes. */
  static async start(fakeNodes: number): Promise<Cluster> {
    const cluster = new Cluster();
    if (process.env.CLUSTER_KUBECONFIG) {
      cluster.kubeconfig = resolve(process.env.CLUSTER_KUBECONFIG);
      return cluster;
    }
    // Our end of its input is what keeps it up: it takes itself down however we end.
    const child = spawn(resolve(__dirname, 'cluster'), ['run', String(fakeNodes)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    cluster.child = child;
    await new Promise<void>((up, fail) => {
      child.once('error', fail);
      child.once('close', (code) => fail(new Error(`the cluster ended with ${code}; what it said is above`)));
      createInterface(child.stdout!).on('line', (line) => {
        const [name, value = ''] = line.split('=', 2);
        if (name === 'KUBECONFIG') cluster.kubeconfig = value;
        if (name === 'CLUSTER_BIN') cluster.kubectlPath = `${value}/kubectl`;
        if (name === 'CLUSTER_IMAGES') cluster.image = value;
        if (name === 'CLUSTER_NODE') cluster.node = value;
        if (line === 'up') up();
      });
    });
    return cluster;
  }

  async stop() {
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.stdin!.end();
    await gone;
  }

  /** What kubectl prints; a failure is thrown with what it said. */
  async kubectl(...args: string[]): Promise<string> {
    const { stdout } = await run(this.kubectlPath, args, {
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
      maxBuffer: 1 << 28,
    });
    return stdout;
  }

  /** Creates or changes objects. */
  async apply(...objects: object[]) {
    const child = spawn(this.kubectlPath, ['apply', '-f', '-'], {
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr!.on('data', (text) => (said += text));
    const ended = new Promise<number | null>((done) => child.once('close', done));
    child.stdin!.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    if ((await ended) !== 0) throw new Error(`kubectl apply: ${said}`);
  }
}
