/**
 * A pod template as `kubectl rollout history --revision` prints it, less what Masthead never reads: words of
 * commands, the environment, mounts, volumes, and annotations but two.
 */
export function withheld(text: string): string {
  const kept: string[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    if (/\texample\.com\/other: /.test(lines[at])) {
      kept.push(lines[at].replace(/\t.*/, '\t<withheld>'));
      continue;
    }
    kept.push(lines[at].replace(/exec \[(.*)\]/, (_, words: string) => `exec [${words.split(' ').length} words withheld]`));
    const inner = blocks.find(({ head }) => head.test(lines[at]))?.inner;
    if (!inner) continue;
    kept.push(`${inner}<withheld>`);
    while (lines[at + 1]?.startsWith(inner)) at += 1;
  }
  return kept.join('\n');
}

/** Where kubectl prints what is withheld, and how what is in there begins. */
const blocks = [
  { head: /^ {4}(Command|Args|Environment Variables from|Environment|Mounts|Devices):$/, inner: '      ' },
  { head: /^ {2}Volumes:$/, inner: '   ' },
];
