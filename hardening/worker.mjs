// One part, in the process that main.mjs started for it.
const [, , file, plan] = process.argv;
const { run } = await import(file);
const { seed, scale } = JSON.parse(plan);
const rows = await run({ seed, scale, say: (text) => console.log(`    ${text}`) });
process.send({ rows });
// What a part leaves open is no reason to hang; that it leaves nothing open, the soak shows.
process.disconnect();
setTimeout(() => process.exit(), 5_000).unref();
