// Statements that do not depend on each other, begun together: what one needs to be written as text is made while the database works on
// the one before. Nothing of them is under way any more when it settles, so that none runs on behind a savepoint that was undone.

/** What all of them give, in order; rejects as the first of them that failed, when the others are over too. */
export async function together<const Works extends readonly Promise<unknown>[]>(
  works: Works,
): Promise<{ -readonly [Index in keyof Works]: Awaited<Works[Index]> }> {
  const settled = await Promise.allSettled(works)
  const results: unknown[] = []
  for (const each of settled) {
    if (each.status === 'rejected') throw each.reason
    results.push(each.value)
  }
  return results as { -readonly [Index in keyof Works]: Awaited<Works[Index]> }
}
