// CSV as RFC 4180 has it, also with ';' or tabs between cells, and any line endings.

// The rows of a text, each a list of cells.
export function parse(text) {
  const source = text.replace(/^\ufeff/, "");
  const delimiter = delimiterOf(source);
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < source.length; ++i) {
    const c = source[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (source[i + 1] === '"') cell += source[++i];
      else quoted = false;
    } else if (c === '"' && cell === "") {
      quoted = true;
    } else if (c === delimiter) {
      row.push(cell);
      cell = "";
    } else if (c === "\n" || c === "\r") {
      if (c === "\r" && source[i + 1] === "\n") ++i;
      row.push(cell);
      rows.push(row);
      row = [];
      cell = "";
    } else {
      cell += c;
    }
  }
  if (quoted) throw new Error(`a quote in row ${rows.length + 1} is not closed`);
  if (cell !== "" || row.length > 0) rows.push([...row, cell]);
  // Blank lines at the end are no rows.
  while (rows.length > 0 && rows.at(-1).length === 1 && rows.at(-1)[0] === "") rows.pop();
  return rows;
}

// The most frequent of the usual delimiters in the header.
function delimiterOf(text) {
  const header = text.slice(0, text.search(/[\r\n]|$/));
  const count = (c) => header.split(c).length;
  return [",", ";", "\t"].reduce((best, c) => (count(c) > count(best) ? c : best));
}

export function write(rows) {
  const quote = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => row.map(quote).join(",") + "\r\n").join("");
}
