import net from 'node:net';

/** What becomes of connections. */
type Mode =
  /** They go through. */
  | 'open'
  /** They are refused, as by a machine whose server has died. */
  | 'refused'
  /** They are taken and never answered, as behind a cable that was pulled. */
  | 'silent'
  /** What the server says is replaced by noise in well-formed websocket frames. */
  | 'noise';

/** The network between a page and Masthead, with its bad days. */
export class Network {
  private mode: Mode = 'open';
  private readonly open = new Set<net.Socket>();
  private readonly server: net.Server;
  /** Frames of noise that were sent. */
  noise = 0;

  private constructor(private readonly to: { host: string; port: number }) {
    this.server = net.createServer((page) => this.connect(page));
  }

  static async before(url: string): Promise<Network> {
    const { hostname, port } = new URL(url);
    const network = new Network({ host: hostname, port: Number(port) });
    await new Promise<void>((done) => network.server.listen(0, '127.0.0.1', done));
    return network;
  }

  get url() {
    return `http://127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  /** From now on, and for what is open: that is cut, but for where the other side is only silent. */
  set(mode: Mode) {
    this.mode = mode;
    if (mode !== 'silent' && mode !== 'noise') this.cut();
  }

  cut() {
    for (const socket of this.open) socket.destroy();
  }

  async close() {
    this.cut();
    await new Promise((done) => this.server.close(done));
  }

  private connect(page: net.Socket) {
    page.on('error', () => {});
    if (this.mode === 'refused') return page.destroy();
    this.keep(page);
    if (this.mode === 'silent') return;
    const server = net.connect(this.to);
    server.on('error', () => page.destroy());
    this.keep(server);
    let upgraded = false;
    page.on('data', (data) => this.mode !== 'silent' && server.write(data));
    server.on('data', (data) => {
      if (this.mode === 'silent') return;
      if (this.mode === 'noise' && upgraded) {
        this.noise += 1;
        return page.write(noise());
      }
      upgraded ||= data.includes('101 Switching Protocols');
      page.write(data);
    });
    page.on('close', () => server.destroy());
    server.on('close', () => page.destroy());
  }

  private keep(socket: net.Socket) {
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
  }
}

/** A binary frame of random bytes. */
function noise(): Buffer {
  const payload = Buffer.from(Array.from({ length: 1 + Math.floor(Math.random() * 120) }, () => Math.floor(Math.random() * 256)));
  return Buffer.concat([Buffer.from([0x82, payload.length]), payload]);
}
