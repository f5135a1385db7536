// What both configs of the trial share: small parsers, few epochs, and which words the parsers see. `python -m studies.trees` sets
// the variables.
local raw_words = std.extVar('TRIAL_RAW_WORDS') == 'yes';
local schedule = std.extVar('TRIAL_SCHEDULE');
local arc_bias = std.parseJson(std.extVar('TRIAL_ARC_BIAS'));

{
  has_trees: std.extVar('TRIAL_TREES') == 'yes',

  reader(reader): reader + (
    if raw_words then { token_indexers: { words: reader.token_indexers.words } } else {}
  ),

  parser(parser): parser + {
    arc_scorer+: { hidden_dim: 100 },
    initializer+: { regexes+: if parser.type != 'semantic_parser' || arc_bias == null then [] else [
      ['_arc_scorer\\._from_dependent\\.bias', { type: 'constant', val: arc_bias }],
    ] },
    encoder+: { encoder+: { hidden_size: 100 } } + (
      if !raw_words then {} else {
        text_field_embedder: { token_embedders: { words: parser.encoder.text_field_embedder.token_embedders.words } },
        encoder+: { input_size: 100, hidden_size: 100 },
        word_dropout+: { together: [] },
      }
    ),
  },

  trainer: {
    num_epochs: std.parseInt(std.extVar('TRIAL_EPOCHS')),
    optimizer+: { lr: 0.006 },
  } + (
    if schedule == 'exponential' then {}  // the trainer's own
    else { learning_rate_scheduler: { type: 'linear_with_warmup', warmup_steps: 100 } }
  ),
  batch_size: 8,
}
