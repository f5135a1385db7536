// The adding problem with full backpropagation through time, and no memory.
(import '../common/adding.libsonnet') + {
  encoder+:: { top_k: 0, truncation: null },
}
