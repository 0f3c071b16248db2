import { alphabet } from './generate';
import { type Random } from './random';

/** A random selector; now and then one that is none. */
export function selector(random: Random): string {
  const text = Array.from({ length: random.pick([0, 1, 1, 1, 2, 2, 3]) }, () => requirement(random)).join(blank(random, ','));
  return random.chance(0.3) ? broken(random, text) : text;
}

const blank = (random: Random, text: string) => random.pick(['', '', ' ', '\t']) + text + random.pick(['', '', ' ', '  ']);
const value = (random: Random) => random.pick([...alphabet.values, 'in', 'notin', '-', 'x y', 'a'.repeat(64)].slice(0, random.chance(0.9) ? alphabet.values.length : undefined));

function requirement(random: Random): string {
  const key = random.pick([...alphabet.keys, 'missing', 'in', 'notin']);
  const list = () => `(${Array.from({ length: random.whole(0, 3) }, () => blank(random, value(random))).join(',')})`;
  return random.pick([
    () => key,
    () => `!${blank(random, key)}`,
    () => key + blank(random, random.pick(['=', '==', '!='])) + value(random),
    () => `${key} in ${list()}`,
    () => `${key} notin${blank(random, list())}`,
    () => key + blank(random, random.pick(['>', '<'])) + random.pick(['0', '7', '41', '-1', '1e3', '9223372036854775808', value(random)]),
  ])();
}

/** The fields that a kind's objects are selected by, with values that some of them have. */
export type Fields = Record<string, string[]>;

/** A random field selector; now and then one that is none, or names a field that there is not. */
export function fieldSelector(random: Random, fields: Fields): string {
  const names = Object.keys(fields);
  const term = () => {
    const field = random.chance(0.05) ? random.pick(['metadata.uid', 'spec.foo', 'name', '', ' metadata.name']) : random.pick(names);
    const literal = random.pick([...(fields[field] ?? []), '', 'x', 'a,b', 'a=b', 'a\\b', 'ü']);
    const written = random.chance(0.9) ? literal.replace(/[\\,=]/g, '\\$&') : literal;
    return field + random.pick(['=', '=', '==', '!=', '!=']) + written;
  };
  const text = Array.from({ length: random.pick([0, 1, 1, 1, 2, 2, 3]) }, term).join(random.pick([',', ',', ',', ',,']));
  return random.chance(0.2) ? broken(random, text) : text;
}

/** One character left out, doubled, or another put in. */
function broken(random: Random, text: string): string {
  const at = random.whole(0, text.length);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  return random.pick([
    () => before + after.slice(1),
    () => before + after.slice(0, 1) + after,
    () => before + random.pick(['=', '!', '(', ')', ',', ' ', '<', '>', '/', '$', 'ü', 'in', '==', '"', '\\']) + after,
  ])();
}
