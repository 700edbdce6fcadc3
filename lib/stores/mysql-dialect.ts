import { type ColumnType, type DialectRules, errorAndCauses } from './sql-dialect.ts';

/**
 * What is compared is VARBINARY: every collation that both MySQL and MariaDB have takes `a` for `a `, and most take it
 * for `A` as well. A flag is no TINYINT(1), which some drivers turn into a boolean.
 */
const TYPES: Readonly<Record<ColumnType['kind'], (length: number) => string>> = {
  exact: (length) => `VARBINARY(${length})`,
  text: (length) => `VARCHAR(${length})`,
  // TEXT ends at 65,535 bytes, and a thousand scopes may have more.
  json: () => 'MEDIUMTEXT',
  integer: () => 'BIGINT',
  flag: () => 'SMALLINT',
};

/** Duplicate entry, in its two wordings. */
const UNIQUE_VIOLATION = [1062, 1586];

/** Table exists, lock wait timeout, deadlock, definition changed meanwhile. */
const BUSY = [1050, 1205, 1213, 1412];

const MISSING_COLUMN = [1054];

/** Duplicate column, duplicate index. */
const DUPLICATE_COLUMN = [1060, 1061];

/**
 * Since 1970, which is day 719,528, by UTC, as the local time of a server may have one hour twice; and by SYSDATE() what has passed since the
 * statement began, as it may have waited for the row.
 */
const NOW =
  '((TIMESTAMPDIFF(MICROSECOND, FROM_DAYS(719528), UTC_TIMESTAMP(3)) + ' +
  'TIMESTAMPDIFF(MICROSECOND, NOW(3), SYSDATE(3))) DIV 1000)';

/** MySQL 5.7 and later, MariaDB 10.3 and later. */
export const mysqlDialect: DialectRules = Object.freeze({
  name: 'mysql',
  columnType: ({ kind, length }: ColumnType) => TYPES[kind](length),
  tableOptions: ' ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  quote: (name: string) => `\`${name}\``,
  // CREATE INDEX IF NOT EXISTS is MariaDB's alone.
  indexStatements: false,
  numbersValues: false,
  // INSERT IGNORE would cut what is too long, and turn what is wrong into something else.
  skipDuplicates: '',
  updateReturns: false,
  lockRows: '',
  now: NOW,
  isUniqueViolation: (error: unknown) => hasNumber(error, UNIQUE_VIOLATION),
  isBusy: (error: unknown) => hasNumber(error, BUSY),
  isMissingColumn: (error: unknown) => hasNumber(error, MISSING_COLUMN),
  isDuplicateColumn: (error: unknown) => hasNumber(error, DUPLICATE_COLUMN),
});

function hasNumber(error: unknown, numbers: readonly number[]): boolean {
  return errorAndCauses(error).some(({ errno }) => numbers.includes(errno as number));
}
