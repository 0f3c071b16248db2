import { ages, ago, day, hour, manyLabels, zero } from './written';
import type { More, Written } from './written';

const namespace = (name: string, { metadata, stored }: More = {}): Written => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, creationTimestamp: ago(40 * day + hour), ...metadata },
  stored,
});

/** Those that the other objects are in. */
const used = ['corpus', 'corpus-pods', 'corpus-workloads', 'corpus-services', 'corpus-events'].map((name) => namespace(name));

const deletionTimestamp = ago(5 * hour);
const message = 'Some resources are remaining: pods. has 3 resource instances';
const cases = [
  namespace('corpus-namespace-terminating', {
    metadata: { deletionTimestamp },
    stored: { status: { phase: 'Terminating' } },
  }),
  namespace('corpus-namespace-stuck', {
    metadata: { deletionTimestamp },
    stored: {
      status: {
        phase: 'Terminating',
        conditions: [
          {
            type: 'NamespaceContentRemaining',
            status: 'True',
            reason: 'SomeResourcesRemain',
            message,
            lastTransitionTime: deletionTimestamp,
          },
        ],
      },
    },
  }),
  // STATUS is the phase alone, whatever the rest says. The API refuses each of these two combinations.
  namespace('corpus-namespace-deleted-yet-active', { metadata: { deletionTimestamp } }),
  namespace('corpus-namespace-terminating-yet-not-deleted', { stored: { status: { phase: 'Terminating' } } }),
  namespace('corpus-namespace-without-phase', { stored: { status: { phase: '' } } }),
  namespace('corpus-namespace-without-status', { stored: { status: null } }),
  namespace('corpus-namespace-of-another-phase', { stored: { status: { phase: 'Frozen solid' } } }),
  namespace('corpus-namespace-many-labels', { metadata: { labels: manyLabels(80) } }),
  namespace('corpus-namespace-name-of-sixty-three-characters-'.padEnd(63, 'x')),
];

const creations = [
  ...['100s', '10m', '8h', '7d23h', '365d'].map((age) =>
    namespace(`corpus-namespace-age-${age}`, { metadata: { creationTimestamp: ages[age] } }),
  ),
  namespace('corpus-namespace-age-null', { metadata: { creationTimestamp: null } }),
  namespace('corpus-namespace-age-zero', { metadata: { creationTimestamp: zero } }),
];

export const namespaces: Written[] = [...used, ...cases, ...creations];
