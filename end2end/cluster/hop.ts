import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { connect, TLSSocket } from 'node:tls';
import { type Cluster } from './client';

/** One connection through a hop: what came in and what goes on to the API server. */
type Passage = { near: Socket; far: Socket; watches: boolean; dead: boolean };

/**
 * What stands between Masthead and an API server of our own, and can break there: a load balancer, a firewall, a
 * link. It has the API server's own certificate, so that it can tell watches from the rest.
 */
export class Hop {
  private readonly passages = new Set<Passage>();
  private readonly stuck = new Set<Socket>();
  private comes: 'passes' | 'refused' | 'swallowed' = 'passes';
  /** How many watches are open through it and alive. */
  get watches() {
    return [...this.passages].filter(({ watches, dead }) => watches && !dead).length;
  }

  private constructor(
    private readonly server: Server,
    /** Finds the API server through it. */
    readonly kubeconfig: string,
  ) {}

  /** In front of the API server that `kubeconfig` names; the one that leads through it is written to `file`. */
  static async of(cluster: Cluster, kubeconfig: string, file: string): Promise<Hop> {
    const pki = join(dirname(cluster.kubeconfig), 'pki');
    const [key, cert, text] = await Promise.all([readFile(join(pki, 'apiserver.key')), readFile(join(pki, 'apiserver.crt')), readFile(kubeconfig, 'utf8')]);
    const [, host, port] = /server: "https:\/\/([\d.]+):(\d+)"/.exec(text)!;
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => undefined);
      if (hop.comes === 'refused') return socket.resetAndDestroy();
      // Accepted, and never greeted: whoever comes waits for a handshake.
      if (hop.comes === 'swallowed') return hop.stuck.add(socket);
      // HTTP/1.1 alone, so that a watch has its connection for itself.
      const near = new TLSSocket(socket, { isServer: true, key, cert, ALPNProtocols: ['http/1.1'] });
      hop.pass(near, connect({ host, port: Number(port), ca: cert, ALPNProtocols: ['http/1.1'] }));
    });
    const hop = new Hop(server, file);
    await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
    await writeFile(file, text.replace(`${host}:${port}`, `${host}:${(server.address() as AddressInfo).port}`));
    return hop;
  }

  private pass(near: Socket, far: Socket) {
    const passage: Passage = { near, far, watches: false, dead: false };
    this.passages.add(passage);
    const over = () => {
      // Who is swallowed does not hear of an end either.
      if (passage.dead && !near.destroyed) return;
      this.passages.delete(passage);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', () => undefined).on('close', over);
    near.on('data', (bytes: Buffer) => {
      if (passage.dead) return;
      const [, asked] = /^GET (\S+)/.exec(bytes.toString('latin1')) ?? [];
      if (asked) passage.watches = /[?&]watch=(1|true)/.test(asked);
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      if (!passage.dead) near.write(bytes);
    });
  }

  /** All connections end, and nobody gets through. */
  cut() {
    this.comes = 'refused';
    this.reset();
  }

  /** All connections end; new ones go through. */
  reset() {
    for (const { near, far } of this.passages) {
      near.destroy();
      far.destroy();
    }
  }

  /**
   * Swallows what is said on the connections there are, both ways, as a middlebox that has forgotten them does; of all,
   * new ones too, or of watches alone. They are never heard of again, whatever comes.
   */
  swallow(which: 'all' | 'watches') {
    if (which === 'all') this.comes = 'swallowed';
    for (const passage of this.passages) if (which === 'all' || passage.watches) passage.dead = true;
  }

  /** New connections go through. */
  heal() {
    this.comes = 'passes';
  }

  async stop() {
    const gone = new Promise((done) => this.server.close(done));
    this.reset();
    this.stuck.forEach((socket) => socket.destroy());
    await gone;
  }
}
