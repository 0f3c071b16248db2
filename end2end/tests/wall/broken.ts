import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A cluster in which nothing works: an API server that lists broken pods, and never tells of a change. */
export class Broken {
  kubeconfig = '';
  private folder = '';
  private readonly server = http.createServer((request, response) => this.answer(request, response));
  private since = new Date(Date.now() - 5_000_000).toISOString().replace(/\.\d+/, '');

  constructor(private readonly pods: number) {}

  async start() {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    const server = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    this.folder = await mkdtemp(join(tmpdir(), 'masthead-broken-'));
    this.kubeconfig = join(this.folder, 'config');
    await writeFile(
      this.kubeconfig,
      JSON.stringify({
        apiVersion: 'v1', kind: 'Config', 'current-context': 'a-context-with-quite-a-long-name-eu-central-1',
        clusters: [{ name: 'broken', cluster: { server } }],
        users: [{ name: 'nobody', user: {} }],
        contexts: [{ name: 'a-context-with-quite-a-long-name-eu-central-1', context: { cluster: 'broken', user: 'nobody' } }],
      }),
    );
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
    await rm(this.folder, { recursive: true, force: true });
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse) {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://broken');
    response.setHeader('Content-Type', 'application/json');
    if (pathname === '/version') return response.end(JSON.stringify({ major: '1', minor: '37', gitVersion: 'v1.37.2' }));
    if (searchParams.get('watch')) return response.flushHeaders(); // and nothing ever happens
    const items = pathname.endsWith('/pods') ? this.broken() : pathname.endsWith('/nodes') ? this.nodes() : [];
    response.end(JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '7' }, items }));
  }

  private nodes() {
    const ready = (number: number) => (number % 3 === 0 ? 'Unknown' : 'True');
    return Array.from({ length: 40 }, (_, number) => ({
      metadata: { name: `ip-10-24-${number}-211.eu-central-1.compute.internal`, uid: `node-${number}`, creationTimestamp: this.since },
      status: {
        capacity: { cpu: '16', memory: '64Gi', pods: '110' },
        conditions: [{ type: 'Ready', status: ready(number), lastTransitionTime: this.since, reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }],
      },
    }));
  }

  private broken() {
    const why = 'back-off 5m0s restarting failed container=payment-reconciliation-worker because it will not stay up whatever is done about it';
    return Array.from({ length: this.pods }, (_, number) => ({
      metadata: {
        name: `payment-reconciliation-worker-nightly-${number}-7d9f4b8c6d-x${String(number).padStart(4, '0')}`, namespace: 'team-payments-and-settlements',
        uid: `pod-${number}`, creationTimestamp: this.since,
      },
      spec: { nodeName: `ip-10-24-${number % 40}-211.eu-central-1.compute.internal`, containers: [{ name: 'payment-reconciliation-worker', image: 'registry.example/worker:1' }] },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: this.since }],
        containerStatuses: [{ name: 'payment-reconciliation-worker', restartCount: 1234, ready: false, state: { waiting: { reason: 'CrashLoopBackOff', message: why } }, lastState: {} }],
      },
    }));
  }
}
