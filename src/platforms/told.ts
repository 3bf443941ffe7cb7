/** What a platform said when it was asked: failure is a value, as it is of a port. */
import type { NotToldReason } from '../core/platform.ts';

export type Told<T> = { readonly kind: 'told'; readonly value: T } | NotTold;

export interface NotTold {
  readonly kind: 'not-told';
  readonly reason: NotToldReason;
  /** A sentence for people, without secrets: never a message of a library, which may quote a request with its keys. */
  readonly why: string;
}

export function told<T>(value: T): Told<T> {
  return { kind: 'told', value };
}

/** An answer of a shape that nobody expected must not end a run that watches a cutover, nor a playbook. */
export async function readable<T>(read: () => Promise<Told<T>>): Promise<Told<T>> {
  try {
    return await read();
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    return notTold('other', `what was answered could not be read (${name})`);
  }
}

export function notTold(reason: NotTold['reason'], why: string): NotTold {
  return { kind: 'not-told', reason, why };
}
