// Apart from that of the packages: the generator must work before anything is built.
export default {
  reporter: 'spec',
  timeout: 30_000,
  slow: 1000,
  forbidOnly: true,
};
