import { readFile, writeFile } from 'node:fs/promises';
import { Clock, faketime } from '../../cluster/clock';
import { Comparison } from '../../cluster/compare';
import { expect, foreign, test as base } from '../../cluster/fixtures';
import { Hop } from '../../cluster/hop';
import { calm } from '../../cluster/kinds';
import { Outage, silent } from '../../cluster/outage';
import { Timeline } from '../../cluster/timeline';
import { Masthead } from '../../helper';

type Viewed = { kubeconfig: string; give: () => Promise<void>; takeAway: () => Promise<void>; reset: () => void };
type Tokened = { kubeconfig: string; revoke: () => Promise<void>; replace: () => Promise<void> };

/** Seconds that the long cut lasts on; an hour: CUT_SECONDS=3600. */
const longCut = Number(process.env.CUT_SECONDS ?? 20);

type Begin = (kubeconfig?: string) => Promise<Outage>;

const test = base.extend<{ begin: Begin; hop: Hop; viewed: Viewed; tokened: Tokened }>({
  /** A page that is open, all well so far; what it and the API said each second is kept with the test. */
  begin: async ({ alone, watch, page, tally }, use, info) => {
    const namespace = await Outage.populated(alone, info);
    let outage: Outage | undefined;
    await use(async (kubeconfig = alone.kubeconfig) => {
      const masthead = await watch(kubeconfig);
      outage = new Outage(alone, namespace, page, masthead.url, tally);
      await outage.before();
      return outage;
    });
    await outage?.timeline.stop(info);
    await alone.answers(); // also after a test that stopped halfway
  },

  /** Something in front of the API server that can break. */
  hop: async ({ alone }, use, info) => {
    const hop = await Hop.of(alone, alone.kubeconfig, info.outputPath('hop.kubeconfig'));
    await use(hop);
    await hop.stop();
  },

  /** The cluster as somebody sees it who has a right to look at everything, which can be taken away. */
  viewed: async ({ alone }, use, info) => {
    const hop = await Hop.of(alone, alone.viewer, info.outputPath('viewer.kubeconfig'));
    const rbac = 'rbac.authorization.k8s.io';
    const metadata = { name: 'faults-viewer' };
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['list', 'watch'] }];
    const binding = { subjects: [{ kind: 'User', name: 'viewer', apiGroup: rbac }], roleRef: { apiGroup: rbac, kind: 'ClusterRole', ...metadata } };
    const give = () => alone.apply({ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata, ...binding });
    const takeAway = async () => void (await alone.kubectl('delete', 'clusterrolebinding', metadata.name));
    await alone.apply({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules });
    await give();
    await use({ kubeconfig: hop.kubeconfig, give, takeAway, reset: () => hop.reset() });
    await hop.stop();
    await alone.kubectl('delete', 'clusterrolebinding,clusterrole', metadata.name, '--ignore-not-found');
  },

  /** The cluster as a service account sees it, whose token is in a file and as good as the Secret it is bound to. */
  tokened: async ({ alone }, use, info) => {
    const [name, rbac] = ['faults-tokened', 'rbac.authorization.k8s.io'];
    const [file, kubeconfig] = [info.outputPath('token'), info.outputPath('tokened.kubeconfig')];
    const metadata = { name, namespace: 'default' };
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['list', 'watch'] }];
    await alone.apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
      { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, subjects: [{ kind: 'ServiceAccount', ...metadata }], roleRef: { apiGroup: rbac, kind: 'ClusterRole', name } },
    );
    const write = async (nth: number) => {
      const secret = `${name}-${nth}`;
      await alone.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, name: secret } });
      await writeFile(file, await alone.kubectl('create', 'token', name, '-n', 'default', '--bound-object-kind', 'Secret', '--bound-object-name', secret));
    };
    await write(1);
    const config = JSON.parse(await alone.kubectl('config', 'view', '--raw', '--minify', '--flatten', '-o', 'json')) as { users: { user: object }[] };
    config.users[0].user = { tokenFile: file };
    await writeFile(kubeconfig, JSON.stringify(config));
    const revoke = async () => void (await alone.kubectl('delete', 'secret', '-n', 'default', `${name}-1`));
    await use({ kubeconfig, revoke, replace: () => write(2) });
    await alone.kubectl('delete', 'secret', '-n', 'default', `${name}-1`, `${name}-2`, '--ignore-not-found');
    await alone.kubectl('delete', 'serviceaccount', '-n', 'default', name, '--ignore-not-found');
    await alone.kubectl('delete', 'clusterrolebinding,clusterrole', name, '--ignore-not-found');
  },
});

test.beforeEach(() => {
  test.skip(!!foreign, 'breaks the API server');
});

test('an API server that stands still for a while is not live meanwhile, and a change right after is seen', async ({ alone, begin }) => {
  const outage = await begin();
  await alone.signal('kube-apiserver', 'STOP');
  outage.begins('the API server stands still');
  try {
    await outage.lasts(20, silent);
  } finally {
    await alone.signal('kube-apiserver', 'CONT');
  }
  outage.ends('the API server goes on');
  await outage.goes('before');
  await outage.comes('after');
  await outage.recovers();
});

test('an API server that is killed and comes back', async ({ alone, begin }) => {
  const outage = await begin();
  await alone.signal('kube-apiserver', 'KILL');
  outage.begins('the API server is dead');
  try {
    await outage.lasts(12);
  } finally {
    await alone.restart('kube-apiserver');
  }
  outage.ends('the API server begins again');
  await alone.answers();
  await outage.goes('before');
  await outage.comes('after');
  await outage.recovers();
});

test('an API server that has lost its etcd is not live, although it says its version', async ({ alone, begin }) => {
  const outage = await begin();
  await alone.signal('etcd', 'KILL');
  outage.begins('etcd is dead');
  try {
    // Its watches stay open, and what other API servers write is not told to this one any more.
    await outage.lasts(15, silent);
    expect((await fetch(`${alone.url}/version`)).status, 'the API server itself lives').toBe(200);
    expect((await fetch(`${alone.url}/readyz`)).status, 'it knows that it cannot answer').toBe(500);
  } finally {
    await alone.restart('etcd');
  }
  outage.ends('etcd begins again');
  await alone.answers();
  await outage.goes('before');
  await outage.comes('after');
  await outage.recovers();
});

test('an etcd that is put back to what it was: the page ends in that, though versions went backwards', async ({ alone, begin }) => {
  const outage = await begin();
  await outage.comes('goes-later');
  await alone.save();
  const saved = await alone.version();
  await outage.comes('comes-later');
  await outage.goes('goes-later');
  await outage.thousands(200); // so that no few changes make up for it
  await expect.poll(() => outage.timeline.recovered, { message: 'what was after it was seen', timeout: 10_000 }).toBe(true);
  outage.begins('API server and etcd are dead');
  await alone.signal('kube-apiserver', 'KILL');
  await alone.signal('etcd', 'KILL');
  await alone.restore();
  await outage.lasts(8);
  outage.are('goes-later', true);
  outage.are('comes-later', false);
  outage.timeline.fact('of-thousands-0', false);
  await alone.restart('etcd');
  await alone.restart('kube-apiserver');
  outage.ends('both begin again, with what was saved');
  await alone.answers();
  expect(await alone.version(), 'the version went backwards').toBeLessThan(saved + 50);
  await outage.goes('before');
  await outage.comes('after');
  await outage.recovers();
});

test('a long cut with thousands of changes at its end, by when the history is gone', async ({ alone, begin, hop }) => {
  test.setTimeout(test.info().timeout + longCut * 1_000);
  const outage = await begin(hop.kubeconfig);
  const relisted = await outage.relisted(['pods']);
  hop.cut();
  outage.begins('nobody gets through');
  await outage.goes('before');
  await outage.comes('a-while-cut');
  await outage.lasts(longCut);
  // What an hour brings: etcd is compacted each five minutes, and the API server's cache of changes has newer ones
  // in it, or is that of another one.
  await alone.forget();
  // The last of them a moment before somebody gets through.
  await outage.thousands(3_000);
  await outage.lasts(longCut);
  hop.heal();
  outage.ends('connections go through');
  await outage.comes('after');
  await outage.recovers();
  expect((await outage.relisted(['pods']))[0], 'no watch could go on').toBeGreaterThan(relisted[0]);
});

test('etcd is compacted under an API server that goes on: what it does not remember itself is listed again', async ({ alone, begin, hop }) => {
  const outage = await begin(hop.kubeconfig);
  const relisted = await outage.relisted(['events']);
  // Newer than any event, so that what watches of events go on from is gone: of these the API server remembers nothing
  // and asks etcd. Of all else it knows what came since.
  await outage.comes('before-it-is-compacted');
  await alone.compact();
  await outage.goes('before-it-is-compacted');
  hop.reset();
  outage.ends('etcd is compacted, all connections end, and new ones go through');
  await outage.goes('before');
  await outage.comes('after');
  await outage.recovers();
  expect((await outage.relisted(['events']))[0], 'the watch of events could not go on').toBeGreaterThan(relisted[0]);
});

test('connections that break: nothing is listed again, for whoever was written last is still the same to the byte', async ({ begin, hop }) => {
  const outage = await begin(hop.kubeconfig);
  const written = await outage.writesEach();
  const relisted = await outage.relisted(written);
  hop.reset();
  outage.ends('all connections end, and new ones go through');
  await outage.comes('after');
  await outage.recovers();
  expect(await outage.relisted(written), 'the watches went on').toEqual(relisted);
});

test('a hop that swallows everything is found out', async ({ begin, hop }) => {
  const outage = await begin(hop.kubeconfig);
  expect(hop.watches, 'watches go through it').toBeGreaterThan(10);
  hop.swallow('all');
  outage.begins('everything is swallowed');
  await outage.comes('unheard', silent);
  await outage.lasts(20, silent);
  outage.honest();
});

test('a hop that has forgotten all connections and takes new ones: nothing is live that is missing', async ({ begin, hop }) => {
  const outage = await begin(hop.kubeconfig);
  hop.swallow('all');
  outage.begins('everything is swallowed');
  await outage.lasts(15, silent);
  hop.heal();
  outage.ends('new connections go through');
  await outage.comes('after', silent);
  await outage.recovers();
});

test('a hop that has forgotten the watches alone: nothing is live that is missing', async ({ begin, hop }) => {
  // What a stream keeps back, on a connection that answers, is found out when a bookmark is due.
  const found = 80_000;
  const outage = await begin(hop.kubeconfig);
  expect(hop.watches, 'watches go through it').toBeGreaterThan(10);
  hop.swallow('watches');
  outage.ends('what watches say is swallowed, and new ones go through');
  await outage.goes('before', found);
  await outage.comes('after', found);
  await outage.recovers(found);
});

test('rights that are taken away and given back: it says so, and then is live', async ({ alone, begin, viewed }) => {
  const outage = await begin(viewed.kubeconfig);
  await viewed.takeAway();
  viewed.reset(); // an open watch is not asked for its rights again
  outage.begins('nothing may be listed any more');
  await outage.says(/no right to (list|watch) pods/, 403);
  await outage.goes('before');
  await outage.lasts(12);
  await viewed.give();
  outage.ends('everything may be listed again');
  await outage.comes('after');
  await outage.recovers();
});

test('a token that is revoked, and replaced in its file: it says so, and goes on', async ({ begin, tokened }) => {
  const outage = await begin(tokened.kubeconfig);
  await tokened.revoke();
  // The API server remembers for ten seconds whom it has let in.
  await outage.says(/does not accept the credentials/, 200, 10_000 + silent);
  outage.begins('the token is accepted no more');
  await outage.comes('meanwhile');
  await outage.lasts(8);
  await tokened.replace();
  outage.ends('there is another in its file');
  await outage.recovers(10_000);
});

test('a Masthead whose clock is put: ages stay what kubectl says, it is told how far off it is, and what is old is still found', async ({ alone, page, tally }, info) => {
  test.skip(!faketime && !process.env.CI, 'no libfaketime here');
  const namespace = await Outage.populated(alone, info);
  const clock = new Clock(info.outputPath('clock'));
  // The API server's certificates are good for an hour before they were made, which a day back is too little.
  const kubeconfig = info.outputPath('unverified.kubeconfig');
  await writeFile(kubeconfig, (await readFile(alone.kubeconfig, 'utf8')).replace(/certificate-authority: [^}]+/, 'insecure-skip-tls-verify: true'));
  const masthead = new Masthead(['--kubeconfig', kubeconfig], clock.env);
  await masthead.start();
  const [said, apart] = ['.said', '.apart'].map((part) => page.locator(`.freshness summary ${part}`));
  const comparison = new Comparison(alone, alone.kubeconfig, masthead.url, tally);
  const timeline = new Timeline(page, masthead.url, namespace);
  const ahead = async () => Number(/^masthead_api_server_clock_ahead_seconds (\S+)$/m.exec(await (await fetch(`${masthead.url}/metrics`)).text())?.[1]);
  try {
    await page.goto(`${masthead.url}/pods?wide=1&namespace=${namespace}`);
    await expect(said).toHaveText('live');
    await expect(apart).toHaveCount(0);
    timeline.begin();
    for (const [put, seconds, words] of [
      ['+1d', -86_400, '24h behind'],
      ['-1d', 86_400, '24h ahead of'],
      ['+0', 0, ''],
    ] as const) {
      // While nothing can be asked: what was confirmed before is of a time that is yet to come, if it is put back.
      await alone.signal('kube-apiserver', 'STOP');
      const began = timeline.mark(`the API server stands still, and the clock is put to ${put}`);
      clock.put(put);
      await new Promise((later) => setTimeout(later, silent + 5_000));
      // Nothing more is held against it: the date of its answers does not follow a clock that is put back.
      expect.soft(timeline.claimed(began, Date.now(), silent), `called live while the API server stood still, ${put}`).toEqual([]);
      timeline.mark('the API server goes on');
      await alone.signal('kube-apiserver', 'CONT');
      await expect(said).toHaveText('live', { timeout: 30_000 });
      await expect.poll(async () => Math.abs((await ahead()) - seconds), { message: put, timeout: 15_000 }).toBeLessThan(2);
      await expect(apart).toHaveCount(seconds ? 1 : 0, { timeout: 15_000 });
      if (seconds) await expect(page.locator('.freshness .popover')).toContainText(`The API server's clock is ${words} Masthead's. Ages are counted by the API server's.`);
      for (const kind of calm) await comparison.api(kind);
      await comparison.page(page, 'pods', namespace);
      await expect(said).toHaveText('live');
    }
  } finally {
    await alone.signal('kube-apiserver', 'CONT');
    await timeline.stop(info).finally(() => masthead.stop());
  }
});

test('a namespace is deleted with all that is in it: nothing is doubted, and nothing of it is left', async ({ cluster, watch, page, tally }, info) => {
  const [goes, stays] = ['goes', 'stays'].map((what) => `faults-${process.pid}-${what}`);
  const many = 100;
  const deployment = (namespace: string, name: string, replicas: number) => {
    const labels = { app: name };
    const spec = { nodeSelector: { type: 'kwok' }, tolerations: [{ operator: 'Exists' }], containers: [{ name: 'main', image: 'main' }] };
    return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } } };
  };
  const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: goes }, spec: { selector: { app: name }, ports: [{ port: 80 }] } });
  const names = ['one', 'two', 'three', 'four'];
  await cluster.apply(
    ...[goes, stays].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    deployment(stays, 'stays', 5),
    ...names.flatMap((name) => [deployment(goes, name, many / names.length), service(name)]),
  );
  const masthead = await watch(cluster.kubeconfig);
  await page.goto(`${masthead.url}/pods?wide=1`);
  await expect(page.locator('.freshness summary')).toContainText('live');
  const timeline = new Timeline(page, masthead.url, goes);
  timeline.begin();
  try {
    const ready = async () => (await cluster.kubectl('get', 'deployments', '-n', goes, '-o', 'jsonpath={.items[*].status.availableReplicas}')).split(' ').map(Number).reduce((sum, of) => sum + of, 0);
    await expect.poll(ready, { timeout: 90_000 }).toBe(many);
    await expect.poll(() => timeline.last?.api.names.length).toBe(many);
    const pods = async () => (await cluster.kubectl('get', 'pods', '-n', goes, '-o', 'name')).split('\n').filter(Boolean).map((name) => name.replace('pod/', ''));
    let left = await pods();
    expect(left.length).toBe(many);
    const from = timeline.mark('the namespace is deleted');
    await cluster.kubectl('delete', 'namespace', goes, '--wait=false');
    // It is asked for before its pods are: once it is gone, so are all of them.
    const gone = async () => {
      const { err } = await cluster.say('get', 'namespace', goes);
      const there = await pods();
      for (const name of left) if (!there.includes(name)) timeline.fact(name, false);
      left = there;
      return err;
    };
    await expect.poll(gone, { timeout: 90_000 }).toContain('NotFound');
    timeline.mark('it is gone');
    await expect.poll(() => [timeline.last?.api.names.length, timeline.last?.page.names.length]).toEqual([0, 0]);
    await cluster.freeze();
    const comparison = new Comparison(cluster, cluster.kubeconfig, masthead.url, tally);
    for (const kind of calm) await comparison.api(kind);
    await comparison.page(page, 'pods');
    expect((await cluster.kubectl('get', 'pods', '-n', stays, '-o', 'name')).trim().split('\n').length, 'something is left').toBe(5);
    expect.soft(timeline.untrue(), 'called live, and is not').toEqual([]);
    expect(timeline.doubted(from, Date.now()), 'doubted while all is well').toEqual([]);
    expect(timeline.troubles).toEqual([]);
  } finally {
    await timeline.stop(info);
    await cluster.thaw();
    await cluster.kubectl('delete', 'namespace', stays, '--wait=false');
  }
});
