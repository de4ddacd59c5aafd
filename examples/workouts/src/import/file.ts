// The file of an import, read and planned whole, for whoever must know what there is to bring in. A device reads it again by itself.
import { readFileSync } from 'node:fs'
import type { ImportOptions } from './options.ts'
import { readExport } from './parse.ts'
import { type Plan, planImport } from './plan.ts'

/** Plans the import of the file that was asked for. Throws when it is no export, and when nothing in it can be read. */
export function planFile({ file, path, units, actor }: ImportOptions): Plan {
  const plan = planImport(readExport(readFileSync(path), units), actor)
  if (plan.intents.length === 0)
    throw new Error(
      `${file} holds no set that can be read: ${plan.linesRead} lines, ${plan.unreadable.length} unreadable.`,
    )
  return plan
}
