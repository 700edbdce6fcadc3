#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';
import { createTerminal } from './terminal.ts';

// Who reads no further, as `head` does, has what he wants.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// A database and an export hold digests: what is made here is for its owner alone.
process.umask(0o077);

process.exitCode = await runCommandLine(process.argv.slice(2), createTerminal(process, process.cwd()));

// Connections to a server that has stopped never end, and would keep the command from ending.
setInterval(() => process.stdout.writableLength === 0 && process.exit(), 1_000).unref();
