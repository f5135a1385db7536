// Long documents with backpropagation truncated to windows of 10 steps, and no memory.
(import '../common/long_documents.libsonnet') + {
  encoder+:: { top_k: 0, truncation: 10 },
}
