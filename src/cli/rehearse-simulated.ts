/** A rehearsal in virtual time: hours in seconds, and the same seed gives the same report. */
import { nsToS } from '../core/time.ts';
import { inWorld } from '../scenario/in-world.ts';
import { certificateSha256Of } from '../sim/certificates.ts';
import { newVirtualProgress } from './progress.ts';
import { changeText, finishRehearsal, type Play, type Rehearsed } from './rehearse-on-sockets.ts';
import { followSignals } from './run-command.ts';
import { simulateRun } from './simulated-run.ts';

export async function rehearseSimulated({ scenario, world, setting, flags, writer }: Play): Promise<Rehearsed> {
  const startedAtMs = Date.now();
  const right = { old: { side: 'old', kind: 'right' }, new: { side: 'new', kind: 'right' } } as const;
  const moved = inWorld(scenario, setting, {
    dns: () => 53,
    playsPlatforms: world.isObserved !== false,
    certificateSha256: { old: certificateSha256Of(right.old), new: certificateSha256Of(right.new) },
  });
  for (const note of moved.notes) process.stderr.write(`note: ${note}\n`);
  const progress = newVirtualProgress(process.stderr);
  const stop = new AbortController();
  const unfollow = followSignals(stop, (text) => progress.say(text));
  try {
    const result = await simulateRun({
      scenario: moved.scenario,
      setting,
      world,
      seed: world.seed,
      folder: writer,
      startText: changeText,
      stopSignal: stop.signal,
      say: (text) => progress.say(text),
      reached: (nowNs) => progress.show(nowNs),
    });
    progress.end();
    const playedS = Math.round(nsToS(result.analysis.endedAtNs));
    process.stderr.write(`${playedS} s played in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s\n\n`);
    return finishRehearsal(result, result, writer, flags);
  } finally {
    unfollow();
    progress.end();
  }
}
