import { createPrivateKey, createSign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from '@playwright/test';
import { type ApiObject, type Cluster } from '../../cluster/client';
import { Comparison } from '../../cluster/compare';
import { expect, foreign, test } from '../../cluster/fixtures';
import { generate } from '../../cluster/generate';
import { kinds } from '../../cluster/kinds';
import { read } from '../../cluster/page';
import { Random } from '../../cluster/random';
import { seed } from '../../cluster/tally';
import { write } from '../../cluster/write';

const looking = ['get', 'list', 'watch'];
const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
const pods = [{ apiGroups: [''], resources: ['pods'], verbs: looking }];

type Rules = { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }[];
/** An account: what it may do in the whole cluster, and in namespaces. */
type Account = { name: string; everywhere?: Rules; within?: Record<string, Rules> };

let made = 0;

/** Two namespaces with some of each kind, and accounts with tokens. */
class Scene {
  readonly one: string;
  readonly two: string;

  private constructor(readonly cluster: Cluster) {
    const id = `${process.pid}-${(made += 1)}`;
    this.one = `rights-${id}-one`;
    this.two = `rights-${id}-two`;
  }

  static async of(cluster: Cluster, random: Random): Promise<Scene> {
    const scene = new Scene(cluster);
    const namespaces = [scene.one, scene.two];
    await write(cluster, namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
    for (const namespace of namespaces) {
      const some = Object.entries(generate).filter(([kind]) => kinds[kind].namespaced && !kinds[kind].only);
      await write(cluster, some.flatMap(([, make]) => [0, 1, 2].map((at) => make(random, namespace, at))));
    }
    return scene;
  }

  /** Makes an account; its token. */
  async account({ name, everywhere, within = {} }: Account): Promise<string> {
    const namespace = this.one;
    const rbac = 'rbac.authorization.k8s.io/v1';
    const subjects = [{ kind: 'ServiceAccount', name, namespace }];
    const roleRef = (kind: string, role = name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name: role });
    const whole = `${this.one}-${name}`;
    await this.cluster.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      ...(everywhere
        ? [
            { apiVersion: rbac, kind: 'ClusterRole', metadata: { name: whole }, rules: everywhere },
            { apiVersion: rbac, kind: 'ClusterRoleBinding', metadata: { name: whole }, subjects, roleRef: roleRef('ClusterRole', whole) },
          ]
        : []),
      ...Object.entries(within).flatMap(([namespace, rules]) => [
        { apiVersion: rbac, kind: 'Role', metadata: { name, namespace }, rules },
        { apiVersion: rbac, kind: 'RoleBinding', metadata: { name, namespace }, subjects, roleRef: roleRef('Role') },
      ]),
    );
    return (await this.cluster.kubectl('create', 'token', name, '-n', namespace)).trim();
  }

  /** The account has no right any more that it had in the whole cluster. */
  async takeAway(name: string) {
    await this.cluster.kubectl('delete', 'clusterrolebinding', `${this.one}-${name}`);
  }

  /** A kubeconfig with this token. */
  async kubeconfig(token: string, file: string): Promise<string> {
    const admin = await readFile(this.cluster.kubeconfig, 'utf8');
    await writeFile(file, admin.replace(/token: \S+(?=\}\})/, `token: ${token}`));
    return file;
  }
}

/** A token of an account that is good for so many seconds, made as the API server would: it gives none for less than ten
 * minutes. It takes one for a minute longer than it says. */
async function lasting(cluster: Cluster, namespace: string, name: string, seconds: number): Promise<string> {
  const key = createPrivateKey(await readFile(join(dirname(cluster.kubeconfig), 'pki/sa.key')));
  const { metadata } = await cluster.request<ApiObject>('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`);
  const now = Math.floor(Date.now() / 1000);
  const issuer = 'https://kubernetes.default.svc';
  const claims = {
    iss: issuer,
    aud: [issuer],
    sub: `system:serviceaccount:${namespace}:${name}`,
    iat: now - 600,
    nbf: now - 600,
    exp: now - 60 + seconds,
    'kubernetes.io': { namespace, serviceaccount: { name, uid: metadata.uid } },
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256' })}.${part(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
}

async function signIn(page: Page, url: string, token: string, path = '/') {
  await page.context().clearCookies();
  await page.goto(url + path);
  await page.getByLabel('Kubernetes token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** What is shown is current; of a kind that may not be seen the page says so in the same place. */
const live = (page: Page) => expect(page.locator('.freshness summary')).toContainText(/live|no right to list/);
const ask = async (url: string, path: string, token: string) => (await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })).status;

test.beforeEach(() => {
  test.skip(!!foreign, 'needs an API server of our own, to give and take rights on');
});

test('each account sees, kind by kind, what kubectl lists with its token', async ({ alone, tally, watch, page }, info) => {
  test.setTimeout(600_000);
  await page.setViewportSize({ width: 2560, height: 1440 });
  const scene = await Scene.of(alone, new Random(seed(info)));
  const { one, two } = scene;
  const accounts: Account[] = [
    { name: 'whole', everywhere: everything },
    { name: 'one-namespace', within: { [one]: everything } },
    { name: 'pods-alone', everywhere: pods },
    {
      name: 'mixed',
      everywhere: [{ apiGroups: [''], resources: ['nodes', 'events'], verbs: looking }],
      within: {
        [one]: [{ apiGroups: ['apps', ''], resources: ['deployments', 'replicasets', 'pods'], verbs: ['*'] }],
        // Of these two none: the one named pod is no list, and pods' logs are no pods.
        [two]: [
          { apiGroups: [''], resources: ['pods'], verbs: looking, resourceNames: ['pods-0'] },
          { apiGroups: [''], resources: ['pods/log', 'services/*'], verbs: ['*'] },
        ],
      },
    },
    { name: 'nothing' },
  ];
  // Once with an account that may ask whose a token is, once with one that may only list and watch.
  const lister = info.outputPath('lister.kubeconfig');
  const list = await scene.account({ name: 'lister', everywhere: [{ apiGroups: ['*'], resources: ['*'], verbs: ['list', 'watch'] }] });
  await scene.kubeconfig(list, lister);
  const found: string[] = [];
  for (const own of [alone.kubeconfig, lister]) {
    const masthead = await watch(own, '--auth', 'kubernetes');
    for (const account of accounts) {
      const { name } = account;
      const token = await scene.account(account);
      const kubeconfig = await scene.kubeconfig(token, info.outputPath(`${name}.kubeconfig`));
      const comparison = new Comparison(alone, kubeconfig, masthead.url, tally, token);
      const differs = (what: string[]) => found.push(...what.map((line) => `${name}: ${line}`));
      await signIn(page, masthead.url, token);
      await live(page);
      for (const [kind, { namespaced, only, page: path }] of Object.entries(kinds)) {
        const shown = async (query: string) => (await comparison.masthead(`/api/v1/${kind}?output=name${query}`)).status;
        const allowed = async (...where: string[]) => (await comparison.kubectl('get', kind, ...where, '-o', 'name')).code === 0;
        if (await allowed(...(only ? ['-n', only] : namespaced ? ['-A'] : []))) {
          differs((await comparison.tryApi(kind)).found);
          if (path && own === alone.kubeconfig) {
            await page.goto(`${masthead.url}${path}?wide=1`);
            await live(page);
            differs(await comparison.tryPage(page, kind));
          }
          continue;
        }
        const within: string[] = [];
        if (namespaced && !only) for (const namespace of [one, two]) if (await allowed('-n', namespace)) within.push(namespace);
        for (const namespace of within) {
          differs((await comparison.tryApi(kind, namespace)).found);
          if (!path || own !== alone.kubeconfig) continue;
          // What is allowed in one namespace is all there is on the page.
          await page.goto(`${masthead.url}${path}?wide=1&namespace=${namespace}`);
          await live(page);
          differs(await comparison.tryPage(page, kind, namespace));
          await page.goto(`${masthead.url}${path}`);
          await live(page);
          const { columns, rows } = await read(page, kind);
          const at = columns.indexOf('NAMESPACE');
          if (at >= 0) differs(rows.filter((cells) => !within.includes(cells[at])).map((cells) => `page shows ${kind} ${cells.join(' ')}`));
        }
        if (within.length === 0 && (await shown('')) !== 403) differs([`${kind}: ${await shown('')}, kubectl may not list them`]);
        for (const namespace of [one, two].filter((namespace) => within.length > 0 && !within.includes(namespace))) {
          const status = await shown(`&namespace=${namespace}`);
          if (status === 200) differs([`${kind}: shown in ${namespace}, where kubectl may not list them`]);
        }
        if (within.length === 0 && path) {
          await page.goto(`${masthead.url}${path}`);
          await live(page);
          if ((await read(page, kind)).rows.length > 0) differs([`${kind}: on the page, kubectl may not list them`]);
        }
      }
    }
    await masthead.stop();
  }
  expect(found, 'what differs from kubectl').toEqual([]);
});

test('who may list and not watch is shown nothing of it', async ({ alone, watch }, info) => {
  const scene = await Scene.of(alone, new Random(seed(info)));
  const masthead = await watch(alone.kubeconfig, '--auth', 'kubernetes');
  const token = await scene.account({ name: 'lists', everywhere: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }] });
  expect(await ask(masthead.url, '/api/v1/pods', token)).toBe(403);
});

test('a right that is taken away is gone from the page that looks within a minute, and from the API', async ({ alone, watch, page }, info) => {
  test.setTimeout(300_000);
  const scene = await Scene.of(alone, new Random(seed(info)));
  const masthead = await watch(alone.kubeconfig, '--auth', 'kubernetes');
  const token = await scene.account({ name: 'loses', everywhere: pods, within: { [scene.one]: everything } });
  await signIn(page, masthead.url, token, `/pods?namespace=${scene.one},${scene.two}`);
  await live(page);
  const inNamespace = (name: string) => page.locator('table.rows.pods').getByText(name).first();
  const there = inNamespace(scene.two);
  await expect(there).toBeVisible();
  expect(await ask(masthead.url, `/api/v1/pods?namespace=${scene.two}`, token)).toBe(200);
  await scene.takeAway('loses');
  await expect(there).toBeHidden({ timeout: 60_000 });
  await live(page);
  await expect(inNamespace(scene.one), 'what is still allowed is still there').toBeVisible();
  expect(await ask(masthead.url, `/api/v1/pods?namespace=${scene.one}`, token)).toBe(200);
  expect(await ask(masthead.url, `/api/v1/pods?namespace=${scene.two}`, token)).not.toBe(200);
});

test('a token that expires, and one whose account is gone, end what they opened', async ({ alone, watch, page }, info) => {
  test.setTimeout(300_000);
  const scene = await Scene.of(alone, new Random(seed(info)));
  const masthead = await watch(alone.kubeconfig, '--auth', 'kubernetes');
  const good = await scene.account({ name: 'lasts', everywhere: pods });
  const short = await lasting(alone, scene.one, 'lasts', 30);
  await signIn(page, masthead.url, short, '/pods');
  await live(page);
  // The API server takes note within ten seconds, Masthead within a minute.
  await expect(page.getByLabel('Kubernetes token')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('alert')).toContainText('Your access has ended');
  expect(await ask(masthead.url, '/api/v1/pods', short)).toBe(401);

  await page.getByLabel('Kubernetes token').fill(good);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page, 'the place is kept').toHaveURL(/\/pods/);
  await live(page);
  await alone.kubectl('delete', 'serviceaccount', 'lasts', '-n', scene.one);
  await expect(page.getByLabel('Kubernetes token')).toBeVisible({ timeout: 120_000 });
  expect(await ask(masthead.url, '/api/v1/pods', good)).toBe(401);
});

test('what is no token of this cluster opens nothing, and is neither repeated nor logged', async ({ alone, watch, page }, info) => {
  const scene = await Scene.of(alone, new Random(seed(info)));
  const masthead = await watch(alone.kubeconfig, '--auth', 'kubernetes', '--log', 'debug');
  const token = await scene.account({ name: 'real', everywhere: pods });
  const forged = `${token.slice(0, -8)}AAAAAAAA`;
  for (const garbage of ['garbage', 'a.b.c', forged, 'x'.repeat(5_000)]) {
    expect(await ask(masthead.url, '/api/v1/pods', garbage)).toBe(401);
    await signIn(page, masthead.url, garbage);
    await expect(page.getByRole('alert')).toContainText('The API server does not accept that token: it is wrong, or has expired.');
    expect(await page.content()).not.toContain(garbage);
  }
  await signIn(page, masthead.url, `  Bearer ${token}\n`);
  await live(page);
  expect(await ask(masthead.url, '/api/v1/pods', token)).toBe(200);
  const said = masthead.log();
  for (const secret of [token, forged, token.split('.')[2], 'a.b.c']) expect(said.includes(secret), 'a token is in the log').toBe(false);
});
