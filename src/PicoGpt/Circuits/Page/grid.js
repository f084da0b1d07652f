(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const show = value => value === null ? 'not a number' : Math.abs(value) < 0.0005 ? '0' : value.toFixed(Math.abs(value) < 100 ? 3 : 1);
  const short = value => value === null ? '–' : Math.abs(value) < 0.005 ? '0.00' : value.toFixed(Math.abs(value) < 100 ? 2 : 0);
  const limit = Math.max(1e-12, ...data.values.map(row => Math.max(0, ...row.map(value => Math.abs(value ?? 0)))));
  const nameOf = (row, column) => (data.rowName === data.columnName || data.rowName === 'text' ? '' : data.rowName + ' ') + data.rows[row] + ', ' + data.columnName + ' ' + data.columns[column];

  byId('description').textContent = data.description;
  byId('low').textContent = short(-limit);
  byId('high').textContent = short(limit);

  const table = byId('grid'), cells = [], heads = [], sides = [];
  const first = table.appendChild(make('thead')).appendChild(make('tr'));
  first.appendChild(make('th', '', data.rowName + ' \\ ' + data.columnName)).scope = 'col';
  data.columns.forEach((label, column) => {
    const head = first.appendChild(make('th', '', label));
    head.scope = 'col';
    head.title = label + ' (' + column + ')';
    heads.push(head);
  });
  const body = table.appendChild(make('tbody'));
  data.rows.forEach((label, row) => {
    const line = body.appendChild(make('tr'));
    const side = line.appendChild(make('th', '', label));
    side.scope = 'row';
    sides.push(side);
    cells.push(data.columns.map((_, column) => {
      const value = data.values[row][column], share = Math.abs(value ?? 0) / limit;
      const cell = line.appendChild(make('td', share > 0.55 ? 'strong' : '', short(value)));
      cell.style.backgroundColor = 'rgb(var(' + (value < 0 ? '--less' : '--more') + ') / ' + Math.pow(share, 0.8).toFixed(3) + ')';
      cell.tabIndex = row === 0 && column === 0 ? 0 : -1;
      cell.setAttribute('aria-label', nameOf(row, column) + ': ' + show(value));
      cell.addEventListener('pointerenter', () => tell(row, column));
      cell.addEventListener('focus', () => tell(row, column));
      return cell;
    }));
  });

  let at = null;
  function tell(row, column) {
    for (const marked of table.querySelectorAll('.at')) marked.classList.remove('at');
    cells[row][column].classList.add('at');
    heads[column].classList.add('at');
    sides[row].classList.add('at');
    byId('told').textContent = nameOf(row, column) + ': ' + show(data.values[row][column]);
    if (at) cells[at[0]][at[1]].tabIndex = -1;
    at = [row, column];
    cells[row][column].tabIndex = 0;
  }

  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  table.addEventListener('keydown', event => {
    const [row, column] = at ?? [0, 0], step = steps[event.key];
    const next = step ? [row + step[0], column + step[1]]
      : event.key === 'Home' ? [event.ctrlKey ? 0 : row, 0]
      : event.key === 'End' ? [event.ctrlKey ? cells.length - 1 : row, data.columns.length - 1] : null;
    if (!next) return;
    event.preventDefault();
    cells[next[0]]?.[next[1]]?.focus();
  });

  if (data.others.length) {
    byId('othersSection').hidden = false;
    for (const [name, value] of data.others) byId('others').append(make('dt', '', name), make('dd', '', show(value)));
  }

  const all = data.values.flatMap((row, r) => row.map((value, c) => [value ?? 0, r, c])).sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]));
  for (const [value, row, column] of all.slice(0, 10)) {
    const item = byId('rank').appendChild(make('li'));
    item.append(make('span', 'name', nameOf(row, column)));
    const size = make('span', value < 0 ? 'size less' : 'size');
    size.style.width = (100 * Math.abs(value) / limit).toFixed(1) + '%';
    item.append(size, make('span', 'number', show(value)));
  }

  const theme = byId('theme');
  function setTheme(name) {
    root.dataset.theme = name;
    theme.textContent = name === 'dark' ? 'light' : 'dark';
    theme.setAttribute('aria-label', 'Show in ' + theme.textContent + ' colours');
  }
  setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  theme.addEventListener('click', () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark'));
})();
