import { request as https, type RequestOptions } from 'node:https';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { expect, test as base } from '../../helper';
import { name, Nginx } from '../../nginx/nginx';
import { views } from '../../views';

/** Masthead behind nginx, both real. */
const test = base.extend<{ nginx: Nginx }>({
  nginx: async ({ masthead }, use, info) => {
    const nginx = new Nginx(new URL(masthead.url).host);
    try {
      await nginx.start();
      await use(nginx);
    } finally {
      await nginx.remove();
      if (info.status !== info.expectedStatus) {
        await info.attach('nginx.log', { body: nginx.log(), contentType: 'text/plain' });
      }
    }
  },
  site: async ({ nginx }, use) => use(`${nginx.origin}/masthead`),
});

test.use({
  mastheadArgs: ['--demo', '--demo-speed', '20', '--base-path', '/masthead', '--host', name],
  ignoreHTTPSErrors: true,
});
test.setTimeout(90_000);

const chip = '.freshness summary';
const status = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => Number(found[1]));

test('pages come alive through it, and pods come and go on them', async ({ page, site }) => {
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  for (const { path, heading } of views.slice(0, 6)) {
    await page.goto(site + path);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(heading);
    await expect(page.locator(chip)).toContainText('live');
  }
  expect(new Set(sockets.map((socket) => socket.split('?')[0]))).toEqual(new Set([site.replace('https', 'wss') + '/live']));

  await page.goto(`${site}/pods`);
  await expect(page.locator(chip)).toContainText('live');
  const rows = page.locator('table.rows tbody tr:not(.gone) a.name');
  const names = async () => (await rows.evaluateAll((all) => all.map((a) => a.textContent ?? ''))).sort();
  const before = await names();
  await expect(async () => expect(await names()).not.toEqual(before)).toPass({ timeout: 60_000 });
});

test.describe('an nginx that is gone', () => {
  test.use({ expectedErrors: [/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/] });

  test('is seen at once, and its return without a reload', async ({ page, site, nginx }) => {
    await page.goto(`${site}/pods`);
    await expect(page.locator(chip)).toContainText('live');
    await page.evaluate(() => ((window as unknown as { same: boolean }).same = true));
    await nginx.stop();
    await expect(page.locator(chip)).not.toContainText('live', { timeout: 5_000 });
    await nginx.start();
    await expect(page.locator(chip)).toContainText('live', { timeout: 25_000 });
    expect(await page.evaluate(() => (window as unknown as { same?: boolean }).same)).toBe(true);
  });
});

test('events arrive one by one, not a buffer full at a time', async ({ nginx }) => {
  // Of one kind that hardly changes: a beat every few seconds, far less than any buffer.
  const options: RequestOptions = {
    host: '127.0.0.1',
    port: nginx.port,
    path: '/masthead/api/v1/watch?kinds=namespaces',
    headers: { host: `${name}:${nginx.port}` },
    servername: name,
    rejectUnauthorized: false,
  };
  await new Promise<void>((done, fail) => {
    let text = '';
    const asking = https(options, (answer) => {
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('text/event-stream');
      answer.on('data', (part) => {
        text += String(part);
        if (text.split('\n\n').filter((event) => event.includes('data:')).length >= 5) {
          asking.destroy();
          done();
        }
      });
      answer.once('end', () => fail(new Error(`the stream ended after ${text}`)));
    });
    asking.once('error', fail);
    asking.setTimeout(20_000, () => fail(new Error(`held back; all that came: ${text}`)));
    asking.end();
  });
});

test('nothing else is behind this name, and no other name is answered', async ({ nginx }) => {
  const get = (path: string, head = 'Host: HOST') => nginx.raw(`GET ${path} HTTP/1.1\n${head}\nConnection: close\n\n`);
  expect(await get('/masthead/livez')).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nok\n/);
  for (const [path, expected] of [
    ['/', 404],
    ['/pods', 404],
    ['/masthead/../livez', 404], // nginx resolves it, and there is nothing at /livez
    ['/masthead/%2e%2e/livez', 404],
    ['/masthead/x/../livez', 404], // resolved to choose the location, sent on as it came
    ['/masthead%2f..%2flivez', 404],
    ['/MASTHEAD/livez', 404],
    ['/masthead/../../livez', 400],
  ] as const) {
    const answer = await get(path);
    expect(status(answer), path).toBe(expected);
    expect(answer, path).not.toMatch(/\r\n\r\nok\n/);
  }
  expect(status(await get('/masthead/pods', 'Host: evil.example'))).toBe(421);
  expect(status(await get('/masthead/pods', 'X: y'))).toBe(400); // HTTP/1.1 without a Host
});

test('a socket from another site is refused, whatever else it asks for', async ({ nginx }) => {
  const open = (more: string) =>
    nginx.raw(
      `GET /masthead/live HTTP/1.1\nHost: HOST\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n${more}\n\n`,
      (answer) => answer.includes('\r\n\r\n'),
    );
  const version = 'Sec-WebSocket-Version: 13';
  expect(status(await open(`${version}\nOrigin: https://HOST`))).toBe(101);
  expect(status(await open(`${version}\nOrigin: https://evil.example`))).toBe(403);
  expect(status(await open(`${version}\nOrigin: null`))).toBe(403);
  expect(status(await open(version))).toBe(403);
  expect(status(await open('Sec-WebSocket-Version: 777\nOrigin: https://HOST'))).toBeGreaterThanOrEqual(400);
});

test('a refused upgrade opens no tunnel: what follows is another request to nginx', async ({ nginx }) => {
  for (const upgrade of [
    'Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 777\nOrigin: https://HOST',
    'Upgrade: h2c\nConnection: Upgrade, HTTP2-Settings\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    'Upgrade: websocket\nConnection: Upgrade',
  ]) {
    const answer = await nginx.raw(
      `GET /masthead/live HTTP/1.1\nHost: HOST\n${upgrade}\n\nGET /behind HTTP/1.1\nHost: HOST\nConnection: close\n\n`,
    );
    const [first, second] = statuses(answer);
    expect(first, answer).toBeGreaterThanOrEqual(400);
    // nginx's own page, which Masthead has not: its own would say where it is.
    if (second !== undefined) {
      expect(second, answer).toBe(404);
      expect(answer).toContain('<center>nginx');
    }
    expect(answer).not.toContain('Masthead is at');
  }
});

test.describe('with --auth proxy', () => {
  const auth = (name: string, password: string) => `Authorization: Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  const proxied = ['--demo', '--base-path', '/masthead', '--host', name, '--auth', 'proxy'];
  const guarded = test.extend({
    nginx: async ({ masthead }, use) => {
      const nginx = new Nginx(new URL(masthead.url).host, { ada: 'lovelace' });
      await nginx.start();
      await use(nginx);
      await nginx.remove();
    },
  });
  const get = (nginx: Nginx, path: string, head: string) =>
    nginx.raw(`GET /masthead${path} HTTP/1.1\nHost: HOST\nConnection: close\n${head}\n\n`);

  guarded.describe('from this machine', () => {
    guarded.use({
      mastheadArgs: [...proxied, '--auth-proxy-from', '127.0.0.1'],
      httpCredentials: { username: 'ada', password: 'lovelace' },
    });

    guarded('whom nginx lets in is known by name, and looks', async ({ page, site }) => {
      await page.goto(`${site}/pods`);
      await expect(page.locator(chip)).toContainText('live');
      await page.getByRole('link', { name: 'Signed in as ada' }).click();
      await expect(page.getByRole('main')).toContainText('Signed in as ada');
      expect(new URL(page.url()).pathname).toBe('/masthead/sessions');
    });

    guarded('nobody else is anybody, whatever they say', async ({ nginx, masthead }) => {
      for (const claim of [
        'X-Forwarded-User: root',
        'X-Forwarded-User: root\nX-Forwarded-User: admin',
        'X_Forwarded_User: root',
        'x-forwarded-user: root\nConnection: X-Forwarded-User',
      ]) {
        expect(status(await get(nginx, '/pods', claim)), claim).toBe(401);
        const known = await get(nginx, '/sessions', `${auth('ada', 'lovelace')}\n${claim}`);
        expect(status(known), claim).toBe(200);
        expect(known, claim).toContain('Signed in as <strong>ada<');
      }
      expect(status(await get(nginx, '/pods', auth('ada', 'wrong')))).toBe(401);
      // Past nginx, on this machine, one is whoever one says: that is what --auth-proxy-from trusts.
      const past = await fetch(`${masthead.url}/api/v1/pods`, { headers: { 'x-forwarded-user': 'root' } });
      expect(past.status).toBe(200);
      expect((await fetch(`${masthead.url}/api/v1/pods`)).status).toBe(403);
    });
  });

  guarded.describe('for a group', () => {
    guarded.use({
      mastheadArgs: [
        ...[...proxied, '--auth-proxy-from', '127.0.0.1'],
        ...['--auth-proxy-groups-header', 'X-Forwarded-Groups', '--auth-proxy-allow-group', 'ops'],
      ],
    });

    guarded('nobody says which groups they are of', async ({ nginx, masthead }) => {
      for (const claim of ['X-Forwarded-Groups: ops', 'x_forwarded_groups: ops', 'X-Forwarded-Groups: ops\nConnection: X-Forwarded-Groups']) {
        expect(status(await get(nginx, '/api/v1/pods', `${auth('ada', 'lovelace')}\n${claim}`)), claim).toBe(403);
      }
      const headers = { 'x-forwarded-user': 'ada', 'x-forwarded-groups': 'ops' };
      expect((await fetch(`${masthead.url}/api/v1/pods`, { headers })).status, 'the group itself is let in').toBe(200);
    });
  });

  guarded.describe('from elsewhere', () => {
    guarded.use({ mastheadArgs: [...proxied, '--auth-proxy-from', '192.0.2.0/24'] });

    guarded('this nginx is not believed', async ({ nginx }) => {
      const answer = await get(nginx, '/api/v1/pods', auth('ada', 'lovelace'));
      expect(status(answer)).toBe(403);
      expect(answer).toContain('only through its proxy');
    });
  });
});

/** Keeps every request that nginx passes on, and answers `ok`. */
class Recorder {
  heads: string[] = [];
  private server?: Server;

  async start() {
    this.server = createServer((socket) => {
      let text = '';
      socket.on('data', (part) => {
        text += part.toString('latin1');
        for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
          const head = text.slice(0, end);
          this.heads.push(head);
          const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
          text = text.slice(end + 4 + length);
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n');
        }
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((listening) => this.server!.listen(0, '127.0.0.1', listening));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The values of a header, over all requests, in whatever spelling a server takes for that name. */
  values(header: string) {
    const lines = this.heads.flatMap((head) => head.split('\r\n').slice(1));
    const named = lines.map((line) => line.split(/:(.*)/s)).filter(([key]) => key.toLowerCase().replaceAll('_', '-') === header);
    return named.map(([, value]) => value.trim());
  }

  stop() {
    this.server?.close();
  }
}

test.describe('what nginx passes on', () => {
  // No browser and no Masthead: what arrives is read as it came.
  const recorded = base.extend<{ recorder: Recorder; open: Nginx; closed: Nginx }>({
    recorder: async ({}, use) => {
      const recorder = new Recorder();
      await use(recorder);
      recorder.stop();
    },
    open: async ({ recorder }, use) => {
      const nginx = new Nginx(await recorder.start());
      await nginx.start();
      await use(nginx);
      await nginx.remove();
    },
    closed: async ({ recorder }, use) => {
      const nginx = new Nginx(await recorder.start(), { ada: 'lovelace' });
      await nginx.start();
      await use(nginx);
      await nginx.remove();
    },
  });

  const ada = `Authorization: Basic ${Buffer.from('ada:lovelace').toString('base64')}`;
  const root = `Authorization: Basic ${Buffer.from('root:x').toString('base64')}`;
  const claims: [what: string, head: string][] = [
    ['a header', 'X-Forwarded-User: root'],
    ['two of them', 'X-Forwarded-User: root\nX-Forwarded-User: admin'],
    ['another case', 'x-forwarded-USER: root'],
    ['underscores', 'X_Forwarded_User: root\nX-Forwarded_User: root'],
    ['a list', 'X-Forwarded-User: root, admin'],
    ['named as of this hop only', 'X-Forwarded-User: root\nConnection: close, X-Forwarded-User'],
    ['groups too', 'X-Forwarded-User: root\nX-Forwarded-Groups: ops'],
    ['an empty one first', 'X-Forwarded-User:\nX-Forwarded-User: root'],
  ];

  for (const [what, claim] of claims) {
    for (const path of ['/masthead/pods', '/masthead/live', '/masthead/link/ab12/live']) {
      recorded(`nobody says who they are: ${what}, ${path}`, async ({ recorder, open, closed }) => {
        const anonymous = await open.raw(`GET ${path} HTTP/1.1\nHost: HOST\nConnection: close\n${claim}\n\n`);
        expect(status(anonymous)).toBe(200);
        expect(recorder.values('x-forwarded-user'), 'where nobody is let in, nobody is named').toEqual([]);

        const refused = await closed.raw(`GET ${path} HTTP/1.1\nHost: HOST\nConnection: close\n${claim}\n\n`);
        expect(status(refused)).toBe(401);
        expect(recorder.heads).toHaveLength(1);

        const known = await closed.raw(`GET ${path} HTTP/1.1\nHost: HOST\nConnection: close\n${ada}\n${claim}\n\n`);
        expect(status(known)).toBe(200);
        expect(recorder.values('x-forwarded-user'), 'once, by nginx').toEqual(['ada']);
        expect(recorder.values('x-forwarded-groups')).toEqual([]);
      });
    }
  }

  recorded('a name that nobody has checked is no name', async ({ recorder, open, closed }) => {
    // nginx's $remote_user is what was sent, where auth_basic is off.
    expect(status(await open.raw(`GET /masthead/pods HTTP/1.1\nHost: HOST\nConnection: close\n${root}\n\n`))).toBe(200);
    expect(recorder.values('x-forwarded-user')).toEqual([]);
    expect(status(await closed.raw(`GET /masthead/pods HTTP/1.1\nHost: HOST\nConnection: close\n${root}\n\n`))).toBe(401);
    expect(recorder.heads).toHaveLength(1);
  });

  recorded('a header that goes on over the next line is refused', async ({ recorder, open }) => {
    // obs-fold, RFC 9112 section 5.2
    for (const space of [' ', '\t']) {
      const answer = await open.raw(`GET /masthead/pods HTTP/1.1\nHost: HOST\nX: a\n${space}X-Forwarded-User: root\nConnection: close\n\n`);
      expect(status(answer)).toBe(400);
    }
    expect(recorder.heads).toEqual([]);
  });

  recorded('two lengths of one body are refused', async ({ recorder, open }) => {
    const smuggled = '0\n\nGET /masthead/smuggled HTTP/1.1\nHost: HOST\n\n';
    for (const head of [
      `Content-Length: ${smuggled.length}\nTransfer-Encoding: chunked`,
      `Transfer-Encoding: chunked\nContent-Length: 4`,
      'Content-Length: 4\nContent-Length: 5',
      'Content-Length: 4, 5',
      'Content-Length: +4',
      'Transfer-Encoding: chunked, identity',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding: chunked\nTransfer-Encoding: identity',
      'Transfer-Encoding : chunked',
    ]) {
      const answer = await open.raw(`POST /masthead/pods HTTP/1.1\nHost: HOST\n${head}\n\n${smuggled}`);
      expect([400, 501], `${head}: ${answer}`).toContain(status(answer));
      expect(statuses(answer), head).toHaveLength(1);
    }
    expect(recorder.heads).toEqual([]);
  });

  recorded('a second request on the same connection is its own', async ({ recorder, closed }) => {
    const answer = await closed.raw(
      `GET /masthead/pods HTTP/1.1\nHost: HOST\n${ada}\n\nGET /masthead/nodes HTTP/1.1\nHost: HOST\nX-Forwarded-User: ada\n\nGET /elsewhere HTTP/1.1\nHost: HOST\n${ada}\nConnection: close\n\n`,
    );
    expect(statuses(answer)).toEqual([200, 401, 404]);
    expect(recorder.heads.map((head) => head.split('\r\n')[0])).toEqual(['GET /masthead/pods HTTP/1.1']);
  });

  recorded('a whole address as target arrives as a path', async ({ recorder, open }) => {
    const answer = await open.raw(`GET https://HOST/masthead/pods?q=a HTTP/1.1\nHost: HOST\nConnection: close\n\n`);
    expect(status(answer)).toBe(200);
    expect(recorder.heads[0].split('\r\n')[0]).toBe('GET /masthead/pods?q=a HTTP/1.1');
    // Another name in either goes on as the one in Host, which Masthead then answers to or not.
    await open.raw(`GET https://HOST/masthead/pods HTTP/1.1\nHost: evil.example\nConnection: close\n\n`);
    expect(recorder.values('host')[1]).toBe('evil.example');
  });

  recorded('HTTP/1.0 arrives as HTTP/1.1, and without a name it has none', async ({ recorder, open }) => {
    expect(status(await open.raw('GET /masthead/pods HTTP/1.0\nHost: HOST\nX-Forwarded-User: root\n\n'))).toBe(200);
    expect(recorder.heads[0].split('\r\n')[0]).toBe('GET /masthead/pods HTTP/1.1');
    expect(recorder.values('x-forwarded-user')).toEqual([]);
    await open.raw('GET /masthead/pods HTTP/1.0\n\n');
    expect(recorder.values('host')).toHaveLength(1);
  });

  recorded('only the socket may ask for another protocol', async ({ recorder, open }) => {
    await open.raw('GET /masthead/pods HTTP/1.1\nHost: HOST\nUpgrade: h2c\nConnection: Upgrade, HTTP2-Settings, close\nHTTP2-Settings: AAMAAABk\n\n', (answer) => answer.includes('ok\n'));
    expect(recorder.values('upgrade')).toEqual([]);
    await open.raw('GET /masthead/live HTTP/1.1\nHost: HOST\nUpgrade: h2c\nConnection: Upgrade, close\n\n', (answer) => answer.includes('ok\n'));
    expect(recorder.values('upgrade'), 'and for none but its own').toEqual(['websocket']);
  });
});
