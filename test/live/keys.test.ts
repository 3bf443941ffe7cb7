import { describe, expect, test } from 'vitest';
import { press } from '../../src/live/keys.ts';
import type { Key } from '../../src/live/line-editor.ts';
import { firstView, type LiveView } from '../../src/report/live-view.ts';

const names = ['orders', 'billing', 'cart'];

/** A letter is a key of its own; what is in brackets is the name of one. */
function keysOf(typed: string): Key[] {
  return Array.from(typed.matchAll(/<(ctrl-)?([a-z]+)>|(.)/gsu), ([, ctrl, name, letter]) => {
    if (letter !== undefined) return { name: /[a-z]/.test(letter) ? letter : undefined, sequence: letter };
    // As Node tells it.
    return { name, ctrl: ctrl !== undefined, meta: name === 'escape', sequence: '\x1b[' };
  });
}

function type(typed: string, from: LiveView = firstView): { readonly view: LiveView; readonly acts: unknown[] } {
  let view = from;
  const acts: unknown[] = [];
  for (const key of keysOf(typed)) {
    const pressed = press(view, key, names);
    view = pressed.view;
    if (pressed.act.kind !== 'none') acts.push(pressed.act);
  }
  return { view, acts };
}

describe('marks', () => {
  test.for([
    { typed: 'mswitch orders<return>', text: 'switch orders' },
    { typed: 'mqjk/?<return>', text: 'qjk/?' }, // no key means anything else while a mark is typed
    { typed: 'mab<left>X<return>', text: 'aXb' },
    { typed: 'mab<backspace><backspace><backspace>c<return>', text: 'c' },
    { typed: 'mone two<ctrl-w>x<return>', text: 'one x' },
    { typed: 'mone<ctrl-u>two<return>', text: 'two' },
    { typed: 'mone<home>X<end>Y<return>', text: 'XoneY' },
    { typed: 'm漢字<left><delete>!<return>', text: '漢!' },
    { typed: 'm  spaced  <return>', text: 'spaced' },
  ])('$typed marks "$text"', ({ typed, text }) => {
    const { view, acts } = type(typed);
    expect(acts).toEqual([{ kind: 'mark', text }]);
    expect(view.asking).toBeNull();
  });

  test.for(['m<return>', 'm   <return>', 'mno<escape>', 'm\u0007<return>'])('%j marks nothing', (typed) => {
    expect(type(typed).acts).toEqual([]);
  });
});

describe('the end', () => {
  test.for([
    { typed: 'q', count: 0 },
    { typed: 'qx', count: 0 },
    { typed: 'q<return>', count: 0 },
    { typed: 'qy', count: 1 },
    { typed: 'qq', count: 1 },
    { typed: '<ctrl-c>', count: 1 },
    { typed: 'mtyping<ctrl-c>', count: 1 },
    { typed: '<ctrl-c><ctrl-c>', count: 2 },
  ])('$typed interrupts $count times', ({ typed, count }) => {
    expect(type(typed).acts).toEqual(Array.from({ length: count }, () => ({ kind: 'interrupt' })));
  });

  test('Ctrl-Z stops nothing, and says why', () => {
    const { view, acts } = type('<ctrl-z>');
    expect(acts).toEqual([]);
    expect(view.notice).toContain('no probe would be sent');
    expect(type('j', view).view.notice).toBeNull();
  });
});

describe('looking', () => {
  test.for([
    { typed: 'j', selected: 'billing' },
    { typed: 'jj', selected: 'cart' },
    { typed: 'jjjj', selected: 'cart' },
    { typed: '<down><down><up>', selected: 'billing' },
    { typed: 'k', selected: 'orders' },
  ])('$typed selects $selected', ({ typed, selected }) => {
    expect(type(typed).view.selected).toBe(selected);
  });

  test('a filter works while it is typed, and goes again', () => {
    expect(type('/fre').view.filter).toBe('fre');
    expect(type('/fresh<return>').view).toMatchObject({ filter: 'fresh', asking: null });
    expect(type('/fresh<return><escape>').view.filter).toBe('');
    expect(type('/fresh<return>f vpc<return>').view.filter).toBe('fresh vpc');
    expect(type('/fresh<return>f<ctrl-u><return>').view.filter).toBe('');
  });

  test('strips show less or more, to an end', () => {
    expect(type('-----').view.windowMs).toBe(60_000);
    expect(type('+').view.windowMs).toBe(15 * 60_000);
    expect(type('+++++++').view.windowMs).toBe(240 * 60_000);
  });

  test('help goes with any key, which does nothing else', () => {
    expect(type('?').view.isHelp).toBe(true);
    expect(type('?q').view).toMatchObject({ isHelp: false, asking: null });
  });

  test('lanes are opened and closed', () => {
    expect(type('<return>').view.isOpen).toBe(true);
    expect(type('<return><return>').view.isOpen).toBe(false);
  });
});
