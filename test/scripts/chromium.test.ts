// The step that makes sure of a browser, in the cases in which there is none: it ends with 1 and says what to do.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/chromium.ts', import.meta.url))

function run(environment: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

test('the browser that is named is taken, and its version is told', () => {
  const { status, stdout } = run({ CHROME_PATH: process.execPath })
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${process.version}, ${process.execPath}\n` })
})

test('a name that leads nowhere is refused, not replaced by another browser', () => {
  const { status, stderr } = run({ CHROME_PATH: `${script}.none` })
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `CHROME_PATH is ${script}.none, and nothing is there\n`,
  })
})
