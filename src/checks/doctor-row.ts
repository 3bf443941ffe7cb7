/** What is said of one thing that a run needs. */

export type DoctorTopic =
  | 'token'
  | 'credentials'
  | 'permission'
  | 'clock'
  | 'resolver'
  | 'authority'
  | 'open-files'
  | 'local-ports'
  | 'processors'
  | 'disk'
  | 'ipv6'
  | 'priority'
  | 'proxy';

export interface DoctorRow {
  readonly topic: DoctorTopic;
  /** What was looked at: a permission, a resolver and how it was asked. */
  readonly subject: string;
  readonly result: 'pass' | 'fail' | 'unknown';
  /** False: worth knowing, and a run is as good without. */
  readonly decides: boolean;
  /** A sentence. */
  readonly text: string;
  /** What to do; null: nothing. */
  readonly remedy: string | null;
}

interface Said {
  readonly decides?: boolean;
  readonly remedy?: string;
}

export interface DoctorRows {
  readonly pass: (subject: string, text: string) => DoctorRow;
  readonly fail: (subject: string, text: string, said: Said & { readonly remedy: string }) => DoctorRow;
  readonly unknown: (subject: string, text: string, said?: Said) => DoctorRow;
}

export function doctorRows(topic: DoctorTopic): DoctorRows {
  const row = (
    result: DoctorRow['result'],
    { subject, text }: Pick<DoctorRow, 'subject' | 'text'>,
    { decides = true, remedy }: Said,
  ): DoctorRow => ({ topic, subject, result, decides, text, remedy: remedy ?? null });
  return {
    pass: (subject, text) => row('pass', { subject, text }, {}),
    fail: (subject, text, said) => row('fail', { subject, text }, said),
    unknown: (subject, text, said = {}) => row('unknown', { subject, text }, said),
  };
}
