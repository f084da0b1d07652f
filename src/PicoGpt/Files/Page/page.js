'use strict';
const root = document.documentElement;
const byId = id => document.getElementById(id);
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const percent = p => p === null ? '' : p >= 0.995 ? '100 %' : p >= 0.0995 ? (100 * p).toFixed(0) + ' %' : p >= 0.001 ? (100 * p).toFixed(1) + ' %' : '< 0.1 %';

// One stop for the Tab key among items in rows; the arrow keys, Home and End walk from one to another.
const rove = (container, rows, reached) => {
  let at = [0, 0];
  const set = (row, column) => {
    rows[at[0]][at[1]].tabIndex = -1;
    rows[row][column].tabIndex = 0;
    at = [row, column];
  };
  rows.forEach((row, r) => row.forEach((item, c) => {
    item.tabIndex = -1;
    item.addEventListener('focus', () => {
      set(r, c);
      reached?.(r, c);
    });
  }));
  set(0, 0);
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  container.addEventListener('keydown', event => {
    if (event.altKey || event.metaKey) return;
    const step = steps[event.key], [row, column] = at;
    const next = step ? (rows.length === 1 ? [0, column + step[0] + step[1]] : [row + step[0], column + step[1]])
      : event.key === 'Home' ? [event.ctrlKey ? 0 : row, 0]
      : event.key === 'End' ? [event.ctrlKey ? rows.length - 1 : row, rows[row].length - 1] : null;
    if (!next) return;
    event.preventDefault();
    rows[next[0]]?.[next[1]]?.focus();
  });
  return set;
};

// The colours that the system asks for, and the button for the others.
const chooseTheme = changed => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const set = name => {
    root.dataset.theme = name;
    byId('theme').textContent = name === 'dark' ? 'light' : 'dark';
    byId('theme').setAttribute('aria-label', 'Show in ' + byId('theme').textContent + ' colours');
    changed?.();
  };
  dark.addEventListener('change', () => set(dark.matches ? 'dark' : 'light'));
  byId('theme').addEventListener('click', () => set(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  set(dark.matches ? 'dark' : 'light');
};
