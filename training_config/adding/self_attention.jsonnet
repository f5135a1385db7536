// The adding problem with attention to all of the past, and full backpropagation through time.
(import '../common/adding.libsonnet') + {
  encoder+:: { attend_every: 1, top_k: null, truncation: null },
}
