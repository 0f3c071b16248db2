import { Comparison } from '../../cluster/compare';
import { expect, foreign, test } from '../../cluster/fixtures';
import { generate } from '../../cluster/generate';
import { Random } from '../../cluster/random';
import { selector } from '../../cluster/selectors';
import { seed } from '../../cluster/tally';
import { write } from '../../cluster/write';

const known = [
  '', 'app', '!app', 'app=web', 'app==web', 'app!=web', 'app in (web,api)', 'app notin (web)', 'app=', 'app in ()', 'app in (,web)',
  'a b', 'app=web,', ',app', '!app=web', 'app===web', 'app in web', 'app in (web', 'app>1', 'app>x', 'app<-1', '(', '=', 'app=a b',
  'example.com/part=x', 'Example.com/part=x', '/part', 'a/b/c', 'in in (in)', 'notin notin (notin)', 'app = web , team', 'app\n=\nweb',
];

test('selectors: 600 chosen at random select, or are refused, as with kubectl get -l', async ({ alone, tally, watch }, info) => {
  test.skip(!!foreign, 'needs an API server of our own, with nothing behind it');
  const random = new Random(seed(info));
  const namespace = 'selected';
  await write(alone, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
  await write(alone, Array.from({ length: 100 }, (_, at) => generate.pods(random, namespace, at)));
  const masthead = await watch(alone.kubeconfig);
  const comparison = new Comparison(alone, alone.kubeconfig, masthead.url, tally);
  await comparison.api('pods', namespace);
  const refused: string[] = [];
  for (const text of [...known, ...Array.from({ length: 600 }, () => selector(random))]) {
    const theirs = await comparison.kubectl('get', 'pods', '-n', namespace, `--selector=${text}`, '-o', 'name');
    const ours = await comparison.masthead(`/api/v1/pods?output=name&namespace=${namespace}&labelSelector=${encodeURIComponent(text)}`);
    const found: string[] = [];
    if (theirs.code === 0) {
      if (ours.status !== 200 || ours.text !== theirs.out) found.push(`${JSON.stringify(text)}: ${ours.status} ${ours.text}, kubectl has ${theirs.out}`);
    } else {
      refused.push(text);
      const said = ours.status === 400 ? (JSON.parse(ours.text) as { error: string; expected: string }) : undefined;
      if (!said || !asHelpful(theirs.err, said.error)) {
        found.push(`${JSON.stringify(text)}: ${ours.status} ${ours.text}, kubectl says ${theirs.err}`);
      }
    }
    tally.equal('selectors', 'api', found.length === 0 ? 1 : 0);
    tally.differ('selectors', found.length);
    expect.soft(found).toEqual([]);
  }
  expect(refused.length, 'some were no selectors').toBeGreaterThan(20);
});

/** Says where, and as much as kubectl does: what was found there. */
function asHelpful(theirs: string, ours: string): boolean {
  const found = [...theirs.matchAll(/found '([^']*)'/g)].map(([, found]) => found);
  return /at character \d+/.test(ours) && found.every((found) => ours.includes(found ? `'${found}'` : 'the selector ends'));
}
