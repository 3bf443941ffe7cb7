/**
 * What starts jobs on the AWS side: EventBridge rules and Scheduler schedules. Both must be known to be off before those of
 * the other side are switched on. What a container runs by a cron of its own is seen by nobody.
 */
import type { DescribeRuleCommandOutput } from '@aws-sdk/client-eventbridge';
import type { GetScheduleCommandOutput, ScheduleSummary } from '@aws-sdk/client-scheduler';
import type { ScheduleSeen } from '../core/platform.ts';
import { readPages, type AwsClients } from './aws-clients.ts';
import type { TaskStart } from './ecs.ts';
import { notTold, told, type Told } from './told.ts';

export interface SchedulesAsked {
  /** `*` at the end for all that begin so; empty: those whose target is the cluster. */
  readonly names: readonly string[];
  /** Name or ARN; null = there is none, and names are needed. */
  readonly cluster: string | null;
  /** As ECS told it; null = ECS is asked for it. */
  readonly clusterArn: string | null;
  /** Of the cluster's tasks; null = not known. */
  readonly starts: readonly TaskStart[] | null;
  /** Schedules by ARN as they were when they were last changed; filled in. */
  readonly known: Map<string, GetScheduleCommandOutput>;
}

type Clients = Pick<AwsClients, 'ecs' | 'events' | 'scheduler'>;

/** Sorted by kind and name. */
export async function readSchedules(
  clients: Clients,
  asked: SchedulesAsked,
  signal: AbortSignal,
): Promise<Told<readonly ScheduleSeen[]>> {
  const found =
    asked.names.length > 0 ? await readNamed(clients, asked, signal) : await readOfCluster(clients, asked, signal);
  if (found.kind === 'not-told') return found;
  const { rules, schedules } = found.value;
  const seen = [
    ...rules.map((rule) => ruleSeen(rule, asked.starts)),
    ...schedules.map((schedule) => scheduleSeen(schedule, asked.starts)),
  ];
  const once = new Map(seen.map((one) => [`${one.kind} ${one.name}`, one]));
  return told([...once].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one));
}

interface Found {
  readonly rules: readonly DescribeRuleCommandOutput[];
  readonly schedules: readonly GetScheduleCommandOutput[];
}

/** A name may be that of a rule or of a schedule; one that is neither is missed. */
async function readNamed(clients: Clients, asked: SchedulesAsked, signal: AbortSignal): Promise<Told<Found>> {
  const rules: DescribeRuleCommandOutput[] = [];
  const schedules: GetScheduleCommandOutput[] = [];
  for (const name of asked.names) {
    const isPrefix = name.endsWith('*');
    const text = isPrefix ? name.slice(0, -1) : name;
    const isInGroup = text.includes('/');
    const ofRules = isInGroup
      ? told([])
      : isPrefix
        ? await rulesFrom(clients, text, signal)
        : await ruleOf(clients, text, signal);
    if (ofRules.kind === 'not-told') return ofRules;
    const ofScheduler = isPrefix
      ? await schedulesFrom(clients, { prefix: text, asked }, signal)
      : await scheduleOf(clients, text, signal);
    if (ofScheduler.kind === 'not-told') return ofScheduler;
    if (!isPrefix && ofRules.value.length + ofScheduler.value.length === 0) {
      return notTold('missing', `there is no rule and no schedule named ${name}`);
    }
    rules.push(...ofRules.value);
    schedules.push(...ofScheduler.value);
  }
  return told({ rules, schedules });
}

async function readOfCluster(clients: Clients, asked: SchedulesAsked, signal: AbortSignal): Promise<Told<Found>> {
  const arn = await clusterArnOf(clients, asked, signal);
  if (arn.kind === 'not-told') return arn;
  const names = await readPages(
    (NextToken) =>
      clients.events.ask(
        'events:ListRuleNamesByTarget',
        (client, options) => client.listRuleNamesByTarget({ TargetArn: arn.value, NextToken }, options),
        signal,
      ),
    ({ RuleNames }) => RuleNames,
    ({ NextToken }) => NextToken,
  );
  if (names.kind === 'not-told') return names;
  const rules: DescribeRuleCommandOutput[] = [];
  for (const name of names.value) {
    const rule = await ruleOf(clients, name, signal);
    if (rule.kind === 'not-told') return rule;
    // One that waits for an event is no schedule.
    rules.push(...rule.value.filter(({ ScheduleExpression = '' }) => ScheduleExpression !== ''));
  }
  const schedules = await schedulesFrom(clients, { targetArn: arn.value, asked }, signal);
  return schedules.kind === 'not-told' ? schedules : told({ rules, schedules: schedules.value });
}

async function clusterArnOf(
  { ecs }: Clients,
  { cluster, clusterArn }: SchedulesAsked,
  signal: AbortSignal,
): Promise<Told<string>> {
  if (clusterArn !== null) return told(clusterArn);
  if (cluster === null) return notTold('missing', 'neither schedules nor an ECS cluster are named');
  if (cluster.startsWith('arn:')) return told(cluster);
  const described = await ecs.ask(
    'ecs:DescribeClusters',
    (client, options) => client.describeClusters({ clusters: [cluster] }, options),
    signal,
  );
  if (described.kind === 'not-told') return described;
  const arn = described.value.clusters?.[0]?.clusterArn;
  return arn === undefined ? notTold('missing', `there is no ECS cluster named ${cluster}`) : told(arn);
}

/** Empty: there is none of that name, or no longer. */
async function ruleOf(
  { events }: Clients,
  Name: string,
  signal: AbortSignal,
): Promise<Told<readonly DescribeRuleCommandOutput[]>> {
  const rule = await events.ask(
    'events:DescribeRule',
    (client, options) => client.describeRule({ Name }, options),
    signal,
  );
  return orNone(rule);
}

async function scheduleOf(
  { scheduler }: Clients,
  name: string,
  signal: AbortSignal,
): Promise<Told<readonly GetScheduleCommandOutput[]>> {
  const [GroupName, Name] = name.includes('/') ? name.split('/') : [undefined, name];
  const schedule = await scheduler.ask(
    'scheduler:GetSchedule',
    (client, options) => client.getSchedule({ GroupName, Name }, options),
    signal,
  );
  return orNone(schedule);
}

function orNone<T>(answer: Told<T>): Told<readonly T[]> {
  if (answer.kind === 'told') return told([answer.value]);
  return answer.reason === 'missing' ? told([]) : answer;
}

function rulesFrom(
  { events }: Clients,
  NamePrefix: string,
  signal: AbortSignal,
): Promise<Told<readonly DescribeRuleCommandOutput[]>> {
  return readPages(
    (NextToken) =>
      events.ask(
        'events:ListRules',
        // A prefix of nothing is refused.
        (client, options) => client.listRules({ ...(NamePrefix === '' ? {} : { NamePrefix }), NextToken }, options),
        signal,
      ),
    ({ Rules, $metadata }) => Rules?.map((rule) => ({ ...rule, $metadata })),
    ({ NextToken }) => NextToken,
  );
}

interface SchedulesFrom {
  /** Of the name, with `group/` before it where only one group is meant. */
  readonly prefix?: string;
  readonly targetArn?: string;
  readonly asked: SchedulesAsked;
}

/** The list has no expressions: each schedule that was changed since it was last read is read. */
async function schedulesFrom(
  clients: Clients,
  { prefix = '', targetArn, asked: { known } }: SchedulesFrom,
  signal: AbortSignal,
): Promise<Told<readonly GetScheduleCommandOutput[]>> {
  const [GroupName, NamePrefix] = prefix.includes('/') ? prefix.split('/') : [undefined, prefix];
  const listed = await readPages(
    (NextToken) =>
      clients.scheduler.ask(
        'scheduler:ListSchedules',
        (client, options) =>
          client.listSchedules({ GroupName, ...(NamePrefix === '' ? {} : { NamePrefix }), NextToken }, options),
        signal,
      ),
    ({ Schedules }) => Schedules,
    ({ NextToken }) => NextToken,
  );
  if (listed.kind === 'not-told') return listed;
  const schedules: GetScheduleCommandOutput[] = [];
  for (const summary of listed.value) {
    if (targetArn !== undefined && summary.Target?.Arn !== targetArn) continue;
    const { Arn = '' } = summary;
    const before = known.get(Arn);
    if (before !== undefined && isSame(before, summary)) {
      schedules.push(before);
      continue;
    }
    const read = await scheduleOf(clients, `${summary.GroupName ?? 'default'}/${summary.Name ?? ''}`, signal);
    if (read.kind === 'not-told') return read;
    for (const one of read.value) {
      known.set(Arn, one);
      schedules.push(one);
    }
  }
  return told(schedules);
}

function isSame(before: GetScheduleCommandOutput, { State, LastModificationDate }: ScheduleSummary): boolean {
  return (
    before.State === State &&
    LastModificationDate !== undefined &&
    before.LastModificationDate?.getTime() === LastModificationDate.getTime()
  );
}

function ruleSeen(
  { Name = '', State, ScheduleExpression = '' }: DescribeRuleCommandOutput,
  starts: SchedulesAsked['starts'],
): ScheduleSeen {
  return {
    kind: 'event-rule',
    name: Name,
    // ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS is enabled too, and a state that is not known is not off.
    isEnabled: State !== 'DISABLED',
    expression: ScheduleExpression,
    // A rule's cron is in UTC.
    timeZone: 'UTC',
    ...runsOf(`events-rule/${Name}`, starts),
    startingDeadlineS: null,
  };
}

function scheduleSeen(
  {
    GroupName = 'default',
    Name = '',
    State,
    ScheduleExpression = '',
    ScheduleExpressionTimezone,
  }: GetScheduleCommandOutput,
  starts: SchedulesAsked['starts'],
): ScheduleSeen {
  return {
    kind: 'scheduler',
    name: GroupName === 'default' ? Name : `${GroupName}/${Name}`,
    isEnabled: State !== 'DISABLED',
    expression: ScheduleExpression,
    timeZone: ScheduleExpressionTimezone ?? null,
    ...runsOf(`chronos-schedule/${Name}`, starts),
    startingDeadlineS: null,
  };
}

/** What ECS keeps of who started a task was once cut to so many characters. */
const startedByLengthMin = 36;

function runsOf(
  startedBy: string,
  starts: SchedulesAsked['starts'],
): Pick<ScheduleSeen, 'activeCount' | 'lastRunAtMs'> {
  if (starts === null) return { activeCount: null, lastRunAtMs: null };
  const its = starts.filter(
    (start) =>
      start.startedBy === startedBy ||
      (start.startedBy.length >= startedByLengthMin && startedBy.startsWith(start.startedBy)),
  );
  const startedAtMs = its.flatMap(({ createdAtMs }) => createdAtMs ?? []);
  return {
    activeCount: its.filter(({ isActive }) => isActive).length,
    lastRunAtMs: startedAtMs.length === 0 ? null : Math.max(...startedAtMs),
  };
}
