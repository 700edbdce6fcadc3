import { describe, expect, test } from '@jest/globals';
import { runHere } from '../support/command-line.ts';

const COMMANDS = [
  'create',
  'list',
  'show',
  'update',
  'rotate',
  'disable',
  'enable',
  'revoke',
  'delete',
  'verify',
  'import',
  'export',
  'prune',
  'migrate',
  'doctor',
  'openapi',
];

/** Shaped as keys are, and of nobody. */
const KEY = `acme_live_${'k'.repeat(38)}`;

function expectScreenful(help: string): void {
  const lines = help.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
}

describe('help', () => {
  test('names every command on one screen', async () => {
    const { code, stdout, stderr } = await runHere(['--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expectScreenful(stdout);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  test.each(COMMANDS)('of %s is one screen, the same for --help, -h and help', async (command) => {
    const { code, stdout } = await runHere([command, '--help']);
    expect(code).toBe(0);
    expectScreenful(stdout);
    expect(stdout).toMatch(new RegExp(`^keystile ${command}`));
    expect((await runHere(['help', command])).stdout).toBe(stdout);
    expect((await runHere([command, '-h'])).stdout).toBe(stdout);
  });

  test('is what comes without a command, as a mistake', async () => {
    const { code, stdout } = await runHere([]);
    expect(code).toBe(2);
    expect(stdout).toContain('keystile COMMAND');
  });
});

describe('a wrong command line', () => {
  test.each<[string, string[], string]>([
    ['a misspelt command', ['lsit'], 'There is no command lsit; did you mean list?'],
    ['a flag that was cut short', ['list', '--unused', '90d'], 'did you mean --unused-for?'],
    ['a command like none', ['frobnicate'], 'There is no command frobnicate; see keystile --help'],
    [
      'a misspelt flag',
      ['list', '--organisation', 'x'],
      'unknown flag --organisation; did you mean --organization?',
    ],
    [
      'a flag like none',
      ['show', 'x', '--frobnicate'],
      'unknown flag --frobnicate; see keystile show --help',
    ],
    ['a flag of another command', ['enable', 'x', '--grace', '1h'], 'keystile enable: unknown flag --grace'],
    ['a flag without its value', ['list', '--limit'], '--limit needs a value: --limit N'],
    ['a flag for the value of another', ['list', '--limit', '--json'], '--limit needs a value'],
    ['a value for a flag that takes none', ['list', '--json=yes'], '--json takes no value.'],
    ['a flag twice', ['list', '--limit', '1', '--limit', '2'], '--limit was given twice.'],
    ['no id', ['show'], 'keystile show needs the ID of a key'],
    ['two ids', ['disable', 'a', 'b'], 'keystile disable takes one ID, not 2.'],
    ['an argument for a command without any', ['list', 'a'], 'keystile list takes flags only'],
    ['no name', ['create', '--organization', 'o'], '--name TEXT is needed.'],
    ['no organization', ['create', '--name', 'n'], '--organization ID is needed.'],
    ['a wrong number', ['list', '--limit', 'many'], '--limit must be a whole number.'],
    ['a wrong time', ['list', '--unused-for', '3 weeks'], '--unused-for must be a time such as 30d'],
    [
      'a wrong moment',
      ['create', '--name', 'n', '--organization', 'o', '--expires', '31.12.2030'],
      '--expires must be',
    ],
    [
      'a day that is none',
      ['create', '--name', 'n', '--organization', 'o', '--expires', '2030-02-30'],
      '--expires',
    ],
    ['a wrong owner', ['list', '--owner', 'bob'], '--owner must be TYPE:ID'],
    [
      'wrong metadata',
      ['create', '--name', 'n', '--organization', 'o', '--metadata', '{'],
      '--metadata must be JSON',
    ],
    ['flags that exclude one another', ['list', '--enabled', '--disabled'], 'exclude one another'],
    ['nothing to change', ['update', 'x'], 'Nothing to change was given'],
    [
      'a key and all keys',
      ['revoke', 'x', '--organization', 'o'],
      'Name one of ID, --organization and --owner.',
    ],
    ['neither', ['revoke'], 'Name one of ID, --organization and --owner.'],
    [
      'an address that is none',
      ['list', '--store', 'oracle://u:hunter22@h/d'],
      'The store must be sqlite:FILE',
    ],
    ['no store', ['list'], 'No store is named.'],
    ['another environment', ['list', '--environment', 'prod'], 'The environment must be live or test'],
  ])(
    '(%s) is said to be one, with exit code 2 and nothing on standard output',
    async (_case, args, message) => {
      const needsStore = !args.includes('--store') && message !== 'No store is named.';
      const given = needsStore ? [...args, '--store', 'sqlite:/nowhere/keys.db'] : args;
      const { code, stdout, stderr } = await runHere(given);
      expect(stderr).toContain(message);
      expect(stderr).not.toContain('hunter22');
      expect(stdout).toBe('');
      expect(code).toBe(2);
    },
  );

  test.each<[string, string[]]>([
    ['as the argument of verify', ['verify', KEY]],
    ['as the value of a flag', ['verify', '--key', KEY]],
    ['as the value of a flag, with =', ['verify', `--key=${KEY}`]],
    ['as an id', ['revoke', KEY, '--yes']],
    ['as a command', [KEY]],
    ['as a pair', ['show', `01a1f9a1-fe4e-7724-9e6e-11adffd26d6d.${'s'.repeat(40)}`]],
    ['as a JSON Web Token', ['verify', `eyJhbGciOiJFUzI1NiJ9.${'c'.repeat(40)}.${'k'.repeat(40)}`]],
  ])('that holds a key (%s) is refused, and the key is not repeated', async (_case, args) => {
    const { code, stdout, stderr } = await runHere(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('history of this shell');
    expect(stderr).not.toMatch(/k{8}|s{8}/);
  });

  test('repeats no foreign key either that is given to verify', async () => {
    const { code, stderr } = await runHere(['verify', 'legacy-0123456789abcdef']);
    expect(code).toBe(2);
    expect(stderr).toContain('history of this shell');
    expect(stderr).not.toContain('0123456789');
  });
});
