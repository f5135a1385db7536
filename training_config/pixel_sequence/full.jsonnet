// Images read pixel by pixel with full backpropagation through time, and no memory.
(import '../common/pixel_sequence.libsonnet') + {
  encoder+:: { top_k: 0, truncation: null },
}
