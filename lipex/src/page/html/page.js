// Colours the page for the class that is pointed at. Everything here is also on the page without a script, for one class.
(() => {
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const by = id => document.getElementById(id);
const SVG = document.querySelector('svg').namespaceURI;

// Numbers as the page writes them.
const signed = x => {
  const digits = Math.abs(x).toFixed(data.decimals);
  return Number(digits) === 0 ? digits : (x < 0 ? '\u2212' : '+') + digits;
};
const plusMinus = x => '±' + x.toFixed(data.decimals);
const percent = x => Math.round(x * 1000) / 10 + '\u00a0%';

const entry = (c, f) => {
  const weight = data.weights[c][f];
  return weight === null ? null : {
    f, weight,
    half: data.half && data.half[c][f],
    clear: !data.clear || data.clear[c][f] === 1,
    top: data.top && data.top[c][f],
  };
};
const level = e => {
  if (!e || !e.clear || !(data.largest > 0)) return 'z';
  const share = Math.abs(e.weight) / data.largest;
  const step = share < 0.02 ? 0 : Math.min(data.levels, Math.ceil(share * data.levels));
  return step === 0 ? 'z' : (e.weight < 0 ? 'n' : 'p') + step;
};

const words = all('[data-f].w');
const classRows = all('tr[data-c]');
let chosen = data.predicted;

// Charts: rows of a name, numbers and a bar.
const shape = (name, attributes) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const bar = (e, reach) => {
  const scale = reach > 0 ? 100 / reach : 0;
  const end = e.weight * scale;
  const svg = shape('svg', { viewBox: '-101 0 202 14', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  svg.append(
    shape('rect', { class: e.weight < 0 ? 'minus' : 'plus', x: Math.min(end, 0), y: 3, width: Math.abs(end), height: 8 }),
    shape('path', { class: 'axis', d: 'M0 0v14' }));
  if (e.half !== null) {
    const low = end - e.half * scale, high = end + e.half * scale;
    svg.append(shape('path', { class: 'error', d: `M${low} 7H${high}M${low} 4v6M${high} 4v6` }));
  }
  return svg;
};
const chart = (id, list, withTop) => {
  const strongest = list.slice().sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || a.f - b.f).slice(0, data.bars);
  strongest.sort((a, b) => b.weight - a.weight || a.f - b.f);
  const reach = Math.max(0, ...strongest.map(e => Math.abs(e.weight) + (e.half || 0)));
  by(id).tBodies[0].replaceChildren(...strongest.map(e => {
    const row = document.createElement('tr');
    row.className = e.clear ? '' : 'noise';
    const head = document.createElement('th');
    head.scope = 'row';
    const name = document.createElement('bdi');
    name.textContent = data.features[e.f];
    head.append(name);
    row.append(head);
    const cell = content => {
      const td = row.insertCell();
      td.append(content);
      return td;
    };
    cell(signed(e.weight));
    if (data.half) cell(e.half === null ? '' : plusMinus(e.half));
    if (withTop && e.top !== null) cell(percent(e.top));
    cell(bar(e, reach)).className = 'bar';
    return row;
  }));
  const more = list.length - strongest.length;
  by(id + '-more').textContent = more + ' more are closer to 0; the matrix has them.';
  by(id + '-more').classList.toggle('none', more === 0);
};

// Features that act together, for a class.
const together = (pair, c) => pair.names[0] + ' + ' + pair.names[1] + ' ' + signed(pair.effects[c]) + ': '
  + data.together[pair.more[c] ? 0 : 1];
const pairs = c => {
  if (!by('pairs')) return;
  const list = data.pairs.slice().sort((p, q) => Math.abs(q.effects[c]) - Math.abs(p.effects[c]));
  by('pairs').tBodies[0].replaceChildren(...list.map(pair => {
    const row = document.createElement('tr');
    const head = document.createElement('th');
    head.scope = 'row';
    const [a, b] = pair.names.map(name => {
      const part = document.createElement('bdi');
      part.textContent = name;
      return part;
    });
    head.append(a, ' + ', b);
    row.append(head);
    const value = row.insertCell();
    value.className = level({ weight: pair.effects[c], clear: true });
    value.textContent = signed(pair.effects[c]);
    row.insertCell().textContent = data.together[pair.more[c] ? 0 : 1];
    return row;
  }));
};

// The class that is pointed at.
const entries = c => data.features.map((_, f) => entry(c, f)).filter(e => e);
const show = c => {
  for (const word of words) {
    const e = entry(c, Number(word.dataset.f));
    word.setAttribute('class', 'w ' + level(e) + (word.classList.contains('on') ? ' on' : ''));
    word.dataset.v = e ? signed(e.weight) : '·';
    if (word instanceof SVGElement) word.nextElementSibling.textContent = word.dataset.v;
  }
  all('[data-name]').forEach(name => { name.textContent = data.classes[c]; });
  classRows.forEach(row => row.classList.toggle('at', Number(row.dataset.c) === c));
  chart('bars', entries(c), true);
  pairs(c);
};
const choose = c => {
  chosen = c;
  classRows.forEach(row => {
    row.dataset.chosen = Number(row.dataset.c) === c;
    all('button', row).forEach(button => button.setAttribute('aria-pressed', row.dataset.chosen));
  });
  show(c);
  if (by('order').value === 'weight') order();
};
classRows.forEach(row => {
  const c = Number(row.dataset.c);
  row.addEventListener('pointerenter', event => { if (event.pointerType === 'mouse') show(c); });
  row.addEventListener('pointerleave', event => { if (event.pointerType === 'mouse') show(chosen); });
  row.addEventListener('click', () => choose(c));
});
all('.classes tr[data-c]').forEach(row => {
  const name = row.querySelector('th bdi');
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-pressed', row.dataset.chosen);
  name.replaceWith(button);
  button.append(name);
  button.addEventListener('focus', () => { if (button.matches(':focus-visible')) show(Number(row.dataset.c)); });
  button.addEventListener('blur', () => show(chosen));
});

// The word that is pointed at: its column, and what it does to each class.
const tell = f => {
  words.forEach(word => word.classList.toggle('on', Number(word.dataset.f) === f));
  all('.matrix th[data-f]').forEach(head => head.classList.toggle('on', Number(head.dataset.f) === f));
  const panel = by('word');
  panel.replaceChildren();
  panel.hidden = false;
  if (f === null) {
    panel.textContent = panel.dataset.hint;
    return;
  }
  const name = document.createElement('b');
  name.dir = 'auto';
  name.textContent = data.features[f];
  panel.append(name, ' ');
  const told = data.classes.map((label, c) => ({ label, e: entry(c, f) })).filter(x => x.e);
  if (told.length > 12) {
    told.sort((a, b) => Math.abs(b.e.weight) - Math.abs(a.e.weight));
    told.length = 12;
  }
  for (const { label, e } of told) {
    const chip = document.createElement('span');
    chip.className = level(e) + (e.clear ? '' : ' noise');
    const of = document.createElement('bdi');
    of.textContent = label;
    chip.append(of, ' ' + signed(e.weight) + (e.half === null ? '' : ' ' + plusMinus(e.half)));
    panel.append(chip);
  }
  for (const pair of data.pairs.filter(pair => pair.columns.includes(f))) {
    const line = document.createElement('span');
    line.className = 'pair';
    line.dir = 'auto';
    line.textContent = together(pair, chosen);
    panel.append(line);
  }
};
words.forEach((word, i) => {
  const f = Number(word.dataset.f);
  word.addEventListener('pointerenter', () => tell(f));
  word.addEventListener('click', () => word.focus());
  word.addEventListener('focus', () => tell(f));
  // One stop of the tab key for all words; arrows go from one to the next.
  word.setAttribute('tabindex', i === 0 ? '0' : '-1');
  word.addEventListener('keydown', event => {
    const rtl = getComputedStyle(word.parentElement).direction === 'rtl';
    const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? words.length - 1 : i + step;
    if (!words[to]) return;
    event.preventDefault();
    word.setAttribute('tabindex', '-1');
    words[to].setAttribute('tabindex', '0');
    words[to].focus();
  });
});
all('.matrix th[data-f]').forEach(head => head.addEventListener('pointerenter', () => tell(Number(head.dataset.f))));

// The contrast of any two classes.
const contrastError = (a, b, f) => {
  const v = data.covariance;
  if (!v || Math.max(a, b) >= v.classes) return null;
  const at = (i, j) => v.of[f][Math.max(i, j) * (Math.max(i, j) + 1) / 2 + Math.min(i, j)];
  return Math.sqrt(Math.max(0, at(a, a) + at(b, b) - 2 * at(a, b)));
};
const contrast = () => {
  const a = Number(by('class-a').value), b = Number(by('class-b').value);
  by('name-a').textContent = data.classes[a];
  by('name-b').textContent = data.classes[b];
  chart('contrast', data.features.map((_, f) => {
    const weight = (data.weights[a][f] || 0) - (data.weights[b][f] || 0);
    const error = contrastError(a, b, f);
    const known = error !== null;
    return {
      f, weight,
      half: known ? data.covariance.quantile * error : null,
      clear: !known || Math.abs(weight) > data.covariance.band * error,
      top: null,
    };
  }), false);
};
if (by('class-a')) for (const id of ['class-a', 'class-b']) by(id).addEventListener('change', contrast);

// The matrix's columns in the order of the text, or by what they do to the chosen class.
const order = () => {
  const columns = data.features.map((_, f) => f);
  if (by('order').value === 'weight') {
    const weight = f => data.weights[chosen][f] === null ? 0 : data.weights[chosen][f];
    columns.sort((f, g) => weight(g) - weight(f) || f - g);
  }
  all('.matrix tr').forEach(row => {
    row.lipexCells = row.lipexCells || [...row.cells].slice(1);
    row.append(...columns.map(f => row.lipexCells[f]));
  });
};
by('order').addEventListener('change', order);

// Classes beyond the first ones: found by name, or all at once.
const find = by('find');
if (find) {
  const filter = () => {
    const part = find.value.trim().toLowerCase();
    document.body.classList.toggle('hide-more', part === '' && !by('all').checked);
    classRows.forEach(row => {
      row.hidden = part !== '' && !data.classes[Number(row.dataset.c)].toLowerCase().includes(part);
    });
  };
  find.addEventListener('input', filter);
  by('all').addEventListener('change', filter);
  filter();
}

if (by('numbers')) by('numbers').addEventListener('change', event => by('text').classList.toggle('numbers', event.target.checked));
all('.script').forEach(part => { part.hidden = false; });
tell(null);
})();
