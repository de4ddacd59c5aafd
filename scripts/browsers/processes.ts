// The processes of a browser, of any engine: found by the profile folder that they name on their command line, with everything that
// they started, and sent a signal. A browser is a tree of processes, and who kills its root alone leaves children that go on writing.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Sends a signal to every process of the browser that runs on this profile; those that have ended meanwhile are passed over. */
export function signalProfile(profile: string, name: NodeJS.Signals): void {
  for (const pid of processesOf(profile)) {
    try {
      process.kill(pid, name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** All processes of the browser on this profile: those that name it on their command line, and everything that they started. */
export function processesOf(profile: string): readonly number[] {
  const all = process.platform === 'linux' ? listByFolder() : listByCommand()
  const isNamed = ({ command }: Running): boolean =>
    command.split(/[\0 ]/).some((word) => word.endsWith(profile) || word.includes(`${profile}/`))
  const found = new Set(all.filter(isNamed).map(({ pid }) => pid))
  found.delete(process.pid)
  for (let size = 0; size < found.size; ) {
    size = found.size
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
  }
  return [...found]
}

interface Running {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

function listByFolder(): readonly Running[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(name), parent: Number(parent), command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

function listByCommand(): readonly Running[] {
  const { stdout } = spawnSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' })
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
  })
}
