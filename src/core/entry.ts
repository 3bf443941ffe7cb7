/**
 * The journal: everything the log holds but probe rows. One JSON object a line, `type` in the past tense, `atNs` in ns
 * since run start on the monotonic clock. Types are added, never renamed: a run folder outlives the program.
 */
import type { PlatformSeen } from './platform.ts';
import type { StepSaid } from './playbook.ts';
import type { DnsReply } from './ports.ts';
import type { RecordHealth, RecordPolicy } from './record-policy.ts';
import type { Lane, Scenario, Side } from './scenario.ts';

export const formatVersion = 1;

export type RunMode = 'cutover' | 'rollback' | 'weights' | 'deploy';

export type Entry =
  | {
      readonly type: 'run-started';
      readonly atNs: 0;
      readonly formatVersion: number;
      readonly version: string;
      /** 8 hex digits, in every trace id. */
      readonly runId: string;
      /** Wall clock at instant 0, ms since 1970. */
      readonly startedAtMs: number;
      readonly mode: RunMode;
      readonly vantage: string;
      /** Without secrets: header values, bodies and keys are cut out. */
      readonly scenario: Scenario;
      readonly lanes: readonly Lane[];
      readonly host: { readonly node: string; readonly platform: string; readonly cpuCount: number };
      /** The wrapped command's program, without its arguments (they may hold secrets), or null. */
      readonly command: readonly string[] | null;
      /** How many probing threads: lane n is in thread n % workerCount. Left out by old logs: then batches tell. */
      readonly workerCount?: number;
    }
  /** A side's own name got an address that had no lane yet. */
  | { readonly type: 'lanes-added'; readonly atNs: number; readonly lanes: readonly Lane[] }
  /**
   * What a watched server answered. Written when the answer differs from the one before (of an authority its TTL, too),
   * else once in 10 s (or in six polls where these are rarer). The answer changed somewhere in [previousSentAtNs, reply.endedAtNs].
   */
  | {
      readonly type: 'dns-answered';
      readonly atNs: number;
      readonly watch: 'authority' | 'side';
      /** `address:port` of the server, or the resolver's name. */
      readonly server: string;
      readonly name: string;
      /** Authorities are asked for all of them, the sides' own names for addresses. */
      readonly question: 'A' | 'AAAA' | 'CNAME' | 'HTTPS' | 'SOA';
      /** For `watch: side`: whose name this is. */
      readonly side: Side | null;
      readonly reply: DnsReply;
      /** When the poll before this one was sent; null for the first. */
      readonly previousSentAtNs: number | null;
      /** Polls since the previous entry of this watch that said the same as it. */
      readonly sameCount: number;
    }
  /** Which authoritative servers are polled for which name, and how they were found. */
  | {
      readonly type: 'authorities-found';
      readonly atNs: number;
      readonly name: string;
      readonly zone: string;
      readonly servers: readonly string[];
      readonly found: 'given' | 'ns-lookup' | 'none';
      readonly error: string;
      /** The name is a link in the alias chain of this one; left out: the scenario has it. */
      readonly linkOf?: string;
      /** Its servers say all of it when asked for the name that led here, so it is not polled by itself. */
      readonly isAnsweredBefore?: boolean;
      /** What each name server of the zone has for addresses. */
      readonly nameServers?: readonly {
        readonly name: string;
        readonly addresses: readonly string[];
        /** Why there are none; '' else. */
        readonly error: string;
      }[];
      /** Which name servers the zone has, by the word of whom: a server of the zone above, or one of its own. */
      readonly nsSets?: readonly {
        readonly at: 'parent' | 'child';
        readonly server: string;
        readonly names: readonly string[];
        /** Why it says nothing; '' else. */
        readonly error: string;
      }[];
    }
  | { readonly type: 'marked'; readonly atNs: number; readonly text: string }
  | ({ readonly type: 'step-checked'; readonly atNs: number } & StepSaid)
  | {
      readonly type: 'command-started';
      readonly atNs: number;
      readonly command: readonly string[];
      readonly pid: number;
    }
  | {
      readonly type: 'command-ended';
      readonly atNs: number;
      readonly exitCode: number | null;
      readonly signal: string | null;
      /** It could not be started, or we stopped before it ended. */
      readonly error: string;
    }
  /** The wrapped command was not started, and why. */
  | { readonly type: 'command-withheld'; readonly atNs: number; readonly why: string }
  /** A probing thread did not run for a while (event loop, stolen processor, SIGSTOP). */
  | {
      readonly type: 'prober-stalled';
      readonly atNs: number;
      readonly worker: number;
      readonly fromNs: number;
      readonly toNs: number;
    }
  /** The main thread wrote a batch later than it should have. */
  | { readonly type: 'write-delayed'; readonly atNs: number; readonly delayMs: number }
  /** Evidence could not be written; from then on it may be missing. */
  | { readonly type: 'write-failed'; readonly atNs: number; readonly what: string; readonly error: string }
  /** Wall clock against monotonic clock moved. */
  | { readonly type: 'clock-stepped'; readonly atNs: number; readonly stepMs: number }
  /** A lane was blocked ten times in a row and now sends one probe in 10 s. */
  | { readonly type: 'lane-slowed'; readonly atNs: number; readonly lane: number; readonly slot: number }
  | { readonly type: 'lane-resumed'; readonly atNs: number; readonly lane: number; readonly slot: number }
  /** A kept connection ended while nothing was under way on it. */
  | {
      readonly type: 'connection-closed';
      readonly atNs: number;
      readonly lane: number;
      readonly address: string;
      readonly why: 'server-closed' | 'reset' | 'goaway';
      readonly ageMs: number;
    }
  /** Somebody else's word beside the probes: an observer (`route53`, `elbv2:old`, `kubernetes:new` …) begins to look. */
  | {
      readonly type: 'observer-started';
      readonly atNs: number;
      readonly observer: string;
      readonly side: Side | null;
      /** What it looks at, for people. */
      readonly what: string;
    }
  /** It cannot see, since `sinceNs` (when it last saw; its start, if never): nothing it would have told is known until it recovers. */
  | {
      readonly type: 'observer-blinded';
      readonly atNs: number;
      readonly observer: string;
      readonly sinceNs: number;
      /** A sentence, without secrets. */
      readonly why: string;
      /** Waiting mends nothing: there are no credentials, or they may not do it. Left out: it may pass by itself. */
      readonly isLasting?: true;
    }
  | { readonly type: 'observer-recovered'; readonly atNs: number; readonly observer: string }
  /** What AWS or Kubernetes said of a side's platform; `atNs` is when it was received. */
  | ({ readonly type: 'platform-seen'; readonly atNs: number } & PlatformSeen)
  /** A line of an ALB's access log that is one of our probes', by its trace id; `atNs` is when the request ended there. */
  | {
      readonly type: 'access-logged';
      readonly atNs: number;
      readonly lane: number;
      readonly slot: number;
      readonly part: number;
      /** `app/<name>/<id>`. */
      readonly loadBalancer: string;
      /** `address:port` of where it was sent; null: nowhere. */
      readonly target: string | null;
      readonly targetGroupArn: string | null;
      readonly elbStatus: number;
      /** null: no target answered. */
      readonly targetStatus: number | null;
      /** As the log has it; '' where it gives none. */
      readonly errorReason: string;
    }
  /**
   * What Route 53's API says of a name, in each zone of the account that has it (a public and a private one may): written
   * when it differs from before. It changed somewhere in [previousAskedAtNs, atNs].
   */
  | {
      readonly type: 'record-policy-seen';
      readonly atNs: number;
      readonly name: string;
      /** A name in whose alias chain this one is; left out: the scenario has it. */
      readonly linkOf?: string;
      readonly askedAtNs: number;
      /** null for the first. */
      readonly previousAskedAtNs: number | null;
      /** Empty: no zone of the account has it. */
      readonly policies: readonly RecordPolicy[];
    }
  /** What Route 53's checkers say, of a health check that a record has: written when it differs from before. */
  | {
      readonly type: 'record-health-seen';
      readonly atNs: number;
      readonly askedAtNs: number;
      readonly previousAskedAtNs: number | null;
      readonly health: RecordHealth;
    }
  /** How far a change made through Route 53's API is: INSYNC = all its name servers have it. */
  | {
      readonly type: 'dns-change-seen';
      readonly atNs: number;
      readonly id: string;
      readonly status: 'PENDING' | 'INSYNC';
      /** As Route 53's clock has it, ms since 1970. */
      readonly submittedAtMs: number;
      readonly askedAtNs: number;
      readonly previousAskedAtNs: number | null;
    }
  /** Something the reader of the report should know that fits nowhere else. */
  | { readonly type: 'noted'; readonly atNs: number; readonly text: string }
  | {
      readonly type: 'run-ended';
      readonly atNs: number;
      readonly why:
        | 'tail-watched'
        | 'nothing-changed'
        | 'not-converged'
        | 'not-qualified'
        | 'command-failed'
        | 'interrupted'
        | 'failed';
      /** When the last slot was due: slots due before this instant and without a row were lost. */
      readonly probedUntilNs: number;
      readonly rowCount: number;
      readonly definitionOverCapCount: number;
    };

export type EntryOf<T extends Entry['type']> = Extract<Entry, { type: T }>;
