/** What came of trying one permission, once: for `cutwatch doctor`. */
import type { NotTold, Told } from './told.ts';

export interface Tried {
  /** `ecs:ListTasks`, `watch pods`. */
  readonly permission: string;
  /** `not-tried`: what it would have been tried on could not be found out. */
  readonly result: 'allowed' | 'not-tried' | NotTold['reason'];
  /** A sentence where it is not allowed; '' else. */
  readonly why: string;
}

/** @param isInvented what was asked about is of our making: that nobody knows it shows that asking is allowed. */
export function triedOf(permission: string, answer: Told<unknown>, isInvented = false): Tried {
  if (answer.kind === 'told' || (isInvented && answer.reason === 'missing')) {
    return { permission, result: 'allowed', why: '' };
  }
  return { permission, result: answer.reason, why: answer.why };
}

export function notTried(permission: string, why: string): Tried {
  return { permission, result: 'not-tried', why };
}

/** Every other call would end in the same way. */
export function isHopeless({ result }: Tried): boolean {
  return result === 'no-credentials' || result === 'no-region' || result === 'stopped';
}

/** Nobody answers there, so that to ask for anything else would only take time. */
export function isSilent({ result }: Tried): boolean {
  return result === 'unreachable' || result === 'timed-out';
}

/** Of AWS: each service is reached at an address of its own. */
export async function tryEach<Action extends string>(
  actions: readonly Action[],
  tryOne: (action: Action) => Promise<Tried>,
): Promise<readonly Tried[]> {
  const all: Tried[] = [];
  const silent = new Set<string>();
  for (const action of actions) {
    const service = action.split(':')[0] ?? '';
    if (silent.has(service)) {
      all.push(notTried(action, `${service} did not answer before`));
      continue;
    }
    const tried = await tryOne(action);
    all.push(tried);
    if (isHopeless(tried)) break;
    if (isSilent(tried)) silent.add(service);
  }
  return all;
}
