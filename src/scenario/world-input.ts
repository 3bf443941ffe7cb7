/** The shape of `world`, before defaults: what `world-schema.ts` lets through. What each key means is said there. */
import type { Cause } from '../core/analysis.ts';
import type { Side } from '../core/scenario.ts';
import type { VerdictValue } from '../core/verdict.ts';
import type { PlatformApi, PlatformSpec, RecordKind, ReplicaSpec, ResolverConduct, ZoneSpec } from '../core/world.ts';
import type { ResolverPreset } from './world-defaults.ts';

export interface ZoneInput {
  readonly nameServers?: readonly { readonly name: string; readonly lagS?: number }[];
  readonly record?: RecordKind;
  readonly startsAt?: Side;
  readonly ttlS?: number;
  readonly soaTtlS?: number;
  readonly soaMinimumS?: number;
  readonly healthCheck?: Partial<ZoneSpec['healthCheck']>;
}

export type StaleInput =
  | 'never'
  | 'unreachable'
  | 'always'
  | {
      readonly when?: 'unreachable' | 'always';
      readonly replyTtlS?: number;
      readonly staleSMax?: number;
      readonly saysSo?: boolean;
    };

export interface ConductInput extends Partial<Omit<ResolverConduct, 'cacheCount' | 'serveStale'>> {
  readonly like?: ResolverPreset;
  readonly caches?: number;
  readonly serveStale?: StaleInput;
}

export type WorldResolverInput = ResolverPreset | ConductInput;

export interface HealthCheckInput {
  readonly intervalS?: number;
  readonly timeoutS?: number;
  readonly healthyCount?: number;
  readonly unhealthyCount?: number;
}

/** Of both kinds of platform; which key is for which is checked where it is read. */
export interface PlatformInput {
  readonly kind?: PlatformSpec['kind'];
  readonly addresses?: number;
  readonly rttMs?: number;
  readonly replicas?: number;
  readonly replica?: Partial<ReplicaSpec>;
  readonly healthCheck?: 'aws' | 'controller' | HealthCheckInput;
  readonly deregistrationDelayS?: number;
  readonly idleTimeoutS?: number;
  readonly clientKeepAliveS?: number;
  readonly controllerLagS?: number;
  readonly endpointLagS?: number;
  readonly connectTimeoutS?: number;
  readonly tryCountMax?: number;
  readonly keepAliveTimeoutS?: number;
  readonly keepAliveRequestCount?: number;
}

interface Timed {
  readonly atS?: number;
  readonly afterChangeS?: number;
}

interface Lasting {
  readonly forS?: number;
}

interface OnSide {
  readonly side: Side;
}

interface OfServices {
  readonly services?: readonly string[];
}

export type StepInput = Timed &
  (
    | { readonly do: 'lower-ttl'; readonly ttlS: number }
    | ({ readonly do: 'switch-dns'; readonly to?: Side } & OfServices)
    | { readonly do: 'shift-weights'; readonly newRatio: number }
    | { readonly do: 'delete-and-create-record'; readonly to?: Side; readonly gapS: number }
    | ({ readonly do: 'lower-connection-age'; readonly clientKeepAliveS: number } & OnSide)
    | ({
        readonly do: 'deploy';
        readonly deregisters?: 'in-time' | 'late' | 'never';
        readonly lateS?: number;
      } & OnSide &
        OfServices)
    | ({ readonly do: 'remove-load-balancer'; readonly how?: 'refused' | 'silent' } & OnSide & Lasting)
    | ({ readonly do: 'suspend-schedules' | 'resume-schedules' } & OnSide)
    | ({ readonly do: 'lose-targets' } & OnSide & OfServices & Lasting)
    | ({ readonly do: 'lose-zone'; readonly zone: number; readonly how?: 'refused' | 'silent' } & OnSide & Lasting)
    | ({ readonly do: 'fail-app'; readonly status?: number; readonly ratio?: number } & OnSide & OfServices & Lasting)
    | ({ readonly do: 'slow-app'; readonly byMs: number } & OnSide & OfServices & Lasting)
    | ({ readonly do: 'throttle-cpu'; readonly quotaMs: number; readonly demandMs: number } & OnSide & Lasting)
    | ({
        readonly do: 'show-wrong-certificate';
        readonly certificate?: 'default' | 'other-name' | 'expired';
      } & OnSide &
        Lasting)
    | ({ readonly do: 'cut-off-resolver'; readonly resolver: string } & Lasting)
    | ({ readonly do: 'fail-resolver'; readonly resolver: string; readonly how?: 'servfail' | 'silent' } & Lasting)
    | ({ readonly do: 'fail-name-server'; readonly nameServer: string } & Lasting)
    | ({
        readonly do: 'degrade-network';
        readonly lossRatio?: number;
        readonly resetRatio?: number;
        readonly addedMs?: number;
      } & OnSide &
        Lasting)
    | ({ readonly do: 'lose-own-network' } & Lasting)
    | ({ readonly do: 'fail-platform-api'; readonly api?: PlatformApi } & OnSide & Lasting)
  );

export interface ExpectedInput {
  readonly verdict: VerdictValue;
  readonly causes?: readonly Cause[];
}

export interface WorldInput {
  readonly seed?: number;
  readonly zone?: ZoneInput;
  readonly resolvers?: Readonly<Record<string, WorldResolverInput>>;
  readonly old?: PlatformInput;
  readonly new?: PlatformInput;
  readonly script?: readonly StepInput[];
  readonly observed?: boolean;
  readonly expect?: ExpectedInput;
}
