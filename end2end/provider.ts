import { fork, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';

/** A real OpenID Connect provider (npm's oidc-provider), as another site than Masthead's. Knows carol, of groups ops and
 * dev with a verified address, and dave, of group dev with one that is not. */
export class Provider {
  readonly client = { client_id: 'masthead', client_secret: 'of the two of us alone' };
  private child?: ChildProcess;
  private asked = 0;

  private constructor(readonly issuer: string) {}

  /** Where one will be; nothing is there yet. */
  static async somewhere(): Promise<Provider> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, 'localhost', done));
    const { port } = server.address() as { port: number };
    await new Promise((done) => server.close(done));
    // Masthead is at 127.0.0.1, which is another site to a browser.
    return new Provider(`http://localhost:${port}`);
  }

  /** Starts it for a Masthead at `url`; with `inToken` all claims are in the ID token. */
  async start(url: string, { inToken = false } = {}) {
    this.child = fork(resolve(__dirname, 'provider.mjs'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await this.tell('listen', this.settings(url, inToken));
  }

  /** Other keys, of which nobody has been told. */
  async rotate(url: string) {
    await this.tell('rotate', this.settings(url, false));
  }

  /** Its clock runs ahead by so many seconds, or behind. */
  async skew(seconds: number) {
    await this.tell('skew', { by: seconds * 1000 });
  }

  async stop() {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }

  private settings(url: string, inToken: boolean) {
    const redirects = { redirect_uris: [`${url}/sign-in/oidc`], post_logout_redirect_uris: [`${url}/sign-in`] };
    return { issuer: this.issuer, client: { ...this.client, ...redirects }, inToken };
  }

  private async tell(what: string, more: object) {
    const child = this.child!;
    const id = (this.asked += 1);
    await new Promise<void>((done, fail) => {
      child.once('exit', (code) => fail(new Error(`the provider ended with ${code} over ${what}`)));
      const hear = (said: unknown) => {
        if ((said as { id: number }).id !== id) return;
        child.off('message', hear);
        done();
      };
      child.on('message', hear);
      child.send({ id, what, ...more });
    });
  }
}
