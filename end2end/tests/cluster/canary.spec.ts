import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { Cluster } from '../../cluster/client';
import { expect, foreign, test } from '../../cluster/fixtures';
import { kinds } from '../../cluster/kinds';
import { heard, Planted, type Scope } from '../../cluster/planted';
import { Random } from '../../cluster/random';
import { seed } from '../../cluster/tally';
import { write } from '../../cluster/write';
import { binary, Masthead } from '../../helper';

const run = promisify(execFile);
const secret = 'a-token-that-nobody-guesses';
const spaces = ['canary-one', 'canary-two'];
const outputs = ['json', 'table', 'wide', 'name'];
const views = ['', 'pods', 'workloads', 'rollouts', 'probes', 'services', 'endpointslices', 'nodes', 'placement', 'namespaces', 'labels', 'images', 'events', 'wall'];
const sharable = ['pods', 'replicationcontrollers', 'deployments', 'daemonsets', 'statefulsets', 'replicasets', 'services', 'poddisruptionbudgets', 'nodes', 'namespaces', 'events'];
const hideable = ['node-names', 'images', 'addresses', 'names'];

/** Everything a browser is sent while it goes from view to view, and everything that can be asked for: words, and where. */
async function everything(page: Page, base: string, own: string[], all: boolean, random: Random): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  const hear = (where: string, sent: string | Buffer) => {
    // what was asked for may be repeated
    for (const word of heard(sent)) if (!where.includes(word)) found.set(word, (found.get(word) ?? new Set()).add(where));
  };
  page.on('websocket', (socket) => {
    const asker = page.url();
    socket.on('framereceived', ({ payload }) => hear(`a frame, at ${asker}`, payload));
  });
  const some = (paths: string[], of: number) => (all ? paths : paths.filter(() => random.chance(of)));
  for (const path of ['', ...some(views.slice(1), 0.4).map((view) => `/${view}`), ...some(own, 0.1)]) {
    await page.goto(`${base}${path || '/'}`);
    await expect(page.getByText(/\blive\b|no right to list|not part of what was shared|nothing like that|No such|There is no/i).first()).toBeAttached();
    hear(`page ${path}`, await page.content());
  }
  const asked = [
    ...Object.keys(kinds).flatMap((kind) => outputs.map((output) => `/api/v1/${kind}?output=${output}`)),
    ...['/api/v1', '/api/v1/containers?output=json', '/api/v1/containers?output=table', '/metrics', '/readyz', '/nowhere', ...views.map((view) => `/${view}`)],
    ...own,
    ...own.flatMap((path) => (/^\/(pods|deployments|replicasets)\//.test(path) ? [path.replace(/^\/(\w+)\/(\S+)\/(\S+)$/, '/api/v1/placement/$2/$1/$3')] : [])),
    ...own.flatMap((path) =>
      /^\/(deployments|daemonsets|statefulsets)\//.test(path)
        ? ['', '/status?output=text', '/history?output=text', '/history/1?output=text', '/difference?from=1&to=2'].map((of) => path.replace(/^\/(\w+)\/(\S+)\/(\S+)$/, `/api/v1/rollouts/$2/$1/$3${of}`))
        : [],
    ),
  ];
  const answers = await page.evaluate(
    async (paths) => {
      const all: [string, string][] = [];
      for (const path of paths) {
        const answer = await fetch(path);
        all.push([path, `${answer.status} ${[...answer.headers].join('\n')}\n${await answer.text()}`]);
      }
      return all;
    },
    asked.map((path) => `${base}${path}`),
  );
  for (const [path, answer] of answers) hear(path, answer);
  return found;
}

test('no secret that stands in a real cluster is in anything that is sent or written', async ({ browser }, info) => {
  test.skip(!!foreign, 'needs an API server of our own, with nothing behind it');
  test.setTimeout(600_000);
  const random = new Random(seed(info));
  const planted = new Planted(random, spaces);
  const alone = await Cluster.start('alone');
  const masthead = new Masthead([
    ...['--kubeconfig', alone.kubeconfig, '--auth', 'token', '--auth-token-file', info.outputPath('token')],
    ...['--state', info.outputPath('state.json'), '--log', 'trace'],
  ]);
  const logged = new Set<string>();
  let line = '';
  masthead.hears = (text) => {
    // a word may come in two parts
    for (const word of heard(line + text)) logged.add(word);
    line = text.slice(-20);
  };
  try {
    await writeFile(info.outputPath('token'), secret, { mode: 0o600 });
    await write(alone, spaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
    await write(alone, planted.objects);
    await alone.apply(...planted.unwatched, planted.webhook('canary'));
    expect(planted.hidden, 'words that nobody may see').toBeGreaterThan(1_000);
    await masthead.start();
    await expect.poll(async () => (await fetch(`${masthead.url}/readyz`)).status, { timeout: 60_000 }).toBe(200);

    const own = planted.objects
      .filter(({ kind }) => !['Event', 'ControllerRevision', 'Namespace'].includes(kind))
      .map(({ kind, metadata }) => `/${kind.toLowerCase()}s/${kind === 'Node' ? '' : `${metadata.namespace}/`}${metadata.name}`);
    const wrong: string[] = [];
    const judge = (who: string, found: Map<string, Set<string>>, scope?: Scope) => {
      for (const [word, places] of found) {
        const { kind, namespace, path } = planted.places.get(word) ?? { kind: 'nothing', namespace: '', path: word };
        if (!planted.mayBeSeen(word, scope)) wrong.push(`${who}: ${[...places][0]} has ${path} of ${kind} in ${namespace}`);
      }
    };

    const person = await (await browser.newContext()).newPage();
    await person.goto(masthead.url);
    await person.getByLabel('Token').fill(secret);
    await person.keyboard.press('Enter');
    await expect(person).toHaveURL(`${masthead.url}/`);
    const seen = await everything(person, masthead.url, own, true, random);
    judge('signed in', seen);
    // what listens hears: in frames, on pages and in answers
    for (const where of [/^a frame/, /^page/, /api\/v1/]) expect([...seen.values()].filter((places) => [...places].some((at) => where.test(at))).length, String(where)).toBeGreaterThan(10);
    await person.context().close();

    const scopes: Scope[] = [
      { namespaces: [spaces[0]!], kinds: sharable, hide: [] },
      { namespaces: [spaces[1]!], kinds: sharable, hide: [] },
      { namespaces: [], kinds: sharable, hide: ['names'] },
      ...Array.from({ length: 12 }, () => ({
        namespaces: random.subset(spaces),
        kinds: [random.pick(sharable), ...random.subset(sharable, 0.4)],
        hide: random.subset(hideable, 0.3),
      })),
    ];
    for (const [at, scope] of scopes.entries()) {
      const wanted = [
        ...['--name', `scope ${at}`, '--show', scope.kinds.join()],
        ...scope.namespaces.flatMap((namespace) => ['--namespace', namespace]),
        ...(scope.hide.length > 0 ? ['--hide', scope.hide.join()] : []),
      ];
      const { stdout } = await run(binary, ['link', 'create', ...wanted, '--state', info.outputPath('state.json'), '--listen', new URL(masthead.url).host]);
      const address = stdout.trim();
      const stranger = await (await browser.newContext()).newPage();
      await stranger.goto(address);
      await expect(stranger, address).toHaveURL(/\/link\/[0-9a-f]+\/$/);
      const found = await everything(stranger, stranger.url().replace(/\/$/, ''), own, at < 3, random);
      judge(JSON.stringify(scope), found, scope);
      if (!scope.hide.includes('names') && scope.kinds.includes('pods')) expect(found.size, JSON.stringify(scope)).toBeGreaterThan(0);
      await stranger.context().close();
    }
    for (const word of logged) if (!planted.mayBeSeen(word)) wrong.push(`the log has ${planted.places.get(word)?.path}`);
    expect(wrong.slice(0, 40), `${wrong.length} words`).toEqual([]);
    console.log(`canaries: ${planted.places.size} words, ${planted.hidden} of them for nobody; ${scopes.length} links`);
  } finally {
    await masthead.stop();
    await alone.stop();
  }
});
