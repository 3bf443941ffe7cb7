/** What a key does to the live view, and what it asks for beyond it. Pure. */
import { windowsMs, type LiveView } from '../report/live-view.ts';
import { edit, emptyLine, lineOf, type Key } from './line-editor.ts';

export type Act =
  | { readonly kind: 'none' }
  | { readonly kind: 'mark'; readonly text: string }
  /** The watch shall end: as the first Ctrl-C, and as the second where it was asked to already. */
  | { readonly kind: 'interrupt' }
  /** Everything is drawn anew. */
  | { readonly kind: 'redraw' };

export interface Pressed {
  readonly view: LiveView;
  readonly act: Act;
}

const none: Act = { kind: 'none' };
const scrollRows = 5;

/** @param names services that are shown, in their order */
export function press(view: LiveView, key: Key, names: readonly string[]): Pressed {
  if (key.ctrl === true && key.name === 'c') return { view: { ...view, asking: null }, act: { kind: 'interrupt' } };
  if (key.ctrl === true && key.name === 'l') return { view, act: { kind: 'redraw' } };
  if (key.ctrl === true && key.name === 'z') {
    const notice = 'Not suspended: no probe would be sent. q stops the watch';
    return { view: { ...view, notice }, act: none };
  }
  const seen: LiveView = { ...view, notice: null };
  if (seen.asking !== null) return answer(seen, seen.asking, key);
  if (seen.isHelp) return { view: { ...seen, isHelp: false }, act: none };
  return { view: look(seen, key, names), act: none };
}

/** While something is asked, every key is about that. */
function answer(view: LiveView, asking: NonNullable<LiveView['asking']>, key: Key): Pressed {
  const left: LiveView = { ...view, asking: null };
  if (asking.kind === 'stop') {
    const isYes = key.name === 'y' || key.name === 'q';
    return { view: left, act: isYes ? { kind: 'interrupt' } : none };
  }
  if (key.name === 'escape') return { view: left, act: none };
  if (key.name === 'return' || key.name === 'enter') {
    const text = asking.edited.text.trim();
    if (asking.kind === 'filter') return { view: { ...left, filter: text, scroll: 0 }, act: none };
    return { view: left, act: text === '' ? none : { kind: 'mark', text } };
  }
  const edited = edit(asking.edited, key);
  // A filter shows what it does while it is typed.
  const filtered = asking.kind === 'filter' ? { filter: edited.text.trim(), scroll: 0 } : {};
  return { view: { ...view, ...filtered, asking: { kind: asking.kind, edited } }, act: none };
}

function look(view: LiveView, key: Key, names: readonly string[]): LiveView {
  // Node tells Escape as one with Alt.
  const isPlain = key.ctrl !== true && (key.meta !== true || key.name === 'escape');
  switch (isPlain ? (key.name ?? key.sequence ?? '') : '') {
    case 'm':
      return { ...view, asking: { kind: 'mark', edited: emptyLine } };
    case 'f':
    case '/':
      return { ...view, asking: { kind: 'filter', edited: lineOf(view.filter) } };
    case 'q':
      return { ...view, asking: { kind: 'stop' } };
    case '?':
    case 'h':
      return { ...view, isHelp: true };
    case 'escape':
      return { ...view, filter: '', scroll: 0 };
    case 'down':
    case 'j':
      return select(view, names, 1);
    case 'up':
    case 'k':
      return select(view, names, -1);
    case 'return':
    case 'enter':
    case 'space':
      return { ...view, isOpen: !view.isOpen, scroll: 0 };
    case 'pagedown':
      return { ...view, scroll: view.scroll + scrollRows };
    case 'pageup':
      return { ...view, scroll: view.scroll - scrollRows };
    case '+':
    case '=':
      return { ...view, windowMs: windowsMs.find((ms) => ms > view.windowMs) ?? view.windowMs };
    case '-':
      return { ...view, windowMs: windowsMs.findLast((ms) => ms < view.windowMs) ?? view.windowMs };
    default:
      return view;
  }
}

function select(view: LiveView, names: readonly string[], step: 1 | -1): LiveView {
  const index = Math.max(0, names.indexOf(view.selected ?? ''));
  const selected = names[Math.max(0, Math.min(names.length - 1, index + step))] ?? null;
  return { ...view, selected, scroll: 0 };
}
