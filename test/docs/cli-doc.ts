/** docs/cli.md: what every command says of itself with --help, so that it can be read and searched without running it. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { program } from '../../src/cli/program.ts';

export function cliDoc(): string {
  return `${[
    '# Commands',
    'Each command as its `--help` has it; this page is made of the program. Installed, it is `cutwatch` or `npx cutwatch`; from a checkout `npm run -s cutwatch --`, which uses the Node that the project brings.',
    program.commands
      .map((command) => `- [${command.name()}](#cutwatch-${command.name()}): ${command.summary()}`)
      .join('\n'),
    fence(helpOf(program)),
    ...program.commands.flatMap((command) => [`## cutwatch ${command.name()}`, fence(helpOf(command))]),
  ].join('\n\n')}\n`;
}

function fence(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

function helpOf(command: CommandUnknownOpts): string {
  let text = '';
  command.configureOutput({
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}
