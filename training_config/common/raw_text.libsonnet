// Words and their characters, for text that nobody tagged: no lemma, no part of speech.
local vectors = std.extVar('SPIGOT_EMBEDDINGS');

{
  indexers: {
    words: { type: 'single_id', namespace: 'tokens', lowercase_tokens: true },
    characters: { type: 'characters', namespace: 'characters', min_padding_length: 3 },
  },
  words(dim): {
    type: 'embedding',
    vocab_namespace: 'tokens',
    embedding_dim: dim,
  } + (if vectors == '' then {} else { pretrained_file: vectors }),
  characters: {
    type: 'character_encoding',
    embedding: { embedding_dim: 32, vocab_namespace: 'characters' },
    encoder: { type: 'cnn', embedding_dim: 32, num_filters: 50, ngram_filter_sizes: [3], output_dim: 100 },
  },
}
