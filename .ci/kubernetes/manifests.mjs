// Reads the objects that Helm rendered, in YAML as Kubernetes reads it.
//   node manifests.mjs json < FILE      writes them as one JSON array
//   node manifests.mjs check FILE...    writes what is wrong with them, a line each; exit code 1 when anything is
// Two judges look at each object: the validators that kubernetes-models has made of the OpenAPI schemas of Kubernetes and of the custom
// resources (types, formats, what is required), and the TypeScript compiler, which with the types made of the same schemas refuses fields
// that there are not. The API server would drop such a field without a word.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parseAllDocuments } from "yaml";

const folder = fileURLToPath(new URL(".", import.meta.url));
const custom = {
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
  "cert-manager.io": "@kubernetes-models/cert-manager",
};

function parse(text) {
  const documents = parseAllDocuments(text, { version: "1.1", uniqueKeys: true, strict: true });
  for (const document of documents) {
    if (document.errors.length > 0) {
      throw new Error(document.errors[0].message);
    }
  }
  return documents.map(document => document.toJS({ maxAliasCount: 0 })).filter(object => object !== null);
}

const nameOf = manifest => `${manifest.kind} ${manifest.metadata?.name}`;
const moduleOf = ({ apiVersion, kind }) => `${custom[apiVersion.split("/")[0]] ?? "kubernetes-models"}/${apiVersion}/${kind}`;

async function findProblems(files) {
  const problems = [];
  const sources = new Map();
  for (const file of files) {
    const seen = new Set();
    for (const manifest of parse(readFileSync(file, "utf8"))) {
      const where = `${basename(file)}: ${nameOf(manifest)}`;
      if (seen.has(nameOf(manifest))) {
        problems.push(`${where}: it is there twice`);
      }
      seen.add(nameOf(manifest));
      let model;
      try {
        model = (await import(moduleOf(manifest)))[manifest.kind];
      } catch {
        problems.push(`${where}: no schema is known of ${manifest.apiVersion}`);
        continue;
      }
      try {
        new model(manifest).validate();
      } catch (problem) {
        problems.push(`${where}: ${problem.message}`);
      }
      const source = `import type { I${manifest.kind} } from "${moduleOf(manifest)}";\nexport const manifest: I${manifest.kind} = ${JSON.stringify(manifest)};\n`;
      sources.set(`${folder}${sources.size}.mts`, { where, source });
    }
  }
  return problems.concat(findUnknownFields(sources));
}

function findUnknownFields(sources) {
  const options = {
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts"], types: [], strict: true, noEmit: true, skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = path => sources.has(path) || fileExists(path);
  host.readFile = path => sources.get(path)?.source ?? readFile(path);
  host.getSourceFile = (path, ...rest) =>
    sources.has(path) ? ts.createSourceFile(path, sources.get(path).source, ts.ScriptTarget.ES2022) : getSourceFile.call(host, path, ...rest);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources].flatMap(([path, { where, source }]) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(diagnostic =>
      `${where}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, " ")} at ${source.substr(diagnostic.start, 60)}`);
  });
}

const [verb, ...files] = process.argv.slice(2);
if (verb === "json" && files.length === 0) {
  process.stdout.write(JSON.stringify(parse(readFileSync(0, "utf8"))));
} else if (verb === "check" && files.length > 0) {
  const problems = await findProblems(files);
  problems.forEach(problem => console.log(problem));
  process.exitCode = problems.length > 0 ? 1 : 0;
} else {
  console.error("usage: manifests.mjs json < FILE | manifests.mjs check FILE...");
  process.exitCode = 2;
}
