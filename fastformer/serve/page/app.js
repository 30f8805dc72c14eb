import { parse, write } from "./csv.js";

const byId = (id) => document.getElementById(id);
let models = [];
let token = "";

// --- The server -------------------------------------------------------------------------------

class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.status = problem.status;
  }
}

async function request(path, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  const type = response.headers.get("Content-Type") ?? "";
  throw new Refused(
    type.includes("json")
      ? await response.json()
      : { status: response.status, detail: `the server answered ${response.status}` },
  );
}

const url = (name, operation) => `v1/models/${encodeURIComponent(name)}/${operation}`;

function post(name, operation, body, headers = {}) {
  return request(url(name, operation), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

const ask = async (name, operation, body) => (await (await post(name, operation, body)).json()).results;

// The server-sent events of a response, as pairs of name and data.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const parts = buffer.split("\n\n");
    buffer = parts.pop();
    for (const part of parts) {
      const name = /^event: (.*)$/m.exec(part)?.[1] ?? "message";
      yield [name, JSON.parse(/^data: (.*)$/m.exec(part)[1])];
    }
  }
}

// --- Elements ---------------------------------------------------------------------------------

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function table(heading, rows) {
  const head = element("tr", {}, ...heading.map((name) => element("th", { scope: "col" }, name)));
  return element(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", ariaLabel: heading.join(", ") },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
  );
}

const cell = (content, className = "") => element("td", { className }, content);
const percent = (value) => `${(100 * value).toFixed(1)} %`;

function say(text) {
  byId("status").textContent = text;
}

// Runs what a form asks for, and reports its end or what went wrong.
function onSubmit(id, run) {
  const form = byId(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    say("Working …");
    try {
      say((await run()) ?? "Done.");
    } catch (error) {
      say(`Error: ${error.message}.`);
      if (error.status === 401) byId("access").hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}

// --- Classifiers ------------------------------------------------------------------------------

function probabilityTable(result) {
  const most = result.probabilities.slice(0, 8);
  return table(
    ["Label", "Probability", ""],
    most.map(({ label, probability: value }) =>
      element(
        "tr",
        {},
        cell(label),
        cell(percent(value), "number"),
        cell(element("meter", { value, ariaLabel: `Probability of ${label}` })),
      ),
    ),
  );
}

// A page shows no more tokens and rows than a person looks at.
const mostShown = 2000;

// The weights that a heat map can show, by their name.
function weightsOf(tokens) {
  const layers = tokens[0]?.layers.length ?? 0;
  const kinds = { pooling: (t) => t.pooling };
  for (let i = 0; i < layers; ++i) {
    kinds[`alpha, layer ${i + 1}`] = (t) => t.layers[i].query;
    kinds[`beta, layer ${i + 1}`] = (t) => t.layers[i].key;
  }
  return kinds;
}

function heatMap(all, name) {
  const tokens = all.slice(0, mostShown);
  const kinds = weightsOf(tokens);
  const id = `weights-${name}`;
  const map = element("p", { className: "map" });
  const select = element(
    "select",
    { id },
    ...Object.keys(kinds).map((kind) => element("option", {}, kind)),
  );
  const draw = () => {
    const weights = tokens.map(kinds[select.value]);
    const most = weights.reduce((a, b) => Math.max(a, b), 1e-9);
    map.replaceChildren(
      ...tokens.flatMap((t, i) => {
        const shown = element("span", { className: "token", title: weights[i].toFixed(4) }, t.token);
        shown.style.setProperty("--weight", weights[i] / most);
        return [shown, " "];
      }),
    );
  };
  select.addEventListener("change", draw);
  draw();
  const numbers = element(
    "details",
    {},
    element("summary", {}, "Numbers"),
    table(
      ["Token", ...Object.keys(kinds)],
      tokens.map((t) =>
        element(
          "tr",
          {},
          cell(t.token),
          ...Object.values(kinds).map((kind) => cell(kind(t).toFixed(4), "number")),
        ),
      ),
    ),
  );
  return [
    element("h3", {}, all.length > mostShown ? `Attention (the first ${mostShown} tokens)` : "Attention"),
    element("label", { htmlFor: id }, "Weights"),
    select,
    map,
    numbers,
  ];
}

function ngramTable(ngrams) {
  const lists = Array.isArray(ngrams) ? [["", ngrams]] : Object.entries(ngrams);
  return lists
    .filter(([, list]) => list.length > 0)
    .flatMap(([label, list]) => [
      element("h3", {}, label ? `N-grams for ${label}` : "N-grams"),
      table(
        ["N-gram", "Adds to the logit"],
        list.slice(0, 12).map(({ ngram, added }) =>
          element(
            "tr",
            {},
            cell(ngram),
            cell((added < 0 ? "−" : "+") + Math.abs(added).toFixed(3), added < 0 ? "number against" : "number"),
          ),
        ),
      ),
    ]);
}

function predictionColumn(name, result) {
  const label = result.labels ? result.labels.join(", ") || "no label" : result.label;
  return element(
    "div",
    {},
    element("h3", {}, `${name}: ${label}`),
    probabilityTable(result),
    ...(result.tokens.length ? heatMap(result.tokens, name) : []),
    ...ngramTable(result.ngrams),
  );
}

const chosen = () => [byId("model").value, byId("second").value].filter(Boolean);

onSubmit("classify", async () => {
  const texts = [byId("text").value];
  const columns = await Promise.all(
    chosen().map(async (name) => {
      const [result] = await ask(name, "classify", { texts, explain: true });
      return predictionColumn(name, result);
    }),
  );
  byId("predictions").replaceChildren(...columns);
});

// --- Tables -----------------------------------------------------------------------------------

let rows = [];

function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("it is not UTF-8; save it as CSV UTF-8");
  }
}

byId("file").addEventListener("change", async () => {
  const select = byId("column");
  select.disabled = true;
  rows = [];
  try {
    const bytes = await byId("file").files[0].arrayBuffer();
    const parsed = parse(decode(bytes));
    if (parsed.length < 2) throw new Error("there are no rows below the header");
    rows = parsed;
    select.replaceChildren(...rows[0].map((name, i) => element("option", { value: i }, name || `column ${i + 1}`)));
    // The column with the longest cells is most likely the text.
    const length = (i) => rows.slice(1, 100).reduce((sum, row) => sum + (row[i]?.length ?? 0), 0);
    select.value = rows[0].reduce((best, _, i) => (length(i) > length(best) ? i : best), 0);
    select.disabled = false;
    say(`${rows.length - 1} rows.`);
  } catch (error) {
    say(`Cannot read the file: ${error.message}.`);
  }
});

// Consecutive texts of at most so many and so many characters.
function* batches(texts) {
  const [mostTexts, mostLength] = [256, 1e6];
  for (let begin = 0; begin < texts.length; ) {
    let end = begin;
    for (let sum = 0; end < texts.length && end - begin < mostTexts && (end === begin || sum < mostLength); ++end) {
      sum += texts[end].length;
    }
    yield texts.slice(begin, end);
    begin = end;
  }
}

// A busy server says when to ask again.
async function askPatiently(name, body) {
  for (;;) {
    try {
      return await ask(name, "classify", body);
    } catch (error) {
      if (error.status !== 429) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

// A spreadsheet takes such a cell for a formula.
const plain = (cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);

onSubmit("table", async () => {
  if (rows.length === 0) throw new Error("choose a file first");
  const name = byId("model").value;
  const column = Number(byId("column").value);
  const texts = rows.slice(1).map((row) => row[column] ?? "");
  const done = byId("rows-done");
  const answers = [];
  for (const batch of batches(texts)) {
    const results = await askPatiently(name, { texts: batch, top_k: 1 });
    for (const { label, labels, probabilities } of results) {
      answers.push([plain(labels ? labels.join(";") : label), probabilities[0].probability.toFixed(4)]);
    }
    done.value = answers.length / texts.length;
  }
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const padded = rows.map((row) => [...row, ...Array(width - row.length).fill("")]);
  const content = write([
    [...padded[0], "predicted", "probability"],
    ...padded.slice(1).map((row, i) => [...row, ...answers[i]]),
  ]);
  const link = element(
    "a",
    { href: URL.createObjectURL(new Blob([content], { type: "text/csv" })), download: "predictions.csv" },
    "Download predictions.csv",
  );
  byId("download").replaceChildren(link);
  return `Classified ${answers.length} rows.`;
});

// --- Recommenders -----------------------------------------------------------------------------

onSubmit("recommend", async () => {
  const history = byId("history").value.split(/\s+/).filter(Boolean);
  const body = { users: [{ history }], top_k: Number(byId("top").value), explain: true };
  const [result] = await ask(byId("model").value, "recommend", body);
  const items = result.items.map((item) => {
    const reasons = (item.clicks ?? [])
      .sort((a, b) => b.adds - a.adds)
      .map((click) => element("li", {}, `${click.adds.toFixed(3)} from ${click.title || click.id}`));
    return element(
      "tr",
      {},
      cell(item.title || item.id),
      cell(item.id),
      cell(item.score.toFixed(3), "number"),
      cell(element("details", {}, element("summary", {}, "Clicks"), element("ul", {}, ...reasons))),
    );
  });
  byId("recommendations").replaceChildren(table(["Item", "Id", "Score", "Reasons"], items));
  if (result.cold && !items.length) return "None of these ids is an item, so nothing can be recommended.";
  if (result.cold) return "None of these ids is an item; these are the most popular items.";
  return result.unknown.length ? `Unknown ids were ignored: ${result.unknown.join(", ")}.` : undefined;
});

// --- Summarizers ------------------------------------------------------------------------------

// Words that can be chosen, to see the tokens of the document with the largest weights.
function explained(tokens) {
  return tokens.flatMap((t) => {
    const word = element("button", { type: "button", className: "word" }, t.token);
    word.addEventListener("click", () => {
      const sources = t.sources.map((s) => `${s.token} (${percent(s.weight)}, token ${s.position + 1})`);
      const copied = t.copied === undefined ? "" : `; copied with probability ${percent(t.copied)}`;
      byId("sources").textContent = `${t.token}: ${sources.join(", ")}${copied}.`;
    });
    return [word, " "];
  });
}

onSubmit("summarize", async () => {
  const summary = byId("summary");
  summary.textContent = "";
  const body = { texts: [byId("document").value], explain: true };
  const response = await post(byId("model").value, "summarize", body, { Accept: "text/event-stream" });
  // A document without tokens has no events.
  if (!response.headers.get("Content-Type").includes("event-stream")) {
    return "The document has no words.";
  }
  for await (const [name, data] of events(response)) {
    if (name === "message") summary.append(data.text);
    if (name === "error") throw new Refused(data);
    if (name === "done") summary.replaceChildren(...explained(data.results[0].explanation ?? []));
  }
});

// --- Extractive summarizers -------------------------------------------------------------------

// The document with the chosen sentences marked. Places count characters, not UTF-16 units.
function marked(text, sentences, chosen) {
  const characters = Array.from(text);
  const most = sentences.reduce((largest, { score }) => Math.max(largest, score), 1e-9);
  const nodes = [];
  let at = 0;
  for (const { index, begin, end, score } of sentences) {
    nodes.push(characters.slice(at, begin).join(""));
    const node = element(chosen.has(index) ? "mark" : "span", { title: `score ${score.toFixed(3)}` });
    node.textContent = characters.slice(begin, end).join("");
    node.style.setProperty("--weight", score / most);
    nodes.push(node);
    at = end;
  }
  return [...nodes, characters.slice(at).join("")];
}

onSubmit("extract", async () => {
  const text = byId("whole").value;
  const body = { texts: [text], explain: true };
  if (byId("limit").value) body.selection = { sentences: Number(byId("limit").value) };
  const [result] = await ask(byId("model").value, "summarize", body);
  byId("extracted").textContent = result.summary;
  const chosen = new Set(result.sentences.map(({ index }) => index));
  byId("marked").replaceChildren(...marked(text, result.document, chosen));
  return result.summary ? undefined : "The document has no words.";
});

// --- Models -----------------------------------------------------------------------------------

const sections = {
  classifier: "classifier",
  recommender: "recommender",
  summarizer: "summarizer",
  "extractive summarizer": "extractive",
};

function showKind() {
  const model = models.find(({ name }) => name === byId("model").value);
  for (const [kind, section] of Object.entries(sections)) byId(section).hidden = kind !== model?.kind;
  const others = models.filter(({ kind, name }) => kind === "classifier" && name !== model?.name);
  byId("second-choice").hidden = model?.kind !== "classifier" || others.length === 0;
  byId("second").replaceChildren(
    element("option", { value: "" }, "none"),
    ...others.map(({ name }) => element("option", {}, name)),
  );
}

async function loadModels() {
  try {
    ({ models } = await (await request("v1/models")).json());
    byId("access").hidden = true;
    byId("model").replaceChildren(...models.map(({ name }) => element("option", {}, name)));
    showKind();
    say("");
  } catch (error) {
    byId("access").hidden = error.status !== 401;
    say(error.status === 401 ? "This server needs a token." : `Cannot load the models: ${error.message}.`);
  }
}

byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value;
  loadModels();
});
byId("model").addEventListener("change", showKind);
loadModels();
