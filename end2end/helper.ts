import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export { expect };

/** What is tested. */
export const binary = resolve(__dirname, '..', process.env.MASTHEAD_BIN || 'target/demo/masthead');
const announcement = 'Masthead is at ';
const startDeadline = 20_000;

/** A running Masthead, one for each test. */
export class Masthead {
  /** Where it is, without a slash at the end. The same after `restart()`. */
  url = '';
  /** Takes all that it writes, as it comes. */
  hears?: (text: string) => void;
  private child?: ChildProcess;
  private written = '';

  constructor(
    private readonly args: string[],
    private readonly env: NodeJS.ProcessEnv = {},
  ) {}

  /** Starts it; the second time at the address of the first. */
  async start() {
    if (!existsSync(binary)) {
      throw new Error(`${binary} is not there: \`make test-browser\` builds it, MASTHEAD_BIN names another`);
    }
    const listen = this.url ? new URL(this.url).host : '127.0.0.1:0';
    const child = spawn(binary, [...this.args, '--listen', listen], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...this.env } });
    this.child = child;
    child.stderr!.on('data', (text) => this.keep(text));

    let timer: NodeJS.Timeout | undefined;
    this.url = await new Promise<string>((found, fail) => {
      const failed = (why: string) => fail(new Error(`${binary} ${why}\n${this.written}`));
      timer = setTimeout(() => failed(`did not say "${announcement}…" within ${startDeadline} ms`), startDeadline);
      child.once('error', (error) => failed(`did not start: ${error.message}`));
      child.once('close', (code, signal) => failed(`ended with ${signal ?? code} before it said where it is`));
      createInterface(child.stdout!).on('line', (line) => {
        this.keep(`${line}\n`);
        if (line.startsWith(announcement)) {
          found(line.slice(announcement.length).trim().replace(/\/$/, ''));
        }
      });
    }).finally(() => clearTimeout(timer));
  }

  /** Ends it as a crash would, and waits until its port is free. */
  async stop() {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL'); // reaches a paused one too
    await gone;
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Leaves its connections open and answers nothing, like a machine that has frozen. */
  pause() {
    this.child?.kill('SIGSTOP');
  }

  resume() {
    this.child?.kill('SIGCONT');
  }

  /** The end of what it has written so far, both streams. */
  log() {
    return this.written;
  }

  /** Memory it holds, in MB (10^6 bytes). */
  async resident(): Promise<number> {
    const status = await readFile(`/proc/${this.child?.pid}/status`, 'utf8');
    return Math.round((Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6);
  }

  private keep(text: unknown) {
    this.hears?.(String(text));
    this.written = (this.written + String(text)).slice(-20_000);
  }
}

type Options = {
  /** The command line, without `--listen`. */
  mastheadArgs: string[];
  /** What the console may say without failing the test, such as a socket refused by a stopped server. */
  expectedErrors: RegExp[];
};

type Fixtures = {
  masthead: Masthead;
  /** Where browsers find it, without a slash at the end: where it is, unless something stands in front. */
  site: string;
  /** What went wrong in the page so far; a test ends with none. */
  troubles: string[];
};

export const test = base.extend<Options & Fixtures>({
  mastheadArgs: [['--demo'], { option: true }],
  expectedErrors: [[], { option: true }],

  masthead: async ({ mastheadArgs }, use, info) => {
    const masthead = new Masthead(mastheadArgs);
    try {
      await masthead.start();
      await use(masthead);
    } finally {
      await masthead.stop();
      if (info.status !== info.expectedStatus) {
        await info.attach('masthead.log', { body: masthead.log(), contentType: 'text/plain' });
      }
    }
  },

  site: async ({ masthead }, use) => use(masthead.url),

  baseURL: async ({ site }, use) => use(site),

  troubles: async ({ expectedErrors }, use) => {
    const troubles: string[] = [];
    await use(troubles);
    const unexpected = troubles.filter((trouble) => !expectedErrors.some((expected) => expected.test(trouble)));
    expect(unexpected, 'the page reports nothing wrong').toEqual([]);
  },

  // On the context, so that a second page of the same test is watched as well.
  context: async ({ context, site, troubles }, use) => {
    context.on('console', (message) => {
      if (message.type() === 'error') troubles.push(`console: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => troubles.push(`uncaught: ${error.error().stack ?? error.error()}`));
    context.on('request', (request) => {
      const { protocol, origin, pathname } = new URL(request.url());
      if (/^https?:$/.test(protocol) && !`${origin}${pathname}/`.startsWith(`${site}/`)) {
        troubles.push(`a request left the server: ${request.url()}`);
      }
    });
    await context.exposeBinding('reportViolation', (_source, text: string) => troubles.push(text));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        const report = (window as unknown as { reportViolation(text: string): void }).reportViolation;
        report(`policy: ${event.violatedDirective} forbids ${event.blockedURI} (${event.sourceFile}:${event.lineNumber})`);
      });
    });
    await use(context);
  },
});

/** Asserts that an accessibility audit of the page as it is now finds nothing: of what is settled, not of a moment of a fade. */
export async function axe(page: Page) {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, help, nodes }) => ({
    rule: `${id}: ${help}`,
    at: nodes.map((node) => node.target.join(' ')),
  }));
  expect(found, 'accessibility violations').toEqual([]);
}

/** What the system asks for, as a page sees it. */
export async function theme(page: Page, colorScheme: 'light' | 'dark') {
  await page.emulateMedia({ colorScheme });
}
