#!/usr/bin/env node
// The command `holdfast`: refuses a Node that is too old in a sentence, before anything is loaded which that Node does not have, and
// hands the rest to main.ts. Nothing else is imported here at the top for that reason.

const FLOOR = [22, 13] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < FLOOR[0] || (major === FLOOR[0] && minor < FLOOR[1])) {
  console.error(
    `holdfast needs Node ${FLOOR.join('.')} or newer, and this is ${process.versions.node}. Install a newer Node, or run it with one: npx --package=node@24 -c 'holdfast …'`,
  )
  process.exitCode = 2
} else {
  const { main } = await import('./main.ts')
  process.exitCode = await main(process.argv.slice(2), {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    cwd: process.cwd(),
  })
}
