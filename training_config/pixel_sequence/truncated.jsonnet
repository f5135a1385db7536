// Images read pixel by pixel with backpropagation truncated to windows of 28 steps, and no memory.
(import '../common/pixel_sequence.libsonnet') + {
  encoder+:: { top_k: 0, truncation: 28 },
}
