import { type Page } from '@playwright/test';
import { type Masthead } from './helper';

/** A Masthead that is of another build from some moment on, as a page in front of it sees it. */
export class Update {
  /** What its page's address answers to who looks whether it has a new page. */
  answers: 'error' | 'old' | 'new' = 'error';
  /** How often that was asked. */
  asked = 0;
  private begun = false;

  private constructor(
    private readonly build: string,
    private readonly other: string,
  ) {}

  /** One that `page` will meet at whatever matches `address`. To be called before anything is opened. */
  static async of(page: Page, masthead: Masthead, address: RegExp) {
    const { build } = (await (await page.request.get(`${masthead.url}/api/v1`)).json()) as { build: string };
    const update = new Update(build, 'x'.repeat(build.length));
    await page.routeWebSocket(/\/live/, (socket) => {
      const server = socket.connectToServer();
      server.onMessage((message) => socket.send(typeof message === 'string' ? message : update.renamed(Buffer.from(message))));
    });
    await page.route(address, async (route) => {
      if (route.request().resourceType() === 'document') {
        update.begun = false; // the page that is loaded is of the build that then answers
        return route.continue();
      }
      update.asked += 1;
      if (update.answers === 'error') return route.fulfill({ status: 503, body: 'starting' });
      const response = await route.fetch();
      const text = await response.text();
      await route.fulfill({ response, body: update.answers === 'new' ? update.inSeed(text) : text });
    });
    return update;
  }

  /** Every socket that is opened from now on says the other build. */
  begin() {
    this.begun = true;
  }

  private renamed(bytes: Buffer) {
    const at = this.begun ? bytes.indexOf(this.build) : -1;
    if (at >= 0) bytes.write(this.other, at);
    return bytes;
  }

  private inSeed(html: string) {
    return html.replace(/(id="seed">)([^<]+)/, (_, tag: string, seed: string) => {
      const bytes = Buffer.from(seed, 'base64');
      bytes.write(this.other, bytes.indexOf(this.build));
      return tag + bytes.toString('base64').replace(/=+$/, '');
    });
  }
}
