import { Comparison } from '../../cluster/compare';
import { type Written } from '../../cluster/corpus';
import { expect, foreign, test } from '../../cluster/fixtures';
import { generate } from '../../cluster/generate';
import { Random } from '../../cluster/random';
import { fieldSelector, selector, type Fields } from '../../cluster/selectors';
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

const knownFields = [
  'metadata.name', 'metadata.name=', '=', '!=', ',', 'a', 'metadata.name===x', 'metadata.name=\\x', 'metadata.name=x\\', 'metadata.name=a\\,b',
  'b,a', 'status.phase!=Running,status.phase!=Pending', ' metadata.name=x ', 'metadata.name = x', 'metadata.name!==x', 'spec.foo=1', 'a=1,metadata.name',
];

test('field selectors: 400 chosen at random select, or are refused, as with kubectl get --field-selector', async ({ alone, tally, watch }, info) => {
  test.skip(!!foreign, 'needs an API server of our own, with nothing behind it');
  const random = new Random(seed(info));
  const namespace = 'selected-by-field';
  await write(alone, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
  const kinds = ['pods', 'nodes', 'namespaces', 'events', 'replicationcontrollers', 'deployments', 'services'];
  // Nodes and namespaces are the whole cluster's: other tests have theirs.
  const written = Object.fromEntries(kinds.map((kind) => [kind, Array.from({ length: 40 }, (_, at) => generate[kind](random, namespace, at + 10_000))]));
  for (const kind of kinds) await write(alone, written[kind]);
  const masthead = await watch(alone.kubeconfig);
  const comparison = new Comparison(alone, alone.kubeconfig, masthead.url, tally);
  let refused = 0;
  for (const kind of kinds) {
    const namespaced = kind !== 'nodes' && kind !== 'namespaces';
    await comparison.api(kind, namespaced ? namespace : undefined);
    const fields = fieldsOf(kind, namespace, written[kind]);
    for (const text of [...knownFields, ...Array.from({ length: Math.ceil(400 / kinds.length) }, () => fieldSelector(random, fields))]) {
      const theirs = await comparison.kubectl('get', kind, ...(namespaced ? ['-n', namespace] : []), `--field-selector=${text}`, '-o', 'name');
      const query = `output=name&fieldSelector=${encodeURIComponent(text)}${namespaced ? `&namespace=${namespace}` : ''}`;
      const ours = await comparison.masthead(`/api/v1/${kind}?${query}`);
      const found: string[] = [];
      if (theirs.code === 0) {
        if (ours.status !== 200 || ours.text !== theirs.out) found.push(`${kind} ${JSON.stringify(text)}: ${ours.status} ${ours.text}, kubectl has ${theirs.out}`);
      } else {
        refused += 1;
        const said = ours.status === 400 ? (JSON.parse(ours.text) as { error: string }).error : '';
        // Its own words, then what we add: what a character is, which fields there are, and where it went wrong.
        const words = /^unable to parse fieldSelector: (.*?)(?: \([^()]*\))?, at character \d+ of the field selector$/s.exec(said)?.[1];
        if (!words || !theirs.err.includes(words)) found.push(`${kind} ${JSON.stringify(text)}: ${ours.status} ${ours.text}, kubectl says ${theirs.err}`);
      }
      tally.equal('field selectors', 'api', found.length === 0 ? 1 : 0);
      tally.differ('field selectors', found.length);
      expect.soft(found).toEqual([]);
    }
  }
  expect(refused, 'some were no field selectors').toBeGreaterThan(20);
});

/** The fields of a kind that both sides know, with values from its objects. */
function fieldsOf(kind: string, namespace: string, objects: Written[]): Fields {
  const some = (path: string) => [...new Set(objects.map((object) => String(path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object) ?? '')))].slice(0, 8);
  const fields = (...paths: string[]) => Object.fromEntries(paths.map((path) => [path, some(path)]));
  const named = { ...fields('metadata.name'), 'metadata.namespace': [namespace, 'default'] };
  switch (kind) {
    case 'pods': return { ...named, ...fields('spec.nodeName', 'status.phase', 'status.podIP', 'status.nominatedNodeName'), 'status.podIPs': ['10.0.0.1'], 'spec.host': some('spec.nodeName') };
    case 'nodes': return { ...fields('metadata.name'), 'spec.unschedulable': ['true', 'false'] };
    case 'namespaces': return { ...fields('metadata.name'), 'status.phase': ['Active', 'Terminating'] };
    case 'events': return { ...named, ...fields('involvedObject.kind', 'involvedObject.namespace', 'involvedObject.name', 'involvedObject.fieldPath', 'reason', 'type', 'reportingComponent'), source: some('source.component') };
    case 'replicationcontrollers': return { ...named, ...fields('status.replicas') };
    case 'services': return { ...named, ...fields('spec.clusterIP'), 'spec.type': ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] };
    default: return named;
  }
}

/** Says where, and as much as kubectl does: what was found there. */
function asHelpful(theirs: string, ours: string): boolean {
  const found = [...theirs.matchAll(/found '([^']*)'/g)].map(([, found]) => found);
  return /at character \d+/.test(ours) && found.every((found) => ours.includes(found ? `'${found}'` : 'the selector ends'));
}
