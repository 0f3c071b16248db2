/**
 * An object as its author means it. `status` is written through the status subresource. What the API server
 * sets itself (creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation) is laid over it in
 * etcd afterwards; so is everything in `stored`, merged deeply (null removes a field, a list replaces a list):
 * what an older server could have left there, and what today's would refuse.
 */
export type Written = {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: object;
  status?: object;
  stored?: object;
  /** An Event's own fields, which are neither spec nor status. */
  [field: string]: unknown;
};

export type Metadata = {
  name: string;
  namespace?: string;
  labels?: Labels;
  annotations?: Labels;
  finalizers?: string[];
  ownerReferences?: object[];
  /** null: none at all, which prints as an unknown age. */
  creationTimestamp?: string | null;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  generation?: number;
};

export type Labels = Record<string, string>;

/** What every object's author may add to what its builder makes. */
export type More = { metadata?: Partial<Metadata>; stored?: object };

export const minute = 60;
export const hour = 60 * minute;
export const day = 24 * hour;
export const year = 365 * day;

// Once, so that one object's times agree; whole seconds, as the API has them.
const now = Math.floor(Date.now() / 1000);
const time = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000', '');

export const ago = (seconds: number) => time(now - seconds);
export const ahead = (seconds: number) => time(now + seconds);
/** The same instant as the API writes a MicroTime (eventTime, lastObservedTime), which takes nothing shorter. */
export const micro = (text: string) => text.replace('Z', '.000000Z');
/** Go's zero time: to the API server the same as none. */
export const zero = '0001-01-01T00:00:00Z';

/**
 * Every band of AGE (`HumanDuration`), by what it should look like. Bands a second wide (`5m`) cannot be hit; each
 * of these stays clear of the next for ten seconds and more.
 */
export const ages: Record<string, string> = {
  'future': ahead(hour),
  '45s': ago(45),
  '100s': ago(100),
  '2m10s': ago(130),
  '9m30s': ago(9 * minute + 30),
  '10m': ago(10 * minute + 10),
  '90m': ago(90 * minute + 10),
  '179m': ago(179 * minute + 10),
  '3h': ago(3 * hour + 10),
  '3h1m': ago(3 * hour + minute + 10),
  '7h59m': ago(8 * hour - 50),
  '8h': ago(8 * hour + 10),
  '30h': ago(30 * hour + 10),
  '47h': ago(48 * hour - 10 * minute),
  '2d': ago(2 * day + 10),
  '2d23h': ago(3 * day - 10 * minute),
  '7d23h': ago(8 * day - 10 * minute),
  '8d': ago(8 * day + 10),
  '364d': ago(year - hour),
  '365d': ago(year + hour),
  '729d': ago(2 * year - hour),
  '2y': ago(2 * year + hour),
  '2y1d': ago(2 * year + day + hour),
  '7y364d': ago(8 * year - hour),
  '8y': ago(8 * year + hour),
  '8y-still': ago(9 * year - hour),
  '20y': ago(20 * year + 200 * day),
  'since-the-epoch': '1970-01-01T00:00:00Z',
  // A duration in Go ends at 292 years, whichever way it goes.
  'since-1700': '1700-01-01T00:00:00Z',
  'until-9999': '9999-12-31T23:59:59Z',
};

/** So many labels, of which no two begin alike. */
export const manyLabels = (count: number): Labels =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`label-${String(i).padStart(3, '0')}`, `value-${i}`]));

/**
 * Keys in the order of their own bytes: a-b, a.b, a/b … stand after a. As `key=value` they stand before it, for
 * "=" comes after "-", "." and "/" and the digits: a map of labels is sorted so, a selector by its keys.
 */
export const sortedEitherWay: Labels = {
  'a': '1',
  'a-b': '2',
  'a.b': '3',
  'a0': '4',
  'a/b': '5',
  'aB': '6',
  'a_b': '7',
  'B': '8',
};

/** What must not reach a terminal, or ends a line there, or is wider or narrower than a letter. */
export const texts: Record<string, string> = {
  'newline': 'first line\nsecond line',
  'carriage-return': 'first line\rsecond line',
  'form-feed': 'first line\fsecond line',
  'escape': 'red \x1b[31mtext\x1b[0m, and the bell \x07',
  'escape-then-newline': 'red \x1b[31mtext\nsecond line',
  'vertical-tab': 'before\vafter',
  'other-controls': 'x\by, \x00, \x01, \x1f and \x7f',
  'c1-controls': 'next line \u0085 and CSI \u009b31m',
  'line-separators': 'line \u2028 and paragraph \u2029 separator',
  'accents': 'Über naïve e\u0301 café',
  'wide': '容器無法啟動 コンテナ',
  'emoji': 'all good 👍🏽 👩‍👩‍👧‍👦 🇨🇭',
  'right-to-left': 'שלום مرحبا \u202etxet\u202c end',
  'zero-width': 'zero\u200bwidth\ufeffmark',
  'markup': '<b onclick="x()">&amp; \'quoted\' </td></script>',
  'backslashes': 'C:\\new\\table "quoted" \\u0041 \\x1b',
  'percent': '100%s %d %q {0} ${x}',
};
