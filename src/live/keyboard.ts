/** The keys of a terminal, one by one as they are pressed: in raw mode, which is given back however we end. */
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';
import type { Key } from './line-editor.ts';

export interface Keyboard {
  /** Keys are heard. */
  readonly isOn: boolean;
  listen(): void;
  leave(): void;
}

/** What was typed while nobody listened comes at once; it was meant for somebody else. */
const settleMs = 150;

/** @param pressed `isPasted`: not from a finger, so it is text and never a command */
export function newKeyboard(input: ReadStream, pressed: (key: Key, isPasted: boolean) => void): Keyboard {
  let isOn = false;
  let isPasting = false;
  let listensFromMs = 0;

  const hear = (_text: string | undefined, key: Key): void => {
    if (key.name === 'paste-start') isPasting = true;
    else if (key.name === 'paste-end') isPasting = false;
    else if (performance.now() >= listensFromMs) pressed(key, isPasting);
  };

  function leave(): void {
    if (!isOn) return;
    isOn = false;
    input.off('keypress', hear);
    input.off('end', leave);
    input.off('error', leave);
    process.off('exit', leave);
    try {
      input.setRawMode(false);
    } catch {
      // It is gone, and its mode with it.
    }
    input.pause();
  }

  return {
    get isOn() {
      return isOn;
    },
    listen() {
      if (isOn || !input.isTTY || input.destroyed) return;
      try {
        input.setRawMode(true);
      } catch {
        return;
      }
      isOn = true;
      isPasting = false;
      listensFromMs = performance.now() + settleMs;
      emitKeypressEvents(input);
      input.on('keypress', hear);
      input.on('end', leave);
      input.on('error', leave);
      process.on('exit', leave);
      input.resume();
    },
    leave,
  };
}
