// ONNX Runtime's side: node rival_onnxruntime.js NETWORK.onnx BATCH THREADS SIDE answers the line "forward" with the milliseconds of a forward
// pass of the batch: the median of runs for 0.2 s after one that is not counted. NODE_PATH names the node_modules that has onnxruntime-node.
const runtime = require('onnxruntime-node');
const readline = require('readline');

const [path, batch, threads, side] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const milliseconds = () => Number(process.hrtime.bigint()) / 1e6;

async function repeated(work) {
  await work();
  const runs = [], start = milliseconds();
  while (!runs.length || milliseconds() - start < 200) {
    const at = milliseconds();
    await work();
    runs.push(milliseconds() - at);
  }
  return runs.sort((a, b) => a - b)[runs.length >> 1];
}

async function main() {
  const session = await runtime.InferenceSession.create(path, {intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: 'all'});
  const numbers = Float32Array.from({length: batch * 3 * side * side}, (_, k) => k * 7919 % 401 / 100 - 2);
  const feeds = {[session.inputNames[0]]: new runtime.Tensor('float32', numbers, [batch, 3, side, side])};
  for await (const line of readline.createInterface({input: process.stdin})) {
    if (line !== 'forward')
      throw new Error(`'${line}': no such work`);
    console.log(await repeated(() => session.run(feeds)));
  }
}

main().catch(error => {
  console.error(error.message.split('\n')[0]);
  process.exit(1);
});
