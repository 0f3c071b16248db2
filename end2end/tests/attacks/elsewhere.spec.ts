import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { expect, test as base } from '../../helper';

/** Another site, whose pages do what they like. Its name leads to this machine, as ours does. */
class Elsewhere {
  origin = '';
  private server?: Server;

  constructor(private readonly html = '<!doctype html><title>elsewhere</title><body>') {}

  async start() {
    this.server = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html; charset=utf-8');
      answer.end(this.html);
    });
    await new Promise<void>((listening) => this.server!.listen(0, '127.0.0.1', listening));
    this.origin = `http://evil.example:${(this.server.address() as AddressInfo).port}`;
  }

  stop() {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}

const test = base.extend<{ elsewhere: Elsewhere }>({
  elsewhere: async ({}, use) => {
    const elsewhere = new Elsewhere();
    await elsewhere.start();
    await use(elsewhere);
    elsewhere.stop();
  },
});

// What the browser says of each refusal; that the page left the server is the point.
test.use({
  expectedErrors: [
    /evil\.example|a request left the server|WebSocket connection to|EventSource|CORS policy|ERR_FAILED|ERR_BLOCKED_BY|frame-ancestors|X-Frame-Options|status of 4\d\d/,
  ],
});

/** What comes of opening a socket there: what it says first, or how it closes. */
const socket = (page: Page, url: string) =>
  page.evaluate(
    (url) =>
      new Promise<string>((done) => {
        const socket = new WebSocket(url);
        socket.onmessage = () => (done('a message'), socket.close());
        socket.onclose = (event) => done(`closed with ${event.code}`);
      }),
    url,
  );

/** What a page gets of an address: its text, that it may not read it, or that there was none. */
const read = (page: Page, url: string, mode: RequestMode) =>
  page.evaluate(
    async ({ url, mode }) => {
      try {
        const answer = await fetch(url, { mode, credentials: 'include' });
        return answer.type === 'opaque' ? 'unreadable' : `${answer.status} ${await answer.text()}`;
      } catch {
        return 'nothing';
      }
    },
    { url, mode },
  );

test('a page elsewhere opens no socket and reads nothing', async ({ page, masthead, elsewhere }) => {
  const live = `${masthead.url.replace('http', 'ws')}/live?kinds=pods`;
  // What works from our own page, so that its failing elsewhere says something.
  await page.goto('/pods');
  expect(await socket(page, live)).toBe('a message');
  expect(await read(page, `${masthead.url}/api/v1/pods?output=name`, 'cors')).toMatch(/^200 pod\//);

  await page.goto(elsewhere.origin);
  expect(await socket(page, live)).toBe('closed with 1006');
  for (const path of ['/api/v1/pods?output=name', '/api/v1/pods', '/pods', '/metrics', '/favicon.svg']) {
    expect(await read(page, masthead.url + path, 'cors'), path).toBe('nothing');
    expect(await read(page, masthead.url + path, 'no-cors'), path).toMatch(/^(unreadable|nothing)$/);
  }
  const events = await page.evaluate(
    (url) =>
      new Promise<string>((done) => {
        const source = new EventSource(url);
        source.addEventListener('snapshot', () => done('a snapshot'));
        source.onerror = () => (done('an error'), source.close());
      }),
    `${masthead.url}/api/v1/watch?kinds=pods`,
  );
  expect(events).toBe('an error');
  // As a script, whose errors and globals could tell.
  const script = await page.evaluate(
    (url) =>
      new Promise<string>((done) => {
        const script = document.createElement('script');
        script.src = url;
        script.onload = () => done('ran');
        script.onerror = () => done('an error');
        document.body.append(script);
      }),
    `${masthead.url}/api/v1/pods`,
  );
  expect(script).toBe('an error');
});

test('a name that was made to lead here is not answered', async ({ page, masthead }) => {
  const { port } = new URL(masthead.url);
  const rebound = `http://evil.example:${port}`;
  const answer = await page.goto(`${rebound}/`);
  expect(answer?.status()).toBe(421);
  await expect(page.locator('body')).toContainText(`does not answer to the name 'evil.example:${port}'`);

  // The attack itself, from a page of that very origin: all that can be had of it is the refusal.
  for (const path of ['/api/v1/pods?output=name', '/pods', '/livez']) {
    expect(await read(page, path, 'same-origin'), path).toMatch(/^421 /);
  }
  // Its origin and the host it asks are the same.
  expect(await socket(page, `${rebound.replace('http', 'ws')}/live`)).toBe('closed with 1006');
});

test('no page elsewhere shows ours inside it', async ({ page, masthead, elsewhere }) => {
  await page.goto(elsewhere.origin);
  const inside = () => page.frames().filter((frame) => frame !== page.mainFrame());
  const show = async (tag: string, attribute: string, url: string) => {
    const answered = page.waitForResponse(url);
    await page.setContent(`<!doctype html><body><${tag} ${attribute}="${url}" width=900 height=600></${tag}>`);
    await answered;
  };
  for (const [tag, attribute] of [['iframe', 'src'], ['object', 'data'], ['embed', 'src']] as const) {
    // What may be shown is, so that nothing being there says something.
    await show(tag, attribute, `${elsewhere.origin}/inside`);
    await expect.poll(() => inside().map((frame) => frame.url())).toEqual([`${elsewhere.origin}/inside`]);
    for (const path of ['/', '/pods', '/api/v1/pods?output=table', '/nowhere']) {
      await show(tag, attribute, masthead.url + path);
      // In its place the browser puts a page of its own, or what the element itself has for that.
      await expect
        .poll(() => inside().every((frame) => frame.url().startsWith('chrome-error:')), { message: `<${tag}> of ${path}` })
        .toBe(true);
    }
  }
});

test('a form elsewhere changes nothing', async ({ context, masthead, elsewhere }) => {
  for (const [path, enctype] of [
    ['/pods', 'application/x-www-form-urlencoded'],
    ['/api/v1/pods/default/web', 'text/plain'],
    ['/?_method=DELETE', 'multipart/form-data'],
    ['/live', 'text/plain'],
  ]) {
    const from = await context.newPage();
    await from.goto(elsewhere.origin);
    const answered = from.waitForResponse(masthead.url + path);
    await from.evaluate(
      ({ action, enctype }) => {
        const form = document.createElement('form');
        Object.assign(form, { method: 'post', action, enctype });
        form.innerHTML = '<input name="_method" value="DELETE">';
        document.body.append(form);
        form.submit();
      },
      { action: masthead.url + path, enctype },
    );
    const refused = await answered;
    expect(refused.request().method(), path).toBe('POST');
    expect(refused.status(), path).toBeGreaterThanOrEqual(400);
    await from.close();
  }
});
