// The network, drawn left to right: small layers unit by unit, large ones as a picture of their values.

const fewUnits = 16;

// In brackets, which no layer's name has.
const lossName = '(loss)';
const pill = { width: 104, height: 40, gap: 12 };

// Of more units the two numbers stand side by side.
const manyUnits = 8;
const flatPill = { width: 148, height: 25, gap: 6 };
const card = { width: 98, picture: { width: 82, height: 50 } };

// Between columns there is room for an arrow and a norm; where each weight is drawn, for a number on each.
const gap = 46;
const weightGap = 88;
const mostWeights = 128;

/** Where everything stands: a column for each layer's greatest distance from the input. */
class Layout {
  constructor(example) {
    const input = { name: 'input', kind: 'example', shape: example.shape, inputs: [], length: length(example.shape) };
    const layers = example.layers.map(layer => ({ ...layer, length: length(layer.shape) }));
    const loss = { name: lossName, kind: example.loss, shape: [1], inputs: [layers.at(-1).name], length: 1 };
    this.nodes = new Map([input, ...layers, loss].map(node => [node.name, node]));
    for (const node of this.nodes.values()) node.column = Math.max(-1, ...node.inputs.map(name => this.nodes.get(name).column)) + 1;
    this.columns = loss.column + 1;
    for (const node of this.nodes.values()) {
      node.isLoss = node === loss;
      node.isSmall = !node.isLoss && node.length <= fewUnits;
      node.isFlat = node.length > manyUnits;
      node.pill = node.isFlat ? flatPill : pill;
      node.boxHeight = node.isLoss ? 118 : node.isSmall ? node.length * (node.pill.height + node.pill.gap) + 44 : 36 + 10 + 2 * (card.picture.height + 27) + 4;
      node.boxWidth = node.isSmall ? node.pill.width + 16 : node.isLoss ? 116 : card.width;
    }
    this.#place();
  }

  #place() {
    const skips = [...this.nodes.values()].some(node => node.inputs.some(name => node.column - this.nodes.get(name).column > 1));
    const columns = Array.from({ length: this.columns }, (_, column) => [...this.nodes.values()].filter(node => node.column === column));
    const heights = columns.map(nodes => nodes.reduce((sum, node) => sum + node.boxHeight + 24, -24));
    this.arc = skips ? 58 : 0;
    this.height = Math.max(...heights) + this.arc + 16;
    let x = 8;
    let space = 0;
    for (let column = 0; column < columns.length; column++) {
      let y = this.arc + (this.height - this.arc - heights[column]) / 2;
      const width = Math.max(...columns[column].map(node => node.boxWidth));
      for (const node of columns[column]) {
        [node.x, node.y] = [x + (width - node.boxWidth) / 2, y];
        y += node.boxHeight + 24;
      }
      const next = columns[column + 1] ?? [];
      space = next.some(node => node.inputs.some(name => hasWeights(this.nodes.get(name), node))) ? weightGap : gap;
      x += width + space;
    }
    this.width = x - space + 8;
  }
}

/** Whether each weight between two layers is drawn. */
function hasWeights(from, to) {
  return to.kind === 'dense' && from.isSmall && to.isSmall && from.length * to.length <= mostWeights;
}

function length(shape) {
  return shape.reduce((product, axis) => product * axis, 1);
}

// Smaller than this its numbers are hard to read.
const leastScale = 0.8;
const mostScale = 2.5;

// A small network in a large pane.
const mostFit = 1.3;

/** The drawing, in a pane in which it may be larger than that: made once, then shown in the state of a step. */
class Drawing {
  #scale = null;

  constructor(example, holder) {
    this.layout = new Layout(example);
    this.holder = holder;
    holder.addEventListener('scroll', () => this.#hint());
    new ResizeObserver(() => this.#size()).observe(holder);
  }

  /** Whether all of it is to be seen at once, however small. */
  get isWhole() {
    return this.#scale === 'whole';
  }

  /** Larger by a factor, or smaller. */
  zoom(factor) {
    this.#scale = Math.max(this.#fit, Math.min(mostScale, this.scale * factor));
    this.#size();
  }

  /** All of it at once, or as large as its numbers can be read. */
  toggleWhole() {
    this.#scale = this.isWhole ? null : 'whole';
    this.#size();
  }

  /** As it was asked for; else all of it where that can be read. */
  get scale() {
    if (this.isWhole) return this.#fit;
    return this.#scale ?? (this.#fit >= leastScale ? this.#fit : 1);
  }

  // As wide as the pane; larger than life only as far as it need not be cut below.
  get #fit() {
    const { layout, holder } = this;
    const height = parseFloat(getComputedStyle(holder).maxHeight) || layout.height;
    return Math.min(holder.clientWidth / layout.width, Math.max(1, Math.min(mostFit, height / layout.height)));
  }

  /** Draws a state: which values and deltas are known, and what happens now. */
  show(state) {
    const { layout } = this;
    const shades = new Shades();
    const svg = draw('svg', {
      viewBox: `0 0 ${layout.width} ${layout.height}`, role: 'img',
      'aria-label': `A network of ${layout.nodes.size - 2} layers. ${state.sentence}`,
    });
    const edges = draw('g');
    const labels = draw('g');
    svg.append(edges);
    for (const node of layout.nodes.values()) {
      for (const source of node.inputs) this.#edge(edges, labels, layout.nodes.get(source), node, state);
    }
    for (const node of layout.nodes.values()) svg.append(this.#node(node, state, shades));
    svg.append(labels);
    const { scrollLeft, scrollTop } = this.holder;
    this.holder.replaceChildren(svg);
    this.now = layout.nodes.get(state.now);
    this.#size();
    this.holder.scrollTo({ left: scrollLeft, top: scrollTop, behavior: 'instant' });
    this.#reveal();
  }

  #size() {
    const svg = this.holder.firstElementChild;
    if (!svg) return;
    svg.setAttribute('width', this.layout.width * this.scale);
    svg.setAttribute('height', this.layout.height * this.scale);
    this.#reveal();
    this.#hint();
  }

  // What happens now is to be seen, in the middle of the pane; where it is at no layer nothing moves.
  #reveal() {
    if (!this.now) return;
    const { scale, now, holder } = this;
    holder.scrollTo({
      left: scale * (now.x + now.boxWidth / 2) - holder.clientWidth / 2,
      top: scale * (now.y + now.boxHeight / 2) - holder.clientHeight / 2,
      behavior: 'instant',
    });
  }

  // At which sides there is more than is seen.
  #hint() {
    const { scrollLeft, scrollWidth, clientWidth, classList } = this.holder;
    classList.toggle('more-left', scrollLeft > 1);
    classList.toggle('more-right', scrollLeft + clientWidth < scrollWidth - 1);
  }

  #node(node, state, shades) {
    const group = draw('g', { class: state.now === node.name ? 'now' : null, 'data-layer': node.name });
    if (node.isLoss) this.#loss(group, node, state);
    else if (node.isSmall) this.#units(group, node, state, shades);
    else this.#picture(group, node, state, shades);
    return group;
  }

  #heading(group, node, extra) {
    const middle = node.x + node.boxWidth / 2;
    const kind = node.kind === 'example' ? 'the example' : node.function && node.function !== node.kind ? `${node.kind} + ${node.function}` : node.kind;
    group.append(
      draw('text', { x: middle, y: node.y + 14, 'text-anchor': 'middle', 'font-weight': 650, 'font-size': 13 }, node.isLoss ? 'loss' : node.name),
      draw('text', { x: middle, y: node.y + 29, 'text-anchor': 'middle', 'font-size': 10.5, class: 'muted' }, extra ?? kind));
  }

  #units(group, node, state, shades) {
    this.#heading(group, node);
    const [values, deltas] = [state.values.get(node.name), state.deltas.get(node.name)];
    const [largest, largestDelta] = [values, deltas].map(vector => vector ? Math.max(...vector.values.map(Math.abs)) : 0);
    for (let unit = 0; unit < node.length; unit++) {
      const value = { symbol: node.kind === 'example' ? 'x' : 'a', number: values?.values[unit], largest, key: 'data-value' };
      const delta = { symbol: 'δ', number: deltas?.values[unit], largest: largestDelta, key: 'data-delta' };
      this.#unit(group, node, unit, node.kind === 'example' ? [value] : [value, delta], shades);
    }
  }

  // A frame cut in one or two parts: one above the other, or side by side.
  #unit(group, node, unit, parts, shades) {
    const { x, y } = unitAt(node, unit);
    const { width, height } = node.pill;
    const isAlone = parts.length === 1;
    const frame = isAlone ? { x, y: y + (height - 25) / 2, width, height: 25, rx: 9 } : { x, y, width, height, rx: node.isFlat ? 7 : 9 };
    const clip = `clip-${node.name}-${unit}`;
    const texts = [];
    const inside = draw('g', { 'clip-path': `url(#${clip})` });
    parts.forEach((part, place) => {
      const box = isAlone ? frame
        : node.isFlat ? { x: x + place * width / 2, y, width: width / 2, height }
          : { x, y: y + place * height / 2, width, height: height / 2 };
      const line = box.y + box.height / 2 + 4;
      const margin = node.isFlat ? 5 : 9;
      inside.append(draw('rect', {
        class: 'pill', x: box.x, y: box.y, width: box.width, height: box.height,
        style: part.number === undefined ? null : `fill:${shades.css(part.number, part.largest)}`,
      }));
      texts.push(
        draw('text', { x: box.x + margin, y: line, 'font-size': 10.5, class: 'muted' }, `${part.symbol}${subscript(unit)}`),
        draw('text', { x: box.x + box.width - margin, y: line, 'text-anchor': 'end', 'font-size': node.isFlat ? 10 : 11.5, class: 'mono', [part.key]: `${node.name}.${unit}` },
          part.number === undefined ? '' : node.isFlat ? short(part.number) : text(part.number)));
    });
    group.append(draw('clipPath', { id: clip }, draw('rect', frame)), inside, draw('rect', { class: 'pill-frame', ...frame }), ...texts);
  }

  #picture(group, node, state, shades) {
    group.append(draw('rect', { class: 'box', x: node.x, y: node.y + 36, width: node.boxWidth, height: node.boxHeight - 36, rx: 10 }));
    this.#heading(group, node);
    const isInput = node.kind === 'example';
    const vectors = isInput ? [['a', state.values.get(node.name)]] : [['a', state.values.get(node.name)], ['δ', state.deltas.get(node.name)]];
    const { picture } = card;
    const room = isInput ? { width: picture.width, height: Math.min(picture.width, node.boxHeight - 36 - 62) } : picture;
    vectors.forEach(([symbol, vector], place) => {
      const y = node.y + 46 + place * (room.height + 27);
      const x = node.x + (node.boxWidth - room.width) / 2;
      if (vector?.values) this.#heat(group, vector, isInput ? node.shape : null, x, y, room, shades, `${symbol} of ${node.name}`);
      else group.append(draw('rect', { class: 'pill', x, y, width: room.width, height: room.height, rx: 5 }));
      const label = vector ? `‖${symbol}‖ ${text(vector.norm)}` : `${symbol}: not yet`;
      group.append(draw('text', { x: node.x + node.boxWidth / 2, y: y + room.height + 15, 'text-anchor': 'middle', 'font-size': 11, class: vector ? 'mono' : 'muted', [symbol === 'a' ? 'data-value' : 'data-delta']: node.name }, label));
    });
    if (isInput) {
      group.append(draw('text', { x: node.x + node.boxWidth / 2, y: node.y + 46 + room.height + 34, 'text-anchor': 'middle', 'font-size': 11, class: 'muted' }, `${node.length} numbers`));
    }
  }

  #heat(group, vector, shape, x, y, room, shades, label) {
    const map = heatMap(vector.values, shape ?? wideShape(vector.values.length), shades);
    const scale = Math.min(room.width / map.columns, room.height / map.rows);
    const [width, height] = [map.columns * scale, map.rows * scale];
    group.append(draw('image', {
      class: 'heat', href: map.url, x: x + (room.width - width) / 2, y: y + (room.height - height) / 2, width, height,
      preserveAspectRatio: 'none', role: 'img', 'aria-label': `${label}: ${describe(vector)}`,
    }));
  }

  #loss(group, node, state) {
    group.append(draw('rect', { class: 'box', x: node.x, y: node.y + 36, width: node.boxWidth, height: node.boxHeight - 36, rx: 10 }));
    this.#heading(group, node, node.kind.replace(/([A-Z])/g, ' $1').toLowerCase());
    const middle = node.x + node.boxWidth / 2;
    const line = (y, content, attributes = {}) => group.append(draw('text', { x: middle, y: node.y + y, 'text-anchor': 'middle', 'font-size': 12, ...attributes }, content));
    line(58, `class is ${state.label}`, { class: 'muted', 'font-size': 11 });
    line(82, state.loss === undefined ? '' : `L = ${text(state.loss)}`, { class: 'mono', 'font-size': 14, 'font-weight': 650, 'data-value': 'loss' });
    line(103, state.lossAfter === undefined ? '' : `→ ${text(state.lossAfter)}`, { class: 'mono', 'data-after': 'loss' });
  }

  #edge(edges, labels, from, to, state) {
    const weights = state.weights.get(to.name)?.weights;
    const isLit = state.now === to.name && (state.kind === 'forward' || state.kind === 'loss' || state.kind === 'gradient' || state.kind === 'update')
      || state.now === from.name && state.kind === 'delta';
    if (weights && hasWeights(from, to)) {
      this.#weights(edges, labels, from, to, weights, isLit, state);
      return;
    }
    const [x1, y1] = [from.x + from.boxWidth, middleOf(from)];
    const [x2, y2] = [to.x, middleOf(to)];
    const isSkip = to.column - from.column > 1;
    const top = isSkip ? Math.min(...this.#between(from, to).map(node => node.y)) - 26 : 0;
    const path = isSkip
      ? `M${x1 - 18},${from.y - 2} C${x1},${top} ${x1 + 20},${top} ${x1 + 44},${top} L${x2 - 44},${top} C${x2 - 20},${top} ${x2},${top} ${x2 + 18},${to.y - 2}`
      : `M${x1},${y1} C${x1 + 18},${y1} ${x2 - 18},${y2} ${x2},${y2}`;
    edges.append(draw('path', { class: `edge plain${isLit ? ' lit' : ''}`, d: path, 'data-edge': `${from.name}>${to.name}` }));
    if (!isLit) return;
    const part = state.kind === 'delta' ? state.parts?.find(one => one.from === to.name)?.delta : state.kind === 'forward' ? state.values.get(from.name) : null;
    const isBack = state.kind === 'delta';
    const x = (x1 + x2) / 2;
    const y = isSkip ? top : (y1 + y2) / 2;
    const label = (line, content, style = '') => labels.append(draw('text', { class: `edge-label ${style}`.trim(), x, y: line, 'text-anchor': 'middle' }, content));
    if (!part) label(y + 4, isBack ? '◀' : '▶', 'mark');
    else if (isSkip) label(y - 7, isBack ? `◀ ‖δ‖ ${short(part.norm)}` : `‖a‖ ${short(part.norm)} ▶`);
    else {
      label(y - 8, isBack ? '◀‖δ‖' : '‖a‖▶');
      label(y + 15, short(part.norm));
    }
  }

  // An arc passes above all that stands between its ends.
  #between(from, to) {
    return [...this.layout.nodes.values()].filter(node => node.column >= from.column && node.column <= to.column);
  }

  #weights(edges, labels, from, to, weights, isLit, state) {
    const largest = Math.max(...weights.map(Math.abs));
    const inner = state.inner.get(to.name) ?? state.deltas.get(to.name);
    const isBack = state.kind === 'delta';
    for (let unit = 0; unit < to.length; unit++) {
      for (let k = 0; k < from.length; k++) {
        const weight = weights[unit * from.length + k];
        const [a, b] = [unitAt(from, k), unitAt(to, unit)];
        const [x1, y1, x2, y2] = [a.x + from.pill.width, a.y + from.pill.height / 2, b.x, b.y + to.pill.height / 2];
        const bend = (x2 - x1) * 0.45;
        edges.append(draw('path', {
          class: `edge ${weight < 0 ? 'negative' : 'positive'}${isLit ? ' lit' : from.length * to.length > 40 ? ' faint' : ''}`,
          style: `stroke-width:${(0.6 + 3 * Math.abs(weight) / largest).toFixed(2)}`,
          d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
          'data-edge': `${from.name}.${k}>${to.name}.${unit}`,
        }));
        if (!isLit || from.length * to.length > 24 || state.kind === 'update') continue;
        const product = isBack && inner?.values ? weight * inner.values[unit] : weight;
        const content = isBack ? `◀ ${short(product)}` : short(product);
        // Near the end where lines lie apart: where more of them end.
        const isFan = from.length >= to.length;
        labels.append(draw('text', {
          class: 'edge-label', x: isFan ? x1 + 6 : x2 - 6, y: (isFan ? y1 : y2) + (isFan ? 3 : (k - (from.length - 1) / 2) * 13 + 3), 'text-anchor': isFan ? 'start' : 'end',
        }, content));
      }
    }
  }
}

function unitAt(node, unit) {
  return { x: node.x + 8, y: node.y + 44 + unit * (node.pill.height + node.pill.gap) };
}

function middleOf(node) {
  return node.isSmall ? node.y + 44 + (node.length * (node.pill.height + node.pill.gap) - node.pill.gap) / 2 : node.y + 36 + (node.boxHeight - 36) / 2;
}

// A vector without a shape of its own is laid out wider than high, as its place is.
function wideShape(count) {
  let columns = Math.ceil(Math.sqrt(count * 1.6));
  while (count % columns !== 0 && columns < count) columns++;
  return [1, columns <= 4 * Math.sqrt(count) ? columns : Math.ceil(Math.sqrt(count * 1.6))];
}

function subscript(number) {
  return [...String(number)].map(digit => '₀₁₂₃₄₅₆₇₈₉'[digit]).join('');
}
