import { type Cluster, type ApiObject } from './client';
import { kinds } from './kinds';
import { type Written } from './corpus';

/** Where etcd has a kind, if not under its plural. */
const stored: Record<string, string> = { nodes: 'minions', replicationcontrollers: 'controllers', services: 'services/specs' };
/** What the API server sets itself, whatever it is told. */
const overruled = ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'];

const plural = ({ kind }: Written) => `${kind.toLowerCase()}s`;

function path(object: Written): string {
  const { collection } = kinds[plural(object)];
  const { namespace } = object.metadata;
  return namespace ? collection.replace(/\/([^/]+)$/, `/namespaces/${namespace}/$1`) : collection;
}

/** Writes objects as they are meant: created, then their status, then what only etcd takes. Some at a time. */
export async function write(cluster: Cluster, objects: Written[], atATime = 24) {
  const left = objects.values();
  const worker = async () => {
    for (const object of left) await writeOne(cluster, object);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

async function writeOne(cluster: Cluster, object: Written) {
  const { status, stored, ...rest } = object;
  const created = await cluster.request<ApiObject>('POST', path(object), rest);
  if (status) {
    const own = created.status as object | undefined;
    await cluster.request('PUT', `${path(object)}/${object.metadata.name}/status`, { ...created, status: { ...own, ...status } });
  }
  const metadata = picked(object.metadata, overruled);
  if (Object.keys(metadata).length > 0 || stored) await lay(cluster, object, merge({ metadata }, stored ?? {}) as { [field: string]: unknown });
}

function picked(from: { [field: string]: unknown }, fields: string[]) {
  return Object.fromEntries(fields.filter((field) => field in from).map((field) => [field, from[field]]));
}

/** Merges `over` into what etcd holds. */
async function lay(cluster: Cluster, object: Written, over: { [field: string]: unknown }) {
  const { name, namespace } = object.metadata;
  const kind = plural(object);
  const key = ['/registry', stored[kind] ?? kind, ...(namespace ? [namespace] : []), name].join('/');
  const code = (text: string) => Buffer.from(text).toString('base64');
  const ask = async (what: string, body: object) => {
    const answer = await fetch(`${cluster.etcd}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd: ${await answer.text()}`);
    return (await answer.json()) as { kvs?: { value: string }[] };
  };
  const { kvs } = await ask('range', { key: code(key) });
  if (!kvs?.[0]) throw new Error(`etcd has no ${key}`);
  const value = JSON.parse(Buffer.from(kvs[0].value, 'base64').toString()) as { [field: string]: unknown };
  await ask('put', { key: code(key), value: code(JSON.stringify(merge(value, over))) });
}

/** Deeply; null removes a field that is there. */
export function merge(into: unknown, over: unknown): unknown {
  const plain = (value: unknown): value is { [field: string]: unknown } =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!plain(into) || !plain(over)) return over;
  const merged = { ...into };
  for (const [field, value] of Object.entries(over)) {
    if (value === null && field in merged) delete merged[field];
    else merged[field] = merge(merged[field], value);
  }
  return merged;
}
