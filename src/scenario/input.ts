/** The scenario file's shape, before defaults: what `schema.ts` lets through. What each key means is said there. */
import type { AddressChoice, ChangeVia, Direction, Side } from '../core/scenario.ts';
import type { PlaybookCheck } from '../core/playbook.ts';
import type { WorldInput } from './world-input.ts';

export interface TokenInput {
  readonly command: readonly string[];
  readonly everyS: number;
}

export interface RequestInput {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly writes?: boolean;
  readonly token?: TokenInput;
}

export interface ExpectInput {
  readonly status?: number;
  readonly statusIn?: readonly number[];
  readonly bodyIncludes?: string;
  readonly bodyMatches?: string;
  readonly header?: Readonly<Record<string, string>>;
}

export interface TimeoutsInput {
  readonly connectMs?: number;
  readonly tlsMs?: number;
  readonly firstByteMs?: number;
  readonly totalMs?: number;
}

/** What `defaults`, a service and a check can each say; the innermost wins. */
export interface ProbeInput {
  readonly ratePerSecond?: number;
  readonly goodWithinMs?: number;
  readonly timeouts?: TimeoutsInput;
  readonly request?: RequestInput;
  readonly expect?: ExpectInput;
}

/** Of a service, and in `defaults` of all. */
export interface PreflightInput {
  readonly slowPath?: string;
  readonly slowWithinS?: number;
  readonly uploadPath?: string;
  readonly uploadMethod?: string;
  readonly uploadBytes?: number;
  readonly writes?: boolean;
  readonly headerBytes?: number;
  readonly echoPath?: string;
}

export interface DefaultsInput extends ProbeInput {
  readonly preflight?: PreflightInput;
}

export interface CheckInput extends ProbeInput {
  readonly name?: string;
  readonly url: string;
}

export interface TlsInput {
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface ObjectivesInput {
  readonly outageMsMax?: number;
  readonly downtimeMsMax?: number;
  readonly failedRatioMax?: number;
  readonly worstMinuteFailedRatioMax?: number;
  readonly burst5xxCountMax?: number;
  readonly staleTargetCountMax?: number;
  readonly convergenceSMax?: number | 'auto';
  readonly flipBackCountMax?: number;
  readonly latencyP99RatioMax?: number;
}

export interface ServiceInput extends ProbeInput {
  readonly name: string;
  readonly url?: string;
  readonly checks?: readonly CheckInput[];
  readonly resolvers?: readonly string[];
  readonly tls?: TlsInput;
  readonly objectives?: ObjectivesInput;
  readonly preflight?: PreflightInput;
}

export interface AwsInput {
  readonly region?: string;
  readonly profile?: string;
  readonly loadBalancer?: string | readonly string[];
  readonly ecs?: { readonly cluster: string; readonly services?: readonly string[] };
  readonly schedules?: readonly string[];
}

export interface KubernetesInput {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly services?: readonly string[];
  readonly cronJobs?: readonly string[];
}

export interface SideInput {
  readonly title?: string;
  readonly addresses?: readonly string[];
  readonly marker?: Readonly<Record<string, string>>;
  readonly certificateSha256?: readonly string[];
  readonly aws?: AwsInput;
  readonly kubernetes?: KubernetesInput;
}

export interface ResolverInput {
  readonly name: string;
  readonly address?: string;
  readonly doh?: string;
  readonly dot?: string;
  readonly serverName?: string;
  readonly ca?: string;
}

export type ResolveInput =
  | 'per-connection'
  | 'ttl'
  | 'once'
  | { readonly kind: 'per-connection' }
  | { readonly kind: 'once'; readonly negativeS?: number }
  | { readonly kind: 'ttl'; readonly minS?: number; readonly maxS?: number; readonly graceS?: number }
  | { readonly kind: 'fixed'; readonly s: number; readonly graceS?: number; readonly negativeS?: number }
  | { readonly kind: 'on-break'; readonly minS?: number }
  | { readonly kind: 'refresh'; readonly s: number }
  | { readonly kind: 'pinned'; readonly address?: string };

export type ConnectInput =
  | 'new'
  | 'keep-alive'
  | 'http2'
  | 'held'
  | { readonly kind: 'new' }
  | { readonly kind: 'keep-alive'; readonly idleS?: number; readonly maxAgeS?: number; readonly maxRequests?: number }
  | { readonly kind: 'http2'; readonly idleS?: number }
  | { readonly kind: 'held'; readonly maxAgeS?: number };

export interface ClientInput {
  readonly weight?: number;
  readonly resolve?: ResolveInput;
  readonly connect?: ConnectInput;
  readonly choose?: AddressChoice;
  readonly families?: readonly (4 | 6)[];
  readonly retriesOnce?: boolean;
  readonly judged?: boolean;
  readonly standsFor?: string;
}

export type ClientsInput = readonly string[] | Readonly<Record<string, number | ClientInput>>;

export interface ChangeInput {
  readonly via?: ChangeVia;
  readonly direction?: Direction;
  readonly ttlBeforeS?: number;
  readonly ttlS?: number;
  readonly ttlLoweredAt?: string;
  readonly baselineS?: number;
  readonly waitS?: number;
  readonly convergenceTimeoutS?: number;
  readonly tailS?: number;
  readonly side?: Side;
  readonly replicaHeader?: string;
}

export type Route53Input =
  | boolean
  | {
      readonly profile?: string;
      readonly region?: string;
      readonly zoneId?: string;
      readonly changeId?: string;
    };

/** A list of words, or one text for the shell. */
export type CommandInput = string | readonly string[];

export type PlaybookStepInput =
  | PlaybookCheck
  | {
      readonly step?: PlaybookCheck;
      readonly title?: string;
      readonly note?: string;
      readonly command?: CommandInput;
      readonly rollback?: CommandInput;
    };

export interface ScenarioInput {
  readonly name: string;
  readonly defaults?: DefaultsInput;
  readonly services: readonly ServiceInput[];
  readonly sides: { readonly old?: SideInput; readonly new?: SideInput };
  readonly resolvers?: readonly ResolverInput[];
  readonly authorities?: 'auto' | 'none' | readonly string[];
  readonly clients?: ClientsInput;
  readonly change?: ChangeInput;
  readonly route53?: Route53Input;
  readonly playbook?: readonly PlaybookStepInput[];
  readonly references?: readonly string[];
  readonly objectives?: ObjectivesInput;
  readonly world?: WorldInput;
}
