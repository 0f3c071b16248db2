import { Cluster } from '../../cluster/client';
import { type Written } from '../../cluster/corpus';
import { expect, foreign, test } from '../../cluster/fixtures';
import { generate } from '../../cluster/generate';
import { kinds } from '../../cluster/kinds';
import { Random } from '../../cluster/random';
import { seed } from '../../cluster/tally';
import { write } from '../../cluster/write';
import { views } from '../../views';

/** Ways in which a page that takes text for more than text would run it. Each would call `boom`. */
const payloads = [
  '<script>boom()</script>',
  '</script><script>boom()</script>',
  '<img src=x onerror=boom()>',
  '"><img src=x onerror=boom()>',
  "'><svg/onload=boom()>",
  '<svg><script>boom()</script></svg>',
  '" onmouseover="boom()" autofocus onfocus="boom()" x="',
  "' onfocus='boom()' autofocus='",
  'javascript:boom()',
  'jav\tascript:boom()',
  'JaVaScRiPt://%0aboom()',
  'data:text/html,<script>parent.boom()</script>',
  '&lt;img src=x onerror=boom()&gt;',
  '&#60;img src=x onerror=boom()&#62;',
  '%3Cimg%20src%3Dx%20onerror%3Dboom()%3E',
  '\\u003cimg src=x onerror=boom()\\u003e',
  '--><img src=x onerror=boom()><!--',
  ']]><img src=x onerror=boom()>',
  '</title></style></textarea><img src=x onerror=boom()>',
  '<iframe srcdoc="<script>parent.boom()</script>"></iframe>',
  '{{constructor.constructor("boom()")()}}${boom()}',
  '\u202e<img src=x onerror=boom()>\u0000',
];

/** What a real API server could not hand out with anything else in it: identities, versions, times and amounts. */
const typed = /^(apiVersion|kind|name|namespace|uid|resourceVersion|generateName|requests|limits|capacity|allocatable|quantity|.*Time|.*Timestamp)$/;

/** The object with a payload in each of its other strings, and in the keys of its labels. */
function poisoned(value: unknown, next: () => string, key = ''): unknown {
  if (typed.test(key)) return value;
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT/.test(value) ? value : next();
  if (Array.isArray(value)) return value.map((item) => poisoned(item, next, 'item'));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([field, inner]) => [field, poisoned(inner, next, field)] as const);
  const more = key === 'labels' || key === 'annotations' ? [[next(), next()] as const] : [];
  return Object.fromEntries([...entries, ...more]);
}

test('an object whose every string is a script runs none of them', async ({ watch, page }, info) => {
  test.skip(!!foreign, 'needs an API server of our own, with nothing behind it');
  test.slow();
  expect(payloads.length).toBeGreaterThanOrEqual(20);
  const random = new Random(seed(info));
  const namespace = 'payloads';
  let count = 0;
  const next = () => payloads[count++ % payloads.length]!;
  const objects: Written[] = [];
  for (const kind of Object.keys(kinds)) {
    for (let at = 0; at < 6; at++) {
      const object = generate[kind]!(random, namespace, 90_000 + at);
      const { apiVersion, kind: _, metadata, status, ...rest } = object;
      const stored = poisoned({ metadata: { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} }, ...(status ? { status } : {}), ...rest }, next);
      objects.push({ ...object, apiVersion, stored: stored as object });
    }
  }
  // One of its own: what is compared elsewhere is everywhere in an API server.
  const alone = await Cluster.start('alone');
  try {
    await write(alone, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
    await write(alone, objects);
    expect(count, 'strings').toBeGreaterThan(500);
    const masthead = await watch(alone.kubeconfig);
    const ran: string[] = [];
    await page.exposeBinding('boom', ({ frame }) => void ran.push(frame.url()));
    page.on('dialog', (dialog) => (ran.push(dialog.message()), dialog.dismiss()));
    await page.exposeBinding('reportViolation', (_source, text: string) => void ran.push(text));
    await page.addInitScript(() =>
      document.addEventListener('securitypolicyviolation', (event) =>
        (window as unknown as { reportViolation(text: string): void }).reportViolation(`${event.violatedDirective} ${event.blockedURI}`),
      ),
    );
    const own = objects
      .filter(({ kind }) => ['Pod', 'Deployment', 'Node', 'Service', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'EndpointSlice'].includes(kind))
      .map(({ kind, metadata }) => `/${kind.toLowerCase()}s/${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`);
    const paths = [...views.map(({ path }) => path).filter((path) => path.split('/').length === 2), '/wall', ...own];
    let drawn = 0;
    for (const path of paths) {
      await page.goto(`${masthead.url}${path}`);
      if (path !== '/wall') await expect(page.locator('.freshness summary')).toContainText('live');
      // what opens on hovering and focusing is opened
      for (const chip of (await page.locator('main a, main button, main [tabindex]').all()).slice(0, 4)) {
        await chip.hover({ timeout: 500 }).catch(() => undefined);
        await chip.focus({ timeout: 500 }).catch(() => undefined);
      }
      drawn += (await page.locator('body').innerText()).split('boom()').length - 1;
      const links = await page.locator('a[href]').evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).protocol));
      expect(links.filter((protocol) => !/^https?:$/.test(protocol)), path).toEqual([]);
    }
    expect(ran).toEqual([]);
    expect(drawn, 'they were drawn, as text').toBeGreaterThan(100);
  } finally {
    await alone.stop();
  }
});
