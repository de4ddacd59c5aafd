// `npm run check:package`: tries what npm would publish, as an app would meet it, without a network.
// Packs the tarball, unpacks it into an empty project beside links to its declared dependencies alone, and looks at:
// its list of files, its manifest (publint, attw), every import in it, its types with and without DOM and Node,
// each subpath on this Node and on the oldest one supported, no Node in what a browser loads, and the server's tests
// on the oldest Node. That Node comes by `npm install`, as a dependency of the private workspace scripts/floor.
import './need-node.mjs'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import ts from 'typescript'
import { root, runNode, tools } from './tools.mjs'

const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const entries = Object.keys(manifest.exports)
  .filter((path) => path !== './package.json')
  .map((path) => posix.join(manifest.name, path))
const browserEntries = ['holdfast', 'holdfast/client', 'holdfast/browser', 'holdfast/react']
// What an app has beside the package: what npm brings with it, and what the app brings for a subpath that wants it.
const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]
const floorNode = `${root}scripts/floor/node_modules/node/bin/node`
const floorTests = ['test/base', 'test/schema', 'test/protocol', 'test/server', 'test/hosts']

const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const app = join(folder, 'app')
const packed = join(app, 'node_modules', manifest.name)
let failed = 0

const hookedImport = `
import { registerHooks } from 'node:module'
const seen = []
registerHooks({
  resolve(specifier, context, next) {
    const others = context.conditions.filter((name) => !name.startsWith('node') && name !== 'module-sync')
    const found = next(specifier, { ...context, conditions: ['browser', ...others] })
    if (found.url.startsWith('node:')) seen.push((context.parentURL ?? '') + ' imports ' + found.url)
    return found
  },
})
await import(process.argv[2])
if (seen.length > 0) {
  console.error(seen.join('\\n'))
  process.exit(1)
}
`

const build = await runNode('scripts/build.mjs', [], { quiet: true })
step('build', build.code === 0 ? [] : [build.output])

const tarball = pack()
const files = unpack(tarball)
step(
  `files: ${files.length}, all of the build or beside it`,
  files.filter((file) => !belongs(file)).map((file) => `${file} does not belong in the package`),
)
step('files: what must be there', missingFiles())
step('imports: relative ones are packed, others are declared', strayImports())
step('publint', problemsOf(await runNode(tools.publint, ['run', tarball, '--strict'], { quiet: true })))
step(
  'attw, profile esm-only',
  problemsOf(
    await runNode(tools.attw, [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', '--no-color'], {
      quiet: true,
    }),
  ),
)
step('types: all entries in a Node app', await typeProblems('node', entries, { lib: ['ES2023'], types: ['node'] }))
step(
  'types: browser entries in a browser app',
  await typeProblems('browser', browserEntries, { lib: ['ES2023', 'DOM'], types: [] }),
)
for (const node of [process.execPath, floorNode]) {
  for (const entry of entries) step(`import ${entry} on Node ${versionOf(node)}`, await importProblems(node, entry))
  for (const name of Object.keys(manifest.bin))
    step(`${name} --help on Node ${versionOf(node)}`, await helpProblems(node, name))
}
for (const entry of browserEntries) step(`no Node in ${entry}`, await nodeImports(entry))
for (const [conditions, looks] of [
  [['browser', 'import', 'development'], true],
  [['browser', 'import', 'production'], false],
  [['node', 'import'], true],
])
  step(
    `${manifest.name} under ${conditions.join(', ')} ${looks ? 'looks' : 'does not look'} for mistakes`,
    await lookProblems(conditions, looks),
  )
step(`tests of the server's rooms on Node ${versionOf(floorNode)}`, await floorTestProblems())

if (failed > 0) console.error(`${failed} checks of the package failed`)
process.exit(failed === 0 ? 0 : 1)

function step(title, problems) {
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${title}`)
  for (const problem of problems) console.log(problem.replace(/^/gm, '       '))
  if (problems.length > 0) failed += 1
}

// Without stack traces: what is wrong is in the message.
function problemsOf({ code, output }) {
  return code === 0 ? [] : [output.replace(/^ +at .*\n/gm, '') || `exit code ${code}`]
}

function pack() {
  const npm = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (npm.status !== 0) {
    step('npm pack', [npm.error?.message ?? npm.stderr])
    process.exit(1)
  }
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  return join(folder, name)
}

function unpack(file) {
  mkdirSync(packed, { recursive: true })
  const tar = spawnSync('tar', ['-xzf', file, '--strip-components=1', '-C', packed], { encoding: 'utf8' })
  if (tar.status !== 0) {
    step('unpack', [tar.error?.message ?? tar.stderr])
    process.exit(1)
  }
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
  for (const dependency of [...declared, '@types/node', '@types/react']) {
    const link = join(app, 'node_modules', dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', dependency), link, 'junction')
  }
  return readdirSync(packed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(slashes(packed), slashes(join(entry.parentPath, entry.name))))
    .sort()
}

function slashes(path) {
  return path.replaceAll('\\', '/')
}

function belongs(file) {
  if (['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'].includes(file)) return true
  return /^dist\/(?!sim\/).+\.(js|js\.map|d\.ts)$/.test(file) && !/\.test(-d)?\.|\/test\//.test(file)
}

function missingFiles() {
  const wanted = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']
  for (const target of Object.values(manifest.exports)) {
    wanted.push(...(typeof target === 'string' ? [target] : Object.values(target)).map((path) => posix.normalize(path)))
  }
  wanted.push(...Object.values(manifest.bin).map((path) => posix.normalize(path)))
  const maps = files.filter((file) => file.endsWith('.js')).map((file) => `${file}.map`)
  return [...new Set([...wanted, ...maps])].filter((file) => !files.includes(file)).map((file) => `${file} is missing`)
}

// Static, dynamic and type imports alike, as the compiler reads them.
function importsOf(file) {
  return ts
    .preProcessFile(readFileSync(join(packed, file), 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName)
}

function strayImports() {
  const problems = []
  for (const file of files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('node:')) continue
      if (specifier.startsWith('.')) {
        const target = targetOf(file, specifier)
        if (!files.includes(target)) problems.push(`${file} imports ${specifier}, which is not in the package`)
      } else if (!declared.includes(packageOf(specifier))) {
        problems.push(`${file} imports ${specifier}, which is no dependency`)
      }
    }
  }
  return problems
}

// The compiler leaves `./x.ts` as it is in declarations, where it means the declarations of x.
function targetOf(file, specifier) {
  const path = posix.join(posix.dirname(file), specifier)
  return file.endsWith('.d.ts') ? path.replace(/(?<!\.d)\.ts$/, '.d.ts') : path
}

function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

async function typeProblems(name, specifiers, options) {
  const lines = specifiers.map(
    (specifier, index) => `import * as e${index} from '${specifier}'\nexport const n${index}: object = e${index}\n`,
  )
  writeFileSync(join(app, `${name}.ts`), lines.join(''))
  const compilerOptions = {
    target: 'ES2023',
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    ...options,
  }
  const project = join(app, `tsconfig.${name}.json`)
  writeFileSync(project, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
  return problemsOf(await runNode(tools.tsc, ['-p', project, '--pretty', 'false'], { quiet: true }))
}

function versionOf(node) {
  return (
    spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout?.trim() || 'absent: run `npm install`'
  )
}

async function importProblems(node, entry) {
  const script = join(app, 'import.mjs')
  writeFileSync(
    script,
    `const entry = await import(process.argv[2])\nif (Object.keys(entry).length === 0) throw new Error('exports nothing')\n`,
  )
  return problemsOf(await runNode(script, [entry], { node, cwd: app, quiet: true }))
}

// A command says what it can, without anything that an app brings for some of its subpaths.
async function helpProblems(node, name) {
  const run = await runNode(join(packed, manifest.bin[name]), ['--help'], { node, cwd: app, quiet: true })
  if (run.code !== 0) return problemsOf(run)
  return run.output.startsWith(`${name} <command>`) ? [] : [`It says: ${run.output.slice(0, 200)}`]
}

// Twice: the packed files are walked as text, which sees imports that have not run yet; and the entry is loaded with a
// hook on the resolver, as a browser's bundler would choose among a dependency's files, which sees into dependencies.
async function lookProblems(conditions, looks) {
  const script = join(app, 'conditions.mjs')
  const [target] = Object.entries(manifest.exports['.'])
    .find(([condition]) => condition === 'default' || conditions.includes(condition))
    .slice(1)
  writeFileSync(
    script,
    `import { defineApp } from './node_modules/${manifest.name}/${posix.normalize(target)}'
let told = false
try { defineApp({ tables: {} }) } catch { told = true }
if (told !== ${looks}) { console.error('it ' + (told ? 'does' : 'does not')); process.exit(1) }
`,
  )
  return problemsOf(await runNode(script, [], { cwd: app, quiet: true }))
}

async function nodeImports(entry) {
  const target = manifest.exports[entry === manifest.name ? '.' : `.${entry.slice(manifest.name.length)}`].default
  const seen = new Set([posix.normalize(target)])
  const problems = []
  for (const file of seen) {
    if (!files.includes(file)) return [`${file} is missing`]
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) seen.add(targetOf(file, specifier))
      else if (isBuiltin(specifier)) problems.push(`${file} imports ${specifier}`)
    }
  }
  const script = join(app, 'browser.mjs')
  writeFileSync(script, hookedImport)
  const load = await runNode(script, [entry], { cwd: app, quiet: true })
  return [...problems, ...problemsOf(load)]
}

async function floorTestProblems() {
  if (!existsSync(floorNode))
    return ['The oldest Node is not installed: run `npm install` with install scripts allowed.']
  const folders = floorTests.filter((path) => existsSync(join(root, path)))
  if (!folders.includes('test/server')) return ['There is no folder test/server.']
  // Some tests start processes of their own on TypeScript files, which this Node reads only when it is told to.
  const env = {
    ...process.env,
    NO_COLOR: '1',
    NODE_OPTIONS: '--experimental-strip-types --disable-warning=ExperimentalWarning',
  }
  const run = await runNode(tools.vitest, ['run', '--project', 'rooms', '--reporter=dot', ...folders], {
    node: floorNode,
    quiet: true,
    env,
  })
  if (run.code !== 0) return problemsOf(run)
  const counts = run.output.split('\n').filter((line) => /^\s*(Test Files|Tests)\s/.test(line))
  console.log(counts.map((line) => `     ${line.trim()}`).join('\n'))
  return []
}
