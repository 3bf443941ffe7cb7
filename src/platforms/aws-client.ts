/**
 * How every AWS client is made and asked. Nothing of the SDK is loaded before somebody asks for it: `make` imports its
 * client when the first call is due.
 *
 * `requestTimeout` alone only prints a warning and waits on, so it throws, and each call has its own deadline besides. The
 * SDK makes one attempt of the standard kind, and what may pass is tried once more by us, in a turn of its own: attempts of
 * the SDK's would be in no budget, just when AWS throttles. Kind and count are given, for their defaults change with time.
 */
import type { Cancel, Clock } from '../core/ports.ts';
import { msToNs } from '../core/time.ts';
import { awsTrouble } from './aws-trouble.ts';
import type { Budget, Urgency } from './budget.ts';
import type { AwsAction } from './permissions.ts';
import { notTold, told, type NotTold, type Told } from './told.ts';

/** Whose account is asked, and where; each side may have its own. null = as AWS's own environment and files say. */
export interface AwsAccess {
  readonly profile: string | null;
  readonly region: string | null;
}

/** What each client of the SDK is made with. */
export interface AwsSettings {
  readonly profile?: string;
  readonly region?: string;
  readonly retryMode: 'standard';
  readonly maxAttempts: number;
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: true;
  };
}

/** What is asked of a client of the SDK, whichever it is. */
export interface SdkClient {
  readonly config: { readonly region: () => Promise<string> };
  destroy(): void;
}

export interface AwsClientOptions<Client> {
  readonly access: AwsAccess;
  /** Used where neither the scenario nor the environment names a region; for services that have none. */
  readonly regionElse?: string;
  readonly clock: Clock;
  /** The same for all clients of a run. */
  readonly budget: Budget;
  /** `async (settings) => new (await import('@aws-sdk/client-route-53')).Route53(settings)` */
  readonly make: (settings: AwsSettings) => Promise<Client>;
}

export interface AwsClient<Client> {
  /**
   * Waits for its turn, asks, and gives the answer or why there is none. `action` is the permission it needs, as IAM writes
   * it: `route53:GetChange`; `send` calls the method of that name, and no other, twice at the most. Never rejects.
   */
  ask<Answer>(
    action: AwsAction,
    send: (client: Client, options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
    signal: AbortSignal,
    urgency?: Urgency,
  ): Promise<Told<Answer>>;
  /** Closes its connections. */
  close(): void;
}

const connectionMsMax = 3000;
const requestMsMax = 5000;
/** Of one attempt, with what it takes to get credentials. */
const callMsMax = 12_000;

export function newAwsClient<Client extends SdkClient>(options: AwsClientOptions<Client>): AwsClient<Client> {
  const { access, clock, budget } = options;
  let making: Promise<Client> | null = null;

  async function client(): Promise<Client> {
    const settings = settingsOf(access);
    const made = await options.make(settings);
    if (options.regionElse === undefined) return made;
    try {
      await made.config.region();
      return made;
    } catch {
      return options.make({ ...settings, region: options.regionElse });
    }
  }

  return {
    async ask(action, send, signal, urgency) {
      let mayPass = false;
      const attempt = (): Promise<Told<Awaited<ReturnType<typeof send>>>> =>
        budget(
          async () => {
            if (signal.aborted) return notTold('stopped', 'it was stopped');
            const deadline = newDeadline(clock, signal);
            try {
              making ??= client();
              const made = await making;
              return told(await Promise.race([send(made, { abortSignal: deadline.signal }), deadline.passed]));
            } catch (error) {
              if (signal.aborted) return notTold('stopped', 'it was stopped');
              if (deadline.signal.aborted) return notTold('timed-out', `AWS did not answer ${action} within 12 s`);
              const trouble = awsTrouble(error, action, access);
              mayPass = isPassing(trouble, error);
              return trouble;
            } finally {
              deadline.cancel();
            }
          },
          signal,
          urgency,
        );
      const first = await attempt();
      return mayPass ? attempt() : first;
    },
    close() {
      making?.then(
        (made) => made.destroy(),
        () => {},
      );
    },
  };
}

const passing: ReadonlySet<NotTold['reason']> = new Set(['throttled', 'timed-out', 'unreachable']);

/** Whether a second attempt may be answered otherwise: after what was wrong with our clock the SDK has set it. */
function isPassing({ reason }: NotTold, error: unknown): boolean {
  const { httpStatusCode = 0, clockSkewCorrected = false } =
    (
      error as {
        readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
      } | null
    )?.$metadata ?? {};
  return passing.has(reason) || httpStatusCode >= 500 || clockSkewCorrected;
}

function settingsOf({ profile, region }: AwsAccess): AwsSettings {
  return {
    ...(profile === null ? {} : { profile }),
    ...(region === null ? {} : { region }),
    retryMode: 'standard',
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectionMsMax,
      requestTimeout: requestMsMax,
      throwOnRequestTimeout: true,
    },
  };
}

interface Deadline {
  readonly signal: AbortSignal;
  /** Rejects when it is over, for whoever does not look at the signal. */
  readonly passed: Promise<never>;
  readonly cancel: Cancel;
}

/** Over after `callMsMax`, or when `stopped` is. */
function newDeadline(clock: Clock, stopped: AbortSignal): Deadline {
  const over = new AbortController();
  const passed = Promise.withResolvers<never>();
  // Somebody may no longer wait for it.
  passed.promise.catch(() => {});
  const end = (): void => {
    over.abort();
    passed.reject(new Error('the call was given up'));
  };
  const cancel = clock.at(clock.nowNs() + msToNs(callMsMax), end);
  stopped.addEventListener('abort', end);
  return {
    signal: over.signal,
    passed: passed.promise,
    cancel() {
      cancel();
      stopped.removeEventListener('abort', end);
    },
  };
}
