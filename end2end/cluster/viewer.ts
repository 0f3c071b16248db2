import { request, type ClientRequest } from 'node:http';

type Row = { meta: { namespace: string; name: string } };
type Message = {
  snapshot: { kinds: { kind: string; items: Row[] }[] };
  change: { type: 'put'; kind: string; object: Row } | { type: 'gone'; kind: string; namespace: string; name: string };
};

/** Somebody who watches Masthead's stream of changes and folds them, as the page does. */
export class Viewer {
  private readonly rows = new Map<string, string>();
  private connection?: ClientRequest;

  /** Watches `query` of `/api/v1/watch`; resolves with the first snapshot. */
  static async of(url: string, query: string): Promise<Viewer> {
    const viewer = new Viewer();
    await new Promise<void>((ready, fail) => {
      viewer.connection = request(`${url}/api/v1/watch?${query}`, (answer) => {
        let rest = '';
        answer.setEncoding('utf8');
        answer.on('data', (text: string) => {
          const events = (rest + text).split('\n\n');
          rest = events.pop() ?? '';
          for (const event of events) {
            const [, name] = /^event: (.*)$/m.exec(event) ?? [];
            const [, data] = /^data: (.*)$/m.exec(event) ?? [];
            viewer.fold(name, data);
            if (name === 'snapshot') ready();
          }
        });
        answer.on('error', () => undefined);
      });
      viewer.connection.on('error', fail).end();
    });
    return viewer;
  }

  private fold(name: string, data: string) {
    const key = (kind: string, namespace: string, name: string) => `${kind} ${namespace}/${name}`;
    if (name === 'snapshot') {
      const { kinds } = JSON.parse(data) as Message['snapshot'];
      this.rows.clear();
      for (const { kind, items } of kinds) {
        for (const row of items) this.rows.set(key(kind, row.meta.namespace, row.meta.name), JSON.stringify(row));
      }
    }
    if (name === 'change') {
      const change = JSON.parse(data) as Message['change'];
      if (change.type === 'put') {
        const { namespace, name } = change.object.meta;
        this.rows.set(key(change.kind, namespace, name), JSON.stringify(change.object));
      } else {
        this.rows.delete(key(change.kind, change.namespace, change.name));
      }
    }
  }

  /** All it knows, in one order. */
  state(): string[] {
    return [...this.rows].map(([key, row]) => `${key} ${row}`).sort();
  }

  stop() {
    this.connection?.destroy();
  }
}
