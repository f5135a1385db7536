// The adding problem with backpropagation truncated to windows of 10 steps, and no memory.
(import '../common/adding.libsonnet') + {
  encoder+:: { top_k: 0, truncation: 10 },
}
