// The copying problem with full backpropagation through time, and no memory.
(import '../common/copying.libsonnet') + {
  encoder+:: { top_k: 0, truncation: null },
}
