// The page's side of mailbox.ts: what it was told in its address, and a way to tell. Runs in a browser of any engine.

const { location } = globalThis as unknown as { readonly location: { readonly search: string } }

const query = new URLSearchParams(location.search)

/** What the page was told in its address. */
export const told = (name: string): string => query.get(name) ?? ''

/** Tells a word; resolves with the answer when it has been heard. */
export async function tell(word: string, value: unknown = null): Promise<unknown> {
  const answer = await fetch(`/tell/${told('run')}/${word}`, { method: 'POST', body: JSON.stringify(value) })
  return answer.json()
}
