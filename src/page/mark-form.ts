/** A note of the reader, put into the run's evidence. */
import { element } from './dom.ts';

const textMax = 200;

export function markForm(): HTMLFormElement {
  const text = element('input', {
    type: 'text',
    maxlength: String(textMax),
    placeholder: 'what has just been done',
    'aria-label': 'Text of the mark',
    required: '',
  });
  const told = element('output', { class: 'note' });
  const form = element('form', { class: 'mark' }, text, element('button', { type: 'submit' }, 'mark'), told);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(text.value.trim()).then(({ isMarked, answer }) => {
      told.textContent = answer;
      if (isMarked) text.value = '';
    });
  });
  return form;
}

interface Sent {
  readonly isMarked: boolean;
  /** For the reader, in the server's own words. */
  readonly answer: string;
}

async function send(text: string): Promise<Sent> {
  if (text === '') return { isMarked: false, answer: 'say what was done' };
  try {
    const response = await fetch('mark', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    if (!response.ok) return { isMarked: false, answer: `not marked: ${await response.text()}` };
    const { takenAs } = (await response.json()) as { readonly takenAs: string };
    return { isMarked: true, answer: `marked: ${takenAs}` };
  } catch {
    return { isMarked: false, answer: 'not marked: cutwatch could not be reached' };
  }
}
