// Numbers and colours: how values are written and shaded.

const svgNamespace = 'http://www.w3.org/2000/svg';

/** Four digits, a true minus sign, small and large ones with a power of ten. */
function text(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const written = size < 1e-4 || size >= 1e6
    ? value.toExponential(2).replace('e+', 'e')
    : String(Number(value.toPrecision(4)));
  return written.replaceAll('-', '−');
}

/** Three digits: for places where there is little room. */
function short(value) {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const written = size < 1e-3 || size >= 1e5 ? value.toExponential(1).replace('e+', 'e') : String(Number(value.toPrecision(3)));
  return written.replaceAll('-', '−');
}

/** A whole number, however large, with thousands set off; it comes as text. */
function whole(digits) {
  return String(digits).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** An element with attributes and children; text children are never parsed. */
function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for drawings. */
function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined));
  return element;
}

/** Blue below zero, orange above, the paper's colour at zero; the strength grows with the root of the size. */
class Shades {
  constructor() {
    const style = getComputedStyle(document.documentElement);
    [this.positive, this.negative, this.zero] = ['--positive', '--negative', '--zero'].map(name => Shades.#parse(style.getPropertyValue(name)));
  }

  of(value, largest, strength = 1) {
    const share = largest > 0 ? Math.min(1, Math.sqrt(Math.abs(value) / largest)) * strength : 0;
    const end = value < 0 ? this.negative : this.positive;
    return this.zero.map((from, i) => Math.round(from + (end[i] - from) * share));
  }

  css(value, largest, strength = 0.6) {
    return `rgb(${this.of(value, largest, strength).join(' ')})`;
  }

  static #parse(colour) {
    const hex = colour.trim().slice(1);
    const digits = hex.length === 3 ? [...hex].map(digit => digit + digit).join('') : hex;
    return [0, 2, 4].map(at => parseInt(digits.slice(at, at + 2), 16));
  }
}

/** How many columns a picture of so many values has: a square image where it may be one. */
function columnsOf(shape, length) {
  if (shape && shape.length >= 2) return shape[shape.length - 1];
  const root = Math.round(Math.sqrt(length));
  if (root * root === length) return root;
  for (let columns = Math.ceil(Math.sqrt(length)); columns < length; columns++) {
    if (length % columns === 0 && columns <= 4 * Math.sqrt(length)) return columns;
  }
  return Math.ceil(Math.sqrt(length));
}

/** A picture of many values, one dot each, as a data URL. */
function heatMap(values, shape, shades) {
  const columns = columnsOf(shape, values.length);
  const rows = Math.ceil(values.length / columns);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext('2d');
  const image = context.createImageData(columns, rows);
  const largest = Math.max(...values.map(Math.abs));
  for (let i = 0; i < values.length; i++) {
    image.data.set([...shades.of(values[i], largest), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return { url: canvas.toDataURL(), columns, rows };
}

/** What a vector is, in words: for those who do not see its picture. */
function describe(vector) {
  if (!vector) return 'none';
  const spread = vector.least === undefined ? '' : `, from ${text(vector.least)} to ${text(vector.greatest)}`;
  return `${vector.length} values, norm ${text(vector.norm)}${spread}`;
}
