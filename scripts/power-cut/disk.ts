// A disk whose power can be cut: ext4 on a loop device over a file, which writes what nobody synced only after minutes. What the file
// holds at a moment is what a real disk would hold then: a copy of it, mounted, is the machine after the cut. The copy's journal is
// replayed by mounting it, as a start after a cut does. Needs root and loop devices.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'

/** A folder on a disk of its own. */
export interface Disk {
  readonly folder: string
  /** Everything that was written so far is on the disk. */
  sync(): void
  /** The same disk as it would be after a cut of the power now; this one stays as it is. */
  cutPower(folder: string): Disk
  /** Unmounts and removes it. */
  remove(): void
}

/** Why a disk cannot be made here; undefined when it can, as far as can be known without trying. */
export function diskProblem(): string | undefined {
  if (process.platform !== 'linux') return 'A power cut is staged with ext4 on a loop device, which only Linux has.'
  if (process.getuid?.() !== 0)
    return 'Mounting a disk needs root: run this as root, on a machine that has loop devices.'
  return undefined
}

/** Makes a disk of some megabytes and mounts it at `folder`. */
export function createDisk(folder: string, megabytes = 700): Disk {
  const image = `${folder}.img`
  run('truncate', '-s', `${megabytes}M`, image)
  run('mkfs.ext4', '-q', '-F', image)
  // Nothing goes to the disk by itself for five minutes; a round takes seconds.
  const disk = mount(image, folder, ['commit=300'])
  disk.sync()
  return disk
}

function mount(image: string, folder: string, options: readonly string[] = []): Disk {
  mkdirSync(folder, { recursive: true })
  run('mount', '-o', ['loop', 'noatime', ...options].join(','), image, folder)
  return {
    folder,
    sync: () => run('sync', '-f', folder),
    cutPower(next) {
      run('cp', '--sparse=always', image, `${next}.img`)
      return mount(`${next}.img`, next)
    },
    remove() {
      // Also when somebody still has a file of it open.
      spawnSync('umount', ['-l', folder], { stdio: 'ignore' })
      rmSync(image, { force: true })
    },
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return
  throw new Error(`${command} ${args.join(' ')} failed: ${(stderr || error?.message || `status ${status}`).trim()}`)
}
