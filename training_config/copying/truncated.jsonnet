// The copying problem with backpropagation truncated to windows of 8 steps, and no memory.
(import '../common/copying.libsonnet') + {
  encoder+:: { top_k: 0, truncation: 8 },
}
