import { type ApiObject } from '../../cluster/client';
import { expect, foreign, test } from '../../cluster/fixtures';
import { type Line, Trace } from '../../cluster/trace';

type Endpoint = { conditions: { ready?: boolean }; targetRef?: { name: string } };
/** How many addresses are ready, and how many there are. */
type Moment = { at: number; ready: number; all: number };

test('services: an address that leaves over its readiness probe, and comes back, is seen within a second', async ({ cluster, namespace, watch, tally, page }) => {
  test.skip(!!foreign, 'wants an image that fails when it is told to, which our own registry has');
  test.skip(!cluster.node, 'needs a real node, with containers: root, runc and the CNI plugins');
  test.setTimeout(300_000);
  const labels = { app: 'served' };
  // Unready after eight seconds; alive again after liveness, more patient, has had it restarted.
  const asks = (failureThreshold: number) => ({ httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1, failureThreshold });
  const service = {
    name: 'service',
    image: cluster.image('latest'),
    ports: [{ name: 'http', containerPort: 5000 }],
    env: [{ name: 'FAIL_AFTER', value: '8s' }],
    readinessProbe: asks(1),
    livenessProbe: asks(6),
  };
  await cluster.apply(
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'served', namespace }, spec: { selector: labels, ports: [{ port: 80, targetPort: 'http' }] } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'served', namespace },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [service] } } },
    },
  );
  const masthead = await watch(cluster.kubeconfig);
  await page.goto(`${masthead.url}/services/${namespace}/served`);
  await expect(page.locator('.freshness summary')).toContainText('live');
  // What the page says, each time that it says something else.
  await page.evaluate(() => {
    const said: { at: number; text: string }[] = [];
    (window as unknown as { said: typeof said }).said = said;
    const look = () => {
      const text = document.querySelector('.status')?.textContent ?? '';
      if (said.at(-1)?.text !== text) said.push({ at: Date.now(), text });
    };
    look();
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  const trace = await Trace.of(cluster, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, `/api/v1/namespaces/${namespace}/pods`);
  const slices = () => trace.lines.filter(({ object }) => object.kind === 'EndpointSlice');
  const readyAgain = () => moments(slices()).filter(({ ready, all }, at, every) => all === 2 && ready > (every[at - 1]?.ready ?? 0)).length;
  await expect.poll(readyAgain, { message: 'addresses that came back', timeout: 200_000, intervals: [500] }).toBeGreaterThanOrEqual(4);
  trace.stop();

  const said = await page.evaluate(() => (window as unknown as { said: { at: number; text: string }[] }).said);
  const seen = said.flatMap(({ at, text }): Moment[] => {
    const some = /(\d+) of (\d+) addresses? ready/.exec(text);
    const none = /none of (\d+) addresses? ready/i.exec(text);
    if (some) return [{ at, ready: Number(some[1]), all: Number(some[2]) }];
    return none ? [{ at, ready: 0, all: Number(none[1]) }] : [];
  });
  const started = said[0].at;
  let compared = 0;
  // Each state of the slices that lasted is on the page within a second, or had gone by then.
  const wanted = moments(slices()).filter(({ at }) => at > started);
  for (const [nth, moment] of wanted.entries()) {
    const until = wanted[nth + 1]?.at ?? Infinity;
    if (until - moment.at < 1_000 || until === Infinity) continue;
    const late = seen.find(({ at, ready, all }) => at >= moment.at - 500 && at <= moment.at + 1_000 && ready === moment.ready && all === moment.all);
    const already = seen.filter(({ at }) => at <= moment.at + 1_000).at(-1);
    expect(late ?? already, `${moment.ready} of ${moment.all} at ${new Date(moment.at).toISOString()}`).toMatchObject({ ready: moment.ready, all: moment.all });
    compared += 1;
  }
  // And what the kubelet reports of a pod's readiness is in the slices, and on the page, within a second of it.
  for (const { at, ready } of readiness(trace.lines.filter(({ object }) => object.kind === 'Pod')).filter(({ at }) => at > started)) {
    const follows = seen.some((moment) => moment.at >= at - 500 && moment.at <= at + 1_000);
    const inSlice = slices().some((heard) => heard.at >= at - 500 && heard.at <= at + 1_000);
    if (!inSlice) continue; // its controller was slower, which is not the page's doing
    expect(follows, `a pod became ${ready ? 'ready' : 'unready'} at ${new Date(at).toISOString()}`).toBe(true);
    compared += 1;
  }
  expect(compared, 'changes that were compared').toBeGreaterThan(5);
  tally.equal('addresses of a Service', 'page', compared);
});

/** The states of a namespace's slices, one after the other, all slices together. */
function moments(heard: Line[]): Moment[] {
  const slices = new Map<string, Endpoint[]>();
  const moments: Moment[] = [];
  for (const { at, type, object } of heard) {
    if (type === 'DELETED') slices.delete(object.metadata.name);
    else slices.set(object.metadata.name, (object as unknown as { endpoints?: Endpoint[] }).endpoints ?? []);
    const endpoints = [...slices.values()].flat();
    const now = { ready: endpoints.filter(({ conditions }) => conditions.ready !== false).length, all: endpoints.length };
    const before = moments.at(-1);
    if (before?.ready !== now.ready || before?.all !== now.all) moments.push({ at, ...now });
  }
  return moments;
}

/** When a pod became ready, or was not any more, as our own watch heard it. */
function readiness(heard: Line[]): { at: number; ready: boolean }[] {
  const before = new Map<string, boolean>();
  return heard.flatMap(({ at, object }) => {
    const { conditions = [] } = (object as ApiObject & { status: { conditions?: { type: string; status: string }[] } }).status;
    const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    const was = before.get(object.metadata.name);
    before.set(object.metadata.name, ready);
    return was !== undefined && was !== ready ? [{ at, ready }] : [];
  });
}
