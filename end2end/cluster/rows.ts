import { type Probe } from './kubelet';
import { type Container, type Start } from './truth';

type Phase = string | { waiting: string } | { ended: { reason: string; exit_code: number; cause: string | { probe: string } } };

/** A container's row, as far as it says what happened. */
export type Row = {
  meta: { name: string };
  restarts: { liveness: number; startup: number; outOfMemory: number; failed: number; completed: number; notSeen: number };
  status?: { restarts: number };
  life: { from: number; seen: boolean; phase: Phase }[];
};

/** Over which probes the kubelet ended it. One that is busy may say so of a container that has ended by itself. */
const kills = ({ deeds, until }: Start) => deeds.flatMap((deed) => (deed.did === 'kill' && deed.at < until + 1_000 ? [deed] : []));
const killed = (start: Start, probe: Probe) => kills(start).some((kill) => kill.probe === probe);

/** What a row says of a container's past that was not so; `checked` counts what was. */
export function wrong(row: Row, of: Container, checked: (what: string) => void): string[] {
  const faults: string[] = [];
  const check = (what: string, holds: boolean, said: unknown) => {
    checked(what);
    if (!holds) faults.push(`${row.meta.name}: ${what}: ${JSON.stringify(said)}`);
  };
  const begunAgain = of.starts.slice(0, -1);
  // A crash is never put down to a probe.
  const ends = { Liveness: row.restarts.liveness, Startup: row.restarts.startup };
  for (const probe of ['Liveness', 'Startup'] as const) {
    if (ends[probe] > 0) check(`restarts over ${probe.toLowerCase()}`, ends[probe] <= begunAgain.filter((start) => killed(start, probe)).length, row.restarts);
  }
  const { liveness, startup, outOfMemory, failed, completed, notSeen } = row.restarts;
  check('restarts in all', liveness + startup + outOfMemory + failed + completed + notSeen === (row.status?.restarts ?? 0), row.restarts);
  // What is not marked as seen has the cluster's own times.
  let before: Phase | undefined;
  for (const { from, seen, phase } of row.life) {
    const runs = (phase?: Phase) => ['starting', 'running', 'ready', 'unwatched'].includes(String(phase));
    if (typeof phase === 'object' && 'ended' in phase) {
      const { reason, exit_code, cause } = phase.ended;
      const start = of.starts.find(({ until }) => until === from);
      if (!seen) check('the time of an end', of.stamps.finished.has(from), [from, phase]);
      if (start?.end) check('how it ended', reason === start.end.reason && exit_code === start.end.exitCode, [start.end, phase]);
      if (start && typeof cause === 'object') check('an end over a probe', killed(start, cause.probe === 'startup' ? 'Startup' : 'Liveness'), [from, phase]);
      if (start && cause === 'outOfMemory') check('an end for want of memory', start.end?.reason === 'OOMKilled', [from, phase]);
    } else if (!seen && runs(phase) && !runs(before)) check('the time of a start', of.stamps.started.has(from), [from, phase]);
    else if (!seen && phase === 'ready') check('the time of being ready', of.stamps.ready.has(from), [from, phase]);
    else if (!seen && runs(phase)) check('the time of being up', false, [from, phase]);
    else if (!seen) check('the time of waiting', of.stamps.finished.has(from) || of.stamps.created === from, [from, phase]);
    before = phase;
  }
  return faults;
}

/** Over which probe an event told that this start ends. */
function toldOf({ toldEnds }: Container, start: Start): Probe | undefined {
  return kills(start).find(({ at }) => toldEnds.includes(Math.floor(at / 1_000) * 1_000))?.probe;
}

/** What each of the first `count` restarts is to be put down to, by all that could be heard. */
export function restarts(of: Container, count: number): Row['restarts'] {
  const restarts = { liveness: 0, startup: 0, outOfMemory: 0, failed: 0, completed: 0, notSeen: 0 };
  for (const start of of.starts.slice(0, count)) {
    const probe = toldOf(of, start);
    if (!start.end) restarts.notSeen += 1;
    else if (start.end.reason === 'OOMKilled') restarts.outOfMemory += 1;
    else if (probe) restarts[probe === 'Startup' ? 'startup' : 'liveness'] += 1;
    else restarts[start.end.exitCode === 0 ? 'completed' : 'failed'] += 1;
  }
  return restarts;
}
