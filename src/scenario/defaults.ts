/** Every number that a scenario need not say. */
import type { ChangeSpec, Objectives } from '../core/scenario.ts';

export const defaultProbe = {
  ratePerSecond: 2,
  goodWithinMs: 2000,
  connectMs: 5000,
  tlsMs: 5000,
  /** An ALB answers 504 after 10 s for a target that does not accept; a shorter total would hide it. */
  totalMs: 12_000,
} as const;

export const defaultPreflight = {
  /** Proxies give up after 60 s (ALB, ingress-nginx): one that does is seen with room, and one that does not is let be. */
  slowWithinS: 90,
  uploadMethod: 'POST',
  /** More than ingress-nginx lets pass by default, 1 MiB (`proxy-body-size`). */
  uploadBytes: 1_500_000,
} as const;

export const defaultChange: ChangeSpec = {
  via: 'dns',
  direction: 'old-to-new',
  ttlBeforeS: null,
  ttlS: null,
  ttlLoweredAt: null,
  baselineS: 60,
  waitS: 3600,
  convergenceTimeoutS: 900,
  tailS: 600,
};

export const defaultObjectives: Objectives = {
  outageMsMax: 2000,
  downtimeMsMax: 5000,
  failedRatioMax: 0.001,
  worstMinuteFailedRatioMax: 0.05,
  burst5xxCountMax: 0,
  staleTargetCountMax: 0,
  convergenceSMax: null,
  flipBackCountMax: 0,
  latencyP99RatioMax: 1.5,
};

/** Who is emulated when a scenario does not say: a client without any cache, and the three that hold on longest. */
export const defaultClients: readonly string[] = ['fresh', 'keep-alive', 'jvm-30', 'chrome'];
