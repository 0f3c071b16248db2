import { type ApiObject, type Cluster } from './client';
import { type Deed } from './kubelet';

/** What a watch told, and when it was here. */
export type Line = { at: number; type: string; object: ApiObject };

/** What the API server tells of some collections, such as `/api/v1/namespaces/a/pods`, from now on. */
export class Trace {
  readonly lines: Line[] = [];
  private readonly watches = new AbortController();
  private broken?: Error;

  static async of(cluster: Cluster, ...collections: string[]): Promise<Trace> {
    const trace = new Trace();
    const version = await cluster.version();
    await Promise.all(collections.map((collection) => trace.watch(`${cluster.url}${collection}?watch=1&resourceVersion=${version}`)));
    return trace;
  }

  /** Goes on once the watch is open. */
  private async watch(url: string) {
    const answer = await fetch(url, { signal: this.watches.signal });
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    this.read(answer.body!).catch((error) => {
      if (!this.watches.signal.aborted) this.broken = error;
    });
  }

  private async read(body: ReadableStream<Uint8Array>) {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
      const at = Date.now();
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.lines.push({ at, ...(JSON.parse(line) as { type: string; object: ApiObject }) });
    }
    throw new Error('a watch of the trace ended');
  }

  /** Ends it; throws if it ended before. */
  stop() {
    this.watches.abort();
    if (this.broken) throw this.broken;
  }
}

type Fields = Record<string, unknown>;

const pick = (of: unknown, ...names: string[]): Fields => Object.fromEntries(names.flatMap((name) => ((of as Fields)?.[name] === undefined ? [] : [[name, (of as Fields)[name]]])));
const each = (list: unknown, pick: (of: unknown) => Fields) => (list as unknown[] | undefined)?.map(pick);
/** Without the parts that differ from run to run: a pod of a ReplicaSet is named by that alone. */
const plain = (pod: string) => pod.replace(/-[0-9a-f]+-[0-9a-z]{5}$/, '');

/** What is read of a pod here, its own part of it if that is as it was. */
function ofPod({ metadata, spec, status }: ApiObject, before?: string): { object: Fields; spec: string } {
  const container = (of: unknown) => pick(of, 'name', 'restartPolicy', 'ports', 'livenessProbe', 'readinessProbe', 'startupProbe');
  const state = (of: unknown) => Object.fromEntries(Object.entries((of as Fields) ?? {}).map(([is, how]) => [is, pick(how, 'reason', 'message', 'exitCode', 'startedAt', 'finishedAt')]));
  const containerStatus = (of: unknown) => ({ ...pick(of, 'name', 'ready', 'started', 'restartCount'), state: state((of as Fields).state), lastState: state((of as Fields).lastState) });
  const { containers, initContainers } = spec as Fields;
  const { conditions, containerStatuses, initContainerStatuses } = (status ?? {}) as Fields;
  const own = { ...pick(spec, 'nodeName', 'restartPolicy'), containers: each(containers, container), initContainers: each(initContainers, container) };
  const object = {
    kind: 'Pod',
    metadata: { ...pick(metadata, 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'), name: plain(metadata.name) },
    ...(JSON.stringify(own) !== before && { spec: own }),
    status: {
      ...pick(status, 'phase'),
      conditions: each(conditions, (of) => pick(of, 'type', 'status', 'lastTransitionTime')),
      containerStatuses: each(containerStatuses, containerStatus),
      initContainerStatuses: each(initContainerStatuses, containerStatus),
    },
  };
  return { object, spec: JSON.stringify(own) };
}

/** What is read of an event; of a kubelet's. */
function ofEvent({ metadata, involvedObject, ...event }: ApiObject): Fields {
  return {
    kind: 'Event',
    metadata: { name: metadata.name.split('.').at(-1)! },
    involvedObject: { ...pick(involvedObject, 'fieldPath'), name: plain((involvedObject as { name: string }).name) },
    ...pick(event, 'reason', 'message', 'count', 'firstTimestamp', 'lastTimestamp'),
  };
}

/** The part of a trace that is about some pods, to be replayed: bare, a line each, times in ms since it began. */
export function written(lines: Line[], deeds: Deed[], [began, ended]: [number, number], of: (pod: string) => boolean): string {
  const specs = new Map<string, string>();
  const uids = new Map(lines.filter(({ object }) => object.kind === 'Pod').map(({ object }) => [object.metadata.uid!, plain(object.metadata.name)]));
  const told = lines.flatMap(({ at, type, object }) => {
    if (object.kind === 'Event') {
      const { name } = object.involvedObject as { name: string };
      return of(name) && ['Unhealthy', 'Killing', 'BackOff'].includes(String(object.reason)) && at <= ended ? [{ at: at - began, type, object: ofEvent(object) }] : [];
    }
    if (!of(object.metadata.name) || at > ended) return [];
    const { object: pod, spec } = ofPod(object, specs.get(object.metadata.name));
    specs.set(object.metadata.name, spec);
    return [{ at: at - began, type, object: pod }];
  });
  const did = new Map<string, Record<string, number[]>>();
  for (const deed of deeds.filter(({ pod, at }) => of(pod) && at <= ended)) {
    const container = `${plain(deed.pod)}/${deed.container}`;
    const words = [deed.did, 'probe' in deed ? deed.probe : '', 'again' in deed && deed.again ? 'again' : ''].filter(Boolean).join(' ');
    const of = did.get(container) ?? {};
    (of[words] ??= []).push(Math.round(deed.at - began));
    did.set(container, of);
  }
  const list = (lines: string[]) => `[\n${lines.join(',\n')}\n]`;
  const kubelet = [...did].sort().map(([container, of]) => `${JSON.stringify(container)}: {\n${Object.entries(of).map(([words, times]) => ` ${JSON.stringify(words)}: ${JSON.stringify(times)}`).join(',\n')}\n}`);
  // Namespaces and uids are those of a run.
  const named = (line: string) => [...uids].reduce((line, [uid, pod]) => line.replaceAll(uid, pod), line).replaceAll(/masthead-test-\w+/g, 'default');
  return `{\n"began": ${began},\n"lasts": ${ended - began},\n"kubelet": {\n${kubelet.join(',\n')}\n},\n"told": ${list(told.map((line) => named(JSON.stringify(line))))}\n}\n`;
}
