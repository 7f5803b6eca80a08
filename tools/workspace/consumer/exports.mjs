// Prints what modules export, as JSON: of constants the value, of functions the name, of classes the members too.

function describe(value) {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'function') return typeof value === 'object' ? Object.keys(value ?? {}) : value;
  return [value.name, ...Object.getOwnPropertyNames(value.prototype ?? {}), ...Object.getOwnPropertyNames(value)];
}

const described = [];
for (const specifier of process.argv.slice(2)) {
  const module = await import(specifier);
  described.push(Object.fromEntries(Object.keys(module).map((name) => [name, describe(module[name])])));
}
console.log(JSON.stringify(described));
