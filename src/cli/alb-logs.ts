/** `judge --alb-log`: access logs of load balancers, joined to the probes by the trace id that each of these carried. */
import { globSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { userError } from '../core/errors.ts';
import { outcomeNumber } from '../core/outcome.ts';
import { countOf, countText } from '../core/quantity-text.ts';
import { msToNs, toIso } from '../core/time.ts';
import { addAccess, type AccessLogged } from '../evidence/access.ts';
import { readRun, type RunReading } from '../evidence/read-run.ts';
import { readAlbLog } from '../platforms/alb-log.ts';
import type { AlbLogLine } from '../platforms/alb-log-line.ts';

/** A folder of a day's logs has thousands of files: how far it is, so often. */
const progressEveryMs = 2000;

export async function addAlbLogs(path: string, given: readonly string[], say: (text: string) => void): Promise<void> {
  const files = filesOf(given);
  const reading = readRun(path);
  const started = reading.entries.find((entry) => entry.type === 'run-started');
  if (started === undefined) throw userError(path, 'is no run folder');
  const { runId, startedAtMs } = started;
  const found: AccessLogged[] = [];
  const heard = (line: AlbLogLine): void => void found.push(entryOf(line, startedAtMs));
  let [lineCount, unreadableCount] = [0, 0];
  let saidAtMs = Date.now();
  for (const [i, file] of files.entries()) {
    const read = await readAlbLog(file, { runId, heard });
    lineCount += read.lineCount;
    unreadableCount += read.unreadableCount;
    if (read.error !== '') say(`${file}: ${read.error}; what was read of it counts`);
    if (Date.now() - saidAtMs < progressEveryMs) continue;
    saidAtMs = Date.now();
    say(`${countText(i + 1)} of ${countOf(files.length, 'file')} read: ${countOf(lineCount, 'line')}`);
  }
  say(
    `${countOf(lineCount, 'line')} in ${countOf(files.length, 'file')}, ${countText(found.length)} of this run` +
      (unreadableCount === 0 ? '' : `; ${countText(unreadableCount)} could not be read`),
  );
  // What was joined before stays, also where these files have nothing of the run.
  if (found.length === 0) {
    say(`none has a trace id of run ${runId}: are these the logs of its load balancers, of its time?`);
    return;
  }
  const [firstNs, lastNs] = spanOf(found);
  say(`they are of ${toIso(startedAtMs, firstNs)} to ${toIso(startedAtMs, lastNs)}`);
  addAccess(path, found);
  const { joinedCount, sentCount } = joined(readRun(path));
  say(
    `${countText(joinedCount)} of ${countOf(sentCount, 'probe')} that reached a server are in them; ` +
      'an ALB writes its log as well as it can, and of other servers there are no lines',
  );
}

function spanOf(entries: readonly AccessLogged[]): readonly [number, number] {
  return entries.reduce<[number, number]>(
    ([least, most], { atNs }) => [Math.min(least, atNs), Math.max(most, atNs)],
    [Infinity, -Infinity],
  );
}

function entryOf(line: AlbLogLine, startedAtMs: number): AccessLogged {
  const { trace, target } = line;
  const address = target === null ? null : target.address.includes(':') ? `[${target.address}]` : target.address;
  return {
    type: 'access-logged',
    atNs: msToNs(line.endedAtMs - startedAtMs),
    lane: trace.lane,
    slot: trace.slot,
    part: trace.part,
    loadBalancer: line.loadBalancer,
    target: target === null ? null : `${String(address)}:${String(target.port)}`,
    targetGroupArn: line.targetGroupArn,
    elbStatus: line.elbStatus,
    targetStatus: line.targetStatus,
    errorReason: line.errorReason,
  };
}

/** Rows whose request went out on a connection, and those of them that a log has a line of. */
function joined(reading: RunReading): { readonly joinedCount: number; readonly sentCount: number } {
  const key = (lane: number, slot: number, part: number): string => `${lane} ${slot} ${part}`;
  const logged = new Set(
    reading.entries.flatMap((entry) =>
      entry.type === 'access-logged' ? [key(entry.lane, entry.slot, entry.part)] : [],
    ),
  );
  const neverThere = new Set(unsent.map((outcome) => outcomeNumber[outcome]));
  let [joinedCount, sentCount] = [0, 0];
  for (const { columns, rowCount } of reading.batches()) {
    for (let i = 0; i < rowCount; i += 1) {
      if (columns.address[i] === 0 || neverThere.has(columns.outcome[i] as number)) continue;
      sentCount += 1;
      if (logged.has(key(columns.lane[i] as number, columns.slot[i] as number, columns.part[i] as number)))
        joinedCount += 1;
    }
  }
  return { joinedCount, sentCount };
}

/** No request was written, so nobody's access log can have one. */
const unsent = [
  'dropped',
  'withheld',
  'own-trouble',
  'connect-refused',
  'connect-timed-out',
  'connect-failed',
  'tls-failed',
  'tls-timed-out',
] as const;

/** Files as they are named; a folder is all files in it and below, as S3 has them by day; else a pattern. */
function filesOf(given: readonly string[]): readonly string[] {
  const files = given.flatMap((one) => {
    const stats = statSync(one, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) {
      return readdirSync(one, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    }
    const found = stats === undefined ? globSync(one) : [one];
    if (found.length === 0) throw userError('--alb-log', `there is no ${one}`);
    return found;
  });
  return [...new Set(files)].toSorted();
}
