// A page that drives itself, for engines that no driver speaks to: it loads another page's script by the name in its address, asks
// what to call of it, and tells what came of that, until nobody answers. The other side is test/engines/engine-tab.ts.
import { tell, told } from '../../../scripts/browsers/teller.ts'

/** A call of a function of the page. */
interface Call {
  readonly name: string
  readonly args: readonly unknown[]
}

type Functions = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

await import(/* @vite-ignore */ `/${told('page')}.js`)
const { page } = globalThis as unknown as { readonly page: Functions }
for (;;) {
  const { name, args } = (await tell('next')) as Call
  try {
    await tell('returned', (await page[name]?.(...args)) ?? null)
  } catch (error) {
    await tell('threw', error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error))
  }
}
