// An app that asks for relations and values. bundle.test.ts weighs what it loads beyond the smallest app, which asks for rows alone.
import { countOf, include, many, maxOf, minOf, sumOf } from 'holdfast/client'
import { client } from './minimal-app.ts'

const { notes } = client.app.query

/** What a page would show. The smallest app has no references, so this is weighed and never opened. */
export const shown = [
  include(notes, { more: many(notes, 'ownerId') }),
  countOf(notes),
  sumOf(notes, 'id' as never),
  minOf(notes, 'id'),
  maxOf(notes, 'id'),
].map((question) => client.live<unknown>(question))
