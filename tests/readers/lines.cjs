// A reader: for each line of JSON on standard input, in order, one line of JSON with what `read` made of it.
const { createInterface } = require("node:readline");

module.exports = async function answer(read) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await read(JSON.parse(line))) + "\n");
  }
};
