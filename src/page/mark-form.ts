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
    void send(text.value.trim()).then((problem) => {
      told.textContent = problem ?? 'marked';
      if (problem === null) text.value = '';
    });
  });
  return form;
}

/** Null when it was put down, else why not. */
async function send(text: string): Promise<string | null> {
  if (text === '') return 'say what was done';
  try {
    const response = await fetch('mark', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    if (response.ok) return null;
    return response.status === 401 || response.status === 403
      ? 'not marked: open the address with its token, as cutwatch printed it'
      : `not marked: status ${String(response.status)}`;
  } catch {
    return 'not marked: cutwatch could not be reached';
  }
}
