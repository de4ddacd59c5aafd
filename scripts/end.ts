// How a command ends that may have left a timer or a connection behind: at once, but not before what it printed is through. Where
// stdout is a pipe, `process.exit` alone cuts off what the reader has not taken yet.

/** Ends this process with an exit code. */
export async function endWith(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => stream.write('', () => resolve()))
  process.exit(code)
}
