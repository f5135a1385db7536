// Images read pixel by pixel with attention to all of the past, and full backpropagation through time.
(import '../common/pixel_sequence.libsonnet') + {
  encoder+:: { attend_every: 1, top_k: null, truncation: null },
}
