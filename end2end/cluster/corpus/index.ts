import { events } from './events';
import { namespaces } from './namespaces';
import { nodes } from './nodes';
import { pods } from './pods';
import { around } from './services';
import { workloads } from './workloads';
import type { Written } from './written';

export type { Written };

/** What a real API server holds while `kubectl get` and Masthead are compared, in the order in which it is written. */
export const corpus: Written[] = [...namespaces, ...nodes, ...pods, ...workloads, ...around, ...events];
