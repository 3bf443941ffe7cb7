/** The commands, their options and their help. Exit statuses are in the help: they are what pipelines build on. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { parseListenAddress, type ListenAddress } from '../live/listen-address.ts';
import { version } from './version.ts';

const exitStatuses = `
Exit status:
  0  pass
  1  cutwatch itself broke
  2  usage, or a scenario that cannot be used
  3  objectives missed (beats 5)
  4  inconclusive: not enough was seen to say pass or fail, or could be written
  5  the wrapped command failed
  130, 143  on the second Ctrl-C or SIGTERM; the first ends the watch, judges and reports
            (under npm run, npm itself answers Ctrl-C with 130, whatever the status of cutwatch)`;

const streams = `
The verdict is told on standard error, as all that is for people to read (2> file keeps it); standard output has report.json
with --json, and nothing else.`;

const ratePerServiceMax = 30;

function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected a number of probes per second above 0.');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0.');
  return value;
}

/** As `world.seed` of a scenario. */
function seed(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new InvalidArgumentError('expected a whole number from 0 to 4294967295.');
  }
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('expected a number of seconds above 0.');
  return value;
}

function listenAddress(text: string): ListenAddress {
  const found = parseListenAddress(text);
  if (found === null)
    throw new InvalidArgumentError('expected an address of this machine, a port, or both: 127.0.0.1:8080.');
  return found;
}

const listenText =
  'show the run as it goes at http://<address>: a page, /verdict for gates, /metrics for Prometheus\n' +
  '(docs/live.md); default any free port of 127.0.0.1, any other address needs the token of the URL';
const stayText = 'with --listen: go on so long after the end';

export const program: Command = new Command('cutwatch')
  .description('Proves, from outside and with evidence, what a cutover did to the people who use a service.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(cutwatch --help shows the commands)')
  .addHelpText('after', exitStatuses)
  .exitOverride();

program
  .command('init')
  .summary('write a first scenario, from a few questions or from flags')
  .description(
    'Writes a commented scenario, with what DNS says of the names today: where they lead, and their TTLs. What no flag\n' +
      'says is asked on the terminal. Only DNS is asked; nothing is probed.',
  )
  .option('--url <url...>', 'what users ask for; one service for each hostname')
  .option('--old <place...>', 'where the old side answers: names, addresses or networks')
  .option('--new <place...>', 'where the new side answers')
  .option('--name <name>', 'of the scenario; default made of the first hostname')
  .option('--resolver <address>', 'ask this resolver, and watch it in the scenario; default the system is asked')
  .option('--no-look-up', 'do not ask DNS')
  .option('--out <file>', 'file to write, - for standard output; default <name>.yaml')
  .option('--force', 'replace the file where it is there already')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch init
  cutwatch init --url https://orders.shop.example/ready --old shop-1.us-west-1.elb.amazonaws.com \\
    --new k8s-shop.elb.us-west-2.amazonaws.com
  cutwatch init --url https://orders.shop.example/ready --old 10.0.1.0/24 --new 10.0.2.0/24 --out -`,
  )
  .action(async (flags) => {
    const { initCommand } = await import('./init-command.ts');
    await initCommand(flags);
  });

program
  .command('run')
  .summary('watch a cutover: baseline, the change, convergence, tail, verdict, report')
  .description(
    'Probes every service of the scenario through the change and writes a run folder with evidence and report.\n' +
      'The change is made by the command after --, or by anybody: it is seen in DNS, in who answers, or marked.',
  )
  .argument('<scenario>', 'scenario file (YAML)')
  .argument('[command...]', 'after --: the command that makes the change; it starts once the baseline is good')
  .option('--out <folder>', 'run folder; default reports/<start>-<name>, with -2, -3 … where that is taken')
  .option('--json', 'print report.json on standard output')
  .option('--plain', 'lines instead of the live view, also in a terminal')
  .option('--ascii', 'no characters beyond ASCII in the live view')
  .option(
    '--rollback',
    'this is the way back to the old side: no baseline asked for; recovery and a clean tail are judged',
  )
  .option('--start-anyway', 'start the command although no lane qualified (the run cannot pass)')
  .option('--max-rate <n>', 'guard: most probes per second and service', rate, ratePerServiceMax)
  .option('--workers <n>', 'probing threads; default one for each 5,000 probes per second', count)
  .addOption(new Option('--listen [address:port]', listenText).preset('').argParser(listenAddress))
  .option('--stay <s>', stayText, seconds)
  .addHelpText(
    'after',
    `
Examples:
  cutwatch run shop.yaml                      wait for the change, watch it to its end
  cutwatch run shop.yaml -- ./switch-dns.sh   make the change as part of the watch
  cutwatch run shop.yaml --rollback -- ./switch-back.sh
  cutwatch run shop.yaml --listen             and look at it in a browser
${streams}
${exitStatuses}`,
  )
  .action(async (file, command, flags) => {
    const [{ loadScenario }, { runCommand }] = await Promise.all([
      import('./load-scenario.ts'),
      import('./run-command.ts'),
    ]);
    process.exitCode = await runCommand(loadScenario(file), command, flags);
  });

program
  .command('plan')
  .summary('every lane, rate, host and duration; sends nothing')
  .argument('<scenario>', 'scenario file (YAML)')
  .option('--max-rate <n>', 'guard: most probes per second and service', rate, ratePerServiceMax)
  .option('--json', 'print it as JSON')
  .addHelpText('after', "\nExamples:\n  cutwatch plan shop.yaml\n  cutwatch plan shop.yaml --json | jq '.requests'")
  .action(async (file, flags) => {
    const [{ loadScenario }, { planCommand }] = await Promise.all([
      import('./load-scenario.ts'),
      import('./plan-command.ts'),
    ]);
    planCommand(loadScenario(file), flags);
  });

program
  .command('preflight')
  .summary('is it safe to switch now, and if not, what is missing, and until when')
  .description(
    "Asks every name server and resolver, and the addresses of both sides with the services' own names. Says first how\n" +
      'many requests that will be; runs no command but the one for a token.',
  )
  .argument('<scenario>', 'scenario file (YAML)')
  .option('--rollback', 'ask the same of the way back, to the old side; the new one may be down')
  .option('--wait', 'wait until it is safe, or until waiting is of no use')
  .option('--json', 'print every check as JSON on standard output')
  .option('--memory <file>', 'where TTLs seen are remembered; default reports/preflight/<name>.json')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch preflight shop.yaml
  cutwatch preflight shop.yaml --wait && ./switch-dns.sh
  cutwatch preflight shop.yaml --rollback

Exit status: 0 safe to switch; 3 no, or not yet; 4 not known, which is never safe; 1 and 2 as always.`,
  )
  .action(async (file, flags) => {
    const [{ loadScenario }, { preflightCommand }] = await Promise.all([
      import('./load-scenario.ts'),
      import('./preflight-command.ts'),
    ]);
    process.exitCode = await preflightCommand(loadScenario(file), flags);
  });

program
  .command('doctor')
  .summary('are this machine and these credentials fit for a run of the scenario')
  .description(
    'Tries once what a run would need: tokens, each permission in AWS and Kubernetes, resolvers and name servers by each\n' +
      'way, the clock beside those of the servers, and the limits of this machine. Only what the scenario names is asked;\n' +
      'nothing is changed.',
  )
  .argument('<scenario>', 'scenario file (YAML)')
  .option('--json', 'print every check as JSON on standard output')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch doctor shop.yaml
  cutwatch doctor shop.yaml && cutwatch run shop.yaml -- ./switch-dns.sh
  cutwatch doctor shop.yaml --json | jq '.toDo'

Exit status: 0 fit for a run; 3 something has to be mended, and what stands first; 4 not known; 1 and 2 as always.`,
  )
  .action(async (file, flags) => {
    const [{ loadScenario }, { doctorCommand }] = await Promise.all([
      import('./load-scenario.ts'),
      import('./doctor-command.ts'),
    ]);
    process.exitCode = await doctorCommand(loadScenario(file), flags);
  });

program
  .command('playbook')
  .summary('every step of the switchover, or of the way back, checked: what is so, what is not, what is next')
  .description(
    'Asks name servers, the sides themselves, AWS and Kubernetes whether each step of the playbook is so, and changes\n' +
      'nothing. With --step it goes through them one by one, runs the command that the scenario has for a step, or asks\n' +
      'for it to be done, and stops where a check fails.',
  )
  .argument('<scenario>', 'scenario file (YAML)')
  .option('--rollback', 'the way back: the same steps with the sides swapped')
  .option('--only <step>', 'only this step')
  .addOption(
    new Option('--step', 'go through the steps, doing each between two checks').conflicts(['json', 'watch', 'only']),
  )
  .option('--from <step>', 'with --step: begin with this step')
  .option('--accept-unknown <step...>', 'with --step: go on where nothing is known of these steps')
  .option('--patience <s>', 'with --step: wait so long for what time alone mends', seconds, 7200)
  .addOption(
    new Option('--watch', 'keep checking until Ctrl-C, beside a run; one line for each change').conflicts('json'),
  )
  .option('--json', 'print every step as JSON on standard output')
  .option('--state <file>', 'where readings are kept; default reports/playbook/<name>.ndjson')
  .option('--memory <file>', 'where TTLs seen are remembered; default reports/preflight/<name>.json')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch playbook shop.yaml
  cutwatch playbook shop.yaml --only jobs-exclusive
  cutwatch playbook shop.yaml --step
  cutwatch playbook shop.yaml --step --from dns-switched
  cutwatch playbook shop.yaml --rollback --step
  cutwatch playbook shop.yaml --watch                  beside: cutwatch run shop.yaml

Exit status: 0 all steps that apply have passed (with --step: or were accepted); 3 one has not; 4 one is not known, or it
was stopped; 5 the command of a step failed; 1 and 2 as always.`,
  )
  .action(async (file, flags) => {
    const [{ loadScenario }, { playbookCommand }] = await Promise.all([
      import('./load-scenario.ts'),
      import('./playbook-command.ts'),
    ]);
    process.exitCode = await playbookCommand(loadScenario(file), flags);
  });

program
  .command('judge')
  .summary('the verdict again, from the evidence of a run, by the same or other objectives')
  .argument('<run>', 'run folder')
  .option(
    '--objectives <file>',
    'YAML with objectives, as in a scenario; limits not named stay those of the run; nothing is written',
  )
  .option(
    '--alb-log <file...>',
    'access logs of load balancers (as S3 has them, .gz or not), folders or patterns of them; what they say of the probes\n' +
      'is kept in the run folder as access.ndjson',
  )
  .option('--json', 'print report.json on standard output')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch judge reports/20261124T083015Z-shop
  cutwatch judge reports/20261124T083015Z-shop --objectives strict.yaml
  cutwatch judge reports/20261124T083015Z-shop --alb-log logs/2026/11/24
${streams}
${exitStatuses}`,
  )
  .action(async (path, flags) => {
    const { judgeWithLogs } = await import('./judge-command.ts');
    process.exitCode = await judgeWithLogs(path, flags);
  });

program
  .command('report')
  .summary('the report again, from the evidence of a run')
  .argument('<run>', 'run folder')
  .option(
    '--format <format>',
    'json, md, html, junit, svg or postmortem: print this one on standard output instead of writing all files',
  )
  .addHelpText(
    'after',
    '\nExamples:\n  cutwatch report reports/20261124T083015Z-shop --format md\n  cutwatch report reports/20261124T083015Z-shop --format postmortem > postmortem.md',
  )
  .action(async (path, flags) => {
    const { reportCommand } = await import('./judge-command.ts');
    process.exitCode = reportCommand(path, flags);
  });

program
  .command('mark')
  .summary('put a mark into a running watch')
  .description(
    'Adds a mark with the time of now. A text that begins with switch, cutover, change or rollback says that the change\n' +
      'is being made; one that names services is about these only. Any other text is a note for the report.',
  )
  .argument('<words...>', '[run folder] text; without a folder the newest running watch below reports/')
  .addHelpText(
    'after',
    '\nExamples:\n  cutwatch mark "switch orders"\n  cutwatch mark reports/20261124T083015Z-shop "cron jobs off"',
  )
  .action(async (words) => {
    const { markCommand } = await import('./mark-command.ts');
    markCommand(words);
  });

program
  .command('forecast')
  .summary('how the side that is left empties after the switch, and what it costs to remove it early')
  .description(
    'Simulates many users of every client behind every resolver of the scenario, from a seed; sends nothing. What it\n' +
      'assumes is printed with it. A `world:` in the scenario says how names, resolvers and sides behave.',
  )
  .argument('<scenario>', 'scenario file (YAML), or the name of one that comes with cutwatch')
  .option('--run <folder>', 'show beside it what this run measured')
  .option('--json', 'print the forecast as JSON')
  .option('--seeds <n>', 'populations of about fifty users', count, 200)
  .option('--seed <n>', "what all chance comes from; default the world's own", seed)
  .option('--request-every-s <s>', 'a user sends a request every so many seconds, on average', seconds, 5)
  .option('--horizon-s <s>', 'look so far beyond the switch; default until the last should have left', seconds)
  .option('--ttl-s <s>', 'what if the record had this TTL, and nobody lowered it', seconds)
  .option('--ascii', 'no characters beyond ASCII')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch forecast shop.yaml
  cutwatch forecast shop.yaml --ttl-s 3600                            what if the TTL is not lowered
  cutwatch forecast shop.yaml --run reports/20261124T083015Z-shop     beside what was measured`,
  )
  .action(async (file, flags) => {
    const { forecastCommand } = await import('./forecast-command.ts');
    forecastCommand(file, flags);
  });

program
  .command('compare')
  .summary('two runs side by side: what is worse for certain, what is noise, what cannot be told')
  .description(
    'Rehearsal against production, switchover against rollback, before against after a tuning. What cannot be compared is\n' +
      'said first; docs/compare.md has the rules.',
  )
  .argument('<a>', 'run folder: what it is held against')
  .argument('<b>', 'run folder')
  .option('--rename <names...>', 'a service, client or resolver that has another name in b: name-in-a=name-in-b')
  .addOption(
    new Option('--format <format>', 'of what is printed on standard output')
      .choices(['text', 'md', 'json'] as const)
      .default('text' as const),
  )
  .option('--json', 'as --format json')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch compare reports/20261124T083015Z-shop reports/20261124T093015Z-shop
  cutwatch compare reports/20261120T101500Z-rehearsal reports/20261124T083015Z-shop --rename orders=orders-prod
  cutwatch compare reports/before reports/after --json | jq '.differences[] | select(.result == "worse")'

Exit status: 0 nothing is worse; 3 b is worse, for certain; 4 that cannot be told; 1 and 2 as always.`,
  )
  .action(async (a, b, flags) => {
    const { compareCommand } = await import('./compare-command.ts');
    process.exitCode = compareCommand(a, b, flags);
  });

program
  .command('export')
  .summary('the evidence of a run as a table: NDJSON, CSV or Parquet')
  .description(
    'One row a probe, with what the analysis concluded of it; columns and units are in docs/export.md. A log that is not\n' +
      'whole is exported as far as it can be read, and that is said.',
  )
  .argument('<run>', 'run folder')
  .addOption(
    new Option('--format <format>', 'of the table')
      .choices(['ndjson', 'csv', 'parquet'] as const)
      .makeOptionMandatory(),
  )
  .addOption(
    new Option('--what <table>', 'probes, or the journal: what was logged beside them')
      .choices(['probes', 'journal'] as const)
      .default('probes' as const),
  )
  .option('--out <file>', 'default: standard output; for Parquet <run>/probes.parquet')
  .addHelpText(
    'after',
    `
Examples:
  cutwatch export reports/20261124T083015Z-shop --format parquet
  cutwatch export reports/20261124T083015Z-shop --format csv --out probes.csv
  cutwatch export reports/20261124T083015Z-shop --format ndjson | jq 'select(.result == "failed")'

Exit status: 0 all of it was written; 4 the log is not whole, or the file could not be written; 1 and 2 as always.`,
  )
  .action(async (path, flags) => {
    const { exportCommand } = await import('./export-command.ts');
    process.exitCode = await exportCommand(path, flags);
  });

program
  .command('schema')
  .summary('print the JSON Schema of scenario files')
  .action(async () => {
    const { scenarioJsonSchema } = await import('../scenario/schema.ts');
    process.stdout.write(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
  });

program
  .command('rehearse')
  .summary('a whole cutover in a world of this machine; no account, no network')
  .description(
    'Starts the world of a scenario on loopback addresses (name servers, resolvers, both sides, and what goes wrong),\n' +
      'runs a watch through the change, and says whether the verdict is the one that the scenario expects.\n' +
      'Without a scenario: the founding migration.',
  )
  .argument('[scenario]', 'scenario file (YAML), or the name of one that comes with cutwatch')
  .option('--out <folder>', 'run folder; default reports/<start>-<name>, with -2, -3 … where that is taken')
  .option('--json', 'print report.json on standard output')
  .option('--plain', 'lines instead of the live view, also in a terminal')
  .option('--ascii', 'no characters beyond ASCII in the live view')
  .option('--seed <n>', 'another world of the same kind; default as the scenario says', seed)
  .option('--simulate', 'in virtual time: hours in seconds, and the same seed gives the same report')
  .option('--truth', 'hold the report against what was really so, and print what differs')
  .addOption(
    new Option('--keep', 'leave the world running afterwards, for dig, curl or a browser, until Ctrl-C').conflicts(
      'simulate',
    ),
  )
  .addOption(
    new Option('--listen [address:port]', listenText).preset('').argParser(listenAddress).conflicts('simulate'),
  )
  .option('--stay <s>', stayText, seconds)
  .addHelpText(
    'after',
    `
Examples:
  cutwatch rehearse
  cutwatch rehearse stale-targets-after-deploy --truth
  cutwatch rehearse founding-migration-full-scale --simulate
  cutwatch rehearse shop.yaml --keep

Exit status: 0 when verdict and causes are those of world.expect; 4 when it is inconclusive and should not be, or when
not all could be written; 3 when it is otherwise another; without world.expect as of a run.
${streams}
${exitStatuses}`,
  )
  .action(async (scenario, flags) => {
    const { rehearseCommand } = await import('./rehearse-command.ts');
    process.exitCode = await rehearseCommand(scenario, flags);
  });
