const LONGEST_LINE = 1_000_000;

export interface TextLine {
  readonly line: number;
  readonly text: string;
}

/** The lines of a text that comes in pieces; empty ones are passed over. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<TextLine> {
  let rest = '';
  let line = 0;
  for await (const chunk of chunks) {
    const texts = (rest + chunk).split('\n');
    rest = texts.pop() ?? '';
    for (const text of texts) {
      line += 1;
      if (text.trim() !== '') yield { line, text };
    }
    if (rest.length > LONGEST_LINE) throw new RangeError(`line ${line + 1} is too long`);
  }
  if (rest.trim() !== '') yield { line: line + 1, text: rest };
}
