/**
 * Domain names as text. On the wire a label may hold any byte, also a dot; as text such bytes are escaped as in zone files
 * (`\.`, `\\`, `\032`), so that two names never read the same. Names that we read are in lower case: the random case of a
 * question (0x20) comes back in every name that is compressed against it, and must not make two answers of one.
 */

export { normalName } from '../core/dns-chain.ts';

const dot = 0x2e;
const backslash = 0x5c;

/** One label of a name, at most 63 bytes, as text in lower case. */
export function labelText(label: Uint8Array): string {
  let text = '';
  for (const byte of label) {
    if (byte === dot || byte === backslash) text += `\\${String.fromCharCode(byte)}`;
    else if (byte <= 0x20 || byte >= 0x7f) text += `\\${String(byte).padStart(3, '0')}`;
    else text += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
  }
  return text;
}

/** Whether we can ask for this name: labels of 1 to 63 printable ASCII characters, 253 in all, nothing escaped. */
export function isAskable(name: string): boolean {
  if (name === '.') return true;
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return bare.length <= 253 && bare.split('.').every((label) => /^[!-[\]-~]{1,63}$/.test(label));
}

/**
 * The name with its letters in random case (0x20): a forged reply would have to guess it. Letter i is upper case where bit
 * i of `bits` is set; 32 bytes are enough for every name.
 */
export function mixCase(name: string, bits: Uint8Array): string {
  let mixed = '';
  for (let i = 0; i < name.length; i += 1) {
    const isUpper = (((bits[(i >> 3) % bits.length] ?? 0) >> (i & 7)) & 1) === 1;
    const letter = name.charAt(i);
    mixed += isUpper ? letter.toUpperCase() : letter.toLowerCase();
  }
  return mixed;
}
