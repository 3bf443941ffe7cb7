/** A playbook walked through, kept watching, and its file of readings; with ports that are plain objects. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { playbook, stepsOf } from '../../src/checks/playbook.ts';
import type { PlaybookFacts } from '../../src/checks/playbook-facts.ts';
import { newMarker, runStepCommand } from '../../src/cli/playbook-operator.ts';
import { openReadings } from '../../src/cli/playbook-readings.ts';
import { walk, type CommandEnd, type WalkEnd } from '../../src/cli/playbook-walk.ts';
import { watchPlaybook } from '../../src/cli/playbook-watch.ts';
import {
  askedOf,
  awsFacts,
  clusterWith,
  job,
  kubernetes,
  playbookFacts,
  playbookScenario,
  reading,
  rule,
  schedule,
  switchedName,
  told,
} from '../checks/playbook-kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-playbook-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the world is, as far as the steps below look at it. */
interface World {
  isSwitched: boolean;
  isRuleOn: boolean;
  isCronOn: boolean;
  canReadCron: boolean;
}

const scenario = playbookScenario(`
playbook:
  - { step: cron-suspended-on-new, command: suspend }
  - { step: ecs-schedules-disabled, command: disable, note: Takes the old jobs off. }
  - { step: dns-switched, command: switch }
  - converged
  - { title: Tell everybody }
  - { step: cron-enabled, command: enable }`);

function factsOf({ isSwitched, isRuleOn, isCronOn, canReadCron }: World): PlaybookFacts {
  const side = isSwitched ? 'new' : 'old';
  const name = switchedName({
    authorities: ['ns-1', 'ns-2'].map((server) => ({ server, asked: askedOf(side) })),
    resolvers: [{ server: 'vpc', asked: askedOf(side, { authoritative: false }) }],
  });
  const cluster = clusterWith({ kind: 'schedule', schedule: schedule({ isEnabled: isCronOn }) });
  const problems = canReadCron ? [] : [{ resource: 'cronjobs', why: 'not allowed to list cronjobs' }];
  return playbookFacts({
    look: { names: [name], scenario },
    old: { aws: awsFacts({ schedules: told([{ ...rule, isEnabled: isRuleOn }]) }) },
    new: { kubernetes: kubernetes({ facts: cluster.facts, problems }) },
  });
}

interface Walked {
  readonly end: WalkEnd;
  readonly ran: readonly string[];
  readonly marks: readonly string[];
  readonly asked: readonly string[];
  readonly said: string;
  readonly counted: readonly string[];
}

const fine: CommandEnd = { exitCode: 0, signal: null, error: '' };

async function walked(options: {
  readonly world?: Partial<World>;
  /** What each command does; left out: what it says. */
  readonly commands?: Readonly<Record<string, (world: World) => CommandEnd>>;
  readonly answers?: readonly string[];
  readonly from?: string;
  readonly acceptUnknown?: readonly string[];
  readonly isRollback?: boolean;
  readonly whileWaiting?: (world: World, waitedS: number) => void;
  readonly of?: typeof scenario;
  readonly only?: string;
  readonly tweak?: (facts: PlaybookFacts, world: World) => PlaybookFacts;
}): Promise<Walked> {
  const world: World = { isSwitched: false, isRuleOn: true, isCronOn: true, canReadCron: true, ...options.world };
  const does: Readonly<Record<string, (world: World) => CommandEnd>> = {
    suspend: (of) => ((of.isCronOn = false), fine),
    disable: (of) => ((of.isRuleOn = false), fine),
    switch: (of) => ((of.isSwitched = true), fine),
    enable: (of) => ((of.isCronOn = true), fine),
    ...options.commands,
  };
  const answers = [...(options.answers ?? ['', ''])];
  const [ran, marks, asked, said, counted]: string[][] = [[], [], [], [], []];
  let waitedS = 0;
  const all = stepsOf(options.of ?? scenario, options.isRollback ?? false);
  const end = await walk(
    options.only === undefined ? all : all.filter(({ name }) => name === options.only),
    {
      all,
      isRollback: options.isRollback ?? false,
      from: options.from ?? null,
      acceptUnknown: options.acceptUnknown ?? [],
      patienceMs: 600_000,
    },
    {
      look: () => Promise.resolve(options.tweak?.(factsOf(world), world) ?? factsOf(world)),
      ask: (text) => {
        asked?.push(text);
        return Promise.resolve(answers.shift() ?? null);
      },
      run: (command) => {
        const name = command.at(-1) ?? '';
        ran?.push(name);
        return Promise.resolve(does[name]?.(world) ?? fine);
      },
      mark: (mark) =>
        marks?.push(
          typeof mark === 'string' ? mark : `${mark.step} ${mark.result}${mark.isAccepted ? ' accepted' : ''}`,
        ),
      say: (text) => said?.push(text),
      count: (text) => counted?.push(text),
      nowMs: () => waitedS * 1000,
      wait: (ms) => {
        waitedS += ms / 1000;
        options.whileWaiting?.(world, waitedS);
        return Promise.resolve();
      },
      stopSignal: new AbortController().signal,
    },
  );
  return {
    end,
    ran: ran ?? [],
    marks: marks ?? [],
    asked: asked ?? [],
    said: (said ?? []).join('\n'),
    counted: counted ?? [],
  };
}

describe('step by step', () => {
  test('each command runs once between its checks, and what no machine sees is asked for', async () => {
    const { end, ran, asked, marks, said } = await walked({});
    expect([end, ran]).toEqual([0, ['suspend', 'disable', 'switch', 'enable']]);
    expect(asked).toEqual(['Do it, then press Enter: ']);
    expect(marks).toContain('switch by the playbook');
    expect(marks.filter((text) => text.includes('converged'))).toEqual(['converged pass']);
    expect(marks.filter((text) => text.includes('cron-enabled'))).toEqual([
      'playbook: step cron-enabled begins',
      'cron-enabled pass',
    ]);
    expect(said).toContain('Takes the old jobs off.');
  });

  test('what is so already is not done again', async () => {
    const { ran } = await walked({ world: { isCronOn: false, isRuleOn: false } });
    expect(ran).toEqual(['switch', 'enable']);
  });

  test('a command that fails stops it, and how to go on is said', async () => {
    const { end, ran, said } = await walked({ commands: { disable: () => ({ ...fine, exitCode: 7 }) } });
    expect([end, ran]).toEqual([5, ['suspend', 'disable']]);
    expect(said).toContain('ended with status 7');
    expect(said).toContain('To go on from here: --step --from ecs-schedules-disabled');
  });

  test('a command that changes nothing stops it after a moment, and names are not switched', async () => {
    const { end, ran, marks } = await walked({ commands: { disable: () => fine } });
    expect([end, ran]).toEqual([3, ['suspend', 'disable']]);
    expect(marks.at(-1)).toBe('ecs-schedules-disabled fail');
  });

  test('what takes a while is waited for with a countdown', async () => {
    const { end, counted } = await walked({
      commands: { switch: () => fine },
      whileWaiting: (world, waitedS) => (world.isSwitched = waitedS >= 33),
    });
    expect(end).toBe(0);
    expect(counted.length).toBeGreaterThan(3);
    expect(counted[0]).toContain('waiting for dns-switched, 120 s at the most');
  });

  test('what was so before is looked at again before names are switched', async () => {
    const { end, ran, said } = await walked({
      // Somebody's pipeline takes the CronJobs out of their suspension.
      commands: { disable: (world) => ((world.isRuleOn = false), (world.isCronOn = true), fine) },
    });
    expect([end, ran]).toEqual([3, ['suspend', 'disable']]);
    expect(said).toContain('Names are not switched');
  });

  test('it begins where it was stopped', async () => {
    const { end, ran } = await walked({ world: { isCronOn: false, isRuleOn: false }, from: 'dns-switched' });
    expect([end, ran]).toEqual([0, ['switch', 'enable']]);
  });

  test('the end of the input stops it', async () => {
    const { end, said } = await walked({ answers: [] });
    expect(end).toBe(4);
    expect(said).toContain('--from tell-everybody');
  });

  test('without a command the operator is asked, and it is looked at whether it was done', async () => {
    const of = playbookScenario('playbook: [ecs-schedules-disabled]');
    const { end, asked } = await walked({ of, answers: [''] });
    expect([end, asked]).toEqual([3, ['Do it, then press Enter: ']]);
  });

  test('what a step that no machine sees has done is seen by the step after it', async () => {
    const of = playbookScenario(`
playbook:
  - dns-switched
  - { title: Disable by hand, command: disable }
  - ecs-schedules-disabled`);
    const { end, asked } = await walked({ of, world: { isSwitched: true }, answers: [] });
    expect([end, asked]).toEqual([0, []]);
    const cronFirst = playbookScenario(`
playbook:
  - cron-suspended-on-new
  - { title: Disable by hand, command: disable }
  - ecs-schedules-disabled`);
    expect((await walked({ of: cronFirst, world: { isCronOn: false }, answers: [] })).end).toBe(0);
  });

  test('on the way back only commands for the way back run, and its mark is that of a rollback', async () => {
    const of = playbookScenario(`
playbook:
  - { step: cron-suspended-on-new, command: suspend, rollback: suspend }
  - { step: dns-switched, command: switch, rollback: back }`);
    const back = (world: World): CommandEnd => ((world.isSwitched = false), fine);
    const { ran, marks } = await walked({
      of,
      isRollback: true,
      world: { isSwitched: true },
      commands: { back },
      answers: [],
    });
    expect(ran).not.toContain('switch');
    expect(marks).not.toContain('switch by the playbook');
  });
});

describe('what nobody knows', () => {
  const world = { canReadCron: false };
  const of = playbookScenario('playbook: [cron-suspended-on-new]');

  test.for<readonly [answer: string, end: WalkEnd]>([
    ['accept cron-suspended-on-new', 0],
    ['y', 4],
    ['', 4],
    ['accept', 4],
  ])('is passed by typing its name alone: %s', async ([answer, end]) => {
    expect((await walked({ of, world, answers: [answer] })).end).toBe(end);
  });

  test('may be accepted beforehand by its name, and is said at the end', async () => {
    const { end, asked, said } = await walked({ of, world, answers: [], acceptUnknown: ['cron-suspended-on-new'] });
    expect([end, asked]).toEqual([0, []]);
    expect(said).toContain('Not known, and accepted: cron-suspended-on-new.');
  });
});

describe('before the command that switches names', () => {
  const ready = { isCronOn: false, isRuleOn: false };
  const from = 'dns-switched';
  /** Whose addresses they are is not known until it is switched. */
  const tweak = (facts: PlaybookFacts, { isSwitched }: World): PlaybookFacts => {
    const asked = askedOf('old').map((one) => ({ ...one, side: 'unknown' as const }));
    const names = [switchedName({ authorities: [{ server: 'ns-1', asked }] })];
    return isSwitched ? facts : { ...facts, look: { ...facts.look, names } };
  };

  test('it is looked again where nobody knows where names lead, too', async () => {
    const { end, ran } = await walked({ world: { ...ready, isRuleOn: true }, from, tweak, acceptUnknown: [from] });
    expect([end, ran]).toEqual([3, []]);
  });

  test.for<readonly [answer: string, acceptUnknown: readonly string[], WalkEnd, ran: readonly string[]]>([
    ['', [], 4, []],
    ['y', [], 4, []],
    ['accept dns-switched', [], 0, ['switch', 'enable']],
    ['', ['dns-switched'], 0, ['switch', 'enable']],
  ])('and what nobody knows is asked for: %s %j', async ([answer, acceptUnknown, end, ran]) => {
    const found = await walked({ world: ready, from, tweak, answers: [answer, '', ''], acceptUnknown });
    expect([found.end, found.ran]).toEqual([end, ran]);
  });

  test('an earlier step of which nobody knows stops it, unless that is accepted', async () => {
    const world = { ...ready, canReadCron: false };
    const { end, ran, said } = await walked({ world, from });
    expect([end, ran]).toEqual([4, []]);
    expect(said).toContain('--accept-unknown cron-suspended-on-new accepts it');
    expect((await walked({ world, from, acceptUnknown: ['cron-suspended-on-new'] })).ran).toContain('switch');
    const typed = await walked({ world, answers: Array<string>(3).fill('accept cron-suspended-on-new') });
    expect(typed.ran).toContain('switch');
  });

  test('earlier steps are those of the whole playbook, where only this one is walked', async () => {
    const { end, ran } = await walked({ world: { ...ready, isRuleOn: true }, only: from });
    expect([end, ran]).toEqual([3, []]);
  });
});

describe('where only waiting is left', () => {
  const world = { isCronOn: false, isRuleOn: false };
  const lagging = (facts: PlaybookFacts, { isSwitched }: World): PlaybookFacts => {
    const authorities = (['new', 'old'] as const).map((side) => ({ server: side, asked: askedOf(side) }));
    return isSwitched ? facts : { ...facts, look: { ...facts.look, names: [switchedName({ authorities })] } };
  };
  const whileWaiting = (of: World, waitedS: number): void => void (of.isSwitched ||= waitedS >= 30);
  const all = { world, tweak: lagging, from: 'dns-switched' };

  test('the command does not run again by itself', async () => {
    for (const answers of [[], ['', ''], ['n', '']]) {
      const { ran, asked } = await walked({ ...all, answers, whileWaiting });
      expect(ran).not.toContain('switch');
      expect(asked[0]).toContain('run it again? y/N');
    }
  });

  test('it runs where somebody says so, or where nobody is there and waiting was of no use', async () => {
    expect((await walked({ ...all, answers: ['y', ''] })).ran).toEqual(['switch', 'enable']);
    const { ran, counted } = await walked({ ...all, answers: [] });
    expect(ran).toEqual(['switch']);
    // For ten minutes, more and more seldom.
    expect(counted.length).toBeGreaterThan(30);
    expect(counted.length).toBeLessThan(60);
    expect((await walked({ ...all, answers: ['n'] })).end).toBe(3);
  });
});

test('jobs that were on at both sides go on when that is accepted', async () => {
  const of = playbookScenario('playbook: [jobs-exclusive, { step: dns-switched, command: switch }]');
  const jobs = { old: [job({ name: 'shop-nightly-report', activeCount: 1 })], new: [job()] };
  const all = {
    of,
    world: { isRuleOn: false },
    tweak: (facts: PlaybookFacts): PlaybookFacts => ({ ...facts, readings: [reading(600, { jobs }), reading(0)] }),
  };
  expect(await walked({ ...all, answers: [''] })).toMatchObject({ end: 3, ran: [] });
  expect(await walked({ ...all, answers: ['accept jobs-exclusive'] })).toMatchObject({ end: 0, ran: ['switch'] });
  expect(await walked({ ...all, acceptUnknown: ['jobs-exclusive'] })).toMatchObject({ end: 0, ran: ['switch'] });
});

test('a watch says each change once, and asks the sides seldom', async () => {
  const world: World = { isSwitched: false, isRuleOn: true, isCronOn: false, canReadCron: true };
  const steps = stepsOf(scenario, false);
  const stop = new AbortController();
  const said: string[] = [];
  const marks: string[] = [];
  let nowMs = 0;
  const found = await watchPlaybook(
    steps,
    { isRollback: false },
    {
      look: () => Promise.resolve(factsOf(world)),
      say: (text) => said.push(text),
      mark: ({ step, result }) => marks.push(`${nowMs / 1000} ${step} ${result}`),
      run: () => (nowMs >= 30_000 ? 'reports/1-shop' : null),
      nowMs: () => nowMs,
      wait: (ms) => {
        nowMs += ms;
        if (nowMs === 20_000) world.isRuleOn = false;
        if (nowMs === 40_000) world.isSwitched = true;
        if (nowMs >= 70_000) stop.abort();
        return Promise.resolve();
      },
      stopSignal: stop.signal,
    },
  );
  expect(said.map((line) => line.slice(10).split(':')[0])).toEqual([
    '✓ step 2, ecs-schedules-disabled',
    '✓ step 3, dns-switched',
    '✓ step 4, converged',
  ]);
  // A run that begins later is told of all that a machine sees, and then of what changes.
  expect(marks).toEqual([
    '30 cron-suspended-on-new pass',
    '30 ecs-schedules-disabled pass',
    '30 dns-switched fail',
    '30 converged fail',
    '30 cron-enabled fail',
    '40 dns-switched pass',
    '40 converged pass',
  ]);
  expect(found?.next).toBe('cron-enabled');
  expect(found).toEqual(playbook(factsOf(world), steps, false));
});

describe('the file of readings', () => {
  const open = (path: string, said: string[] = []) => openReadings(path, 'checks', (text) => said.push(text));
  const old = reading(600, { connectionAgesS: { 'old/shop-1': 3600 }, dns: 'old' });

  test('is read again by the next, and repeats nothing within a minute', () => {
    const path = join(folder, 'a', 'checks.ndjson');
    open(path).add(old);
    open(path).add({ ...old, atMs: old.atMs + 7000 });
    open(path).add({ ...old, atMs: old.atMs + 61_000 });
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(2);
    const last = { ...old, atMs: old.atMs + 70_000, dns: 'new' as const };
    expect(open(path).add(last)).toEqual([old, { ...old, atMs: old.atMs + 61_000 }, last]);
  });

  test('a torn line and one of another scenario are left out and said', () => {
    const path = join(folder, 'torn.ndjson');
    open(path).add(old);
    openReadings(path, 'other', () => {}).add({ ...old, atMs: old.atMs + 1 });
    appendFileSync(path, '{"formatVersion":1,"scen');
    const said: string[] = [];
    const now = { ...old, atMs: old.atMs + 300_000 };
    expect(open(path, said).add(now)).toEqual([old, now]);
    expect(said).toHaveLength(1);
    expect(open(path).add({ ...now, atMs: now.atMs + 300_000 })).toHaveLength(3);
  });

  test('what cannot be read or written is said once, and known all the same', () => {
    const said: string[] = [];
    writeFileSync(join(folder, 'file'), '');
    const readings = open(join(folder, 'file', 'checks.ndjson'), said);
    readings.add(old);
    const now = { ...old, atMs: old.atMs + 300_000 };
    expect(readings.add(now)).toEqual([old, now]);
    expect(said.map((text) => /cannot be \w+/.exec(text)?.[0])).toEqual(['cannot be read', 'cannot be written']);
  });
});

test('a mark goes to the watch that is running, and to none that has ended', () => {
  const reports = join(folder, 'reports');
  const said: string[] = [];
  const marker = newMarker(
    reports,
    () => 1_796_000_000_123,
    (text) => said.push(text),
  );
  expect(marker.run()).toBeNull();
  marker.mark('playbook: nobody runs');
  const runs = ['1-ended', '2-running'].map((name) => join(reports, name));
  for (const run of runs) mkdirSync(run, { recursive: true });
  const start = (atMs: number): string => `{"type":"run-started","startedAtMs":${atMs}}\n`;
  writeFileSync(join(runs[0] ?? '', 'journal.ndjson'), `${start(9)}{"type":"run-ended"}\n`);
  writeFileSync(join(runs[1] ?? '', 'journal.ndjson'), start(7));
  expect(marker.run()).toBe(runs[1]);
  marker.mark('switch by the playbook');
  const step = {
    step: 'jobs-exclusive',
    check: 'jobs-exclusive',
    result: 'unknown',
    isAccepted: true,
    observedAtMs: 1_796_000_000_007,
    evidence: ['jobs of old: denied'],
  } as const;
  marker.mark(step);
  const lines = readFileSync(join(runs[1] ?? '', 'marks.ndjson'), 'utf8')
    .trim()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { atMs: 1_796_000_000_123, text: 'switch by the playbook' },
    { atMs: 1_796_000_000_123, text: 'playbook: step jobs-exclusive not known, accepted', step },
  ]);
  expect(said).toEqual([]);
});

describe('commands of steps', () => {
  const run = (...words: readonly string[]) => runStepCommand(words, new AbortController().signal);

  test('end with their status, or with why they did not begin', async () => {
    expect(await run('sh', '-c', 'exit 7')).toEqual({ exitCode: 7, signal: null, error: '' });
    expect(await run('sh', '-c', 'kill -9 $$')).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    expect((await run('/no/such/program')).error).toBe('could not be started: ENOENT');
  });

  test('are left to themselves when the walk is stopped, and live on', async () => {
    const path = join(folder, 'lived-on');
    const stop = new AbortController();
    const ended = runStepCommand(['sh', '-c', `sleep 0.3; echo yes > ${path}`], stop.signal);
    stop.abort();
    expect((await ended).error).toMatch(/^was left to itself, as process \d+$/);
    await expect.poll(() => existsSync(path), { timeout: 20_000 }).toBe(true);
  });
});
