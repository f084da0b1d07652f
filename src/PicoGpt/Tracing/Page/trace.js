(() => {
  const data = JSON.parse(document.getElementById('trace').textContent);
  const tokens = data.tokens, n = tokens.length;
  const state = { layer: -1, head: -1, token: n - 1, pinned: -1 }; // -1: the mean; no token
  let patterns = null;

  // How much position t looks at position j: the lower triangles lie one after another, a byte a weight.
  const triangle = n * (n + 1) / 2;
  const at = (t, j) => t * (t + 1) / 2 + j;
  const means = new Map();

  function decode(base64) {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  // layer and head are places in data.layers and data.heads, or -1 for the mean over them
  function pattern(layer, head) {
    if (layer >= 0 && head >= 0) return patterns.subarray((layer * data.heads.length + head) * triangle).subarray(0, triangle);
    const key = layer + ' ' + head;
    if (means.has(key)) return means.get(key);
    const sum = new Float32Array(triangle);
    let count = 0;
    data.layers.forEach((_, l) => data.heads.forEach((_, h) => {
      if ((layer >= 0 && l !== layer) || (head >= 0 && h !== head)) return;
      const one = pattern(l, h);
      for (let i = 0; i < triangle; i++) sum[i] += one[i];
      count++;
    }));
    for (let i = 0; i < triangle; i++) sum[i] /= count;
    means.set(key, sum);
    return sum;
  }

  const nameOf = (layer, head) =>
    (layer < 0 ? (data.layers.length === 1 ? 'layer ' + data.layers[0] : 'mean of ' + data.layers.length + ' layers') : 'layer ' + data.layers[layer]) + ', ' +
    (head < 0 ? (data.heads.length === 1 ? 'head ' + data.heads[0] : 'mean of ' + data.heads.length + ' heads') : 'head ' + data.heads[head]);
  const quote = t => '“' + (tokens[t].trim() || tokens[t]) + '” (' + t + ')';

  // colours of a canvas, which knows no CSS
  function palette() {
    const style = getComputedStyle(root);
    const hex = style.getPropertyValue('--panel').trim();
    return {
      back: [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)),
      look: style.getPropertyValue('--look').trim().split(' ').map(Number),
      line: style.getPropertyValue('--line').trim(), ink: style.getPropertyValue('--ink').trim(), dim: style.getPropertyValue('--dim').trim(),
      warm: 'rgb(' + style.getPropertyValue('--warm').trim() + ')'
    };
  }
  const shade = share => Math.pow(Math.min(1, share), 0.6);
  function blend(colours, share) {
    const a = shade(share);
    return [0, 1, 2].map(i => Math.round(colours.back[i] + (colours.look[i] - colours.back[i]) * a));
  }

  // The weight that gets the full colour: few are greater. Long texts have small weights.
  function fullColour(one) {
    const counts = new Uint32Array(256);
    for (let i = 0; i < triangle; i++) counts[Math.ceil(one[i])]++;
    let w = 255;
    for (let above = counts[w]; w > 8 && above < triangle / 200; above += counts[w]) w--;
    return w;
  }

  // a picture of a pattern, a pixel a weight, or the greatest of several where it is long
  function picture(one, most, colours) {
    const step = Math.ceil(n / most), side = Math.ceil(n / step), full = fullColour(one), greatest = new Float32Array(side * side);
    for (let t = 0; t < n; t++) {
      const row = Math.floor(t / step) * side;
      for (let j = 0; j <= t; j++) {
        const i = row + Math.floor(j / step);
        if (one[at(t, j)] > greatest[i]) greatest[i] = one[at(t, j)];
      }
    }
    const canvas = make('canvas');
    canvas.width = canvas.height = side;
    const context = canvas.getContext('2d'), image = context.createImageData(side, side);
    greatest.forEach((w, i) => {
      const [r, g, b] = blend(colours, w / full);
      image.data.set([r, g, b, 255], 4 * i);
    });
    context.putImageData(image, 0, 0);
    return canvas;
  }

  // every layer and head in small, to choose from
  function drawHeads() {
    const grid = byId('heads'), colours = palette();
    const columns = data.heads.length > 1 ? [...data.heads.keys(), -1] : [0], rows = data.layers.length > 1 ? [...data.layers.keys(), -1] : [0];
    grid.replaceChildren();
    grid.style.gridTemplateColumns = 'max-content repeat(' + columns.length + ', minmax(22px, ' + (columns.length < 6 ? 76 : 56) + 'px))';
    grid.append(make('span'), ...columns.map(h => make('span', 'name', h < 0 ? 'mean' : data.heads[h])));
    for (const layer of rows) {
      grid.append(make('span', 'name row', layer < 0 ? 'mean' : 'layer ' + data.layers[layer]));
      for (const head of columns) {
        const button = make('button');
        button.title = nameOf(layer, head);
        button.setAttribute('aria-label', button.title);
        button.dataset.key = layer + ' ' + head;
        button.append(picture(pattern(layer, head), 48, colours));
        button.addEventListener('click', () => choose(layer, head));
        grid.append(button);
      }
    }
  }

  function choose(layer, head) {
    state.layer = layer;
    state.head = head;
    byId('layer').value = layer;
    byId('head').value = head;
    drawMap();
    update();
  }

  // the chosen pattern in large
  let place = null, large = null, largeKey = '';
  function drawMap() {
    const canvas = byId('map'), colours = palette(), ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth || 480, labelled = n <= 40, gutter = labelled ? 86 : 26, side = (width - gutter) / n;
    canvas.style.height = width + 'px';
    canvas.width = canvas.height = Math.round(width * ratio);
    const c = canvas.getContext('2d');
    c.scale(ratio, ratio);
    c.imageSmoothingEnabled = false;
    const key = [state.layer, state.head, root.dataset.theme].join();
    if (key !== largeKey) [large, largeKey] = [picture(pattern(state.layer, state.head), 1024, colours), key];
    c.drawImage(large, gutter, gutter, width - gutter, width - gutter);
    c.strokeStyle = colours.line;
    c.strokeRect(gutter + .5, gutter + .5, width - gutter - 1, width - gutter - 1);
    c.font = Math.min(12, Math.max(8, side * .8)) + 'px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';
    c.textBaseline = 'middle';
    for (let t = 0; labelled && t < n; t++) {
      c.fillStyle = t === state.token ? colours.warm : colours.dim;
      c.textAlign = 'right';
      c.fillText(short(tokens[t]), gutter - 6, gutter + (t + .5) * side);
      c.save();
      c.translate(gutter + (t + .5) * side, gutter - 6);
      c.rotate(-Math.PI / 2);
      c.textAlign = 'left';
      c.fillText(short(tokens[t]), 0, 0);
      c.restore();
    }
    if (state.token >= 0) {
      c.strokeStyle = colours.warm;
      c.strokeRect(gutter + .5, gutter + state.token * side + .5, width - gutter - 1, Math.max(1, side - 1));
    }
    place = { gutter, side };
  }
  const short = text => {
    const characters = [...text.trim() || text];
    return characters.length > 10 ? characters.slice(0, 9).join('') + '…' : characters.join('');
  };

  function mapTip(event) {
    const box = byId('map').getBoundingClientRect();
    const j = Math.floor((event.clientX - box.left - place.gutter) / place.side), t = Math.floor((event.clientY - box.top - place.gutter) / place.side);
    if (t < 0 || t >= n || j < 0 || j > t) return hideTip();
    if (state.pinned < 0 && t !== state.token) select(t);
    showTip(event, quote(t) + ' looks at ' + quote(j), [], percent(pattern(state.layer, state.head)[at(t, j)] / 255));
  }

  // the tip beside the pointer
  function showTip(event, what, rows, foot) {
    const tip = byId('tip');
    tip.replaceChildren(make('div', 'what', what));
    if (rows.length) {
      const list = make('div', 'rows');
      for (const [text, p] of rows) {
        const bar = make('span', 'bar');
        bar.style.width = Math.max(1, 90 * p) + 'px';
        list.append(make('span', '', text), bar, make('span', 'number', percent(p)));
      }
      tip.append(list);
    }
    if (foot) tip.append(make('div', 'foot', foot));
    tip.hidden = false;
    const x = event.clientX + 16, y = event.clientY + 16;
    tip.style.left = Math.max(4, Math.min(x, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = (y + tip.offsetHeight > innerHeight - 8 ? Math.max(4, event.clientY - tip.offsetHeight - 12) : y) + 'px';
  }
  const hideTip = () => { byId('tip').hidden = true; };

  // the text
  const spans = tokens.map((text, t) => {
    const span = make('span', 'token' + (data.escaped[t] ? ' special' : ''), text);
    span.addEventListener('mouseenter', () => { if (state.pinned < 0) select(t); });
    span.addEventListener('click', () => {
      state.pinned = state.pinned === t ? -1 : t;
      select(t);
    });
    return span;
  });

  function select(t) {
    state.token = t;
    update();
    if (patterns) drawMap();
  }

  function update() {
    const one = patterns && pattern(state.layer, state.head);
    let most = 1020 / Math.max(8, state.token + 1); // four times an even look, so that one looks even
    for (let j = 0; one && j <= state.token; j++) most = Math.max(most, one[at(state.token, j)]);
    spans.forEach((span, j) => {
      const w = one && j <= state.token ? one[at(state.token, j)] : 0;
      span.style.backgroundColor = w ? 'rgb(var(--look) / ' + (0.7 * shade(w / most)).toFixed(3) + ')' : '';
      span.classList.toggle('later', j > state.token && patterns !== null);
      span.classList.toggle('at', j === state.token);
      span.classList.toggle('pinned', j === state.pinned);
    });
    if (one) {
      for (const button of byId('heads').querySelectorAll('button')) button.setAttribute('aria-pressed', button.dataset.key === state.layer + ' ' + state.head);
      byId('chosen').textContent = nameOf(state.layer, state.head);
      const order = [...Array(state.token + 1).keys()].sort((a, b) => one[at(state.token, b)] - one[at(state.token, a)]).slice(0, 6);
      const list = byId('looks');
      list.replaceChildren();
      for (const j of order) {
        const p = one[at(state.token, j)] / 255, bar = make('div', 'bar');
        bar.style.width = 100 * p + '%';
        list.append(make('span', 'mono', quote(j)), bar, make('span', 'number', percent(p)));
      }
      byId('looker').textContent = quote(state.token) + ' looks at';
    }
    lensHeads.forEach((head, t) => head.classList.toggle('at', t === state.token));
    if (data.norms) {
      byId('normAt').setAttribute('d', path(t => data.norms[t][state.token]));
      byId('normName').textContent = quote(state.token) + ': ' + data.norms.at(-1)[state.token].toFixed(1) + ' at the end';
    }
  }

  // the logit lens
  const lensHeads = [];
  function drawLens() {
    const table = byId('lens'), head = make('tr'), lens = data.lens;
    head.append(make('th', '', 'reads'));
    tokens.forEach((text, t) => {
      const th = make('th', '', text);
      th.title = t + ': ' + text;
      lensHeads.push(th);
      head.append(th);
    });
    table.createTHead().append(head);
    const body = table.createTBody();
    lens.rows.forEach((cells, l) => {
      const row = make('tr');
      row.append(make('th', '', 'layer ' + data.layers[l]));
      cells.forEach((cell, t) => {
        const [id, p] = cell.top[0];
        const td = make('td', (p > .55 ? 'strong' : '') + (cell.rank === 1 ? ' hit' : ''), lens.texts[id]);
        td.style.backgroundColor = 'rgb(var(--lens) / ' + (0.06 + 0.94 * p).toFixed(3) + ')';
        row.append(td);
      });
      body.append(row);
    });
    const foot = make('tr');
    foot.append(make('th', '', 'the text'));
    tokens.forEach((_, t) => foot.append(make('td', '', t + 1 < n ? tokens[t + 1] : '')));
    table.createTFoot().append(foot);
    table.addEventListener('mousemove', lensTip);
    table.addEventListener('mouseleave', hideTip);
  }

  function lensTip(event) {
    const td = event.target.closest('tbody td');
    if (!td) return hideTip();
    const l = td.parentElement.sectionRowIndex, t = td.cellIndex - 1, cell = data.lens.rows[l][t];
    if (state.pinned < 0 && t !== state.token) select(t);
    showTip(
      event, 'after ' + quote(t) + ', layer ' + data.layers[l] + ' would say', cell.top.map(([i, p]) => [data.lens.texts[i], p]),
      'undecided by ' + cell.entropy.toFixed(1) + ' bits' + (cell.rank ? '\nthe text has ' + quote(t + 1) + ': ' + percent(cell.next) + ', place ' + cell.rank : ''));
  }

  // the norms of the residual stream, on a logarithmic scale
  let path = null;
  function drawNorms() {
    const svg = byId('norms'), all = data.norms.flat().filter(v => v > 0), steps = data.norms.length - 1;
    const low = Math.floor(Math.log10(Math.min(...bounds(all))) * 2) / 2, high = Math.ceil(Math.log10(Math.max(...bounds(all))) * 2) / 2;
    const width = 1160, height = 260, left = 52, right = 12, top = 12, bottom = 30;
    const x = i => left + (width - left - right) * i / Math.max(1, steps);
    const y = v => top + (height - top - bottom) * (high - Math.log10(Math.max(v, 10 ** low))) / Math.max(.5, high - low);
    svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
    const draw = (name, attributes, text) => {
      const element = document.createElementNS('http://www.w3.org/2000/svg', name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      if (text !== undefined) element.textContent = text;
      svg.append(element);
      return element;
    };
    path = value => data.norms.map((_, i) => (i ? 'L' : 'M') + x(i).toFixed(1) + ' ' + y(value(i)).toFixed(1)).join('');
    for (let exponent = low; exponent <= high + .01; exponent += .5) {
      draw('line', { class: 'grid', x1: left, x2: width - right, y1: y(10 ** exponent), y2: y(10 ** exponent) });
      draw('text', { x: left - 8, y: y(10 ** exponent) + 4, 'text-anchor': 'end' }, (10 ** exponent).toPrecision(2) * 1);
    }
    const every = Math.ceil((steps + 1) / 16);
    data.norms.forEach((_, i) => { if (i % every === 0 || i === steps) draw('text', { x: x(i), y: height - 8, 'text-anchor': i === steps ? 'end' : i ? 'middle' : 'start' }, i ? 'layer ' + (i - 1) : 'input'); });
    const stride = Math.ceil(n / 200);
    for (let t = 0; t < n; t += stride) draw('path', { class: 'one', opacity: n > 60 ? .1 : .22, d: path(i => data.norms[i][t]) });
    draw('path', { class: 'mean', d: path(i => data.norms[i].reduce((a, b) => a + b) / n) });
    draw('path', { class: 'at', id: 'normAt' });
  }
  const bounds = values => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, 1e-6]);

  function fill(select, numbers, word) {
    if (numbers.length > 1) select.append(new Option('mean of all', -1));
    numbers.forEach((number, i) => select.append(new Option(word + ' ' + number, i)));
  }

  function theme(name) {
    root.dataset.theme = name;
    byId('theme').textContent = name === 'dark' ? 'light' : 'dark';
    if (patterns) {
      drawHeads();
      drawMap();
      update();
    }
  }

  const dark = matchMedia('(prefers-color-scheme: dark)');
  root.dataset.theme = dark.matches ? 'dark' : 'light';
  dark.addEventListener('change', () => theme(dark.matches ? 'dark' : 'light'));
  byId('theme').addEventListener('click', () => theme(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  byId('text').append(...spans);
  if (data.attention) {
    patterns = decode(data.attention);
    state.layer = data.layers.length > 1 ? -1 : 0;
    state.head = data.heads.length > 1 ? -1 : 0;
    fill(byId('layer'), data.layers, 'layer');
    fill(byId('head'), data.heads, 'head');
    byId('layer').addEventListener('change', event => choose(Number(event.target.value), state.head));
    byId('head').addEventListener('change', event => choose(state.layer, Number(event.target.value)));
    byId('map').addEventListener('mousemove', mapTip);
    byId('map').addEventListener('mouseleave', hideTip);
    byId('attention').hidden = false;
    byId('choice').hidden = false;
    addEventListener('resize', drawMap);
  }
  if (data.lens) {
    drawLens();
    byId('lensSection').hidden = false;
  }
  if (data.norms) {
    drawNorms();
    byId('normSection').hidden = false;
  }
  addEventListener('keydown', event => {
    if (event.target instanceof HTMLSelectElement || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return;
    state.pinned = Math.min(n - 1, Math.max(0, state.token + (event.key === 'ArrowLeft' ? -1 : 1)));
    select(state.pinned);
    event.preventDefault();
  });
  theme(root.dataset.theme);
  update();
})();
