// The walk: an event is a step; a state is what is known after it.

const events = JSON.parse(document.getElementById('events').textContent);
const example = events[0];
const health = events.filter(event => event.event === 'health');
const steps = events.filter(event => event.event !== 'health');
const story = { events, health };
const phases = [['example', 'Example'], ['forward', 'Forward'], ['loss', 'Loss'], ['back', 'Back'], ['count', 'Count'], ...(health.length ? [['batch', 'Health']] : []), ['explained', 'End']];
const find = id => document.getElementById(id);
const drawing = new Drawing(example, find('graph-scroll'));
let at = 0;

function phaseOf(step) {
  return ['delta', 'gradient', 'update'].includes(step.event) ? 'back' : step.event;
}

function titleOf(step) {
  switch (step.event) {
    case 'example': return 'The example.';
    case 'forward': return `Forward: ${step.layer}.`;
    case 'loss': return 'The loss.';
    case 'delta': return `Back: the delta of ${step.layer}.`;
    case 'gradient': return `Back: the gradient of ${step.layer}.`;
    case 'update': return `Back: ${step.layer} updates.`;
    case 'count': return 'With the table, and without.';
    case 'batch': return `Over ${step.examples} examples.`;
    default: return 'The end.';
  }
}

/** What is known after the steps up to one. */
function stateAt(index) {
  const state = { values: new Map([['input', example.input]]), derivatives: new Map(), deltas: new Map(), inner: new Map(), reads: new Map(), weights: new Map(), label: example.label };
  for (const step of steps.slice(0, index + 1)) {
    if (step.event === 'forward') {
      state.values.set(step.layer, step.output);
      state.derivatives.set(step.layer, step.derivative);
      if (step.weights) state.weights.set(step.layer, step);
    } else if (step.event === 'loss') {
      state.loss = step.value;
    } else if (step.event === 'delta') {
      state.deltas.set(step.layer, step.delta);
      state.inner.set(step.layer, step.inner ?? step.delta);
      state.reads.set(step.layer, step.reads.gradients + step.reads.deltas);
    } else if (step.event === 'update') {
      state.lossAfter = step.lossAfter;
    }
  }
  const now = steps[index];
  return { ...state, kind: now.event, now: now.layer ?? (now.event === 'example' ? 'input' : now.event === 'loss' ? lossName : null), parts: now.parts, sentence: now.says };
}

/** The table: rows in the order in which the way back fills them. */
function rowsOf(state) {
  const order = events.filter(event => event.event === 'delta').map(event => event.layer);
  return order.flatMap(name => {
    const layer = drawing.layout.nodes.get(name);
    const isNow = state.now === name;
    const vectors = ['values', 'derivatives', 'deltas', 'inner'].map(column => state[column].get(name));
    const fresh = { forward: [true, true, false, false, false], delta: [false, false, true, true, true] }[state.kind] ?? [];
    const reads = state.reads.get(name);

    // The entries that the new ones are computed from: read, not computed again.
    const isRead = state.kind === 'delta' && state.parts.some(part => part.from === name);
    const cells = pick => [...vectors.map((vector, column) => cell(vector ? pick(vector) : undefined, isNow && fresh[column] ? 'fresh' : isRead && column === 3 ? 'reading' : '')),
      cell(reads, isNow && fresh[4] ? 'fresh' : '', reads === undefined ? undefined : `${whole(reads)}×`)];
    const attributes = { 'aria-current': isNow ? 'step' : null };
    if (!layer.isSmall) {
      return [make('tr', { ...attributes, 'data-row': name }, make('th', { scope: 'row' }, name, make('span', { class: 'muted' }, ` ‖${layer.length}‖`)), ...cells(vector => vector.norm))];
    }
    return Array.from({ length: layer.length }, (_, unit) =>
      make('tr', { ...attributes, 'data-row': `${name}.${unit}` }, make('th', { scope: 'row' }, `${name}[${unit}]`), ...cells(vector => vector.values[unit])));
  });
}

function cell(value, style, written) {
  return value === undefined
    ? make('td', { class: 'number empty' }, '·')
    : make('td', { class: `number ${style}`.trim(), title: style === 'reading' ? 'read again, not computed again' : null }, written ?? text(value));
}

function show(index) {
  at = Math.max(0, Math.min(steps.length - 1, index));
  const step = steps[at];
  const state = stateAt(at);
  drawing.show(state);
  find('rows').replaceChildren(...rowsOf(state));
  find('details').replaceChildren(...detailsOf(step, story).filter(Boolean));
  find('says-title').textContent = titleOf(step);
  find('says-text').textContent = step.says;
  find('position').textContent = `step ${at + 1} of ${steps.length}`;
  find('slider').value = at;
  find('slider').setAttribute('aria-valuetext', `${at + 1} of ${steps.length}: ${titleOf(step)}`);
  for (const [id, isOff] of [['first', at === 0], ['back', at === 0], ['forward', at === steps.length - 1], ['last', at === steps.length - 1]]) find(id).disabled = isOff;
  for (const item of find('phases').children) {
    if (item.dataset.phase === phaseOf(step)) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
  document.body.dataset.step = at;
  history.replaceState(null, '', `#${at + 1}`);
  revealRow();
}

// Within its own box only: the page itself must not jump.
function revealRow() {
  const rows = find('rows').querySelectorAll('[aria-current]');
  const box = find('table-scroll');
  if (!rows.length) return;
  const last = rows[rows.length - 1];
  const [top, bottom] = [rows[0].offsetTop - 40, last.offsetTop + last.offsetHeight];
  box.scrollTop = Math.min(top, Math.max(box.scrollTop, bottom - box.clientHeight));
}

function prepare() {
  find('title').textContent = `${example.job}: the chain rule at work`;
  find('subtitle').textContent = `training example ${example.example}, class ${example.label}, ${example.steps === 0 ? 'first parameters' : `after ${whole(example.steps)} ${example.steps === 1 ? 'step' : 'steps'}`}${example.replica === null ? '' : `, replica ${example.replica}`} · ${example.layers.length} layers, ${whole(example.parameters)} parameters`;
  find('phases').append(...phases.map(([phase, name]) => make('li', { 'data-phase': phase }, name)));
  find('slider').max = steps.length - 1;
  find('legend').append('a: what a layer gives. δ = ∂loss/∂a: how the loss changes with it. ',
    make('span', { class: 'key' }, make('span', { class: 'swatch plus' }), 'above zero (solid)'),
    make('span', { class: 'key' }, make('span', { class: 'swatch minus' }), 'below zero (dashed)'));
  find('sentences').append(...steps.map(step => make('li', {}, make('b', {}, `${titleOf(step)} `), step.says)));
}

function listen() {
  for (const [id, to] of [['first', () => 0], ['back', () => at - 1], ['forward', () => at + 1], ['last', () => steps.length - 1]]) {
    find(id).addEventListener('click', () => show(to()));
  }
  for (const [id, change] of [['larger', () => drawing.zoom(1.25)], ['smaller', () => drawing.zoom(0.8)], ['whole', () => drawing.toggleWhole()]]) {
    find(id).addEventListener('click', () => {
      change();
      find('whole').setAttribute('aria-pressed', drawing.isWhole);
    });
  }
  find('slider').addEventListener('input', event => show(Number(event.target.value)));
  document.addEventListener('keydown', event => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target === find('slider')) return;
    const pan = { ArrowRight: [90, 0], ArrowLeft: [-90, 0], ArrowDown: [0, 90], ArrowUp: [0, -90] }[event.key];
    if (event.shiftKey && pan && event.target === find('graph-scroll')) {
      event.preventDefault();
      event.target.scrollBy(...pan);
      return;
    }
    const size = { '+': 'larger', '-': 'smaller', 0: 'whole' }[event.key];
    if (size) find(size).click();
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: steps.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show(at));
  addEventListener('hashchange', () => show(Number(location.hash.slice(1)) - 1 || 0));

  // On paper the walk is over: all entries are there, and the story is told below.
  let shown = 0;
  addEventListener('beforeprint', () => {
    shown = at;
    find('story').open = true;
    show(steps.length - 1);
  });
  addEventListener('afterprint', () => show(shown));
}

prepare();
listen();
show((Number(location.hash.slice(1)) || 1) - 1);
