// A grid of numbers as a table that can be pointed at and walked through with the keys, or two of them side by side: before and after.
const show = value => value === null ? 'not a number' : Math.abs(value) < 0.0005 ? '0' : value.toFixed(Math.abs(value) < 100 ? 3 : 1).replace('-', '−');
const brief = value => value === null ? '–' : Math.abs(value) < 0.005 ? '0.00' : value.toFixed(Math.abs(value) < 100 ? 2 : 0).replace('-', '−');
const greatest = grids => Math.max(1e-12, ...grids.flatMap(grid => grid.values.map(row => Math.max(0, ...row.map(value => Math.abs(value ?? 0))))));

// Draws into a place, and gives what names a cell.
const drawGrid = (place, grid) => {
  const sides = grid.before ? [grid.before, grid] : [grid], limit = greatest(sides);
  // What a cell is called: the axis stands before a label that does not name it, the place behind one that is there twice.
  const labelOf = (axis, labels, i) => {
    const label = labels[i].trim() || labels[i];
    return (label.includes(axis) ? '' : axis + ' ') + label + (labels.some((other, k) => k !== i && (other.trim() || other) === label) ? ' (' + i + ')' : '');
  };
  const nameOf = (row, column) => (grid.rows.length > 1 ? labelOf(grid.rowName, grid.rows, row) + ', ' : '') + labelOf(grid.columnName, grid.columns, column);
  const numbers = (row, column) => {
    const values = sides.map(side => side.values[row][column]);
    if (values.length === 1) return show(values[0]);
    const change = values[0] === null || values[1] === null ? '' : ', a change of ' + show(values[1] - values[0]);
    return show(values[0]) + ' before, ' + show(values[1]) + ' after' + change;
  };

  const told = make('p', 'told'), tables = make('div', sides.length > 1 ? 'sides' : '');
  const parts = sides.map((side, i) => {
    const name = sides.length > 1 ? ['before', 'after'][i] : '', box = make('div');
    const table = make('table', 'grid'), cells = [], heads = [], rowHeads = [];
    table.setAttribute('role', 'grid');
    table.setAttribute('aria-label', grid.title + (name && ', ' + name));
    const first = table.appendChild(make('thead')).appendChild(make('tr'));
    first.appendChild(make('th', '', (grid.rows.length > 1 ? grid.rowName + ' \\ ' : '') + grid.columnName)).scope = 'col';
    grid.columns.forEach((label, column) => {
      const head = first.appendChild(make('th', '', label));
      head.scope = 'col';
      head.title = label + ' (' + column + ')';
      heads.push(head);
    });
    const body = table.appendChild(make('tbody'));
    grid.rows.forEach((label, row) => {
      const line = body.appendChild(make('tr')), rowHead = line.appendChild(make('th', '', label));
      rowHead.scope = 'row';
      rowHeads.push(rowHead);
      cells.push(grid.columns.map((_, column) => {
        const value = side.values[row][column], share = Math.abs(value ?? 0) / limit;
        const cell = line.appendChild(make('td', '', brief(value)));
        themed.push(() => tint(cell, value < 0 ? '--less' : '--more', Math.pow(share, 0.8)));
        cell.setAttribute('aria-label', nameOf(row, column) + ': ' + numbers(row, column));
        cell.addEventListener('pointerenter', () => tell(row, column));
        return cell;
      }));
    });
    if (name) box.append(make('h3', '', name));
    const scroll = make('div', 'scroll');
    scroll.append(table);
    box.append(scroll);
    tables.append(box);
    rove(table, cells, tell);
    return { table, cells, heads, rowHeads, scroll };
  });
  scrollTogether(parts.map(part => part.scroll));

  function tell(row, column) {
    for (const { table, cells, heads, rowHeads } of parts) {
      for (const marked of table.querySelectorAll('.at')) marked.classList.remove('at');
      for (const one of [cells[row][column], heads[column], rowHeads[row]]) one.classList.add('at');
    }
    told.textContent = nameOf(row, column) + ': ' + numbers(row, column);
  }

  const legend = make('div', 'legend');
  legend.setAttribute('aria-hidden', 'true');
  legend.append(make('span', '', brief(-limit)), make('span', 'colours'), make('span', '', brief(limit)));
  place.append(make('p', '', grid.description), make('p', 'note', 'Point at a number, or walk with the arrow keys.'), tables, told, legend);
  if (grid.others.length) {
    const list = make('dl');
    grid.others.forEach(([name, value]) => {
      const before = grid.before?.others.find(other => other[0] === name);
      list.append(make('dt', '', name), make('dd', '', (grid.before ? (before ? show(before[1]) : '–') + ' → ' : '') + show(value)));
    });
    place.append(list);
  }
  return nameOf;
};

const scrollTogether = boxes => boxes.forEach(box => box.addEventListener('scroll', () => {
  for (const other of boxes) {
    if (other.scrollLeft !== box.scrollLeft) other.scrollLeft = box.scrollLeft;
    if (other.scrollTop !== box.scrollTop) other.scrollTop = box.scrollTop;
  }
}));
