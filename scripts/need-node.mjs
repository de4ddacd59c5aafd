// Refuses a Node that is too old before anything newer is parsed: plain JavaScript that Node 12 can read.
// Imported first by every other script; run alone, it is the check itself.
const FLOOR = [22, 13]

function nodeProblem(version = process.version) {
  const [major, minor] = version.slice(1).split('.').map(Number)
  if (major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1])) return undefined
  return [
    `This is Node ${version}; holdfast needs ${FLOOR.join('.')} or newer.`,
    'Nothing has to be installed on the machine: `npm install` (with install scripts allowed) brings Node 24 into',
    'node_modules/.bin, and scripts use it when they are started through npm: `npm test`, `npm run build`, `npm start`.',
  ].join('\n')
}

const problem = nodeProblem()
if (problem !== undefined) {
  console.error(problem)
  process.exit(1)
}
