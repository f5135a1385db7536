// The strongest semantic parser without a transformer, tuned on the development data of `wescience_dm` (docs/results/parsing.md).
// At the beginning an arc is about as rare as in a treebank, 1 in 35, and so is each of some 40 labels.
local base = import 'second_order.jsonnet';
local raw_text = import '../common/raw_text.libsonnet';
base {
  dataset_reader+: { token_indexers+: { characters: raw_text.indexers.characters } },
  model+: {
    encoder+: { text_field_embedder+: { token_embedders+: { characters: raw_text.characters } }, encoder+: { input_size: 300 }, dropout: 0.2 },
    arc_scorer+: { dropout: 0.2, first_order+: { dropout: 0.2 } },
    label_scorer+: { dropout: 0.2 },
    initializer+: { regexes+: [
      ['_first_order\\._from_dependent\\.bias', { type: 'constant', val: -3.5 }],
      ['_label_scorer\\._from_dependent\\.bias', { type: 'constant', val: -3.7 }],
    ] },
  },
  trainer+: { num_epochs: 16, optimizer+: { lr: 0.004 }, learning_rate_scheduler: { type: 'linear_with_warmup', warmup_steps: 100 } },
}
