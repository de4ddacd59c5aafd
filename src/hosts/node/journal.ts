// One journal on a disk: a file of records that grows at its end and is now and then written anew. Each writing-anew is a generation
// with a file of its own: written under another name, synced, renamed, the folder synced, and only then the older one removed. So
// whatever instant the power goes at, the newest generation that is there is whole, and holds all that was acknowledged.
// Knows nothing of what the records mean; when to sync and what to tell the caller is file.ts. Calls are made one after the other.
import { SyncError } from '../../base/errors.ts'
import type { Disk, DiskFile } from './disk.ts'
import { encodeRecords, type RecordText, scanRecords } from './record.ts'

/** The number of the format of these files; what is newer is left untouched. The first line keeps its form for ever. */
export const FILE_FORMAT = 1

/** What a journal is called and whose it is. */
export interface JournalName {
  readonly kind: 'outbox' | 'frames'
  readonly actor: string
}

/** The first record of each file. */
interface Header {
  readonly holdfast: JournalName['kind']
  readonly format: number
  readonly actor: string
  /** How many records the generation began with: they were durable before the file had its name. */
  readonly begins: number
}

/** What a look at the disk found. Nothing was touched. */
export interface Found {
  /** 0: there is no file yet. */
  readonly generation: number
  readonly records: readonly unknown[]
  /** The length of what the generation began with. */
  readonly base: number
  readonly good: number
  readonly size: number
  /** Files of older generations, and such as were never finished. */
  readonly leftovers: readonly string[]
}

/** One journal. A call that rejects has kept nothing, unless the process ends before the next call. */
export interface Journal {
  /** Adds records, all or none; durable only with `isSynced`. */
  append(records: readonly RecordText[], isSynced: boolean): Promise<void>
  /** Begins a new generation with these records, all or none; durable. */
  rewrite(records: readonly string[]): Promise<void>
  /** Makes durable what was appended without. */
  sync(): Promise<void>
  /** The length in bytes, and what part of it the generation began with. */
  length(): { readonly bytes: number; readonly base: number }
  close(): Promise<void>
}

const fileName = (kind: string, generation: number): string => `${kind}-${String(generation).padStart(6, '0')}.journal`
const unfinished = '.unfinished'

/** Reads a journal. Rejects with `storage_corrupt` or `storage_newer`. */
export async function findJournal(disk: Disk, { kind, actor }: JournalName): Promise<Found> {
  const names = (await disk.list()).filter((name) => name.startsWith(`${kind}-`))
  const generations = names.flatMap((name) => {
    const [, digits] = name.slice(kind.length).match(/^-(\d{6,})\.journal$/) ?? []
    return digits === undefined ? [] : [Number(digits)]
  })
  const generation = Math.max(0, ...generations)
  if (generation === 0) return { generation, records: [], base: 0, good: 0, size: 0, leftovers: names }
  const name = fileName(kind, generation)
  const bytes = await disk.read(name)
  const { records, ends, good, isDamaged } = scan(bytes, disk, name)
  const header = records[0] as Partial<Header> | undefined
  if (header?.holdfast !== kind || typeof header.format !== 'number') throw corrupt(name, 'has no readable first line')
  if (header.format > FILE_FORMAT) {
    throw new SyncError(
      'storage_newer',
      `The file ${name} has format ${header.format}, this build reads up to ${FILE_FORMAT}`,
      { details: { file: name, format: header.format } },
    )
  }
  if (header.actor !== actor) throw corrupt(name, 'belongs to another actor')
  const base = ends[header.begins ?? -1]
  if (isDamaged || base === undefined) throw corrupt(name, `is damaged at byte ${good} of ${bytes.length}`)
  return {
    generation,
    records: records.slice(1).filter((record) => record !== null),
    base,
    good,
    size: bytes.length,
    leftovers: names.filter((other) => other !== name),
  }
}

function scan(bytes: Uint8Array, disk: Disk, name: string): ReturnType<typeof scanRecords> {
  try {
    return scanRecords(bytes, disk.checksum)
  } catch (error) {
    throw corrupt(name, 'holds a line that is whole but not JSON', error)
  }
}

function corrupt(file: string, what: string, cause?: unknown): SyncError {
  return new SyncError('storage_corrupt', `The file ${file} ${what}`, { details: { file }, cause })
}

/** Opens what was found: cuts a torn end off, makes the rest durable, and removes leftovers. */
export async function openJournal(disk: Disk, { kind, actor }: JournalName, found: Found): Promise<Journal> {
  let { generation: current, base, good, leftovers } = found
  // Runs ahead of `current` when it is not known whether a renaming came about.
  let named = current
  let file: DiskFile | undefined
  let durable = good
  // The file cannot be trusted any further than `good`: its good part moves to a new generation before anything else is kept.
  let isDoubtful = false
  let hasGrown = false

  const header = (begins: number): string =>
    JSON.stringify({ holdfast: kind, format: FILE_FORMAT, actor, begins } satisfies Header)

  // Whoever dies between two of these steps leaves the older generation as the newest that is there, or this one, whole.
  const begin = async (parts: Iterable<Uint8Array>): Promise<number> => {
    const finished = fileName(kind, named + 1)
    const next = await disk.create(finished + unfinished)
    let isNamed = false
    try {
      for (const part of parts) await next.append(part)
      await next.sync()
      isNamed = true
      await disk.rename(finished + unfinished, finished)
      await disk.syncFolder()
    } catch (error) {
      await next.close().catch(ignore)
      // Once the new name may be there, it wins over the older one: nothing may be acknowledged into the older file any more.
      if (isNamed) {
        named++
        isDoubtful = true
        leftovers = [...leftovers, finished, finished + unfinished]
      } else await disk.remove(finished + unfinished).catch(ignore)
      throw error
    }
    const older = file
    leftovers = [...leftovers, ...(current > 0 ? [fileName(kind, current)] : [])]
    named++
    current = named
    file = next
    isDoubtful = false
    await older?.close().catch(ignore)
    await removeLeftovers()
    return next.size()
  }

  // What cannot be removed now is removed at the next start: an older generation never wins.
  const removeLeftovers = async (): Promise<void> => {
    for (const name of leftovers) await disk.remove(name).catch(ignore)
    leftovers = []
  }

  const rewrite = async (records: readonly string[]): Promise<void> => {
    good = await begin(inParts([header(records.length), ...records], disk))
    base = good
    durable = good
  }

  const trusted = async (): Promise<DiskFile> => {
    if (file !== undefined && !isDoubtful) return file
    if (current === 0) await rewrite([])
    else await renew()
    return file as DiskFile
  }

  const renew = async (): Promise<void> => {
    const bytes = (await disk.read(fileName(kind, current))).subarray(0, good)
    if (scan(bytes, disk, fileName(kind, current)).good !== good)
      throw corrupt(fileName(kind, current), 'cannot be read back')
    await begin([bytes])
    durable = good
  }

  // What was refused must not be there at the next start either; where even that fails, the file is given up.
  const takeBack = async (target: DiskFile, isSynced: boolean): Promise<void> => {
    try {
      await target.truncate(good)
      if (isSynced) await target.sync()
    } catch {
      isDoubtful = true
    }
  }

  if (current > 0) {
    file = await disk.open(fileName(kind, current))
    try {
      if (found.size > good) await file.truncate(good)
      // What a killed process had written may be only in the system's memory; from here on it counts as kept.
      await file.sync()
      await disk.syncFolder()
    } catch (error) {
      await file.close().catch(ignore)
      throw error
    }
  }
  await removeLeftovers()

  return {
    async append(records, isSynced) {
      if (records.length === 0) return
      const target = await trusted()
      const bytes = encodeRecords(records, durable, disk.checksum)
      try {
        await target.append(bytes)
      } catch (error) {
        await takeBack(target, isSynced)
        throw error
      }
      if (isSynced) await syncOrDoubt(target)
      good += bytes.length
      hasGrown = true
      if (isSynced) durable = good
    },
    rewrite,
    async sync() {
      if (file === undefined || isDoubtful || durable === good) return
      await syncOrDoubt(file)
      durable = good
    },
    length: () => ({ bytes: good, base }),
    async close() {
      try {
        // A last line that vouches for all before it, so that damage to them is not mistaken for a torn end.
        if (file !== undefined && hasGrown && !isDoubtful && durable === good)
          await file.append(encodeRecords(['null'], durable, disk.checksum))
      } catch {
        // It is only a help to the next start.
      }
      await file?.close().catch(ignore)
      file = undefined
    },
  }

  async function syncOrDoubt(target: DiskFile): Promise<void> {
    try {
      await target.sync()
    } catch (error) {
      // A system may count pages that it could not write as written: a second sync of the same file proves nothing.
      isDoubtful = true
      await target.truncate(good).catch(ignore)
      throw error
    }
  }
}

const ignore = (): void => {}

/** Records are handed to the disk in parts of about this length: larger ones save no calls worth counting, and hold more memory. */
const PART_LENGTH = 1024 * 1024

function* inParts(records: readonly string[], disk: Disk): Generator<Uint8Array> {
  let part: string[] = []
  let length = 0
  for (const record of records) {
    part.push(record)
    length += record.length
    if (length < PART_LENGTH) continue
    yield encodeRecords(part, 0, disk.checksum)
    part = []
    length = 0
  }
  if (part.length > 0) yield encodeRecords(part, 0, disk.checksum)
}
