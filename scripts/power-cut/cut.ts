// Rounds of power cuts under one subject: each on a fresh disk, which is cut at a random moment while the subject writes; then the same
// subject is started on what the disk holds, and what it had acknowledged is looked for.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createDisk, type Disk } from './disk.ts'
import type { Durability, Subject } from './subject.ts'

/** For how long a subject writes before the cut: some moment between these. The system writes by itself after 30 s. */
const WRITING_MS = { from: 1_000, to: 2_500 }
/** What was acknowledged before the cut is on its way for so long at most. */
const ARRIVAL_MS = 200

/** What became of what was acknowledged. */
export interface Count {
  readonly acknowledged: number
  readonly lost: number
}

/** What is undone, last first, however the rounds end. */
const undo: (() => void | Promise<void>)[] = []

/** Undoes everything that is still there: disks, browsers, folders. */
export async function cleanUp(from = 0): Promise<void> {
  for (const step of undo.splice(from).reverse()) await step()
}

/** Plays rounds, telling of each; stops early as soon as `isEnough` says so. */
export async function cutPower(
  subject: Subject,
  durability: Durability,
  rounds: number,
  tell: (line: string) => void,
  isEnough: (count: Count) => boolean = () => false,
): Promise<Count> {
  const start = undo.length
  try {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
    undo.push(() => rmSync(folder, { recursive: true, force: true }))
    const release = await subject.prepare?.()
    if (release !== undefined) undo.push(release)
    let count: Count = { acknowledged: 0, lost: 0 }
    for (let round = 1; round <= rounds && !isEnough(count); round++) {
      const before = undo.length
      const { acknowledged, lost } = await playRound(subject, durability, join(folder, String(round)))
      count = { acknowledged: count.acknowledged + acknowledged, lost: count.lost + lost }
      tell(`${subject.name}, ${durability}, round ${round}: ${acknowledged} acknowledged, ${lost} lost`)
      await cleanUp(before)
    }
    return count
  } finally {
    await cleanUp(start)
  }
}

async function playRound(subject: Subject, durability: Durability, folder: string): Promise<Count> {
  const told = new Set<number>()
  const disk = owned(createDisk(folder))
  const writer = await subject.write(disk.folder, durability, (numbers) => {
    for (const number of numbers) told.add(number)
  })
  undo.push(() => writer.kill())
  disk.sync()
  writer.go()
  await setTimeout(WRITING_MS.from + Math.random() * (WRITING_MS.to - WRITING_MS.from))
  writer.freeze()
  await setTimeout(ARRIVAL_MS)
  const after = owned(disk.cutPower(`${folder}-after`))
  await writer.kill()
  const present = await subject.read(after.folder)
  return { acknowledged: told.size, lost: [...told].filter((number) => !present.has(number)).length }
}

function owned(disk: Disk): Disk {
  undo.push(() => disk.remove())
  return disk
}
