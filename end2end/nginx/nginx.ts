import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The name that browsers use; playwright.config.ts leads it to this machine. */
export const name = 'dash.example';

/** `NGINX_BIN`, the system's, or the one that `end2end/setup` has put by. */
const binary =
  [process.env.NGINX_BIN, '/usr/sbin/nginx', '/usr/local/sbin/nginx', resolve(__dirname, '../../target/tools/nginx/usr/sbin/nginx')].find(
    (path) => path && existsSync(path),
  ) ?? 'nginx';

/** What is put in the place of a line's own part. Each must be there. */
type Edits = [part: string, instead: string][];

/** A real nginx with the configuration that users are given, on a port of its own, ending TLS. */
export class Nginx {
  port = 0;
  private child?: ChildProcess;
  private folder = '';
  private written = '';

  /** In front of `upstream`, a host and port; with `users`, name and password, only for those. */
  constructor(
    private readonly upstream: string,
    private readonly users: Record<string, string> = {},
  ) {}

  /** Where browsers find it. */
  get origin() {
    return `https://${name}:${this.port}`;
  }

  async start() {
    this.folder ||= await mkdtemp(join(tmpdir(), 'masthead-nginx-'));
    this.port ||= await free();
    const at = (file: string) => join(this.folder, file);
    if (!existsSync(at('key.pem'))) {
      const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
      const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
      await run('openssl', [...args, ...subject, '-keyout', at('key.pem'), '-out', at('certificate.pem')]);
    }
    const edits: Edits = [
      ['server 127.0.0.1:8080;', `server ${this.upstream};`],
      ['listen 443 ssl;', `listen 127.0.0.1:${this.port} ssl;`],
      ['/etc/ssl/certs/dash.example.pem', at('certificate.pem')],
      ['/etc/ssl/private/dash.example.key', at('key.pem')],
    ];
    const users = Object.entries(this.users).map(([user, password]) => `${user}:{PLAIN}${password}\n`);
    if (users.length > 0) {
      await writeFile(at('users'), users.join(''));
      edits.push(
        ['#auth_basic ', 'auth_basic '],
        ['#auth_basic_user_file /etc/nginx/masthead.users', `auth_basic_user_file ${at('users')}`],
        ['X-Forwarded-User ""', 'X-Forwarded-User $remote_user'],
      );
    }
    const given = await readFile(resolve(__dirname, 'masthead.conf'), 'utf8');
    const site = edits.reduce((text, [part, instead]) => {
      if (!text.includes(part)) throw new Error(`masthead.conf has no "${part}"`);
      return text.replaceAll(part, instead);
    }, given);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${at(kind)};`);
    await writeFile(at('site.conf'), site);
    await writeFile(
      at('nginx.conf'),
      [
        'daemon off;',
        'master_process off;',
        `pid ${at('pid')};`,
        'error_log stderr notice;',
        'events {}',
        `http { access_log off; ${temporary.join(' ')} include ${at('site.conf')}; }`,
        '',
      ].join('\n'),
    );
    const child = spawn(binary, ['-p', this.folder, '-e', 'stderr', '-c', at('nginx.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    child.stderr!.on('data', (text) => (this.written = (this.written + String(text)).slice(-20_000)));
    const ended = new Promise<never>((_, fail) => {
      child.once('error', () => fail(new Error(`there is no ${binary}: end2end/setup fetches it, NGINX_BIN names another`)));
      child.once('exit', (code) => fail(new Error(`nginx ended with ${code}\n${this.written}`)));
    });
    ended.catch(() => {}); // an end after the start is `stop`'s
    await Promise.race([ended, this.answers()]);
  }

  /** Until it takes connections. */
  private async answers() {
    for (let attempt = 0; attempt < 200; attempt++) {
      const open = await new Promise<boolean>((done) => {
        const socket = connect({ port: this.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          socket.destroy();
          done(true);
        });
        socket.once('error', () => done(false));
      });
      if (open) return;
      await new Promise((go) => setTimeout(go, 50));
    }
    throw new Error(`nginx takes no connections\n${this.written}`);
  }

  /** Ends it at once; `start` starts it at the same address. */
  async stop() {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }

  async remove() {
    await this.stop();
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }

  log() {
    return this.written;
  }

  /**
   * Sends these bytes over TLS and reads until the other side closes, or until `enough` says so of what has come.
   * Lines end in `\n` here and in CRLF on the wire; `HOST` is our name with its port.
   */
  async raw(text: string, enough: (answer: string) => boolean = () => false): Promise<string> {
    const bytes = text.replaceAll('HOST', `${name}:${this.port}`).replaceAll('\n', '\r\n');
    return new Promise((done, fail) => {
      let answer = '';
      const socket = connect({ port: this.port, host: '127.0.0.1', servername: name, rejectUnauthorized: false }, () =>
        socket.write(bytes, 'latin1'),
      );
      const timer = setTimeout(() => {
        socket.destroy();
        fail(new Error(`no end of the answer to ${JSON.stringify(text)}, only ${JSON.stringify(answer)}`));
      }, 10_000);
      const end = () => {
        clearTimeout(timer);
        socket.destroy();
        done(answer);
      };
      socket.on('data', (part) => {
        answer += part.toString('latin1');
        if (enough(answer)) end();
      });
      socket.once('end', end);
      socket.once('error', end); // a reset is an end too
    });
  }
}

async function free(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
