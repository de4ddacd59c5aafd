// What the storage mode `file` wants of a disk: one folder, files that only grow, and every step at which the power may go as a
// step of its own. folder-disk.ts is the real one; the simulator has one that forgets whatever was not synced.
// Errors that carry a `code` (ENOSPC, EIO …) come as the operating system gives them; file.ts says what they mean.

/** An open file. Its calls are made one after the other. */
export interface DiskFile {
  /** Its length in bytes, as this process wrote it. */
  size(): number
  /** Writes at the end. A call that rejects may have written any part. */
  append(bytes: Uint8Array): Promise<void>
  /** Cuts the end off. */
  truncate(size: number): Promise<void>
  /** Makes durable what was written and cut. After a call that rejected, what it should have covered may be lost for good. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** One folder of one disk. */
export interface Disk {
  /** The names of its files. */
  list(): Promise<readonly string[]>
  /** A whole file. */
  read(name: string): Promise<Uint8Array>
  /** Opens an empty file of this name, whatever was there. */
  create(name: string): Promise<DiskFile>
  /** Opens an existing file at its end. */
  open(name: string): Promise<DiskFile>
  /** Gives a file another name, at once; durable after `syncFolder`. */
  rename(from: string, to: string): Promise<void>
  /** Takes a file away; durable after `syncFolder`. */
  remove(name: string): Promise<void>
  /** Makes names durable: what was created, renamed and removed. */
  syncFolder(): Promise<void>
  /**
   * Keeps every other process, and every other caller in this one, out of the folder until the returned function is called or the
   * process ends, however it ends. Rejects with a SyncError `storage_in_use`.
   */
  lock(): Promise<() => Promise<void>>
  /** The CRC-32 of some bytes; of the disk because a platform's own is ten times faster than one in JavaScript. */
  checksum(bytes: Uint8Array): number
}
