// `npm run check`: types of the rooms, tests, examples and scripts, then format and lint. Runs both, fails if one does.
import './need-node.mjs'
import { runNode, tools } from './tools.mjs'

const types = await runNode(tools.tsc, ['-b', 'tsconfig.check.json', 'examples/workouts/tsconfig.json'])
const style = await runNode(tools.biome, ['check', '--error-on-warnings'])
process.exit(types.code || style.code)
