import { ages, ago, ahead, day, hour, manyLabels, micro, minute, texts, zero } from './written';
import type { More, Written } from './written';

type Reference = {
  kind?: string;
  namespace?: string;
  name?: string;
  uid?: string;
  apiVersion?: string;
  fieldPath?: string;
};
type Event = More & {
  namespace?: string;
  involvedObject?: Reference;
  type?: string;
  reason?: string;
  message?: string;
  source?: { component?: string; host?: string };
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  count?: number;
  eventTime?: string | null;
  series?: { count: number; lastObservedTime: string | null } | null;
  action?: string;
  reportingComponent?: string;
  reportingInstance?: string;
};

function event(name: string, { metadata, namespace = 'corpus-events', involvedObject, ...own }: Event): Written {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace, creationTimestamp: ago(30 * minute), ...metadata },
    involvedObject: { kind: 'Pod', namespace, name: 'web', uid: 'u', apiVersion: 'v1', ...involvedObject },
    type: 'Normal',
    reason: 'Pulled',
    message: 'Container image "app:1" already present on machine',
    ...own,
  };
}

/** As the kubelet and the controllers write it: first, last, count. */
const old = (name: string, own: Event = {}) =>
  event(name, {
    source: { component: 'kubelet', host: 'node-1' },
    firstTimestamp: ago(3 * hour + 10 * minute + 10),
    lastTimestamp: ago(12 * minute + 10),
    count: 5,
    ...own,
  });

/** As the scheduler writes it: eventTime, and a series when it comes again. */
const fresh = (name: string, own: Event = {}) =>
  event(name, {
    reason: 'FailedScheduling',
    type: 'Warning',
    message: '0/3 nodes are available: 3 Insufficient cpu.',
    eventTime: micro(ago(20 * minute + 10)),
    action: 'Scheduling',
    reportingComponent: 'default-scheduler',
    reportingInstance: 'default-scheduler-cp1',
    ...own,
  });
const series = (count: number, lastObservedTime: string | null) => ({ series: { count, lastObservedTime } });

const times = [
  old('old-style'),
  old('old-style-warning', {
    type: 'Warning',
    reason: 'Unhealthy',
    message: 'Readiness probe failed: HTTP probe failed with statuscode: 500\n',
  }),
  old('old-style-count-0', { count: 0 }),
  old('old-style-count-missing', { count: undefined }),
  old('old-style-count-negative', { count: -1 }),
  old('old-style-count-of-31-bits', { count: 2147483647 }),
  old('old-style-without-last', { lastTimestamp: null }),
  old('old-style-without-first', { firstTimestamp: null }),
  old('old-style-without-times', { firstTimestamp: null, lastTimestamp: null }),
  old('old-style-zero-times', { firstTimestamp: zero, lastTimestamp: zero }),
  old('old-style-last-before-first', { firstTimestamp: ago(minute + 10), lastTimestamp: ago(hour + 10) }),
  old('old-style-in-the-future', { firstTimestamp: ahead(hour), lastTimestamp: ahead(2 * hour) }),
  fresh('new-style'),
  fresh('new-style-series', series(7, micro(ago(3 * minute + 20)))),
  // A series counts what it counts, even nothing.
  fresh('new-style-series-of-0', series(0, micro(ago(3 * minute + 20)))),
  fresh('new-style-series-never-observed', series(3, null)),
  fresh('new-style-series-observed-at-zero', series(3, micro(zero))),
  fresh('new-style-series-in-the-future', series(3, micro(ahead(hour)))),
  fresh('new-style-in-the-future', { eventTime: micro(ahead(hour)) }),
  fresh('both-styles', {
    ...series(9, micro(ago(50))),
    firstTimestamp: ago(2 * day + 10),
    lastTimestamp: ago(day + 10),
    count: 4,
  }),
  fresh('both-styles-without-series', { firstTimestamp: ago(2 * day + 10), lastTimestamp: ago(day + 10), count: 4 }),
  fresh('new-style-with-last-only', { lastTimestamp: ago(day + 10) }),
  old('old-style-with-series', series(2, micro(ago(30)))),
  ...['45s', '9m30s', '90m', '3h', '47h', '2d', '7d23h', '8d', '2y1d', '8y', 'since-1700'].map((age) =>
    old(`last-seen-${age}`, { firstTimestamp: ages[age], lastTimestamp: ages[age] }),
  ),
];

const objects = [
  old('object-without-name', { involvedObject: { name: undefined } }),
  old('object-without-kind', { involvedObject: { kind: undefined } }),
  old('object-without-kind-and-name', { involvedObject: { kind: undefined, name: undefined } }),
  // Go lowers every letter on its own: no final sigma, and a dotted capital I loses its dot.
  old('object-kind-in-greek', { involvedObject: { kind: 'ΟΔΥΣΣΕΥΣ' } }),
  old('object-kind-with-dotted-i', { involvedObject: { kind: 'İSTANBUL' } }),
  old('object-kind-with-sharp-s', { involvedObject: { kind: 'STRAẞE' } }),
  old('object-kind-in-camel-case', { involvedObject: { kind: 'HorizontalPodAutoscaler', name: 'Web_1' } }),
  old('object-name-with-newline', { involvedObject: { name: texts.newline } }),
  old('object-field', { involvedObject: { fieldPath: 'spec.containers{app}' } }),
  old('object-field-of-an-init-container', { involvedObject: { fieldPath: 'spec.initContainers{setup}' } }),
  old('object-field-with-escape', { involvedObject: { fieldPath: texts.escape } }),
  // What has no namespace is reported in this one.
  old('corpus-object-without-namespace', {
    namespace: 'default',
    involvedObject: { kind: 'Node', namespace: undefined, name: 'corpus-ready' },
  }),
  fresh('corpus-new-style-object-without-namespace', {
    namespace: 'default',
    involvedObject: { kind: 'Node', namespace: undefined, name: 'corpus-ready' },
  }),
];

const sources = [
  old('source-none', { source: {} }),
  old('source-component-only', { source: { component: 'kubelet' } }),
  old('source-host-only', { source: { host: 'node-1' } }),
  old('source-reporting-component-only', { source: {}, reportingComponent: 'kubelet' }),
  old('source-reporting-instance-only', { source: {}, reportingInstance: 'kubelet-node-1' }),
  old('source-and-reporting', { reportingComponent: 'other', reportingInstance: 'other-1' }),
  old('source-component-and-reporting-instance', {
    source: { component: 'kubelet' },
    reportingComponent: 'other',
    reportingInstance: 'other-1',
  }),
  old('source-host-and-reporting-component', {
    source: { host: 'node-1' },
    reportingComponent: 'other',
    reportingInstance: 'other-1',
  }),
  old('source-with-newline', { source: { component: texts.newline, host: 'node-1' } }),
  fresh('source-new-style-of-a-domain', {
    reportingComponent: 'example.com/controller',
    reportingInstance: 'controller-0',
  }),
  // A new-style event must say who reports it.
  fresh('source-new-style-none', { stored: { reportingComponent: '', reportingInstance: '' } }),
];

const message = (name: string, text: string) => old(`message-${name}`, { message: text });
const messages = [
  ...Object.entries(texts).map(([name, text]) => message(`with-${name}`, text)),
  message('empty', ''),
  message('of-blanks', ' \t \n '),
  message('with-blanks-around', '  \t in between  \n'),
  message('with-newlines-around', '\n\nin between\n\n'),
  // Blank to unicode, and cut; but a byte order mark is not.
  message('with-unicode-blanks-around', '\u3000\u00a0\u2003\u0085in between\u2028\u3000'),
  message('with-byte-order-mark-around', '\ufeffin between\ufeff'),
  message('with-blanks-inside', 'one  two   three    four'),
  // A tab ends a cell where kubectl lines up its columns, as does a vertical one.
  message('with-tab', 'before\tafter'),
  message('with-crlf', 'first line\r\nsecond line'),
  message('with-blank-before-newline', 'first line  \nsecond line'),
  message('of-1-kB', 'Back-off restarting failed container '.repeat(28).slice(0, 1024)),
  message('of-4-kB', 'Long'.repeat(1024)),
  message('of-1-kB-in-unicode', '容器無法啟動。'.repeat(48)),
  message('without-a-blank', 'x'.repeat(1024)),
  message('that-looks-like-a-table', 'NAMESPACE   LAST SEEN   TYPE     REASON'),
  message('that-looks-like-json', '{"kind":"Status","status":"Failure","message":"no"}'),
];

const others = [
  old('type-empty', { type: '' }),
  old('type-of-another-word', { type: 'Critical' }),
  old('type-with-newline', { type: texts.newline }),
  old('reason-empty', { reason: '' }),
  old('reason-in-unicode', { reason: texts.wide }),
  old('reason-with-escape', { reason: texts.escape }),
  old('reason-with-blanks', { reason: '  Back Off  ' }),
  event('nothing-but-an-object', { type: undefined, reason: undefined, message: undefined }),
  old('many-labels', { metadata: { labels: manyLabels(80) } }),
  old('deleted', {
    metadata: { finalizers: ['example.com/hold'], deletionTimestamp: ago(60), deletionGracePeriodSeconds: 0 },
  }),
  old('age-null', { metadata: { creationTimestamp: null } }),
  old('web.17f0a1b2c3d4e5f6'),
];

export const events: Written[] = [...times, ...objects, ...sources, ...messages, ...others];
