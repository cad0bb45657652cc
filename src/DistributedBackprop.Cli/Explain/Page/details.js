// What a step is in numbers: sums, products, bars.

const mostSums = 16;

/** The content of the lower panel for an event. */
function detailsOf(event, story) {
  switch (event.event) {
    case 'example': return [pictureOf('The input', event.input, event.shape), factsOf(event)];
    case 'forward': return forwardOf(event);
    case 'loss': return [pictureOf('∂L/∂output: the first delta', event.delta, null)];
    case 'delta': return deltaOf(event);
    case 'gradient': return gradientOf(event);
    case 'update': return updateOf(event);
    case 'count': return countOf(event);
    case 'batch': return healthOf(story.health);
    default: return endOf(story);
  }
}

function factsOf(event) {
  return make('p', {}, `${event.layers.length} layers, ${whole(event.parameters)} parameters. Follow the arrow keys: forward through the layers, then back.`);
}

function forwardOf(event) {
  return [make('div', { class: 'columns' },
    pictureOf('a: what it sends on', event.output, null),
    event.derivative ? pictureOf(`f′ of ${event.function ?? 'the layer'}: what it keeps for the way back`, event.derivative, null) : null,
    event.bias?.length && event.weights.length <= 64 ? weightsOf(event) : null)];
}

function weightsOf(event) {
  const units = event.bias.length;
  const fanIn = event.weights.length / units;
  const rows = event.bias.map((bias, unit) => make('tr', {},
    make('th', { scope: 'row' }, `${event.layer}[${unit}]`),
    ...event.weights.slice(unit * fanIn, (unit + 1) * fanIn).map(weight => make('td', { class: 'number' }, text(weight))),
    make('td', { class: 'number' }, text(bias))));
  const heads = Array.from({ length: fanIn }, (_, k) => make('th', { scope: 'col', class: 'number' }, `w${subscript(k)}`));
  return make('figure', {},
    make('table', {}, make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'unit'), ...heads, make('th', { scope: 'col', class: 'number' }, 'bias'))), make('tbody', {}, rows)),
    make('figcaption', {}, 'weights and bias'));
}

function pictureOf(title, vector, shape) {
  if (!vector) return null;
  const caption = make('figcaption', {}, `${title}: ${describe(vector)}`);
  if (vector.length <= fewUnits) {
    return make('figure', {}, make('p', { class: 'mono' }, vector.values.map(text).join('   ')), caption);
  }
  return make('figure', {}, make('div', { class: 'columns' }, imageOf(vector, shape), histogramOf(vector)), caption, largestOf(vector));
}

function imageOf(vector, shape) {
  if (!vector.values) return null;
  const map = heatMap(vector.values, shape ?? wideShape(vector.length), new Shades());
  const scale = Math.max(1, Math.floor(Math.min(180 / map.columns, 120 / map.rows)));
  return make('img', { class: 'heat', src: map.url, width: map.columns * scale, height: map.rows * scale, alt: describe(vector) });
}

function histogramOf(vector) {
  const [width, height] = [208, 90];
  const most = Math.max(...vector.histogram);
  const step = width / vector.histogram.length;
  const bar = (count, bin) => {
    const [from, to] = [bin, bin + 1].map(edge => vector.least + (vector.greatest - vector.least) * edge / vector.histogram.length);
    const size = count === 0 ? 0 : Math.max(1.5, count / most * height);
    return draw('rect', { class: from >= 0 ? 'up' : to <= 0 ? '' : 'both', x: bin * step + 1, y: height - size, width: step - 2, height: size },
      draw('title', {}, `${count} from ${text(from)} to ${text(to)}`));
  };
  const counts = vector.histogram.join(', ');
  return draw('svg', { class: 'histogram', width, height: height + 18, role: 'img', 'aria-label': `Histogram from ${text(vector.least)} to ${text(vector.greatest)}: ${counts}` },
    ...vector.histogram.map(bar),
    draw('text', { x: 0, y: height + 14, 'font-size': 11, class: 'muted' }, text(vector.least)),
    draw('text', { x: width, y: height + 14, 'font-size': 11, class: 'muted', 'text-anchor': 'end' }, text(vector.greatest)));
}

function largestOf(vector) {
  return make('p', { class: 'mono' }, 'largest: ', vector.largest.map(entry => `[${entry.index}] ${text(entry.value)}`).join('   '));
}

function deltaOf(event) {
  const blocks = [];
  if (event.parts.length > 1) {
    const list = make('ul', { class: 'sums' }, event.parts.map(part => make('li', {}, make('span', { class: 'name' }, `from ${part.from === lossName ? 'the loss' : part.from}: `), `‖δ‖ = ${text(part.delta.norm)}`)));
    blocks.push(make('p', {}, 'The graph forks: the deltas of both branches are added, in the order of the graph.'), list);
  }
  const sums = event.entries.slice(0, mostSums).map(entry => make('li', { 'data-entry': entry.index },
    make('span', { class: 'name' }, `δ[${entry.index}] = `), sumOf(entry), ` = ${text(entry.delta)}`,
    entry.inner !== entry.delta ? `;  δ·f′ = ${text(entry.inner)}` : ''));
  const which = event.delta.length > event.entries.length ? `the ${event.entries.length} largest of ${event.delta.length} entries` : 'every entry';
  blocks.push(make('h3', {}, `δ = Σ w·δ, ${which}`), make('ul', { class: 'sums' }, sums));
  if (event.delta.length > fewUnits) blocks.push(make('h3', {}, 'All of them'), pictureOf('δ', event.delta, null));
  return blocks;
}

function sumOf(entry) {
  const shown = entry.terms.slice(0, 6);
  const terms = shown.map(term => term.from === lossName ? `${text(term.delta)} (from the loss)`
    : term.weight === 1 ? `${text(term.delta)} (${term.from}[${term.unit}])` : `${text(term.weight)}·${text(term.delta)}`);
  const hidden = entry.terms.slice(6);
  const others = hidden.length + entry.otherTerms;
  const rest = hidden.reduce((sum, term) => sum + term.weight * term.delta, entry.otherSum);
  return terms.join(' + ') + (others > 0 ? ` + ${others} more (${text(rest)})` : '');
}

function gradientOf(event) {
  const rows = event.products.map(product => make('tr', {},
    make('th', { scope: 'row' }, product.parameter),
    ...[product.delta, product.activation, product.gradient, product.quotient].map(value => make('td', { class: 'number' }, text(value)))));
  const heads = ['δ', 'a', '∂L/∂w = δ·a', '(L(w+h) − L(w−h)) / 2h'].map(name => make('th', { scope: 'col', class: 'number' }, name));
  const { quotients } = event;
  const kinks = quotients.atKinks > 0 ? ` ${quotients.atKinks} more lie at a kink of relu, where there is no derivative to compare.` : '';
  const share = quotients.largestGradient > 0 ? ` (${(100 * quotients.largestDifference / quotients.largestGradient).toPrecision(2)} % of the largest gradient)` : '';
  return [
    make('p', {}, make('span', { class: 'good' }, `Largest disagreement ${text(quotients.largestDifference)}`), `${share}, over ${whole(quotients.compared)} of ${whole(quotients.parameters)} parameters.${kinks}`),
    make('div', { class: 'columns' },
      make('div', { class: 'scroll' }, make('table', {}, make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'parameter'), ...heads)), make('tbody', {}, rows))),
      event.gradient.length > fewUnits && event.gradient.values ? pictureOf('∂L/∂w', event.gradient, null) : event.gradient.length > fewUnits ? make('figure', {}, histogramOf(event.gradient), make('figcaption', {}, `∂L/∂w: ${describe(event.gradient)}`)) : null),
  ];
}

function barsOf(rows) {
  const largest = Math.max(...rows.map(([, size]) => size));
  return make('div', { class: 'bars' }, rows.flatMap(([name, size, label, style]) => [
    make('span', {}, name),
    make('span', { class: 'track', 'aria-hidden': 'true' }, make('span', { class: `fill ${style ?? ''}`, style: `width:${largest > 0 ? 100 * size / largest : 0}%` })),
    make('span', { class: 'mono' }, label)]));
}

function updateOf(event) {
  return [
    make('p', {}, `η = ${text(event.rate)}, ‖g‖ = ${text(event.gradientNorm)}; the loss goes from ${text(event.lossBefore)} to ${text(event.lossAfter)}.`),
    barsOf([
      [`predicted: ${event.plain ? '−η‖g‖²' : 'g·Δw'}`, Math.abs(event.predicted), text(event.predicted)],
      ['actual', Math.abs(event.actual ?? 0), text(event.actual), 'second'],
    ]),
  ];
}

function countOf(event) {
  // By the number of digits: the numbers themselves would leave one bar empty.
  const size = digits => digits.length - 1 + Math.log10(Number(digits.slice(0, 15)) / 10 ** (Math.min(15, digits.length) - 1) || 1);
  return [
    barsOf([
      ['with the table', size(event.withTable), `${whole(event.withTable)} multiplications`, 'second'],
      ['without it', size(event.withoutTable), `${whole(event.withoutTable)} multiplications`],
    ]),
    make('p', {}, `Bars grow with the number of digits. ${event.run ? 'Both ways were really run' : 'The second number is computed exactly, not run'}: ${whole(event.paths)} paths lead from parameters to the loss.`),
  ];
}

function healthOf(events) {
  const largest = Math.max(...events.map(event => event.deltaSize));
  const percent = share => share === null ? '' : `${(100 * share).toFixed(1)} %`;
  const rows = events.map(event => make('tr', { 'data-health': event.layer },
    make('th', { scope: 'row' }, event.layer),
    make('td', { class: 'number' }, text(event.deltaSize)),
    make('td', {}, make('span', { class: 'track', 'aria-hidden': 'true', style: 'display:inline-block;width:9rem;height:.7rem;background:var(--soft);border-radius:.3rem' },
      make('span', { style: `display:block;height:100%;border-radius:.3rem;background:var(--accent);width:${largest > 0 ? Math.max(1, 100 * event.deltaSize / largest) : 0}%` }))),
    make('td', { class: 'number' }, text(event.gradientNorm)),
    make('td', { class: 'number' }, percent(event.dead)),
    make('td', { class: 'number' }, percent(event.saturated)),
    make('td', { class: `verdict verdict-${event.verdict}` }, event.verdict)));
  const heads = [['layer', ''], ['size of δ', 'number'], ['', ''], ['‖g‖', 'number'], ['dead', 'number'], ['saturated', 'number'], ['', '']];
  return [
    make('div', { class: 'scroll' }, make('table', {}, make('thead', {}, make('tr', {}, heads.map(([name, style]) => make('th', { scope: 'col', class: style }, name)))), make('tbody', {}, rows))),
    make('ul', {}, events.map(event => make('li', {}, event.says))),
  ];
}

function endOf(story) {
  const updates = story.events.filter(event => event.event === 'update');
  return [make('p', {}, 'After each layer’s turn, from the output back:'), barsOf(updates.flatMap(event => [
    [`${event.layer}: predicted`, Math.abs(event.predicted), text(event.predicted)],
    ['actual', Math.abs(event.actual ?? 0), text(event.actual), 'second']]))];
}
