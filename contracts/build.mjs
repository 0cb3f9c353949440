// Compiles the contracts and writes one artifact per deployable contract; with --check it writes nothing
// and fails when a committed artifact is not what the sources give. The same sources give the same bytes
// on every machine: the compiler is pinned, and no path or time enters the output.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGE_DATA = join(HERE, "../src/deedbook/integrations/sapphire/abi");
const TEST_DATA = join(HERE, "../tests/contracts/artifacts");

const DEPLOYABLE = [
  { source: "src/registry/IdentityRegistry.sol", into: PACKAGE_DATA },
  { source: "src/settlement/Settlement.sol", into: PACKAGE_DATA },
  { source: "src/factory/RwaTokenFactory.sol", into: PACKAGE_DATA },
  { source: "src/token/RwaToken.sol", into: PACKAGE_DATA },
  { source: "src/test/TestDollar.sol", into: PACKAGE_DATA },
  { source: "src/test/FeeOnTransferToken.sol", into: TEST_DATA },
  { source: "src/test/ReentrantToken.sol", into: TEST_DATA },
  { source: "src/test/HostilePayment.sol", into: TEST_DATA },
  { source: "src/test/ContractWallet.sol", into: TEST_DATA },
  { source: "src/test/DecimalsReader.sol", into: TEST_DATA },
  { source: "src/test/FineToken.sol", into: TEST_DATA },
  { source: "src/test/PriceAggregator.sol", into: TEST_DATA },
];

// Sapphire runs Shanghai's EVM; paris keeps PUSH0 out as well, and bytecodeHash none keeps comments from
// changing the bytecode.
const SETTINGS = {
  evmVersion: "paris",
  metadata: { bytecodeHash: "none" },
  optimizer: { enabled: true, runs: 200 },
};

function read(path) {
  const file = path.startsWith("@") ? join(HERE, "node_modules", path) : join(HERE, path);
  return readFileSync(file, "utf8");
}

function compile() {
  const require = createRequire(import.meta.url);
  // solc leaves its own handlers behind, which turn any later error into a dump of its whole source.
  const before = process.listeners("unhandledRejection");
  const solc = require("solc");
  for (const listener of process.listeners("unhandledRejection")) {
    if (!before.includes(listener)) process.removeListener("unhandledRejection", listener);
  }
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(DEPLOYABLE.map(({ source }) => [source, { content: read(source) }])),
    settings: { ...SETTINGS, outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "metadata"] } } },
  };
  const findImport = (path) => {
    try {
      return { contents: read(path) };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
  const complaints = output.errors ?? [];
  if (complaints.length > 0) {
    fail(complaints.map((complaint) => complaint.formattedMessage).join("\n"));
  }
  return { contracts: output.contracts, version: solc.version() };
}

// Over the contract's own source and all it imports, each with its name, so that a renamed file counts too.
function hashOfSources(metadata) {
  const hash = createHash("sha256");
  for (const path of Object.keys(JSON.parse(metadata).sources).sort()) {
    hash.update(`${path}\0${read(path)}\0`);
  }
  return `0x${hash.digest("hex")}`;
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

function artifacts() {
  const { contracts, version } = compile();
  const files = new Map();
  for (const { source, into } of DEPLOYABLE) {
    const contractName = source.split("/").at(-1).replace(".sol", "");
    const { abi, evm, metadata } = contracts[source][contractName];
    const artifact = {
      abi,
      bytecode: `0x${evm.bytecode.object}`,
      compiler: { ...SETTINGS, version },
      contractName,
      sourceHash: hashOfSources(metadata),
    };
    files.set(join(into, `${contractName}.json`), `${JSON.stringify(sorted(artifact))}\n`);
  }
  return files;
}

function strays(files) {
  return [PACKAGE_DATA, TEST_DATA]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((file) => file.endsWith(".json") && !files.has(file));
}

function check(files) {
  const stale = [...files].filter(([file, text]) => !existsSync(file) || readFileSync(file, "utf8") !== text);
  const wrong = [...stale.map(([file]) => file), ...strays(files)];
  if (wrong.length === 0) return console.log(`${files.size} artifacts match their sources`);
  const names = wrong.map((file) => `  ${relative(join(HERE, ".."), file)}`).join("\n");
  fail(`artifacts that do not match the sources; run "npm run build" in contracts/, commit them:\n${names}`);
}

function write(files) {
  for (const file of strays(files)) rmSync(file);
  for (const [file, text] of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  console.log(`${files.size} artifacts written`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const mode = process.argv[2];
if (mode === "--check") check(artifacts());
else if (mode === undefined) write(artifacts());
else fail("usage: node build.mjs [--check]");
