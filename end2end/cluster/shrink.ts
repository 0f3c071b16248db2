import { type Written } from './corpus';

/**
 * The smallest object that still fails: one part after another is left out, as long as it fails without.
 * An object that the API server refuses does not fail.
 */
export async function shrink(object: Written, fails: (smaller: Written) => Promise<boolean>): Promise<Written> {
  let smallest = object;
  for (let again = true; again; ) {
    again = false;
    for (const smaller of withoutOne(smallest)) {
      if (await fails(smaller)) {
        smallest = smaller;
        again = true;
        break;
      }
    }
  }
  return smallest;
}

/** Without what the object cannot do: who it is. */
const kept = new Set(['apiVersion', 'kind', 'metadata', 'name', 'namespace']);

/** Every copy of a value with one part left out, the largest parts first. */
function* withoutOne<T>(value: T): Generator<T> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const at of value.keys()) yield value.filter((_, i) => i !== at) as T;
    for (const [at, part] of value.entries()) {
      for (const smaller of withoutOne(part)) yield value.map((old, i) => (i === at ? smaller : old)) as T;
    }
    return;
  }
  for (const field of Object.keys(value)) {
    if (kept.has(field)) continue;
    const { [field as keyof T]: _, ...rest } = value;
    yield rest as T;
  }
  for (const [field, part] of Object.entries(value)) {
    for (const smaller of withoutOne(part)) yield { ...value, [field]: smaller };
  }
}
