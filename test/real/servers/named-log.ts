/**
 * What an authority was asked and what it was told to change, from its own log. bind9 with one thread does one thing after
 * the other, so that the order of lines tells which records each question met.
 */

export type NamedEvent =
  | {
      readonly kind: 'asked';
      /** Wall clock, ms since 1970. */
      readonly atMs: number;
      /** The address that the question came from. */
      readonly client: string;
      /** In lower case, as all names here. */
      readonly name: string;
      readonly type: string;
    }
  | {
      readonly kind: 'added';
      readonly atMs: number;
      readonly name: string;
      readonly type: string;
      readonly data: string;
    }
  | { readonly kind: 'deleted'; readonly atMs: number; readonly name: string; readonly type: string };

const asked = /^(\S+) client \S+ (\S+)#\d+ \(.*?\): query: (\S+) IN (\S+) /;
const added = /^(\S+) client .*: adding an RR at '(.+)' (\S+) (.+)$/;
const deleted = /^(\S+) client .*: deleting rrset at '(.+)' (\S+)$/;

/** In the order in which they happened. */
export function readNamedLog(text: string): readonly NamedEvent[] {
  return text.split('\n').flatMap((line): NamedEvent[] => {
    const [, askedAt = '', client = '', askedName = '', askedType = ''] = asked.exec(line) ?? [];
    if (askedAt !== '') {
      return [{ kind: 'asked', atMs: Date.parse(askedAt), client, name: askedName.toLowerCase(), type: askedType }];
    }
    const [, addedAt = '', addedName = '', addedType = '', data = ''] = added.exec(line) ?? [];
    if (addedAt !== '') {
      return [{ kind: 'added', atMs: Date.parse(addedAt), name: addedName.toLowerCase(), type: addedType, data }];
    }
    const [, deletedAt = '', name = '', type = ''] = deleted.exec(line) ?? [];
    return deletedAt === '' ? [] : [{ kind: 'deleted', atMs: Date.parse(deletedAt), name: name.toLowerCase(), type }];
  });
}
