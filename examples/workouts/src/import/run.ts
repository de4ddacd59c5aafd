// One import from beginning to end: devices without a network make their intents and are killed; then there is a network, a bad
// one; then everything is quiet, the authority is closed, and the judge looks. Starts and ends all processes, keeps the time, and
// puts the report together. What each process does is in its own file.
import { join } from 'node:path'
import { demoToken } from '../demo-token.ts'
import { askJudge, readingDifferences } from './ask-judge.ts'
import type { AuthoritySaid, AuthoritySetup } from './authority.ts'
import { type Child, startChild } from './child.ts'
import { createDice } from './fates.ts'
import { planFile } from './file.ts'
import { createLink } from './link.ts'
import type { ImportOptions } from './options.ts'
import type { Plan } from './plan.ts'
import type { Progress } from './progress.ts'
import type { ReaderSaid, ReaderSetup } from './reader.ts'
import { BY_SQL, capDifferences, type Report } from './report.ts'
import { createStallGuard } from './stall.ts'
import { createSupervisedDevice } from './supervise.ts'
import { createTally } from './tally.ts'
import { inWorkplace, type Workplace } from './workplace.ts'

/** Runs an import. Rejects when it cannot be finished; what is wrong with the result is in the report. */
export async function runImport(
  options: ImportOptions,
  progress: Progress,
): Promise<{ readonly report: Report; readonly how: string }> {
  const plan = planFile(options)
  try {
    return await inWorkplace((place) => runIn(place, options, plan, progress))
  } finally {
    progress.end()
  }
}

async function runIn(
  { folder, atEnd }: Workplace,
  options: ImportOptions,
  plan: Plan,
  progress: Progress,
): Promise<{ report: Report; how: string }> {
  const stall = createStallGuard()
  atEnd(async () => stall.stop())
  const database = options.database ?? join(folder, 'authority.db')
  const tally = createTally()
  const dice = createDice(options.seed)
  const startedAt = performance.now()

  let authority: Child<AuthoritySaid> | undefined
  let forget = (): void => undefined
  let target = options.authority
  if (target === undefined) {
    authority = startChild<AuthoritySaid>(new URL('authority.ts', import.meta.url), {
      database,
    } satisfies AuthoritySetup)
    atEnd(authority.kill)
    forget = stall.watch(authority.hear((message): message is never => message.is === undefined))
    const { port } = await authority.hear((message): message is AuthoritySaid => message.is === 'listening')
    target = `http://127.0.0.1:${port}`
  } else await checkAuthority(target, options.actor)

  const total = plan.intents.length * options.devices
  const link = await createLink({
    target,
    seed: options.seed,
    onAnswer: (exchange) => {
      stall.sign()
      tally.see(exchange)
      for (const device of devices) device.stir()
    },
  })
  atEnd(link.close)
  let isOnline = false
  const states = Array.from({ length: options.devices }, () => ({ saved: 0, waiting: plan.intents.length }))
  const devices = states.map((state, index) => {
    const killAtAnswer = 2 + Math.floor(dice() * 6)
    const setup = {
      file: options.path,
      actor: options.actor,
      units: options.units,
      folder: join(folder, `device-${index + 1}`),
      url: `${link.origin}/sync`,
    }
    const kills = {
      atSaved: Math.ceil(plan.intents.length * (0.2 + 0.6 * dice())),
      isDue: () => tally.answers() >= killAtAnswer,
    }
    return createSupervisedDevice(setup, kills, ({ saved, waiting }) => {
      stall.sign()
      state.saved = saved
      if (waiting !== undefined) state.waiting = waiting
      progress.at(isOnline ? total - sum(states.map((one) => one.waiting)) : sum(states.map((one) => one.saved)), total)
    })
  })
  for (const device of devices) atEnd(device.abandon)

  progress.phase('Making intents without a network, with a kill on the way')
  await stall.guard(Promise.all(devices.map((device) => device.offline())))
  const onlineAt = performance.now()
  isOnline = true
  progress.phase('Sending over a bad network, with another kill')
  link.open()
  const quiet = await stall.guard(Promise.all(devices.map((device) => device.sync())))
  const quietAt = performance.now()
  const counts = link.counts()
  await Promise.all(devices.map((device) => device.end()))

  progress.phase('Judging what arrived')
  let rows: string | undefined
  if (authority === undefined && options.database === undefined) {
    rows = join(folder, 'rows.json')
    const reader = startChild<ReaderSaid>(new URL('reader.ts', import.meta.url), {
      actor: options.actor,
      url: `${target}/sync`,
      rows,
    } satisfies ReaderSetup)
    atEnd(reader.kill)
    await stall.guard(reader.hear((message): message is ReaderSaid => message.is === 'written'))
  }
  forget()
  await authority?.end()
  const verdict = await stall.guard(
    askJudge({
      file: options.path,
      actor: options.actor,
      unreadable: plan.unreadable.map(({ line }) => line),
      ...(rows === undefined ? { database } : { rows }),
    }),
  )
  const { setsInFile: _setsInFile, ...judged } = verdict

  const failures = quiet.flatMap((device) => device.failures)
  const applied = tally.applied()
  const report: Report = {
    file: options.file,
    linesRead: plan.linesRead,
    unreadable: plan.unreadable,
    workouts: plan.workouts,
    setsRead: plan.sets,
    intents: total,
    applied,
    rejected: failures.length,
    repeated: sum(quiet.map((device) => device.applied)) - applied,
    ...judged,
    differences: capDifferences([
      ...devices.flatMap((device) => device.losses()),
      ...readingDifferences(verdict, plan.sets),
      ...failures,
      ...verdict.differences,
    ]),
    kills: sum(devices.map((device) => device.kills())),
    answersLost: counts.answersLost,
    requestsRepeated: counts.requestsRepeated,
    requests: counts.requests,
    bytesUp: counts.bytesUp,
    bytesDown: counts.bytesDown,
    offlineMs: Math.round(onlineAt - startedAt),
    syncMs: Math.round(quietAt - onlineAt),
  }
  return {
    report,
    how:
      rows === undefined
        ? BY_SQL
        : 'over the rows that a fresh second device pulled: the database is out of reach here',
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0)

/** Says early, and in words, when the authority that was named is not one. */
async function checkAuthority(origin: string, actor: string): Promise<void> {
  const response = await fetch(`${origin}/health`, { headers: { authorization: `Bearer ${demoToken(actor)}` } }).catch(
    () => undefined,
  )
  if (response?.ok !== true)
    throw new Error(
      `The authority ${origin} does not answer at /health. Start one with npm start, or leave --authority out.`,
    )
}
