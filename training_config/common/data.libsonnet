// What is read, and how words become numbers. Paths come from the environment; without them, the embedded data set.
local indexers = {
  words: { type: 'single_id', namespace: 'tokens', lowercase_tokens: true },
  lemmas: { type: 'single_id', namespace: 'lemmas', feature_name: 'lemma_', default_value: '_' },
  pos: { type: 'single_id', namespace: 'pos', feature_name: 'pos_', default_value: '_' },
};

{
  batch_size:: 16,

  sdp:: { type: 'sdp', token_indexers: indexers },
  conll:: { type: 'conll', token_indexers: indexers },
  loader:: {
    batch_sampler: { type: 'bucket', batch_size: $.batch_size, sorting_keys: ['tokens'] },
  },
  validation_loader:: { batch_size: 64 },

  sdp_train:: std.extVar('SPIGOT_SDP_TRAIN'),
  sdp_dev:: std.extVar('SPIGOT_SDP_DEV'),
  conll_train:: std.extVar('SPIGOT_CONLL_TRAIN'),
  conll_dev:: std.extVar('SPIGOT_CONLL_DEV'),
}
