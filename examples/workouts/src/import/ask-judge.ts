// Lets the judge look: starts its process, asks, and hears its verdict. What it looks at, and how, is judge.ts.
import { startChild } from './child.ts'
import type { Question, Verdict } from './judge.ts'

/** The judge's verdict. Rejects when its process cannot give one. */
export async function askJudge(question: Question): Promise<Verdict> {
  const judge = startChild<Verdict>(new URL('judge.ts', import.meta.url), question)
  // It begins when nothing more can be asked.
  void judge.end()
  try {
    return await judge.hear((message): message is Verdict => 'setsInFile' in message)
  } finally {
    await judge.kill()
  }
}

/** What a verdict says beyond the fields of a report: whether the judge and the importer read the same number of sets. */
export function readingDifferences({ setsInFile }: Verdict, setsRead: number): readonly string[] {
  return setsInFile === setsRead ? [] : [`the judge reads ${setsInFile} sets in the file, the importer ${setsRead}`]
}
